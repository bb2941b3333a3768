"""Ids as Arrow arrays, int64 or text: their natural order, their hashes, their files."""

from bisect import bisect_left
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from matinee.data.ids import natural_key
from matinee.data.texts import Texts
from matinee.spark.payloads import Arrays

if TYPE_CHECKING:
    import pyarrow as pa

WHOLE = r"^-?[0-9]+$"


def are_whole(ids: "pa.Array | pa.ChunkedArray") -> bool:
    """Whether all ids are whole numbers, in text or not."""
    import pyarrow.compute as pc

    if _is_text(ids):
        return bool(pc.all(pc.match_substring_regex(ids, WHOLE)).as_py())
    return True


def place_of(bound: "pa.Scalar", ids: "pa.Array", whole: bool) -> int:
    """How many of some ids in natural order are before another one."""
    if whole and _is_text(ids):
        goal = natural_key(bound.as_py())
        return bisect_left(ids, goal, key=lambda one: natural_key(one.as_py()))
    return bisect_left(ids, bound.as_py(), key=lambda one: one.as_py())


def natural_order(ids: "pa.Array", whole: bool) -> np.ndarray:
    """The positions (n,) of ids in natural order: by value where all are whole, else by text."""
    import pyarrow.compute as pc

    if whole and _is_text(ids):
        keys = [natural_key(text) for text in ids.to_pylist()]
        return np.array(sorted(range(len(keys)), key=keys.__getitem__), np.int64)
    order: np.ndarray = pc.array_sort_indices(ids).to_numpy()
    return order


def numbered(ids: "pa.ChunkedArray", whole: bool) -> tuple["pa.Array", np.ndarray]:
    """The distinct ids in natural order, and for each row (n_rows,) int32 its place among them."""
    coded = ids.combine_chunks().dictionary_encode()
    order = natural_order(coded.dictionary, whole)
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    return coded.dictionary.take(order), rank[coded.indices.to_numpy()]


def hashes_of(ids: "pa.Array") -> np.ndarray:
    """Numbers (n,) uint64 that spread evenly and depend on nothing but the ids.

    The finalizer of SplitMix64 (Steele, Lea and Flood 2014) of the number or of the text's CRC.
    """
    if _is_text(ids):
        x = np.fromiter((crc32(text.encode()) for text in ids.to_pylist()), np.uint64, len(ids))
    else:
        x = ids.to_numpy().astype(np.uint64)
    x += np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def texts_of(ids: "pa.Array") -> Texts:
    """The ids as packed texts."""
    import pyarrow as pa

    text = ids.cast(pa.large_string())
    _, offsets, data = text.buffers()
    ends = np.frombuffer(offsets, np.int64)[text.offset : text.offset + len(text) + 1]
    data = np.frombuffer(data or b"", np.uint8)[ends[0] : ends[-1]]
    return Texts(data, ends[1:] - ends[0])


def to_arrays(name: str, ids: "pa.Array") -> Arrays:
    """The arrays of a file that hold ids."""
    if not _is_text(ids):
        return {name: ids.to_numpy()}
    texts = texts_of(ids)
    return {f"{name}_text": texts.data, f"{name}_ends": texts.ends}


def from_arrays(name: str, arrays: Arrays) -> "pa.Array":
    """The ids of ``to_arrays``, on the same memory where they are numbers."""
    import pyarrow as pa

    if name in arrays:
        return pa.array(arrays[name])
    ends, data = arrays[f"{name}_ends"], arrays[f"{name}_text"]
    offsets = pa.py_buffer(np.concatenate([[0], ends]))
    return pa.LargeStringArray.from_buffers(len(ends), offsets, pa.py_buffer(data))


def _is_text(ids: "pa.Array | pa.ChunkedArray") -> bool:
    import pyarrow as pa

    return not pa.types.is_integer(ids.type)
