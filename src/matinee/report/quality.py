"""The section on quality: metrics, errors by group, and comparisons."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from matinee.algorithms.from_model import algorithm_of
from matinee.charts import charts_of_comparison, error_by_group, k_curve
from matinee.data.ratings import Ratings
from matinee.display.tables import Table
from matinee.errors import MatineeError
from matinee.evaluation.evaluate import fit_and_evaluate
from matinee.evaluation.results import Evaluation
from matinee.evaluation.run_log import Record
from matinee.models import Model
from matinee.report.elements import Block, Listing, Prose, Section
from matinee.splitting import SPLITS, random

LIST_LENGTH = 10
RATING_ERROR, RANKING = "rmse", f"ndcg@{LIST_LENGTH}"
COLUMNS = (RATING_ERROR, "mae", RANKING, "precision@10", "recall@10", "coverage@10", "fit_seconds")


def measure(model: Model, ratings: Ratings) -> Evaluation:
    """Evaluate the algorithm of a model on a fifth of the ratings, held out at random.

    It is fitted again on the rest with the same settings, as the model itself was trained on all.
    Raises what ``fit_and_evaluate`` does.
    """
    return fit_and_evaluate(algorithm_of(model), random(ratings), (LIST_LENGTH,))


def compared(record: Record, ratings: Ratings) -> list[dict[str, Any]]:
    """The rows of the latest comparison of these ratings in a record; empty where there is none."""
    comparisons: dict[str, list[dict[str, Any]]] = {}  # runs by training fingerprint
    for run in record.runs():
        if run.get("what") == "comparison" and not run["entry"]["failed"]:
            comparisons.setdefault(run["origin"]["fingerprints"]["train"], []).append(run)
    for fingerprint, runs in reversed(comparisons.items()):
        if _training_part(runs[0]["origin"], ratings) == fingerprint:
            rows = {run["entry"]["name"]: run["entry"] for run in runs}
            return [
                {
                    "algorithm": name,
                    **entry["metrics"],
                    "fit_seconds": entry["fit_seconds"],
                    "intervals": entry["intervals"],
                }
                for name, entry in rows.items()
            ]
    return []


def _training_part(origin: Mapping[str, Any], ratings: Ratings) -> str | None:
    """The fingerprint of the training part, with these ratings split as at the origin."""
    if origin.get("split") not in SPLITS:
        return None
    try:
        split = SPLITS[origin["split"]](ratings, **origin["split_settings"])
    except (MatineeError, TypeError):
        return None
    return split.train.fingerprint


def quality_section(
    evaluation: Evaluation | None,
    rows: Sequence[Mapping[str, Any]],
    curve: Mapping[str, Any] | None,
) -> Section:
    """The metrics of the model's algorithm, a comparison with others, and a curve of factors."""
    blocks: list[Block] = []
    if evaluation is not None:
        blocks += of_evaluation(evaluation)
    if rows:
        blocks += of_comparison(rows)
    if curve is not None:
        blocks.append(k_curve(curve))
    if not blocks:
        blocks = [Prose("This report has no measurements.")]
    return Section("quality", "How good it is", blocks)


def of_evaluation(evaluation: Evaluation) -> list[Block]:
    """The metrics of one algorithm, and its errors in groups."""
    notes = (evaluation.protocol, *evaluation.counts())
    title = "The same algorithm and settings, fitted on four fifths of the ratings"
    metric = RATING_ERROR if RATING_ERROR in evaluation.metrics else RANKING
    groups = (("user", evaluation.by_activity), ("item", evaluation.by_popularity))
    return [
        Listing(title, evaluation.table, notes),
        *(
            error_by_group(rows, of, metric)
            for of, rows in groups
            if any(row.get(metric) is not None for row in rows)
        ),
    ]


def of_comparison(rows: Sequence[Mapping[str, Any]]) -> list[Block]:
    """A comparison of algorithms: a table, and charts of trade-offs."""
    names = [name for name in COLUMNS if any(row.get(name) is not None for row in rows)]
    columns: dict[str, list[Any]] = {"algorithm": [row["algorithm"] for row in rows]}
    columns |= {name: [_figure(row, name) for row in rows] for name in names}
    notes = ["± is half of the 95 % interval over users."] if _has_intervals(rows) else []
    table = Listing("Algorithms compared on the same split", Table(columns), notes)
    return [table, *charts_of_comparison(rows)]


def _has_intervals(rows: Sequence[Mapping[str, Any]]) -> bool:
    return any(row.get("intervals") for row in rows)


def _figure(row: Mapping[str, Any], name: str) -> Any:
    value = row.get(name)
    if value is None or not np.isfinite(value):
        return None
    if name not in row.get("intervals", {}):
        return float(value)
    low, high = row["intervals"][name]
    return f"{value:.4f} ±{(high - low) / 2:.4f}"
