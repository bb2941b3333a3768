"""A description of ratings: counts, sparsity, distributions over values, users, items and time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

import numpy as np

from matinee.data.scale import Scale
from matinee.data.signal import Signal
from matinee.display.notebook import Grid, Part, Printable
from matinee.display.plain_data import JsonObject
from matinee.display.text import figure, percent

FEW_RATINGS = 10  # an item with fewer is known too little to be recommended on its mean alone
RANGES = 10  # that many ratings are grouped in
VALUES_SHOWN = 20  # more distinct ratings than this are grouped for the bars


class Describable(Protocol):
    """The columns that a description needs; ``Ratings`` has them."""

    @property
    def user(self) -> np.ndarray: ...
    @property
    def item(self) -> np.ndarray: ...
    @property
    def rating(self) -> np.ndarray: ...
    @property
    def timestamp(self) -> np.ndarray | None: ...
    @property
    def sample_weight(self) -> np.ndarray | None: ...
    @property
    def scale(self) -> Scale: ...
    @property
    def signal(self) -> Signal: ...
    @property
    def fingerprint(self) -> str: ...


class Quantiles(NamedTuple):
    """Ratings per user, or per item, among those with at least one."""

    min: float
    q25: float
    median: float
    q75: float
    q99: float
    max: float

    @classmethod
    def of(cls, counts: np.ndarray) -> "Quantiles":
        """Those of the counts (n,) that are not zero."""
        return cls(*np.quantile(counts[counts > 0], [0, 0.25, 0.5, 0.75, 0.99, 1]).tolist())


@dataclass(frozen=True, kw_only=True, repr=False)
class Description(Printable):
    """The facts to know of ratings before fitting a model to them."""

    n_users: int  # with at least one rating
    n_items: int  # with at least one rating
    n_ratings: int
    sparsity: float  # share of the n_users x n_items cells that are empty
    scale: Scale
    signal: Signal
    mean: float
    distribution: Mapping[float, int]  # rating value -> how many, ascending
    per_user: Quantiles
    per_item: Quantiles
    n_rarely_rated: int  # items with 1 to 9 ratings
    first_time: int | None  # seconds since 1970; None without known times
    last_time: int | None
    n_without_time: int  # ratings whose time is unknown, where others are known
    weights: tuple[float, float] | None  # the smallest and the largest; None: all weigh one
    fingerprint: str

    @classmethod
    def of(cls, ratings: Describable) -> "Description":
        """Describe some ratings."""
        per_user, per_item = np.bincount(ratings.user), np.bincount(ratings.item)
        n_users, n_items = n_rated(per_user), n_rated(per_item)
        values, counts = np.unique(ratings.rating, return_counts=True)
        shortest = [float(str(value)) for value in values]  # 0.1, not 0.10000000149
        times = None if ratings.timestamp is None else ratings.timestamp[ratings.timestamp != 0]
        weights = ratings.sample_weight
        known = times is not None and len(times) > 0
        return cls(
            n_users=n_users,
            n_items=n_items,
            n_ratings=len(ratings.rating),
            sparsity=1 - len(ratings.rating) / (n_users * n_items),
            scale=ratings.scale,
            signal=ratings.signal,
            mean=float(ratings.rating.mean(dtype=np.float64)),
            distribution=dict(zip(shortest, counts.tolist(), strict=True)),
            per_user=Quantiles.of(per_user),
            per_item=Quantiles.of(per_item),
            n_rarely_rated=n_rarely_rated(per_item),
            first_time=int(times.min()) if times is not None and known else None,
            last_time=int(times.max()) if times is not None and known else None,
            n_without_time=len(ratings.rating) - len(times) if times is not None and known else 0,
            weights=None if weights is None else (float(weights.min()), float(weights.max())),
            fingerprint=ratings.fingerprint,
        )

    def parts(self) -> Iterator[Part]:
        facts = {
            "users": f"{self.n_users:,}",
            "items": f"{self.n_items:,}",
            "ratings": f"{self.n_ratings:,}",
            "sparsity": f"{percent(self.sparsity, 2)} of the cells are empty",
            "scale": f"{self.scale}, {self.signal}",
            "mean": f"{self.mean:.3f}",
            "per user": in_words(self.per_user),
            "per item": in_words(self.per_item),
            "few ratings": f"{percent(self.n_rarely_rated / self.n_items)} of the items have "
            f"fewer than {FEW_RATINGS}",
            "time": self._span(),
            **({} if self.weights is None else {"weights": "{:g} to {:g}".format(*self.weights)}),
            "fingerprint": self.fingerprint,
        }
        yield Grid([list(fact) for fact in facts.items()], has_heading=False, left=(0, 1))
        yield ""
        yield bars(self.grouped())

    def _span(self) -> str:
        if self.first_time is None or self.last_time is None:
            return "unknown"
        span = f"{day(self.first_time)} to {day(self.last_time)}"
        return span + (f", {self.n_without_time:,} unknown" if self.n_without_time else "")

    def grouped(self) -> dict[str, int]:
        """The distribution with labels: each value, or ten ranges where there are many.

        Their ends are evenly apart, for counts on a logarithmic scale: most counts are small.
        """
        if len(self.distribution) <= VALUES_SHOWN:
            return {figure(value): count for value, count in self.distribution.items()}
        values = np.array(list(self.distribution))
        bins = edges_of_counts(values) if self.signal.kind == "counts" else RANGES
        counts, edges = np.histogram(values, bins, weights=list(self.distribution.values()))
        ranges = ranges_in_words(edges, whole=bool((values == np.round(values)).all()))
        return dict(zip(ranges, counts.astype(int).tolist(), strict=True))

    def to_dict(self) -> JsonObject:
        """Plain values, ready for JSON."""
        return {
            "users": self.n_users,
            "items": self.n_items,
            "ratings": self.n_ratings,
            "sparsity": self.sparsity,
            "scale": list(self.scale),
            "kind": self.signal.kind,
            "mean": self.mean,
            "distribution": {f"{value:g}": count for value, count in self.distribution.items()},
            "per_user": self.per_user._asdict(),
            "per_item": self.per_item._asdict(),
            "rarely_rated_items": self.n_rarely_rated,
            "first_time": self.first_time,
            "last_time": self.last_time,
            "without_time": self.n_without_time,
            "fingerprint": self.fingerprint,
        }


def edges_of_counts(values: np.ndarray) -> np.ndarray:
    """The ends (n_ranges + 1,) of ranges of counts (n,), ascending: each about as many times the
    one before it; whole where the counts are. The first range begins with 0 where there is one.
    """
    edges = np.geomspace(values[values > 0][0], values[-1], RANGES + 1)
    if (values == np.round(values)).all():
        edges = np.unique(np.round(edges))
    edges[0] = values[0]
    return edges


def ranges_in_words(edges: np.ndarray, whole: bool) -> list[str]:
    """What to call the ranges between edges (n + 1,), of which the last one alone has its end.

    Those of ``whole`` numbers are named by these, so that none is in two: ``1``, ``2–3``, ``4–7``.
    """
    dash = " to " if edges[0] < 0 else "–"
    low, high = edges[:-1], edges[1:]
    if whole:
        low, high = np.ceil(low), np.append(np.ceil(high[:-1]) - 1, high[-1])
    ends = ([figure(one, 3) for one in side] for side in (low.tolist(), high.tolist()))
    return [a if a == b else f"{a}{dash}{b}" for a, b in zip(*ends, strict=True)]


def n_rated(counts: np.ndarray) -> int:
    """How many users or items, with these numbers of ratings (n,), have any."""
    return int(np.count_nonzero(counts))


def n_rarely_rated(counts: np.ndarray) -> int:
    """How many items have a rating, but fewer than 10, by the ratings of each (n_items,)."""
    return int(np.count_nonzero((counts > 0) & (counts < FEW_RATINGS)))


def in_words(quantiles: Quantiles) -> str:
    """Quantiles in one line."""
    return (
        f"min {quantiles.min:,.0f}, 25% {quantiles.q25:,.0f}, median {quantiles.median:,.0f}, "
        f"75% {quantiles.q75:,.0f}, 99% {quantiles.q99:,.0f}, max {quantiles.max:,.0f}"
    )


def day(seconds: int) -> str:
    """The date of a time in UTC; the bare number where no calendar reaches."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"
    except (OverflowError, ValueError, OSError):
        return str(seconds)


def bars(counts: Mapping[str, int]) -> Grid:
    """One line for each label: its count, its share, and a bar to scale."""
    total, most = sum(counts.values()), max(counts.values())
    rows = [[label, f"{n:,}", f"{percent(n / total, 1):>7}"] for label, n in counts.items()]
    return Grid(rows, has_heading=False, left=(), shares=[n / most for n in counts.values()])
