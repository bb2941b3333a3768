"""A folder or a zip: files found by name, opened as streams, never unpacked by their own paths."""

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from matinee.errors import BadRatings
from matinee.sources import files
from matinee.sources.files import name_of, opener, read_some, words

ABSURD_RATIO = 300  # unpacked bytes per packed one; real ratings stay below 20
ALWAYS_FINE = 50 << 20  # bytes unpacked below which the ratio is not checked


@dataclass(frozen=True)
class Bundle:
    """Files by their last name, of the shallowest when several share it."""

    name: str
    openers: dict[str, Callable[[], IO[bytes]]]
    paths: dict[str, Path]  # of those that lie on disk as they are

    def __contains__(self, name: object) -> bool:
        return name in self.openers

    def has(self, *names: str) -> bool:
        """Whether all of these are here."""
        return all(name in self.openers for name in names)

    def starts(self, name: str, start: bytes) -> bool:
        """Whether a file begins with these bytes."""
        with self.openers[name]() as file:
            return read_some(name, file, len(start)) == start

    def text(self, name: str, encoding: str) -> str:
        """The whole of a small text file. Raises BadRatings for a damaged one."""
        try:
            with self.openers[name]() as file:
                return file.read().decode(encoding, errors="replace")
        except (OSError, EOFError, zipfile.BadZipFile) as error:
            raise BadRatings(f"{name} in {self.name} is damaged: {words(error)}") from None


@contextmanager
def open_bundle(path: Path, depth: int = 2) -> Iterator[Bundle]:
    """The files of a zip, or of a folder and, for a ``depth`` of 2, the folders in it.

    Raises BadRatings for a zip that is broken, encrypted or unsafe to unpack.
    """
    if path.is_dir():
        entries = [
            one for level in range(depth, 0, -1) for one in sorted(path.glob("/".join("*" * level)))
        ]
        paths = {one.name: one for one in entries if one.is_file()}
        yield Bundle(name_of(path), {name: opener(one) for name, one in paths.items()}, paths)
        return
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
        raise BadRatings(f"{name_of(path)} is a damaged zip: {words(error)}") from None
    with archive:
        if "xl/workbook.xml" in archive.namelist():
            raise BadRatings(f"{name_of(path)} is {files.WORKBOOK}")
        yield Bundle(name_of(path), dict(members(archive, name_of(path))), {})


def members(archive: zipfile.ZipFile, name: str) -> Iterator[tuple[str, Callable[[], IO[bytes]]]]:
    """The files of a zip, the deepest first.

    Raises BadRatings for paths that lead out of the zip, encrypted files and zip bombs.
    """
    for info in sorted(archive.infolist(), key=lambda one: -one.filename.count("/")):
        inside = PurePosixPath(info.filename.replace("\\", "/"))
        if inside.is_absolute() or ".." in inside.parts or ":" in inside.parts[0][:2]:
            raise BadRatings(f"{name} is not safe to read: it holds the path {info.filename!r}")
        if info.flag_bits & 1:
            raise BadRatings(f"{name} is encrypted; unpack it first")
        if info.file_size > max(ALWAYS_FINE, ABSURD_RATIO * info.compress_size):
            raise BadRatings(
                f"{name} is not safe to read: {inside.name} unpacks from {info.compress_size:,} "
                f"to {info.file_size:,} bytes"
            )
        if not info.is_dir() and "__MACOSX" not in inside.parts:
            yield inside.name, partial(archive.open, info)
