"""Arrays in safetensors files: written in parts, and mapped where they are large.

8 bytes: length of the header    header: JSON of types, shapes and places    the arrays' bytes

What one program cannot hold may lie in many files, each with some of the rows of all arrays.
"""

import hashlib
import json
import math
import mmap
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import DTypeLike

from matinee.display.plain_data import JsonObject

PART = 64 << 20  # bytes written at once
HEADER_BYTES = 64 << 20
MOST_DIMENSIONS = 4
CODES = {
    "float16": "F16",
    "float32": "F32",
    "float64": "F64",
    "int8": "I8",
    "int16": "I16",
    "int32": "I32",
    "int64": "I64",
    "uint8": "U8",
    "uint16": "U16",
    "uint32": "U32",
    "uint64": "U64",
    "bool": "BOOL",
}
TYPES = {code: np.dtype(name) for name, code in CODES.items()}


def write_tensors(file: IO[bytes], arrays: Mapping[str, np.ndarray]) -> str:
    """Write arrays of any shape, without copying one; returns the SHA-256 of the file."""
    digest = hashlib.sha256()

    def write(data: bytes) -> None:
        digest.update(data)
        file.write(data)

    # Wide numbers first, so that each array begins where its type wants it.
    ordered = sorted(arrays, key=lambda name: (-arrays[name].itemsize, name))
    header: JsonObject = {}
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


def map_tensors(file: IO[bytes]) -> dict[str, np.ndarray]:
    """The arrays of an open file, in their shapes, mapped read-only."""
    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    if hasattr(mmap, "MADV_NOHUGEPAGE"):
        with suppress(OSError):  # a system without huge pages
            mapped.madvise(mmap.MADV_NOHUGEPAGE)  # else to look at a row may map 2 MB
    return tensors_of(np.frombuffer(mapped, np.uint8))


def tensors_of(data: np.ndarray) -> dict[str, np.ndarray]:
    """The arrays, in their shapes, in the bytes (n_bytes,) of a file, without a copy.

    Raises ValueError for other bytes: the arrays of the header must fill the file, one behind the
    other, each of a known type and as long as its shape says.
    """
    start = 8 + int.from_bytes(data[:8].tobytes(), "little")
    if len(data) < 8 or start > min(len(data), HEADER_BYTES):
        raise ValueError("the header is longer than the file")
    header = json.loads(data[8:start].tobytes())
    if not isinstance(header, dict):
        raise ValueError("the header is no object")
    header.pop("__metadata__", None)
    arrays, at = {}, 0
    for name, one in sorted(header.items(), key=lambda entry: entry[1]["data_offsets"]):
        kind, shape = TYPES[one["dtype"]], _shape_of(one["shape"])
        end = at + math.prod(shape) * kind.itemsize
        if one["data_offsets"] != [at, end] or start + end > len(data):
            raise ValueError(f"the place of {name!r} is not that of its shape")
        bytes_of = data[start + at : start + end].view(np.ndarray)
        arrays[name] = bytes_of.view(kind).reshape(shape)
        at = end
    if start + at != len(data):
        raise ValueError("the file is longer than its arrays")
    return arrays


def _shape_of(shape: object) -> tuple[int, ...]:
    """A shape of the header. Raises ValueError unless it is a list of sizes."""
    if not isinstance(shape, list) or len(shape) > MOST_DIMENSIONS:
        raise ValueError("a shape is no list of sizes")
    if any(type(size) is not int or not 0 <= size < 1 << 48 for size in shape):
        raise ValueError("a shape is no list of sizes")
    return tuple(shape)


class Part(NamedTuple):
    """A file with some of the rows of several arrays."""

    path: Path
    sha256: str
    n_bytes: int


class Stacked(NDArrayOperatorsMixin):
    """The rows of several arrays as one; what is looked at is read, and copied into memory.

    It stands in for an array wherever numpy takes one; numpy then gets all of it.
    """

    def __init__(self, arrays: Sequence[np.ndarray], parts: Sequence[Part]) -> None:
        self.arrays, self.parts = tuple(arrays), tuple(parts)

    @cached_property
    def _ends(self) -> np.ndarray:
        return np.cumsum([len(array) for array in self.arrays])

    def __len__(self) -> int:
        return int(self._ends[-1])

    @property
    def shape(self) -> tuple[int, ...]:
        """As of an array."""
        return (len(self), *self.arrays[0].shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """As of an array."""
        return self.arrays[0].dtype

    @property
    def ndim(self) -> int:
        """As of an array."""
        return self.arrays[0].ndim

    @property
    def nbytes(self) -> int:
        """As of an array."""
        return sum(array.nbytes for array in self.arrays)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("rows that lie in several files are one array only as a copy")
        return np.concatenate(self.arrays, dtype=dtype)

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: object, **how: object
    ) -> object:
        plain = (np.asarray(one) if isinstance(one, Stacked) else one for one in inputs)
        return getattr(ufunc, method)(*plain, **how)

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, int | np.integer):
            row = range(len(self))[int(at)]
            part = int(np.searchsorted(self._ends, row, side="right"))
            return self.arrays[part][row - self._start(part)]
        if isinstance(at, slice):
            first, stop, step = at.indices(len(self))
            if step == 1:
                return self._run(first, max(first, stop))
            at = np.arange(first, stop, step)
        rows = np.asarray(at)
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.int64)
        return self._rows(np.where(rows < 0, rows + len(self), rows))

    def astype(self, dtype: DTypeLike) -> np.ndarray:
        """All rows as an array (n_rows, ...) of a type."""
        return self.__array__(dtype)

    def sum(self, axis: int, dtype: DTypeLike | None = None) -> np.ndarray:
        """The sum over an axis of (n_rows, ...), part after part."""
        total: np.ndarray = np.sum([one.sum(axis=axis, dtype=dtype) for one in self.arrays], axis=0)
        return total

    def _run(self, first: int, stop: int) -> np.ndarray:
        parts = np.searchsorted(self._ends, [first, max(first, stop - 1)], side="right").tolist()
        pieces = []
        for part in range(parts[0], min(parts[1] + 1, len(self.arrays))):
            start = self._start(part)
            pieces.append(self.arrays[part][max(0, first - start) : stop - start])
        return pieces[0] if len(pieces) == 1 else np.concatenate([self.arrays[0][:0], *pieces])

    def _rows(self, rows: np.ndarray) -> np.ndarray:
        out = np.empty((*rows.shape, *self.arrays[0].shape[1:]), self.dtype)
        which = np.searchsorted(self._ends, rows, side="right")
        for part in np.unique(which).tolist():
            mask = which == part
            out[mask] = self.arrays[part][rows[mask] - self._start(part)]
        return out

    def _start(self, part: int) -> int:
        return int(self._ends[part - 1]) if part else 0


StoredArray = np.ndarray | Stacked


def stacked(parts: Sequence[Part]) -> dict[str, Stacked]:
    """The arrays whose rows lie in these files, mapped."""
    mapped = []
    for part in parts:
        with part.path.open("rb") as file:
            mapped.append(map_tensors(file))
    return {name: Stacked([one[name] for one in mapped], parts) for name in mapped[0]}
