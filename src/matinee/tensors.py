"""Arrays in a safetensors file: written in parts, and mapped where they are large.

8 bytes: length of the header    header: JSON of types, shapes and places    the arrays' bytes
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

PART = 64 << 20  # bytes written at once
CODES = {
    "float16": "F16", "float32": "F32", "float64": "F64", "int8": "I8", "int16": "I16",
    "int32": "I32", "int64": "I64", "uint8": "U8", "uint16": "U16", "uint32": "U32",
    "uint64": "U64", "bool": "BOOL",
}  # fmt: skip
TYPES = {code: np.dtype(name) for name, code in CODES.items()}


def write_tensors(file: IO[bytes], arrays: Mapping[str, np.ndarray]) -> str:
    """Write arrays, never a copy of a whole one; returns the SHA-256 of the file."""
    digest = hashlib.sha256()

    def write(data: Any) -> None:
        digest.update(data)
        file.write(data)

    # Wide numbers first, so that each array begins where its type wants it.
    ordered = sorted(arrays, key=lambda name: (-arrays[name].itemsize, name))
    header: dict[str, Any] = {}
    at = 0
    for name in ordered:
        array = arrays[name]
        place = [at, at := at + array.nbytes]
        kind = CODES[array.dtype.name]
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": place}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    write(len(text).to_bytes(8, "little"))
    write(text)
    for name in ordered:
        flat = np.ascontiguousarray(arrays[name]).reshape(-1)
        step = PART // flat.itemsize
        for first in range(0, len(flat), step):
            write(flat[first : first + step].tobytes())
    return digest.hexdigest()


def map_tensors(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file, mapped read-only: what is not looked at is not read."""
    with path.open("rb") as file:
        start = 8 + int.from_bytes(file.read(8), "little")
        if start > path.stat().st_size:
            raise ValueError("the header is longer than the file")
        header = json.loads(file.read(start - 8))
    header.pop("__metadata__", None)
    data = np.memmap(path, np.uint8, "r")
    arrays = {}
    for name, one in header.items():
        first, end = one["data_offsets"]
        bytes_of = data[start + first : start + end].view(np.ndarray)
        arrays[name] = bytes_of.view(TYPES[one["dtype"]]).reshape(one["shape"])
    return arrays
