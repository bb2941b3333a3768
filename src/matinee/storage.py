"""A model folder: numbers in safetensors, the rest in JSON. Data, never code.

    model.json                  the manifest: format, settings, and the digest of every other file
    arrays-<digest>.safetensors numbers and ids
    catalog-<digest>.json       titles and features

File names carry their digest and the manifest is replaced last, in one step, so a reader sees the
old model or the new one and never a mixture, whenever the writer dies.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from matinee.errors import BadModel, MatineeError

FORMAT = "matinee-model"
FORMAT_VERSION = 1
MANIFEST = "model.json"


def write_folder(path: Path, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray],
                 texts: Mapping[str, Any]) -> None:  # fmt: skip
    """Write a model folder, replacing a model that is there in one step.

    ``facts`` goes into the manifest, ``arrays`` into safetensors, each of ``texts`` into a JSON
    file of its own. Raises MatineeError when the folder cannot be written or holds something else.
    """
    from safetensors.numpy import save

    check_place(path)
    contents = {"arrays": ("safetensors", save(dict(arrays)))}
    for name, value in texts.items():
        contents[name] = ("json", json.dumps(value, ensure_ascii=False).encode())
    files, digests = {}, {}
    for name, (suffix, data) in contents.items():
        digests[name] = hashlib.sha256(data).hexdigest()
        files[f"{name}-{digests[name][:12]}.{suffix}"] = data
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        **facts,
        "files": {name: {"file": file, "sha256": digests[name]}
                  for name, file in zip(contents, files, strict=True)},
    }  # fmt: skip
    manifest["checksum"] = _checksum(manifest)
    files[MANIFEST] = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, files)
    except OSError as error:
        raise MatineeError(f"the model could not be written to {path}: {error.strerror}") from error


def check_place(path: Path) -> None:
    """Raise MatineeError unless a model can go to ``path``: nothing is there, or a model is."""
    if (
        path.exists()
        and not (path / MANIFEST).is_file()
        and (path.is_file() or any(path.iterdir()))
    ):
        raise MatineeError(f"{path} exists and is not a model folder; choose another place")


def read_folder(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray], dict[str, Any]]:
    """Facts, arrays and texts of a model folder, as ``write_folder`` took them.

    Raises BadModel, in words, when the folder is missing, truncated, altered, newer or foreign.
    """
    from safetensors.numpy import load

    manifest = _read_manifest(path)
    contents = {}
    for name, entry in manifest.pop("files").items():
        file = path / str(entry["file"])
        try:
            data = file.read_bytes()
        except OSError:
            raise BadModel(f"{file} is missing; the model at {path} is incomplete") from None
        if hashlib.sha256(data).hexdigest() != entry["sha256"]:
            raise BadModel(f"{file} was altered or cut short: its checksum does not match")
        contents[name] = data
    arrays = load(contents.pop("arrays"))
    for array in arrays.values():
        array.flags.writeable = False
    return manifest, arrays, {name: json.loads(data) for name, data in contents.items()}


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
    return manifest


def _checksum(manifest: Mapping[str, Any]) -> str:
    plain = {name: value for name, value in manifest.items() if name != "checksum"}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _replace(path: Path, files: Mapping[str, bytes]) -> None:
    """Put files into the folder, the manifest last; a folder that is not there appears whole."""
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        for name, data in files.items():
            with (temporary / name).open("wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
        _sync_folder(temporary)
        temporary.chmod(0o755)
        if not path.exists():
            temporary.rename(path)
        else:
            for name in sorted(files, key=lambda name: name == MANIFEST):
                (temporary / name).replace(path / name)
                _sync_folder(path)
            for old in path.iterdir():
                if old.name not in files and old.name.startswith(("arrays-", "catalog-")):
                    old.unlink()
        _sync_folder(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _sync_folder(path: Path) -> None:
    if os.name == "nt":
        return  # a folder cannot be synced there
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
