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
import shlex
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from matinee.data.integrity import BadArray
from matinee.disk.locks import folder_lock, work_folder
from matinee.disk.places import check_room
from matinee.disk.reading import (
    DOCUMENT_BYTES,
    BadFile,
    check_digest,
    check_entry,
    entries_of,
    open_regular,
    parse_json,
    read_sealed,
    seal,
)
from matinee.disk.whole_files import sync, sync_folder
from matinee.display.plain_data import JsonMapping, JsonObject
from matinee.errors import Advice, BadModel, MatineeError
from matinee.storage.array_laws import check_arrays
from matinee.storage.tensors import (
    Part,
    Stacked,
    StoredArray,
    map_tensors,
    tensors_of,
    write_tensors,
)

FORMAT = "matinee-model"
FORMAT_VERSION = 2
VERSIONS = {"format": FORMAT, "format_version": FORMAT_VERSION}
MANIFEST = "model.json"
USERS = "users"  # what users' files are called
OWN_FILE = re.compile(r"(arrays|catalog|users)-[0-9a-f]{12}\.(safetensors|json)")
HEX = "[0-9a-f]{12}"
FILE_NAMES = {"arrays": rf"arrays-{HEX}\.safetensors", "catalog": rf"catalog-{HEX}\.json"}
PART_NAMES = {USERS: rf"{USERS}-{HEX}\.safetensors"}
BESIDE_SCORES = ("versions", "facts", "taste_notes")  # fields that no score depends on
MOST_ATTEMPTS = 5  # to read a folder that is being replaced
MAP_FROM = 256 << 20  # bytes from which arrays are mapped instead of read


class Replaced(MatineeError):
    """The folder holds another model than the one that was to be replaced."""


def write_folder(
    path: Path,
    facts: JsonMapping,
    arrays: Mapping[str, StoredArray],
    texts: JsonMapping,
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
            files: JsonObject = {"arrays": _written(temporary, "arrays", "safetensors", whole)}
            if in_parts:
                files[USERS] = _written_in_parts(temporary, in_parts)
            for name, value in texts.items():
                files[name] = _written(temporary, name, "json", value)
            with (temporary / MANIFEST).open("wb") as stream:
                stream.write(seal({**VERSIONS, **facts, "files": files}))
                sync(stream)
            _replace(path, temporary)
    except OSError as error:
        raise MatineeError(f"the model could not be written to {path}: {error.strerror}") from error


def _written(folder: Path, name: str, suffix: str, value: Any) -> JsonObject:
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


def _written_in_parts(folder: Path, arrays: Mapping[str, Stacked]) -> list[JsonObject]:
    """Files with some of the rows of each array: those that are there already, where they can be
    linked to, and else new ones."""
    entries = []
    for number, part in enumerate(next(iter(arrays.values())).parts):
        file = file_name(USERS, part.sha256)
        entry: JsonObject = {"file": file, "sha256": part.sha256, "bytes": part.n_bytes}
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
    check_room(path)


def read_folder(path: Path) -> tuple[JsonObject, dict[str, np.ndarray], JsonObject]:
    """Facts, arrays (of any shape) and texts of a model folder, as ``write_folder`` took them.

    Every file is checked by its digest, large ones before they are mapped, and every array for the
    laws of ``array_laws``. A folder that is replaced meanwhile is read again. Raises BadModel, in
    words, when the folder is missing, truncated, altered, newer, foreign or inconsistent.
    """
    for _ in range(MOST_ATTEMPTS):
        manifest = _read_manifest(path)
        try:
            return _read_files(path, manifest)
        except (BadFile, BadArray, ValueError) as error:
            problem = error
        if _read_manifest(path) == manifest:
            break
    if isinstance(problem, BadFile):
        raise BadModel(f"{problem}; the model at {path} is incomplete or damaged") from None
    raise BadModel(f"{path} does not hold a whole model: {problem}; fit it again") from None


def _read_files(
    path: Path, manifest: JsonMapping
) -> tuple[JsonObject, dict[str, np.ndarray], JsonObject]:
    files = dict(manifest["files"]) if isinstance(manifest.get("files"), dict) else {}
    parts = files.pop(USERS, [])
    entries = entries_of(files, FILE_NAMES)
    if not isinstance(parts, list) or "arrays" not in entries:
        raise BadFile(f"{path / MANIFEST} was not written by Matinee: its files are not listed")
    for entry in parts:
        check_entry(USERS, entry, PART_NAMES)
    arrays: dict[str, Any] = _read_arrays(path, entries.pop("arrays"))
    arrays |= _read_parts(path, parts)
    for array in arrays.values():
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
    check_arrays(arrays)
    facts = {name: value for name, value in manifest.items() if name != "files"}
    return facts, arrays, {name: _read_text(path, entry) for name, entry in entries.items()}


def _read_text(path: Path, entry: JsonMapping) -> Any:
    """The value of a JSON file. Raises BadFile unless it is as it was written."""
    file = path / entry["file"]
    with open_regular(file) as stream:
        check_digest(file, stream, entry)
        if entry["bytes"] > DOCUMENT_BYTES:
            raise BadFile(f"{file} holds more than the {DOCUMENT_BYTES:,} bytes it may")
        return parse_json(stream.read(), file)


def _read_arrays(path: Path, entry: JsonMapping) -> dict[str, np.ndarray]:
    """The arrays of a file, mapped where it is large. Raises BadFile unless it is as written."""
    file = path / entry["file"]
    with open_regular(file) as stream:
        check_digest(file, stream, entry)
        try:
            if entry["bytes"] > MAP_FROM:
                return map_tensors(stream)
            return tensors_of(np.frombuffer(stream.read(), np.uint8))
        except (ValueError, KeyError, TypeError, RecursionError):
            raise BadFile(f"{file} was altered: its header cannot be read") from None


def _read_parts(path: Path, entries: list[JsonObject]) -> dict[str, Any]:
    """Arrays that lie in several files: mapped where they are large, and else as usual arrays."""
    if not entries:
        return {}
    mapped = sum(entry["bytes"] for entry in entries) > MAP_FROM
    read = [_read_arrays(path, {**entry}) for entry in entries]
    names = list(read[0])
    if any(list(one) != names for one in read):
        raise BadFile(f"the files of users in {path} do not hold the same arrays")
    if mapped:
        parts = [Part(path / one["file"], one["sha256"], one["bytes"]) for one in entries]
        return {name: Stacked([one[name] for one in read], parts) for name in names}
    return {name: np.concatenate([one[name] for one in read]) for name in names}


def _read_manifest(path: Path) -> JsonObject:
    if not (path / MANIFEST).is_file():
        raise no_model(path)
    try:
        return read_sealed(path / MANIFEST, "model", VERSIONS)
    except BadFile as error:
        raise BadModel(str(error)) from None


def no_model(path: Path) -> BadModel:
    """The error for a path that is not there or is no model, with what makes one.

    What is there may be ratings, and is never where a model should go.
    """
    if path.is_file() or (path.is_dir() and any(path.iterdir())):
        what = "it is a file" if path.is_file() else f"{path / MANIFEST} is missing"
        return BadModel(
            f"there is no model at {path}: {what}; if it holds ratings, ",
            Advice(
                f'fit them first: matinee.fit(matinee.read_ratings("{path}")).save("model")',
                f"fit them first: matinee fit {shlex.quote(str(path))} --out model",
            ),
        )
    return BadModel(
        f"there is no model at {path}: {path / MANIFEST} is missing; ",
        Advice(
            f'make one by matinee.fit(ratings).save("{path}")',
            f"make one by matinee fit DATA --out {shlex.quote(str(path))}",
        ),
    )


def is_model(path: Path) -> bool:
    """Whether a folder is that of a model."""
    return (path / MANIFEST).is_file()


def manifest_digest(path: Path) -> str:
    """A short digest of a model folder's manifest, which holds the digests of all other files.

    Raises BadModel for a folder without one.
    """
    try:
        return hashlib.sha256((path / MANIFEST).read_bytes()).hexdigest()[:12]
    except OSError:
        raise no_model(path) from None


def model_fingerprint(path: Path) -> str:
    """What a model folder computes by, in short: its algorithm, and a digest.

    Names of tastes, facts and versions of libraries may change without it. Raises BadModel.
    """
    manifest = _read_manifest(path)
    scored = json.dumps(_without(manifest, BESIDE_SCORES), sort_keys=True)
    return f"{manifest['algorithm']}-{hashlib.sha256(scored.encode()).hexdigest()[:12]}"


def _without(value: Any, names: Collection[str]) -> Any:
    """JSON data without the fields of these names, at any depth."""
    if isinstance(value, list):
        return [_without(one, names) for one in value]
    if isinstance(value, dict):
        return {name: _without(one, names) for name, one in value.items() if name not in names}
    return value


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
