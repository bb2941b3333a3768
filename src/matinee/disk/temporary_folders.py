"""Temporary folders whose owner can be told dead: the next one that is made sweeps them away."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from matinee.disk.locks import lock, remove_folder

OWNER = ".owner"  # locked by the process that made the folder, for as long as it lives


@contextmanager
def temporary_folder(parent: str | Path | None = None, prefix: str = "matinee-") -> Iterator[Path]:
    """A private folder in ``parent``, by default where temporary files go; gone afterwards.

    Folders of the same prefix whose owners were killed are removed first.
    """
    parent = Path(parent or tempfile.gettempdir())
    _sweep(parent, prefix)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent)).absolute()
    try:
        with (folder / "owner").open("wb") as owner:
            lock(owner.fileno())
            with suppress(OSError):  # Windows: an open file keeps its name, and is never swept
                (folder / "owner").rename(folder / OWNER)
            yield folder
    finally:
        remove_folder(folder)


def _sweep(parent: Path, prefix: str) -> None:
    """Remove folders whose owners are dead: nobody holds the lock in them."""
    with suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if entry.name.startswith(prefix) and entry.is_dir(follow_symlinks=False):
                _remove_if_dead(Path(entry))


def _remove_if_dead(folder: Path) -> None:
    try:
        with (folder / OWNER).open("r+b") as owner:
            dead = lock(owner.fileno())
    except OSError:  # without an owner, or another user's
        return
    if dead:
        remove_folder(folder)
