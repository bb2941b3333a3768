"""Arrays as bytes: in the messages of tasks, and in files."""

from collections.abc import Callable, Mapping
from pathlib import Path
from uuid import uuid4

import numpy as np

from matinee.storage.tensors import Part, tensors_of, write_tensors

Arrays = dict[str, np.ndarray]


def to_bytes(**arrays: np.ndarray) -> bytes:
    """Arrays in the format of a model folder."""
    from safetensors.numpy import save

    return save({name: np.ascontiguousarray(array) for name, array in arrays.items()})


def from_bytes(payload: bytes) -> Arrays:
    """The arrays of ``to_bytes``."""
    return tensors_of(np.frombuffer(payload, np.uint8))


def write_arrays(
    folder: Path, arrays: Mapping[str, np.ndarray], name: Callable[[str], str]
) -> Part:
    """Write a file atomically, named from its digest: Spark may run a task twice, even at once."""
    new = folder / f"new-{uuid4().hex}"
    with new.open("wb") as file:
        digest = write_tensors(file, arrays)
    n_bytes, path = new.stat().st_size, folder / name(digest)
    new.replace(path)
    return Part(path, digest, n_bytes)
