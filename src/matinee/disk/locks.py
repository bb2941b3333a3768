"""One writer of a folder at a time: a lock beside it, which ends with the process that holds it."""

import errno
import os
import shutil
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from matinee.errors import MatineeError

WAIT_SECONDS = 60.0  # for another writer to finish
POLL_SECONDS = 0.02
UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)


class InUse(MatineeError):
    """Another writer holds a folder."""


@contextmanager
def folder_lock(path: Path, seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Hold the right to write what is at ``path``, which may be absent.

    The lock is the file ``.NAME.lock`` beside it. Waits up to ``seconds`` for another writer, then
    raises InUse. A killed writer holds nothing.
    """
    path = path.resolve()
    file = path.parent / f".{path.name}.lock"
    deadline = time.monotonic() + seconds
    while (handle := acquired(file)) is None:
        if time.monotonic() >= deadline:
            raise InUse(f"another writer is at work on {path}; try again when it is done")
        time.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        _release(file, handle)


@contextmanager
def work_folder(path: Path) -> Iterator[Path]:
    """An empty folder beside ``path``, where its holder prepares new contents; gone afterwards.

    Only the holder of ``folder_lock`` may call it, so what is there is a killed writer's.
    """
    path = path.resolve()
    folder = path.parent / f".{path.name}.writing"
    remove_folder(folder)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        remove_folder(folder)


def remove_folder(folder: Path) -> None:
    """Remove a folder and all in it, as far as the system allows; a link is never followed."""
    shutil.rmtree(folder, ignore_errors=True)


def lock(handle: int) -> bool:
    """Lock an open file unless another open file holds it; whether it is locked now.

    Where the file system has no locks it warns, and goes on as the only writer.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            return False
        warnings.warn(
            "this file system has no locks: see to it that a folder has one writer at a time",
            stacklevel=2,
        )
    return True


def acquired(file: Path) -> int | None:
    """A file that is open and locked, made where it is absent; None where another holds it."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    flags |= getattr(os, "O_BINARY", 0)
    handle = os.open(file, flags, 0o666)
    if lock(handle) and _is_still(file, handle):
        return handle
    os.close(handle)
    return None


def _is_still(file: Path, handle: int) -> bool:
    """Whether an open file has its name yet: the last holder takes the name away."""
    try:
        return os.path.samestat(file.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False


def _release(file: Path, handle: int) -> None:
    if sys.platform == "win32":  # where an open file keeps its name
        os.close(handle)
        with suppress(OSError):
            file.unlink()
    else:
        with suppress(OSError):
            file.unlink()
        os.close(handle)
