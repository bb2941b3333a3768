"""The record of runs that ``compare``, ``tune`` and ``runs`` share."""

from dataclasses import dataclass
from pathlib import Path

import click

from matinee.cli.options.values import gathered

RECORD = "matinee-runs.jsonl"


@dataclass(frozen=True)
class RecordOptions:
    """Where runs are recorded, and whether recorded ones are reused."""

    record: str
    no_record: bool
    resume: bool

    @property
    def file(self) -> str | None:
        """The file to record runs in; None with --no-record."""
        return None if self.no_record else self.record

    def check(self) -> None:
        """Raise MatineeError, before any work, for a record that cannot be written."""
        from matinee.disk.places import check_file

        if self.file is not None:
            check_file(Path(self.file))


record_options = gathered(
    "recording",
    RecordOptions,
    click.option(
        "--record",
        default=RECORD,
        show_default=True,
        metavar="FILE",
        help="File that each finished run is appended to.",
    ),
    click.option("--no-record", is_flag=True, help="Record nothing."),
    click.option("--resume", is_flag=True, help="Take finished runs from the record."),
)
