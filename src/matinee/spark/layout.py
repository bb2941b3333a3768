"""The layout of staged rows in blocks: the numbers of items, and the first user of each block.

Users are in natural order. The first users of blocks come from a sample of ids that does not depend
on how rows are partitioned. All other user ids stay on the cluster.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from matinee.data.ids import IdMap
from matinee.spark.chunks import Chunk, ChunkFolder
from matinee.spark.id_arrays import are_whole, natural_order, place_of, texts_of

if TYPE_CHECKING:
    import pyarrow as pa

RATINGS_PER_BLOCK = 1_000_000  # at most, roughly
LEAST_PER_BLOCK = 200_000
BLOCKS = 16  # at least, where ratings suffice, so that each task has several
SAMPLED = 100_000  # users, about, where there are more
SAMPLED_PER_BLOCK = 64  # at least
LOWEST = 1024  # hashes that the number of users is estimated from


@dataclass(frozen=True, eq=False)
class Layout:
    """The assignment of rows to blocks."""

    item_ids: "pa.Array"  # (n_items,) as in chunks, in natural order
    bounds: "pa.Array"  # ids of the first users of all blocks but the first
    whole: bool  # whether all user ids are whole numbers, and so in order of value

    @classmethod
    def of(cls, staged: ChunkFolder) -> "Layout":
        """The layout of staged rows."""
        return cls(_item_ids(staged), _bounds(staged), staged.whole)

    @property
    def items(self) -> IdMap:
        """The items by number."""
        return IdMap.packed(texts_of(self.item_ids), "item")

    @property
    def n_blocks(self) -> int:
        """How many blocks there are."""
        return len(self.bounds) + 1

    def numbers(self, ids: "pa.Array") -> np.ndarray:
        """The numbers (n,) int32 of items with these ids."""
        import pyarrow.compute as pc

        numbers: np.ndarray = pc.index_in(ids, self.item_ids).to_numpy()
        return numbers

    def part(self, chunk: Chunk, block: int) -> Chunk:
        """The users of a chunk that belong to a block."""
        bounds = self.bounds[max(0, block - 1) : block + 1]
        places = [place_of(bound, chunk.users, self.whole) for bound in bounds]
        first = places.pop(0) if block else 0
        return chunk.between(first, places[0] if places else len(chunk.users))


def _item_ids(staged: ChunkFolder) -> "pa.Array":
    """The distinct ids of all items, in natural order."""
    import pyarrow as pa

    chunks = staged.read()
    ids = next(chunks).items
    for chunk in chunks:
        ids = pa.concat_arrays([ids, chunk.items]).unique()
    return ids.take(pa.array(natural_order(ids, are_whole(ids))))


def _bounds(staged: ChunkFolder) -> "pa.Array":
    """Ids that divide a sample of the users, in order, into blocks of about as many ratings."""
    import pyarrow as pa

    n_ratings = staged.n_valid
    size = min(max(n_ratings // BLOCKS, LEAST_PER_BLOCK), RATINGS_PER_BLOCK)
    n_blocks = -(-n_ratings // size)
    share = max(SAMPLED, SAMPLED_PER_BLOCK * n_blocks) / _n_users(staged)
    samples = pa.concat_tables(chunk.sample(share) for chunk in staged.read())
    sample = samples.group_by("id").aggregate([("n", "sum")]).combine_chunks()
    ids, n = sample.column("id").chunk(0), sample.column("n_sum").to_numpy()
    order = natural_order(ids, staged.whole)
    before = np.cumsum(n[order]) - n[order]
    block = before * n_blocks // max(1, int(n.sum()))
    firsts = np.flatnonzero(np.diff(block, prepend=0))
    return ids.take(pa.array(order[firsts]))


def _n_users(staged: ChunkFolder) -> float:
    """The number of users, estimated from the lowest of their hashes (Bar-Yossef et al. 2002)."""
    lowest = np.concatenate([chunk.hashes[:LOWEST] for chunk in staged.read()])
    lowest = np.unique(lowest)[:LOWEST]
    return len(lowest) if len(lowest) < LOWEST else LOWEST * 2.0**64 / float(lowest[-1])
