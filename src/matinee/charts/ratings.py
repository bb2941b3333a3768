"""Charts of ratings: values, the long tail, how full the table is, and time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np

from matinee.charts.bars import Bars, Row
from matinee.charts.chart import Chart
from matinee.charts.marks import Cells, Columns, Dots, Line
from matinee.charts.plot import Axis, Plot
from matinee.data.describe import Description
from matinee.data.ratings import Ratings
from matinee.display.tables import Table
from matinee.display.text import counted, percent

N_BLOCKS = 20  # along each side of the sparsity picture
RANKS_SHOWN = 60  # of the long tail, evenly apart on its logarithmic axis
MOST_BINS = 60  # of time
SHARES = ((0.0, "0 %"), (0.5, "50 %"), (1.0, "100 %"))
DAY = 86_400
UNITS = {"day": 1, "week": 7, "month": 30.44, "quarter": 91.3, "year": 365.25}  # days of each


def rating_distribution(about: Description) -> Chart:
    """How many ratings have each value."""
    counts = about.grouped()
    total = sum(counts.values())
    usual = max(counts, key=lambda label: counts[label])
    rows = tuple(
        Row(label, f"{count:,}", 0.0, float(count), words=f"{label}: {percent(count / total, 1)}")
        for label, count in counts.items()
    )
    return Chart(
        "rating-distribution",
        "Ratings by value",
        f"The mean is {about.mean:.2f} on {about.scale}; {usual} is given most often, "
        f"{percent(counts[usual] / total)} of the time.",
        Table(
            {
                "rating": list(counts),
                "ratings": list(counts.values()),
                "share": [count / total for count in counts.values()],
            }
        ),
        Bars(rows),
    )


def long_tail(ratings: Ratings) -> Chart:
    """Ratings of each user and of each item, the most active and the most rated first."""
    counts = {
        "users": np.sort(np.bincount(ratings.user))[::-1],
        "items": np.sort(np.bincount(ratings.item))[::-1],
    }
    counts = {name: of[of > 0] for name, of in counts.items()}
    longest = max(map(len, counts.values()))
    ranks = np.unique(np.geomspace(1, longest, RANKS_SHOWN).round().astype(int)).tolist()
    points = {
        name: [(rank, int(of[rank - 1])) for rank in ranks if rank <= len(of)]
        for name, of in counts.items()
    }
    marks: list[Line | Dots] = []
    for place, (name, of) in enumerate(points.items()):
        marks += [
            Line(tuple((float(x), float(y)) for x, y in of), place),
            Dots(
                tuple(
                    (float(x), float(y), place, f"{name}, rank {x:,}: {counted(y, 'rating')}", "")
                    for x, y in of
                ),
                2.5,
            ),
        ]
    items = counts["items"]
    tenth = max(len(items) // 10, 1)
    share = items[:tenth].sum() / items.sum()
    most = float(max(of[0] for of in counts.values()))
    return Chart(
        "long-tail",
        "Ratings per user and per item",
        f"The most rated tenth of the items has {percent(share)} of all ratings; half of the users "
        f"gave {np.median(counts['users']):,.0f} or fewer. Both axes are logarithmic.",
        Table(
            {
                "rank": ranks,
                "ratings of the user": [dict(points["users"]).get(rank) for rank in ranks],
                "ratings of the item": [dict(points["items"]).get(rank) for rank in ranks],
            }
        ),
        Plot(
            Axis("rank", 1, max(longest, 2), log=True),
            Axis("ratings", 1, max(most, 2) * 1.2, log=True),
            tuple(marks),
            legend=((0, "users"), (1, "items")),
        ),
    )


def sparsity(ratings: Ratings) -> Chart:
    """How full the table of users and items is, in blocks, the fullest corner at the upper left."""
    place_of, sizes = zip(
        *(_blocks(np.bincount(of)) for of in (ratings.user, ratings.item)), strict=True
    )
    n_rows, n_columns = map(len, sizes)
    flat = place_of[0][ratings.user] * n_columns + place_of[1][ratings.item]
    counts = np.bincount(flat, minlength=n_rows * n_columns).reshape(n_rows, n_columns)
    density = counts / np.outer(*sizes)
    known = density[density > 0]
    floor = np.log(known.min()) - 0.7
    shade = (np.log(np.maximum(density, known.min())) - floor) / ((0 - floor) or 1.0)
    shade = np.where(density > 0, shade / shade.max(), 0.0)
    spans = [[_span(place, n) for place in range(n)] for n in (n_rows, n_columns)]
    cells = tuple(
        (
            column,
            row,
            float(shade[row, column]),
            f"users {spans[0][row]}, items {spans[1][column]}: "
            f"{percent(density[row, column], 2)} rated",
        )
        for row in range(n_rows)
        for column in range(n_columns)
    )
    whole = len(ratings) / float(np.prod([size.sum() for size in sizes]))
    columns = {f"items {name}": density[:, place].tolist() for place, name in enumerate(spans[1])}
    return Chart(
        "sparsity",
        "How full the table is",
        f"{percent(whole, 2)} of all cells are rated. Users stand from the most active to the "
        "least, items from the most rated to the least: the block at the upper left is "
        f"{percent(density[0, 0])} full, that at the lower right {percent(density[-1, -1], 2)}. A "
        "stronger colour is fuller, on a logarithmic scale.",
        Table({"users": spans[0], **columns}),
        Plot(
            Axis("items, most rated first", 0, 1, ticks=SHARES),
            Axis("users, most active at the top", 1, 0, ticks=SHARES),
            (Cells(cells, max(n_rows, n_columns)),),
            height=380,
        ),
    )


def _blocks(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The block of each row by its number of ratings, the fullest first, and sizes of blocks."""
    rated = np.flatnonzero(counts)
    order = rated[np.argsort(-counts[rated], kind="stable")]
    n = min(N_BLOCKS, len(order))
    block = np.zeros(len(counts), np.int64)
    block[order] = np.arange(len(order)) * n // len(order)
    return block, np.bincount(block[order], minlength=n)


def _span(place: int, n: int) -> str:
    return f"{100 * place // n}–{100 * (place + 1) // n} %"


def over_time(ratings: Ratings) -> Chart | None:
    """Ratings in each day, week, month, quarter or year; None where times are unknown."""
    if ratings.timestamp is None or not (ratings.timestamp != 0).any():
        return None
    known = ratings.timestamp != 0
    times, stars = ratings.timestamp[known], ratings.rating[known]
    days = (int(times.max()) - int(times.min())) / DAY
    unit = next((name for name, size in UNITS.items() if days / size <= MOST_BINS), "year")
    edges = _edges(int(times.min()), int(times.max()), unit)
    place = np.searchsorted(edges, times, side="right") - 1
    n = len(edges) - 1
    counts = np.bincount(place, minlength=n)
    means = np.bincount(place, stars, n) / np.maximum(counts, 1)
    starts = [_date(edge, unit) for edge in edges[:-1]]
    bars = tuple(
        (
            float(low),
            float(high),
            float(count),
            f"{start}: {counted(count, 'rating')}, mean {mean:.2f}",
        )
        for (low, high), count, start, mean in zip(
            pairwise(edges), counts.tolist(), starts, means.tolist(), strict=True
        )
    )
    steps = sorted({round(n * step / 5) for step in range(5)} & set(range(n)))
    missing = len(ratings) - len(times)
    return Chart(
        "over-time",
        f"Ratings by {unit}",
        f"From {starts[0]} to {starts[-1]}; most in {starts[int(counts.argmax())]}, "
        f"{counts.max():,}."
        + (f" Not shown: {counted(missing, 'rating')} without a known time." if missing else ""),
        Table(
            {
                unit: starts,
                "ratings": counts,
                "mean rating": [mean or None for mean in means.tolist()],
            }
        ),
        Plot(
            Axis("", edges[0], edges[-1], ticks=tuple((float(edges[s]), starts[s]) for s in steps)),
            Axis("ratings", 0, float(counts.max()) * 1.05),
            (Columns(bars),),
            height=240,
        ),
    )


def _edges(first: int, last: int, unit: str) -> list[int]:
    """Where each unit of time begins, to the one after the last rating."""
    start = datetime.fromtimestamp(first, UTC).replace(hour=0, minute=0, second=0)
    if unit in ("day", "week"):
        step = timedelta(days=UNITS[unit])
        start -= timedelta(days=start.weekday() if unit == "week" else 0)
        edges = [start]
        while edges[-1].timestamp() <= last:
            edges.append(edges[-1] + step)
    else:
        months = {"month": 1, "quarter": 3, "year": 12}[unit]
        month = (start.year * 12 + start.month - 1) // months * months
        edges = [_month(month)]
        while edges[-1].timestamp() <= last:
            month += months
            edges.append(_month(month))
    return [int(edge.timestamp()) for edge in edges]


def _month(number: int) -> datetime:
    return datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)


def _date(seconds: int, unit: str) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    if unit == "quarter":
        return f"{moment.year} Q{(moment.month + 2) // 3}"
    return f"{moment:{ {'year': '%Y', 'month': '%Y-%m'}.get(unit, '%Y-%m-%d') }}"


# Every chart of ratings, in the order in which report and page show them.
RATINGS_CHARTS: dict[str, Callable[[Ratings, Description], Chart | None]] = {
    "rating-distribution": lambda _, about: rating_distribution(about),
    "long-tail": lambda ratings, _: long_tail(ratings),
    "sparsity": lambda ratings, _: sparsity(ratings),
    "over-time": lambda ratings, _: over_time(ratings),
}


def charts_of_ratings(ratings: Ratings, about: Description) -> list[Chart]:
    """The charts of ``RATINGS_CHARTS`` that these ratings, described by ``about``, have."""
    charts = (draw(ratings, about) for draw in RATINGS_CHARTS.values())
    return [chart for chart in charts if chart is not None]
