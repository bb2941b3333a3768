"""Charts of how good models are: factors, trade-offs, and for whom a model errs."""

from collections.abc import Sequence
from dataclasses import replace

from matinee.charts.bars import Bars, Row
from matinee.charts.chart import Chart
from matinee.charts.marks import Intervals, Line, Named, Rule
from matinee.charts.plot import Axis, Plot
from matinee.display.plain_data import JsonMapping
from matinee.display.tables import Table
from matinee.display.text import counted, percent

TRADE_OFFS = (("ndcg@10", "coverage@10"), ("rmse", "ndcg@10"))  # pairs of metrics shown
GROUP_METRICS = ("rmse", "found@10")  # shown by activity and by popularity
USUAL_LEVEL = 0.9  # of an interval, in sentences
SMALLEST_DOT, LARGEST_DOT = 4.0, 14.0  # pixels, for the shortest and the longest fit


def k_curve(curve: JsonMapping) -> Chart:
    """The metric against the number of factors, from ``KCurve.to_dict()``."""
    points, metric = curve["points"], curve["metric"]
    chosen, folds = curve["chosen"], curve["folds"]
    spans = tuple(
        (float(size), m - e, m, m + e, f"{counted(size, 'factor')}: {m:.4f} ± {e:.4f}")
        for size, m, e in (
            (p["n_factors"], p["metrics"][metric], p["errors"][metric]) for p in points
        )
    )
    names = list(points[0]["metrics"])
    columns: dict[str, list[object]] = {"n_factors": [p["n_factors"] for p in points]}
    for name in names:
        columns[name] = [p["metrics"].get(name) for p in points]
        columns[f"{name} ±"] = [p["errors"].get(name) for p in points]
    columns["train rmse"] = [p["train_rmse"] for p in points]
    columns["fit seconds"] = [p["fit_seconds"] for p in points]
    ends = [end for _, low, _, high, _ in spans for end in (low, high)]
    return Chart(
        "k-curve",
        f"{metric} by number of factors",
        f"Chosen by {metric} ({curve['rule']}): {counted(chosen, 'factor')}. Of {metric} "
        f"{'higher' if curve['higher_is_better'] else 'lower'} is better; the lines are one "
        f"standard error over {folds} folds to either side.",
        Table(columns),
        Plot(
            replace(
                Axis.around("factors", [x for x, *_ in spans]),
                ticks=tuple((x, f"{x:.0f}") for x, *_ in spans),
            ),
            Axis.around(metric, ends),
            (
                Line(tuple((x, y) for x, _, y, _, _ in spans)),
                Intervals(spans),
                Rule(float(chosen), f"{chosen} chosen"),
            ),
        ),
    )


def trade_off(
    rows: Sequence[JsonMapping], x: str = "ndcg@10", y: str = "coverage@10"
) -> Chart | None:
    """Two metrics of each algorithm against one another, with the time of the fit as size.

    ``rows`` are those of ``Comparison.table``: an algorithm, its metrics and ``fit_seconds``. None
    where fewer than two of them have both metrics.
    """
    known = [row for row in rows if row.get(x) is not None and row.get(y) is not None]
    if len(known) < 2:
        return None
    most = max(float(row.get("fit_seconds") or 0) for row in known) or 1.0
    points = tuple(
        (
            float(row[x]),
            float(row[y]),
            SMALLEST_DOT
            + (LARGEST_DOT - SMALLEST_DOT) * (float(row.get("fit_seconds") or 0) / most) ** 0.5,
            str(row["algorithm"]),
            f"{row['algorithm']}: {x} {row[x]:.4f}, {y} {row[y]:.4f}, "
            f"fitted in {float(row.get('fit_seconds') or 0):.2f} s",
        )
        for row in known
    )
    best = max(known, key=lambda row: float(row[x]) * (-1 if x in ("rmse", "mae") else 1))
    return Chart(
        "trade-off",
        f"{x} and {y} of each algorithm",
        f"{best['algorithm']} has the best {x}. A larger dot took longer to fit, up to "
        f"{most:.2f} s.",
        Table(
            {
                "algorithm": [row["algorithm"] for row in known],
                x: [float(row[x]) for row in known],
                y: [float(row[y]) for row in known],
                "fit seconds": [row.get("fit_seconds") for row in known],
            }
        ),
        Plot(
            Axis.around(x, [one[0] for one in points]),
            Axis.around(y, [one[1] for one in points]),
            (Named(points),),
        ),
    )


def charts_of_comparison(rows: Sequence[JsonMapping]) -> list[Chart]:
    """The trade-offs of ``TRADE_OFFS`` that the algorithms of a comparison have."""
    charts = (trade_off(rows, x, y) for x, y in TRADE_OFFS)
    return [chart for chart in charts if chart is not None]


def error_by_group(groups: Sequence[JsonMapping], of: str, metric: str = "rmse") -> Chart:
    """A metric in groups of users or items: ``Evaluation.by_activity``, ``by_popularity``."""
    known = [row for row in groups if row.get(metric) is not None]
    rows = tuple(
        Row(
            f"{_short(row['group'])} ratings",
            _estimate(row, metric),
            0.0,
            float(row[metric]),
            words=f"{row['group']}: {metric} {row[metric]:.4f}, {row['members']:,} {of}s",
        )
        for row in known
    )
    spans = [row["intervals"][metric] for row in known if "intervals" in row]
    ends = {"low": [low for low, _ in spans], "high": [high for _, high in spans]} if spans else {}
    worst = max(known, key=lambda row: float(row[metric]), default=None)
    return Chart(
        f"error-by-{of}",
        f"{_noun(metric)} by how many ratings {'a user gave' if of == 'user' else 'an item has'}",
        ""
        if worst is None
        else f"It is largest for {of}s with {_short(worst['group'])} training ratings."
        + (" ± is half of the 95 % interval." if spans else ""),
        Table(
            {
                "group": [row["group"] for row in known],
                f"{of}s": [row["members"] for row in known],
                metric: [float(row[metric]) for row in known],
                **ends,
            }
        ),
        Bars(rows),
    )


def calibration(points: Sequence[JsonMapping]) -> Chart:
    """The share of ratings inside their intervals by level: ``ModelQuality.calibration``."""
    spans = tuple(
        (
            float(one["level"]),
            float(one["interval"][0]),
            float(one["share"]),
            float(one["interval"][1]),
            f"{percent(one['level'])} promised, {percent(one['share'], 1)} inside",
        )
        for one in points
    )
    usual = min(points, key=lambda one: abs(one["level"] - USUAL_LEVEL))
    levels = [float(one["level"]) for one in points]
    low, high = min([*levels, *(low for _, low, *_ in spans)]), 1.0
    ticks = tuple((level, percent(level)) for level in levels)
    shares = tuple((place / 10, f"{place * 10} %") for place in range(int(low * 10), 11))
    return Chart(
        "calibration",
        "Calibration: how often intervals hold the rating",
        f"Of the intervals of {percent(usual['level'])}, {percent(usual['share'])} hold the "
        "rating. On the "
        "line, intervals hold what they promise; the bars are 95 % intervals over users.",
        Table(
            {
                "promised": levels,
                "inside": [one[2] for one in spans],
                "low": [one[1] for one in spans],
                "high": [one[3] for one in spans],
            }
        ),
        Plot(
            Axis("promised", min(levels) - 0.05, 1.0, ticks=ticks),
            Axis("inside", int(low * 10) / 10, high, ticks=shares),
            (Line(((min(levels), min(levels)), (1.0, 1.0)), of=7), Intervals(spans)),
        ),
    )


def charts_of_quality(quality: JsonMapping) -> list[Chart]:
    """Errors and lists by activity and popularity, and calibration, of ``ModelQuality.to_dict``."""
    groups = (("user", quality["by_activity"]), ("item", quality["by_popularity"]))
    charts = [
        error_by_group(rows, of, metric)
        for metric in GROUP_METRICS
        for of, rows in groups
        if any(row.get(metric) is not None for row in rows)
    ]
    return charts + ([calibration(quality["calibration"])] if quality["calibration"] else [])


def _estimate(row: JsonMapping, metric: str) -> str:
    if metric not in row.get("intervals", {}):
        return f"{row[metric]:.3f}"
    low, high = row["intervals"][metric]
    return f"{row[metric]:.3f} ±{(high - low) / 2:.3f}"


def _noun(metric: str) -> str:
    """What a metric by group is called in a title."""
    base, _, n = metric.partition("@")
    return f"Share of liked items on lists of {n}," if base == "found" else metric.upper()


def _short(group: str) -> str:
    """``users with 3..20 training ratings`` as ``3–20``."""
    return group.partition(" with ")[2].removesuffix(" training ratings").replace("..", "–")
