"""One person's list among a million items: looked up in an index, beside scoring all.

    python benchmarks/lookup.py

Items are drawn: their factors get smaller by a power of the factor's number, as learned ones do on
their principal axes, and some are longer than others, as popular items are. `cosine` items are all
of the same length, which is the worst case.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from jobs import RESULTS, Row, circumstances, keep
from matinee.kernels.product_index import product_index, top_by_index
from matinee.kernels.product_lists import top_products
from matinee.kernels.ranking import ItemSets
from matinee.row_solvers.embeddings import Embeddings
from tables import table

KEY = ("items", "factors", "fall", "lengths")
N, K, LIST = 1_000_000, 64, 10
PEOPLE = 50
SHAPES = ((0.5, "drawn"), (1.0, "drawn"), (0.5, "cosine"), (1.0, "cosine"), (0.0, "cosine"))
NOBODY = ItemSets(np.zeros(2, np.int64), np.zeros(0, np.int32))


def main() -> None:
    """Measure, keep and show."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--results", default=str(RESULTS), help="folder of the JSON lines")
    asked = parser.parse_args()
    rows: list[Row] = []
    for fall, lengths in SHAPES:
        row = {
            "items": N,
            "factors": K,
            "fall": fall,
            "lengths": lengths,
            **measured(fall, lengths),
        }
        rows.append(row)
        keep(Path(asked.results) / "lookup.jsonl", row | circumstances(1), KEY)
    print(table(rows))


def measured(fall: float, lengths: str) -> Row:
    """Milliseconds of a list, medians over people; empty where no index is made."""
    rng = np.random.default_rng(0)
    spread = (np.arange(1, K + 1) ** -fall).astype(np.float32)
    Q, P = (rng.standard_normal((n, K), np.float32) * spread for n in (N, PEOPLE))
    if lengths == "cosine":
        Q /= np.linalg.norm(Q, axis=1)[:, None]
    else:
        Q *= rng.gamma(2.0, 0.5, (N, 1)).astype(np.float32)
    items = Embeddings(Q, rng.normal(0, 0.2, N).astype(np.float32))
    everyone = Embeddings(P, np.zeros(PEOPLE, np.float32))
    started = time.perf_counter()
    index = product_index(items)
    figures: Row = {"index_seconds": round(time.perf_counter() - started, 1)}

    def scan(row: int) -> np.ndarray:
        return top_products(3.5, lambda _: (everyone.row(row), NOBODY), 1, items, LIST)[0][0]

    def look_up(row: int) -> np.ndarray:
        assert index is not None
        return top_by_index(index, 3.5, everyone.row(row), items, NOBODY.items, LIST)[0]

    scanned, figures["scan_ms"] = timed(scan)
    if index is not None:
        places, figures["lookup_ms"] = timed(look_up)
        assert np.array_equal(places, scanned)
    return figures


def timed(lists_of: Callable[[int], np.ndarray]) -> tuple[np.ndarray, float]:
    """The lists of all people, and the median milliseconds of one."""
    lists_of(0)  # compiled by then
    lists, seconds = [], []
    for row in range(PEOPLE):
        started = time.perf_counter()
        lists.append(lists_of(row))
        seconds.append(time.perf_counter() - started)
    return np.array(lists), round(1000 * float(np.median(seconds)), 2)


if __name__ == "__main__":
    main()
