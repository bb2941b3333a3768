"""The section on quality: the model's own figures, its lists, comparisons, and a k-curve."""

from collections.abc import Sequence
from typing import Any, TypeGuard

import numpy as np

from matinee.charts import charts_of_comparison, charts_of_quality, k_curve
from matinee.data.ratings import Ratings
from matinee.display.plain_data import JsonMapping, JsonObject
from matinee.display.tables import Table
from matinee.display.text import counted
from matinee.evaluation.metrics import metric_of
from matinee.evaluation.model_quality import ModelQuality
from matinee.evaluation.popular_lists import PopularLists
from matinee.evaluation.recorded import latest_of, recorded_comparisons
from matinee.evaluation.run_log import Record
from matinee.models import Model
from matinee.report.elements import Block, Listing, Prose, Section

COLUMNS = ("rmse", "mae", "ndcg@10", "precision@10", "recall@10", "coverage@10", "fit_seconds")
UNMEASURED = "The errors of this model were not measured."


def compared(record: Record, ratings: Ratings) -> Sequence[JsonObject]:
    """The rows of the latest comparison of these ratings in a record; empty where there is none."""
    latest = latest_of(recorded_comparisons(record), ratings.fingerprint)
    return latest.rows if latest else []


def quality_section(
    model: Model,
    quality: ModelQuality | None,
    rows: Sequence[JsonMapping],
    curve: JsonMapping | None,
) -> Section:
    """The quality of the model, its lists beside popularity, a comparison, a curve of factors."""
    blocks: list[Block] = of_quality(quality) if quality else [Prose(UNMEASURED)]
    blocks += of_lists(model)
    if rows:
        blocks += of_comparison(rows)
    if curve is not None:
        blocks.append(k_curve(curve))
    return Section("quality", "How good it is", blocks)


def of_quality(quality: ModelQuality) -> list[Block]:
    """The metrics of the model's algorithm beside popularity, by group, and calibration."""
    shown = [row for row in quality.metrics if row["value"] is not None]
    metrics = Table(
        {
            "metric": [row["metric"] for row in shown],
            "value": [float(row["value"]) for row in shown],
            "95 % interval": [_span(row["interval"]) for row in shown],
            "popularity": [row["popularity"] for row in shown],
        }
    )
    notes = (
        quality.protocol,
        f"{counted(quality.n_users, 'user')} measured; {quality.n_cold:,} of "
        f"{quality.n_ratings:,} test ratings are of users or items without training ratings.",
    )
    title = "The same algorithm and settings, fitted on four fifths of the ratings"
    verdict = [Prose(quality.judgement)] if quality.judgement else []
    return [Listing(title, metrics, notes), *verdict, *charts_of_quality(quality.to_dict())]


def of_lists(model: Model) -> list[Block]:
    """The lists of some people beside those of popularity."""
    lists = PopularLists.of(model)
    blocks: list[Block] = [Prose(lists.summary)]
    for pair in lists.pairs:
        n = max(len(pair.items), len(pair.popular))
        columns = {
            "its list": _labels(model, pair.items, pair.popular, n),
            "most popular": _labels(model, pair.popular, pair.items, n),
        }
        title = f"Lists for {pair.user_id}, who rated {counted(pair.n_rated, 'item')}"
        table = Table({"": [str(place) for place in range(1, n + 1)], **columns})
        blocks.append(Listing(title, table, (f"{pair.shared} of {n} are on both (•).",)))
    return blocks


def _labels(model: Model, items: Sequence[str], others: Sequence[str], n: int) -> list[str]:
    labels = [model.catalog.label(one) + (" •" if one in others else "") for one in items]
    return labels + [""] * (n - len(labels))


def _span(ends: Sequence[float] | None) -> str | None:
    return None if ends is None else f"{ends[0]:.4f} to {ends[1]:.4f}"


def of_comparison(rows: Sequence[JsonMapping]) -> list[Block]:
    """A comparison of algorithms: a table, and charts of trade-offs."""
    names = [name for name in COLUMNS if any(row.get(name) is not None for row in rows)]
    columns: dict[str, list[object]] = {"algorithm": [row["algorithm"] for row in rows]}
    columns |= {name: [_figure(row, name) for row in rows] for name in names}
    notes = ["The best of each column is bold."]
    notes += ["± is half of the 95 % interval over users."] if _has_intervals(rows) else []
    best = frozenset(
        (row, column) for column, name in enumerate(names, 1) for row in best_rows(rows, name)
    )
    table = Listing("Algorithms compared on the same split", Table(columns), notes, best)
    return [table, *charts_of_comparison(rows)]


def best_rows(rows: Sequence[JsonMapping], name: str) -> list[int]:
    """Which rows of a comparison have the best value of a metric, or the shortest time."""
    known = {at: row[name] for at, row in enumerate(rows) if _is_number(row.get(name))}
    higher = False if name == "fit_seconds" else metric_of(name).higher_is_better
    if not known or higher is None:
        return []
    best = max(known.values()) if higher else min(known.values())
    return [at for at, value in known.items() if value == best]


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and bool(np.isfinite(value))


def _has_intervals(rows: Sequence[JsonMapping]) -> bool:
    return any(row.get("intervals") for row in rows)


def _figure(row: JsonMapping, name: str) -> Any:
    value = row.get(name)
    if not _is_number(value):
        return None
    if name not in row.get("intervals", {}):
        return float(value)
    low, high = row["intervals"][name]
    return f"{value:.4f} ±{(high - low) / 2:.4f}"
