"""A plain record of runs: JSON lines, each appended as soon as its run ends.

Every line is flushed to the disk when it is written, so an interruption loses no finished run. A
truncated last line is skipped when the record is read.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from matinee.display.plain_data import JsonMapping, JsonObject
from matinee.errors import MatineeError


@dataclass(frozen=True)
class Record:
    """A file of runs; without a path, nothing is written."""

    path: Path | None
    resume: bool = True  # whether a search or comparison takes over its earlier runs

    @classmethod
    def of(cls, path: str | Path) -> "Record":
        """Open an existing record to read. Raises MatineeError where the file does not exist."""
        if not Path(path).is_file():
            raise MatineeError(f"there is no record {path}; matinee compare and tune write one")
        return cls(Path(path))

    @classmethod
    def at(cls, path: str | Path | None, resume: bool = True) -> "Record":
        """Open a record to append to, creating its file where it does not exist.

        Raises MatineeError where the file cannot be written.
        """
        if path is None:
            return cls(None, resume)
        file = Path(path)
        try:
            with file.open("a", encoding="utf-8"):
                pass
        except OSError as error:
            raise MatineeError(f"the record {file} cannot be written: {error.strerror}") from error
        return cls(file, resume)

    def append(self, run: JsonMapping) -> None:
        """Append one run, with the time."""
        if self.path is None:
            return
        line = json.dumps({"time": _now(), **run}, ensure_ascii=False, allow_nan=False)
        with self.path.open("a+b") as file:
            if file.tell() and not _ends_whole(file):
                file.write(b"\n")  # ends a truncated line
            file.write(line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def runs(self) -> Iterator[JsonObject]:
        """Every complete line, the oldest first. Raises MatineeError for a file that is no text."""
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
                continue  # truncated
            if isinstance(run, dict):
                yield run


@dataclass(frozen=True)
class Series:
    """The runs of one search or comparison in a record: those of a kind with a key."""

    record: Record
    what: str
    key: str

    def past(self) -> list[JsonObject]:
        """The runs to take over, the oldest first; none unless the record resumes."""
        if not self.record.resume:
            return []
        name = (self.what, self.key)
        return [run for run in self.record.runs() if (run.get("what"), run.get("key")) == name]

    def append(self, **run: object) -> None:
        """Append one run, with the time."""
        self.record.append({"what": self.what, "key": self.key, **run})


def key_of(*facts: object) -> str:
    """A short digest of plain facts: equal facts, equal keys."""
    text = json.dumps(facts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _ends_whole(file: IO[bytes]) -> bool:
    file.seek(-1, os.SEEK_END)
    return bool(file.read(1) == b"\n")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
