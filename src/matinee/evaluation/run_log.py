"""A plain record of what was run: a JSON object a line, appended as soon as it is known.

A line is flushed to the disk when it is written, so an interrupted run keeps what it has; a last
line that was cut short is passed over when the record is read.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from matinee.errors import MatineeError


@dataclass(frozen=True)
class Record:
    """A file of runs; None keeps nothing."""

    path: Path | None

    @classmethod
    def of(cls, path: str | Path) -> "Record":
        """A record that is there, to read. Raises MatineeError where there is none."""
        if not Path(path).is_file():
            raise MatineeError(f"there is no record {path}; matinee compare and tune write one")
        return cls(Path(path))

    @classmethod
    def at(cls, path: str | Path | None) -> "Record":
        """Open a record, making its file where there is none. Raises MatineeError if it cannot."""
        if path is None:
            return cls(None)
        file = Path(path)
        try:
            with file.open("a", encoding="utf-8"):
                pass
        except OSError as error:
            raise MatineeError(f"the record {file} cannot be written: {error.strerror}") from error
        return cls(file)

    def keep(self, run: Mapping[str, Any]) -> None:
        """Append one run, with the time."""
        if self.path is None:
            return
        line = json.dumps({"time": _now(), **run}, ensure_ascii=False, allow_nan=False)
        with self.path.open("a+b") as file:
            if file.tell() and not _ends_whole(file):
                file.write(b"\n")  # after a line that was cut short
            file.write(line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def runs(self) -> Iterator[dict[str, Any]]:
        """Every whole line, the oldest first. Raises MatineeError where the file is no record."""
        if self.path is None:
            return
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise MatineeError(f"{self.path} cannot be read as a record: {error}") from error
        for line in lines:
            try:
                run = json.loads(line)
            except ValueError:
                continue  # cut short
            if isinstance(run, dict):
                yield run

    def find(self, what: str, key: str) -> list[dict[str, Any]]:
        """The runs of a kind with a key, the oldest first."""
        return [run for run in self.runs() if run.get("what") == what and run.get("key") == key]


def key_of(*facts: Any) -> str:
    """A short digest of plain facts: equal facts, equal keys."""
    text = json.dumps(facts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _ends_whole(file: Any) -> bool:
    file.seek(-1, os.SEEK_END)
    return bool(file.read(1) == b"\n")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
