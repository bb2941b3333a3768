"""How the time and memory of a fit grow with users, items, ratings and factors.

    python benchmarks/scaling.py                 # measures, some minutes of processor time
    python benchmarks/scaling.py --only ease     # one algorithm
    python benchmarks/scaling.py --write         # the tables of docs/scaling.md from the rows

One side grows at a time, to twice, four and eight times its size, while the others stay as they
are. An exponent is the slope of the least-squares line through the logarithms of the four figures:
time ~ size^exponent. Memory is the peak of what Python and numpy allocate during the fit, without
the ratings themselves, so it does not depend on the machine.
"""

import argparse
import math
import time
import tracemalloc
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from data import ROOT
from jobs import RESULTS, Row, circumstances, keep, read_rows
from matinee.algorithms import ALGORITHMS, Algorithm
from matinee.sources.synthetic import checkerboard
from tables import markdown, with_tables
from wide import ratings_of

PAGE = ROOT / "docs" / "scaling.md"
ROWS = RESULTS / "scaling.jsonl"
KEY = ("algorithm", "side", "times")
TIMES = (1, 2, 4, 8)
EPOCHS = {"bayesian-mf": 60}  # its burn-in and samples; others 10
# Made of others, fitted on a catalog, or trained on the extra "accelerated".
LEFT_OUT = {"blend", "hybrid", "content", "neural-mf", "mult-vae"}
MOST_SECONDS, MOST_BYTES = 600.0, 8e9  # where an algorithm is left for another
FARTHEST = 100  # times the largest size that was measured: no line is continued beyond
INSTEAD = {
    "user-knn": "item-knn, mf",
    "item-knn": "mf, implicit-als",
    "slope-one": "bias, mf",
    "ease": "slim, implicit-als",
    "slim": "implicit-als",
    "rp3beta": "implicit-als",
    "bayesian-mf": "mf",
    "svdpp": "mf",
    "nmf": "mf",
    "truncated-svd": "mf",
    "mf": "mf on packed ratings, Spark",
    "implicit-als": "implicit-als on packed ratings, Spark",
    "bpr": "implicit-als",
    "bias": "popularity",
    "popularity": "",
}


@dataclass(frozen=True)
class Size:
    """What is fitted."""

    users: int = 3_000
    items: int = 800
    ratings: int = 30_000  # drawn: the few pairs that are drawn twice count once
    factors: int = 16


SIDES = tuple(side.name for side in fields(Size))


def sizes(algorithm: str) -> Iterator[tuple[str, int, Size]]:
    """The sizes to fit: the side that grows, how many times, and the size."""
    yield "", 1, Size()
    for side in SIDES:
        if side == "factors" and not has(algorithm, "n_factors"):
            continue
        for times in TIMES[1:]:
            yield side, times, replace(Size(), **{side: times * getattr(Size(), side)})


def has(algorithm: str, name: str) -> bool:
    """Whether the algorithm has that setting."""
    return any(field.name == name for field in fields(ALGORITHMS[algorithm]))


def algorithm_of(name: str, n_factors: int) -> Algorithm:
    """The algorithm of so many factors, with few epochs and without the algorithm of choices."""
    settings: dict[str, Any] = {
        "n_factors": n_factors,
        "n_epochs": EPOCHS.get(name, 10),
        "choice": None,
    }
    return ALGORITHMS[name](**{key: value for key, value in settings.items() if has(name, key)})


def measure(name: str) -> Iterator[Row]:
    """The processor seconds and peak bytes of a fit at each size."""
    algorithm_of(name, 4).fit(checkerboard(40))  # compiled by then
    for side, times, size in sizes(name):
        ratings = ratings_of(size.users, size.items, size.ratings)
        len(ratings.by_user.counts) + len(ratings.by_item.counts)  # sorted once, whoever fits
        tracemalloc.start()
        started = time.process_time()
        algorithm_of(name, size.factors).fit(ratings)
        seconds = time.process_time() - started
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        yield {
            "algorithm": name,
            "side": side,
            "times": times,
            "users": size.users,
            "items": size.items,
            "ratings": len(ratings),
            "factors": size.factors,
            "cpu_seconds": round(seconds, 4),
            "peak_bytes": peak,
        }


@dataclass(frozen=True)
class Growth:
    """The sizes of one side, ascending, and a figure at each."""

    size: np.ndarray
    figure: np.ndarray

    @classmethod
    def of(cls, rows: list[Row], side: str, figure: str) -> "Growth":
        """Of the rows of one algorithm."""
        chosen = sorted((row[side], row[figure]) for row in rows if row["side"] in ("", side))
        size, figures = np.array(chosen, float).T
        return cls(size, np.maximum(figures, 1e-9))

    @property
    def exponent(self) -> float:
        """The slope of the line through the logarithms."""
        return float(np.polyfit(np.log(self.size), np.log(self.figure), 1)[0])

    def reaches(self, limit: float) -> float:
        """The size at which the figure reaches a limit; infinite where that is too far to say.

        The slope is that of all sizes, or of the two largest where it is steeper.
        """
        (n, m), (low, high) = self.size[-2:], self.figure[-2:]
        if high >= limit:
            return float(m)
        slope = max(self.exponent, math.log(high / low) / math.log(m / n))
        if slope <= 0 or math.log(limit / high) / slope > math.log(FARTHEST):
            return math.inf
        return float(m * (limit / high) ** (1 / slope))


def by_algorithm(rows: list[Row]) -> dict[str, list[Row]]:
    """The rows of each algorithm that was measured, in the order of the registry."""
    of_each = {name: [row for row in rows if row["algorithm"] == name] for name in ALGORITHMS}
    return {name: own for name, own in of_each.items() if own}


def sides_of(rows: list[Row]) -> list[str]:
    """The sides that grew in the rows of one algorithm."""
    grown = {row["side"] for row in rows}
    return [side for side in SIDES if side in grown]


def exponents(rows: list[Row], figure: str, unit: float, heading: str) -> str:
    """A table: the figure at the least and the most of it, and its exponent for each side."""
    lines = []
    for name, own in by_algorithm(rows).items():
        (base,) = (row[figure] for row in own if not row["side"])
        line: Row = {"algorithm": f"`{name}`", heading: f"{base / unit:.2f}"}
        line["most"] = f"{max(row[figure] for row in own) / unit:.2f}"
        grown = {side: Growth.of(own, side, figure).exponent for side in sides_of(own)}
        line |= {side: f"{grown[side]:.1f}" if side in grown else "" for side in SIDES}
        lines.append({key: "0.0" if value == "-0.0" else value for key, value in line.items()})
    return markdown(lines)


def leave(rows: list[Row]) -> str:
    """A table: the size of each side alone at which a fit takes too long or too much memory."""
    lines = []
    limits = {"cpu_seconds": ("time", MOST_SECONDS), "peak_bytes": ("memory", MOST_BYTES)}
    for name, own in by_algorithm(rows).items():
        line: Row = {"algorithm": f"`{name}`"}
        for side in SIDES:
            line[side] = ""
            if side in sides_of(own):
                reached = [
                    (Growth.of(own, side, figure).reaches(limit), what)
                    for figure, (what, limit) in limits.items()
                ]
                size, what = min(reached)
                line[side] = "-" if math.isinf(size) else f"{rounded(size):,} ({what})"
        lines.append(line | {"then": INSTEAD[name]})
    return markdown(lines)


def rounded(size: float) -> int:
    """A size to two digits: a continued line says no more."""
    return int(float(f"{size:.1e}"))


def tables() -> dict[str, str]:
    """The tables of the page, by name."""
    rows = read_rows(ROWS)
    return {
        "time": exponents(rows, "cpu_seconds", 1, "CPU s"),
        "memory": exponents(rows, "peak_bytes", 1e6, "MB"),
        "leave": leave(rows),
    }


def filled(page: str) -> str:
    """The page with its tables written anew."""
    return with_tables(page, tables())


def main() -> None:
    """Measure and keep, or write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--only", nargs="+", choices=[*ALGORITHMS], help="algorithms to measure")
    parser.add_argument("--results", default=str(ROWS), help="file of the JSON lines")
    parser.add_argument("--write", action="store_true", help="the tables into docs/scaling.md")
    asked = parser.parse_args()
    if asked.write:
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return
    warnings.simplefilter("ignore")
    for name in asked.only or [name for name in ALGORITHMS if name not in LEFT_OUT]:
        for row in measure(name):
            keep(Path(asked.results), row | circumstances(1), KEY)
            print(
                name, row["side"], row["times"], row["cpu_seconds"], row["peak_bytes"], flush=True
            )


if __name__ == "__main__":
    main()
