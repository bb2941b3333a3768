"""A model folder: numbers in safetensors, the rest in JSON. Data, never code.

    model.json                  the manifest: format, settings, and the digest of every other file
    arrays-<digest>.safetensors numbers and ids
    users-<digest>.safetensors  where users are too many for one program: those of some users
    catalog-<digest>.json       titles and features

File names carry their digest and the manifest is replaced last, in one step, so a reader sees the
old model or the new one and never a mixture, whenever the writer dies.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from matinee.disk.locks import folder_lock, work_folder
from matinee.disk.whole_files import sync, sync_folder
from matinee.errors import BadModel, MatineeError
from matinee.models.tensors import Part, Stacked, map_tensors, stacked, write_tensors

FORMAT = "matinee-model"
FORMAT_VERSION = 2
MANIFEST = "model.json"
USERS = "users"  # what users' files are called
OWN_FILE = re.compile(r"(arrays|catalog|users)-[0-9a-f]{12}\.(safetensors|json)")
MAP_FROM = 256 << 20  # bytes from which arrays are mapped instead of read


class Replaced(MatineeError):
    """The folder holds another model than the one that was to be replaced."""


def write_folder(
    path: Path,
    facts: Mapping[str, Any],
    arrays: Mapping[str, Any],
    texts: Mapping[str, Any],
    replaced: str | None = None,
) -> None:
    """Write a model folder, replacing a model that is there in one step.

    ``facts`` goes into the manifest, ``arrays`` into safetensors, each of ``texts`` into a JSON
    file of its own; arrays that lie in several files stay in several. One writer at a time is let
    in; another waits for it. ``replaced`` is the ``manifest_digest`` of the model that may be
    replaced, where that is one alone.

    Raises MatineeError when the folder cannot be written or holds something else, InUse when
    another writer holds it, and Replaced when it holds another model than the one to replace.
    """
    check_place(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with folder_lock(path), work_folder(path) as temporary:
            if replaced is not None and manifest_digest(path) != replaced:
                raise Replaced(f"{path} holds a newer model")
            in_parts = {name: one for name, one in arrays.items() if isinstance(one, Stacked)}
            whole = {name: one for name, one in arrays.items() if name not in in_parts}
            files: dict[str, Any] = {"arrays": _written(temporary, "arrays", "safetensors", whole)}
            if in_parts:
                files[USERS] = _written_in_parts(temporary, in_parts)
            for name, value in texts.items():
                files[name] = _written(temporary, name, "json", value)
            manifest: dict[str, Any] = {
                "format": FORMAT,
                "format_version": FORMAT_VERSION,
                **facts,
                "files": files,
            }
            manifest["checksum"] = _checksum(manifest)
            with (temporary / MANIFEST).open("wb") as stream:
                stream.write(json.dumps(manifest, ensure_ascii=False, indent=1).encode())
                sync(stream)
            _replace(path, temporary)
    except OSError as error:
        raise MatineeError(f"the model could not be written to {path}: {error.strerror}") from error


def _written(folder: Path, name: str, suffix: str, value: Any) -> dict[str, Any]:
    """Write one file, under a name with its digest; returns its entry in the manifest."""
    new = folder / name
    with new.open("wb") as stream:
        if suffix == "safetensors":
            digest = write_tensors(stream, value)
        else:
            data = json.dumps(value, ensure_ascii=False).encode()
            digest = hashlib.sha256(data).hexdigest()
            stream.write(data)
        sync(stream)
    file = file_name(name, digest, suffix)
    new.rename(folder / file)
    return {"file": file, "sha256": digest, "bytes": (folder / file).stat().st_size}


def _written_in_parts(folder: Path, arrays: Mapping[str, Stacked]) -> list[dict[str, Any]]:
    """Files with some of the rows of each array: those that are there already, where they can be
    linked to, and else new ones."""
    entries = []
    for number, part in enumerate(next(iter(arrays.values())).parts):
        file = file_name(USERS, part.sha256)
        entry: dict[str, Any] = {"file": file, "sha256": part.sha256, "bytes": part.n_bytes}
        try:
            os.link(part.path, folder / file)
        except OSError:
            rows = {name: array.arrays[number] for name, array in arrays.items()}
            entry = _written(folder, USERS, "safetensors", rows)
        entries.append(entry)
    return entries


def file_name(name: str, digest: str, suffix: str = "safetensors") -> str:
    """What a file is called."""
    return f"{name}-{digest[:12]}.{suffix}"


def check_place(path: Path) -> None:
    """Raise MatineeError unless a model can go to ``path``: nothing is there, or a model is."""
    if (
        path.exists()
        and not (path / MANIFEST).is_file()
        and (path.is_file() or any(path.iterdir()))
    ):
        raise MatineeError(f"{path} exists and is not a model folder; choose another place")
    there = next(one for one in (path, *path.absolute().parents) if one.exists())
    check_folder(path, there)


def check_file(path: Path) -> None:
    """Raise MatineeError unless a file can be written at ``path``."""
    if path.is_dir():
        raise MatineeError(f"{path} cannot be written: it is a folder; name a file in it")
    if not path.parent.exists():
        raise MatineeError(
            f"{path} cannot be written: there is no folder {str(path.parent)!r}; make it first"
        )
    check_folder(path, path.parent)
    if path.exists() and not os.access(path, os.W_OK):
        raise MatineeError(f"{path} cannot be written: it is read-only")


def check_folder(path: Path, folder: Path) -> None:
    """Raise MatineeError unless ``folder``, which is there, can take what goes to ``path``."""
    if not folder.is_dir():
        raise MatineeError(f"{path} cannot be written: {folder} is a file and no folder")
    if not os.access(folder, os.W_OK):
        raise MatineeError(f"{path} cannot be written: {folder} is read-only")


def read_folder(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray], dict[str, Any]]:
    """Facts, arrays and texts of a model folder, as ``write_folder`` took them.

    Raises BadModel, in words, when the folder is missing, truncated, altered, newer or foreign.
    """
    from safetensors.numpy import load

    manifest = _read_manifest(path)
    contents: dict[str, Any] = {}
    files = manifest.pop("files")
    in_parts = _read_parts(path, files.pop(USERS, []))
    for name, entry in files.items():
        file = path / str(entry["file"])
        if name == "arrays" and entry.get("bytes", 0) > MAP_FROM:
            contents[name] = _mapped(file, entry)
        else:
            contents[name] = _read(file, entry)
    found = contents.pop("arrays")
    arrays: dict[str, Any] = found if isinstance(found, dict) else load(found)
    arrays |= in_parts
    for array in arrays.values():
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
    return manifest, arrays, {name: json.loads(data) for name, data in contents.items()}


def _read(file: Path, entry: Mapping[str, Any]) -> bytes:
    """A whole file. Raises BadModel unless it is as it was written."""
    try:
        data = file.read_bytes()
    except OSError:
        raise BadModel(f"{file} is missing; the model at {file.parent} is incomplete") from None
    if hashlib.sha256(data).hexdigest() != entry["sha256"]:
        raise BadModel(f"{file} was altered or cut short: its checksum does not match")
    return data


def _read_parts(path: Path, entries: list[dict[str, Any]]) -> dict[str, Any]:
    """Arrays that lie in several files: mapped where they are large, and else as usual arrays."""
    from safetensors.numpy import load

    files = [path / str(entry["file"]) for entry in entries]
    if sum(entry["bytes"] for entry in entries) > MAP_FROM:
        for file, entry in zip(files, entries, strict=True):
            _mapped(file, entry)
        parts = zip(files, entries, strict=True)
        return dict(stacked([Part(file, one["sha256"], one["bytes"]) for file, one in parts]))
    read = [load(_read(file, entry)) for file, entry in zip(files, entries, strict=True)]
    return {name: np.concatenate([one[name] for one in read]) for name in (read or [{}])[0]}


def _mapped(file: Path, entry: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The arrays of a large file, mapped. Its length is checked; to read it all would take long."""
    if not file.is_file():
        raise BadModel(f"{file} is missing; the model is incomplete")
    if file.stat().st_size != entry["bytes"]:
        raise BadModel(f"{file} was cut short: it should hold {entry['bytes']:,} bytes")
    try:
        return map_tensors(file)
    except (ValueError, KeyError):
        raise BadModel(f"{file} was altered: its header cannot be read") from None


def _read_manifest(path: Path) -> dict[str, Any]:
    file = path / MANIFEST
    if not file.is_file():
        raise BadModel(f"there is no model at {path}: {file} is missing")
    try:
        manifest = json.loads(file.read_bytes())
    except ValueError:
        raise BadModel(f"{file} is not readable JSON; it was cut short or altered") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BadModel(f"{file} was not written by Matinee")
    version = manifest.get("format_version")
    if version != FORMAT_VERSION:
        raise BadModel(
            f"{path} has model format {version}; this Matinee reads format {FORMAT_VERSION}. "
            "Upgrade Matinee, or fit the model again"
        )
    if manifest.pop("checksum", None) != _checksum(manifest):
        raise BadModel(f"{file} was altered: its checksum does not match")
    del manifest["format"], manifest["format_version"]
    return manifest


def manifest_digest(path: Path) -> str:
    """A short digest of a model folder's manifest, which holds the digests of all other files.

    Raises BadModel for a folder without one.
    """
    try:
        return hashlib.sha256((path / MANIFEST).read_bytes()).hexdigest()[:12]
    except OSError:
        raise BadModel(f"there is no model at {path}: {path / MANIFEST} is missing") from None


def _checksum(manifest: Mapping[str, Any]) -> str:
    plain = {name: value for name, value in manifest.items() if name != "checksum"}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _replace(path: Path, temporary: Path) -> None:
    """Put files into the folder, the manifest last; a folder that is not there appears whole."""
    sync_folder(temporary)
    temporary.chmod(0o755)
    if not path.exists():
        temporary.rename(path)
    else:
        names = [file.name for file in temporary.iterdir()]
        for name in sorted(names, key=lambda name: name == MANIFEST):
            (temporary / name).replace(path / name)
            sync_folder(path)
        for old in path.iterdir():
            if old.name not in names and OWN_FILE.fullmatch(old.name):
                old.unlink()
    sync_folder(path.parent)
