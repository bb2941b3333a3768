"""Chunks of rows and the layout of their blocks, which need no Spark."""

import numpy as np
import pytest

pytest.importorskip("pyarrow", reason="needs the extra matinee[spark]")

import pyarrow as pa

from matinee.data.ids import IdMap
from matinee.spark import layout
from matinee.spark.chunks import Chunk, ChunkFolder, ChunkSummary
from matinee.spark.id_arrays import are_whole, natural_order, place_of, texts_of
from matinee.spark.layout import Layout

IDS = {
    "numbers": [10, 9, -3, 7, 0, 123456789012],
    "numbers in text": ["10", "9", "007", "7", "-3", "0", "-0", "00", "9" * 30],
    "names": ["ann", "Ann", "10", "9", "é", "-"],
}


def staged(folder, columns, n_chunks):
    """The rows of some columns in a number of chunks, each with every n-th row."""
    table = pa.table(columns)
    whole = are_whole(table.column("user_id"))
    chunks = []
    for number in range(n_chunks):
        rows = table.take(pa.array(np.arange(number, len(table), n_chunks)))
        file = Chunk.of(rows, whole).write(folder)
        chunks.append(ChunkSummary(number, file, len(rows), len(rows), whole))
    return ChunkFolder(folder, chunks)


@pytest.mark.parametrize("kind", IDS)
def test_ids_are_in_the_order_of_a_fit_in_memory(kind):
    ids = pa.array(IDS[kind])
    whole = are_whole(ids)
    ordered = ids.take(pa.array(natural_order(ids, whole)))
    assert list(texts_of(ordered)) == list(IdMap.of(IDS[kind], "user"))
    assert whole == (kind != "names")
    places = [place_of(one, ordered, whole) for one in ordered]
    assert places == list(range(len(ids)))


@pytest.mark.parametrize("kind", IDS)
def test_a_chunk_holds_the_rows_of_each_user_as_they_came(kind, tmp_path):
    rng = np.random.default_rng(0)
    ids = pa.array(IDS[kind])
    user, item = rng.integers(0, len(ids), 50), rng.integers(0, len(ids), 50)
    rating = np.arange(50, dtype=np.float32)
    columns = {"user_id": ids.take(pa.array(user)), "item_id": ids.take(pa.array(item))}
    folder = staged(tmp_path, columns | {"rating": rating, "moment": -np.arange(50)}, 1)
    (chunk,) = folder.read()
    rows = chunk.rows
    found = {}
    for at, one in enumerate(chunk.users.to_pylist()):
        span = slice(*rows["indptr"][at : at + 2])
        items = chunk.items.take(pa.array(rows["item"][span])).to_pylist()
        found[one] = list(zip(items, rows["rating"][span], rows["moment"][span], strict=True))
    wanted = {}
    for place in range(50):
        row = (ids[item[place]].as_py(), rating[place], -place)
        wanted.setdefault(ids[user[place]].as_py(), []).append(row)
    assert found == wanted


def test_blocks_are_about_as_large_where_only_a_sample_tells_their_bounds(tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "LEAST_PER_BLOCK", 1000)
    monkeypatch.setattr(layout, "SAMPLED", 8000)
    rng = np.random.default_rng(0)
    user = (40_000 * rng.random(160_000) ** 1.3).astype(np.int64)  # low numbers have more ratings
    ratings = {"item_id": user % 7, "rating": np.ones(len(user), np.float32)}
    bounds = []
    for n_chunks in (1, 3):
        folder = tmp_path / str(n_chunks)
        folder.mkdir()
        laid = Layout.of(staged(folder, {"user_id": user, **ratings}, n_chunks))
        bounds.append(laid.bounds.to_pylist())
    assert bounds[0] == bounds[1]
    sizes = np.histogram(user, [0, *bounds[0], 40_000])[0]
    assert len(sizes) == layout.BLOCKS
    assert 0.8 * sizes.mean() < sizes.min() <= sizes.max() < 1.25 * sizes.mean()
