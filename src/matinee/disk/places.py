"""Whether a file or a folder can be written at a place, known before the work that it is for."""

import os
import tempfile
from pathlib import Path

from matinee.errors import BadSetting, MatineeError


def check_parent(path: Path) -> None:
    """Raise BadSetting unless there is the folder that a file is to be written to.

    Raises MatineeError where it takes no file.
    """
    if not path.absolute().parent.is_dir():
        raise BadSetting(f"there is no folder {path.absolute().parent} to write {path.name} to")
    if not path.exists() or path.is_file():  # a pipe or a device is written to as it is
        check_room(path)


def check_file(path: Path) -> None:
    """Raise MatineeError unless a file can be written at ``path``."""
    if path.is_dir():
        raise MatineeError(f"{path} cannot be written: it is a folder; name a file in it")
    if not path.parent.exists():
        raise MatineeError(
            f"{path} cannot be written: there is no folder {str(path.parent)!r}; make it first"
        )
    check_room(path)
    if path.exists() and not os.access(path, os.W_OK):
        raise MatineeError(f"{path} cannot be written: it is read-only")


def check_room(path: Path) -> None:
    """Raise MatineeError unless ``path``, or the nearest folder above it, takes what goes there.

    A file without a name is made in it, as permissions alone do not tell: not to the superuser, and
    not of ``/proc``.
    """
    place = path.absolute()
    folders = (place, *place.parents) if place.is_dir() else place.parents
    folder = next(one for one in folders if one.exists())
    if not folder.is_dir():
        raise MatineeError(f"{path} cannot be written: {folder} is a file and no folder")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        why = f"nothing can be put into {folder} ({error.strerror})"
        raise MatineeError(f"{path} cannot be written: {why}; choose another place") from error
