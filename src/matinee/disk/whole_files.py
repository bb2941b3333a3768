"""Files that are whole or absent: written beside their place, and renamed into it."""

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from matinee.disk.locks import acquired, lock

NAME_LETTERS = 80  # of the goal's name in that of the file beside it
SUFFIX = ".part"
AT_FDCWD, RENAME_EXCHANGE = -100, 2  # of Linux: paths as they are, and names are exchanged


def write_whole(path: Path, contents: str | bytes) -> None:
    """Write text (UTF-8) or bytes to ``path`` in one step; see ``whole_file``."""
    with whole_file(path) as file:
        file.write(contents.encode() if isinstance(contents, str) else contents)


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file to write, which takes the name ``path`` when the block ends without an exception.

    Whoever reads ``path`` sees the old file or the new one, whenever the writer dies; what a killed
    writer left beside it is removed by the next. A pipe or a device is written to as it is.
    Raises OSError.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as file:
            yield file
        return
    goal = path.resolve()
    prefix = f".{goal.name[:NAME_LETTERS]}."
    _sweep(goal.parent, prefix)
    part, handle = _new_part(goal.parent, prefix)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            sync(file)
        if goal.exists():
            part.chmod(goal.stat().st_mode & 0o777)
        part.replace(goal)
        sync_folder(goal.parent)
    finally:
        part.unlink(missing_ok=True)


def _new_part(folder: Path, prefix: str) -> tuple[Path, int]:
    """A new file, open and locked, so that no other writer sweeps it away."""
    while True:
        part = folder / f"{prefix}{secrets.token_hex(6)}{SUFFIX}"
        if (handle := acquired(part)) is not None:
            return part, handle


def _sweep(folder: Path, prefix: str) -> None:
    """Remove the parts of writers that are dead: nobody holds them."""
    for part in folder.glob(f"{_literal(prefix)}*{SUFFIX}"):
        with suppress(OSError), part.open("r+b") as file:
            if lock(file.fileno()):
                part.unlink()


def exchange(new: Path, old: Path) -> None:
    """Let two folders of one file system take each other's name, in one step where Linux can.

    Elsewhere there is a moment at which nothing has the name ``old``. Raises OSError.
    """
    if _exchanged(new, old):
        return
    aside = new.parent / f"{new.name}-aside"
    old.rename(aside)
    new.rename(old)
    aside.rename(new)


def _exchanged(new: Path, old: Path) -> bool:
    """Whether the system has exchanged two names in one step."""
    if sys.platform != "linux":
        return False
    import ctypes

    renameat2 = getattr(ctypes.CDLL(None), "renameat2", None)
    if renameat2 is None:
        return False
    return bool(
        renameat2(AT_FDCWD, os.fsencode(new), AT_FDCWD, os.fsencode(old), RENAME_EXCHANGE) == 0
    )


def _literal(text: str) -> str:
    """A glob pattern of a text itself."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in text)


def sync(file: IO[bytes]) -> None:
    """Put what was written to a file on the disk."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Put the names in a folder on the disk, where the system can."""
    if os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
