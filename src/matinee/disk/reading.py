"""Reading what somebody else may have written: regular files alone, of bounded size, by digest."""

import hashlib
import json
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from matinee.display.plain_data import JsonMapping, JsonObject

MANIFEST_BYTES = 64 << 20
DOCUMENT_BYTES = 2 << 30
MOST_DEPTH = 64  # of lists and objects in a manifest
PIECE = 1 << 22  # bytes that a digest takes at once


class BadFile(ValueError):
    """A file is missing, not a regular one, too large, altered, or not what it should be."""


def open_regular(path: Path) -> IO[bytes]:
    """A regular file, open to read. Raises BadFile for anything else, without waiting for it."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(path, flags)
    except FileNotFoundError:
        raise BadFile(f"{path} is missing") from None
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise BadFile(f"{path} is not a regular file")
    return os.fdopen(handle, "rb")


def read_bounded(path: Path, most: int) -> bytes:
    """All of a regular file of at most so many bytes. Raises BadFile."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise BadFile(f"{path} holds {size:,} bytes, more than the {most:,} it may")
        return file.read(most)


def check_digest(path: Path, file: IO[bytes], entry: JsonMapping) -> None:
    """Raise BadFile unless an open file has the size and the SHA-256 of its manifest entry.

    Costs some 0.6 s per GB where the processor knows SHA, as nearly all of today do.
    """
    size = os.fstat(file.fileno()).st_size
    if size != entry["bytes"]:
        expected = f"{size:,} bytes and not {entry['bytes']:,}"
        raise BadFile(f"{path} holds {expected}: it was cut short or altered")
    if sha256_of(file) != entry["sha256"]:
        raise BadFile(f"{path} was altered or cut short: its checksum does not match")


def entry_of(path: Path) -> JsonObject:
    """The manifest entry of a file: its name, size and SHA-256."""
    with path.open("rb") as file:
        digest = sha256_of(file)
    return {"file": path.name, "sha256": digest, "bytes": path.stat().st_size}


def sha256_of(file: IO[bytes]) -> str:
    """The SHA-256 of an open file, read from its beginning in pieces."""
    digest, piece = hashlib.sha256(), memoryview(bytearray(PIECE))
    file.seek(0)
    while n := file.readinto(piece):  # type: ignore[attr-defined]
        digest.update(piece[:n])
    file.seek(0)
    return digest.hexdigest()


def parse_json(data: bytes, path: Path) -> Any:
    """The value of a JSON document. Raises BadFile, for one that is nested too deep as well."""
    try:
        return json.loads(data)
    except RecursionError:
        raise BadFile(f"{path} was not written by Matinee: it is nested too deep") from None
    except ValueError:
        raise BadFile(f"{path} is not readable JSON; it was cut short or altered") from None


def seal(manifest: JsonMapping) -> bytes:
    """A manifest as it is written, with a checksum of itself."""
    sealed = {**manifest, "checksum": checksum(manifest)}
    return json.dumps(sealed, ensure_ascii=False, indent=1).encode()


def read_sealed(path: Path, kind: str, versions: JsonMapping) -> JsonObject:
    """A manifest that ``seal`` made, without its checksum, format and version.

    ``versions`` names the fields ``format`` and its version with the values they must have. Raises
    BadFile for any other, in words with ``kind``.
    """
    manifest = parse_json(read_bounded(path, MANIFEST_BYTES), path)
    (format_name, own_format), (version_name, own_version) = versions.items()
    if not isinstance(manifest, dict) or manifest.get(format_name) != own_format:
        raise BadFile(f"{path} was not written by Matinee")
    version = manifest.get(version_name)
    if version != own_version:
        raise BadFile(
            f"{path.parent} has {kind} format {str(version)[:20]}; this Matinee reads format "
            f"{own_version}. Upgrade Matinee, or make it again"
        )
    if depth_of(manifest) > MOST_DEPTH:
        raise BadFile(f"{path} was not written by Matinee: it is nested too deep")
    seal_found = manifest.pop("checksum", None)
    if seal_found != checksum(manifest):
        raise BadFile(f"{path} was altered: its checksum does not match")
    return {name: one for name, one in manifest.items() if name not in versions}


def checksum(manifest: JsonMapping) -> str:
    """The SHA-256 of a manifest's contents, whatever their order."""
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def depth_of(value: object) -> int:
    """How deep lists and objects are nested in a JSON value, up to one above ``MOST_DEPTH``."""
    depth, level = 0, [value]
    while level and depth <= MOST_DEPTH:
        inner = [one for one in level if isinstance(one, dict | list)]
        level = [x for one in inner for x in (one.values() if isinstance(one, dict) else one)]
        depth += bool(inner)
    return depth


def entries_of(files: object, names: Mapping[str, str]) -> dict[str, JsonObject]:
    """The file entries of a manifest: ``{name: {"file", "sha256", "bytes"}}``.

    ``names`` gives the file name that each may have, as a regular expression. Raises BadFile for
    any other.
    """
    if not isinstance(files, dict):
        raise BadFile("its list of files is not one")
    for name, entry in files.items():
        check_entry(name, entry, names)
    return files


def check_entry(name: str, entry: object, names: Mapping[str, str]) -> None:
    """Raise BadFile unless this is an entry of a file that may be there."""
    if name not in names:
        raise BadFile(f"it names a file {name[:40]!r}, which is none of {', '.join(names)}")
    fields = {"file": str, "sha256": str, "bytes": int}
    if not isinstance(entry, dict) or any(
        type(entry.get(field)) is not kind for field, kind in fields.items()
    ):
        raise BadFile(f"its entry of the file {name!r} is not one")
    if not re.fullmatch(names[name], entry["file"]):
        raise BadFile(
            f"it names the file {entry['file'][:60]!r}, which no file of it can be called"
        )
