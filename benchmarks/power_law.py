"""Made-up ratings of any number, in a Parquet file: films by a power law, people with tastes.

    ratings of a film ~ rank^-0.8,   of a person ~ log-normal around RATINGS_EACH
    stars = 3.4 + p . q + noise, in halves from 0.5 to 5

Rows come in no order: each of the parts holds ratings of everybody, as a log of a year would.
"""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

RATINGS_EACH = 67  # of a person, in the mean
TASTES = 8  # that people and films are made of
PART = 1_000_000  # rows drawn at once
PLACES = 1 << 20  # of the inverse of the popularity's distribution
FALL = 0.8  # of the popularity with the rank
AGAIN = 1.11  # rows drawn for a rating: the others repeat a pair, and are merged when they are read


@dataclass(frozen=True)
class World:
    """Who rates what: the same for every part."""

    ends: np.ndarray  # (n_users,) int64: where the rows of each person end
    people: np.ndarray  # (n_users, TASTES) float32
    films: np.ndarray  # (n_items, TASTES) float32
    film_at: np.ndarray  # (PLACES,) int16: films as often as they are popular
    seed: int

    @classmethod
    def of(cls, n_rows: int, n_items: int, seed: int) -> "World":
        """A world of about ``n_rows`` rows."""
        rng = np.random.default_rng(seed)
        n_users = max(2, round(n_rows / AGAIN / RATINGS_EACH))
        counts = rng.lognormal(0.0, 1.0, n_users)
        counts = np.maximum(1, counts * (n_rows / counts.sum())).astype(np.int64)
        popularity = np.cumsum(np.arange(1, n_items + 1) ** -FALL)
        places = (np.arange(PLACES) + 0.5) / PLACES * popularity[-1]
        return cls(
            np.cumsum(counts),
            0.8 * rng.standard_normal((n_users, TASTES), np.float32),
            0.4 * rng.standard_normal((n_items, TASTES), np.float32),
            np.searchsorted(popularity, places).astype(np.int16),
            seed,
        )

    def rows(self, part: int, n_parts: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Users, items and stars of a part: every ``n_parts``-th row of everybody, shuffled."""
        rng = np.random.default_rng([self.seed, part])
        user = np.searchsorted(self.ends, np.arange(part, self.ends[-1], n_parts), side="right")
        user = rng.permutation(user.astype(np.int32))
        item = self.film_at[rng.integers(0, PLACES, len(user), np.int32)]
        liking = np.einsum("nf,nf->n", self.people[user], self.films[item])
        liking += 0.7 * rng.standard_normal(len(user), np.float32)
        stars = np.clip(np.round(2 * (np.float32(3.4) + liking)) / 2, 0.5, 5)
        return user, item, stars


def write_ratings(path: Path, n_ratings: int, n_items: int, seed: int = 0) -> None:
    """A Parquet file of about ``n_ratings`` different ratings."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    world = World.of(round(AGAIN * n_ratings), n_items, seed)
    n_parts = -(-int(world.ends[-1]) // PART)
    schema = pa.schema([("user_id", pa.int32()), ("item_id", pa.int16()), ("rating", pa.float32())])
    with (
        pq.ParquetWriter(path, schema, use_dictionary=["rating"]) as writer,
        ThreadPoolExecutor(2) as pool,
    ):
        waiting = deque(pool.submit(world.rows, part, n_parts) for part in range(min(3, n_parts)))
        for part in range(n_parts):
            columns = waiting.popleft().result()
            if part + 3 < n_parts:
                waiting.append(pool.submit(world.rows, part + 3, n_parts))
            writer.write_table(pa.table([pa.array(one) for one in columns], schema=schema))
