"""Evaluating a model on Spark: each task measures some of the test users.

The sums over users, and how often each item is shown, are added up in each task and then over
tasks. The metrics are those of ``matinee.evaluation.metrics``, computed by the code of
``evaluate``.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from matinee.data.ids import IdMap
from matinee.data.ratings import Ratings
from matinee.errors import BadRatings, BadSetting
from matinee.evaluation.evaluate import (
    ROOTS,
    Measured,
    count_cold,
    on_ids_of,
    protocol_of,
    refuse_trained,
    refuse_unknown,
)
from matinee.evaluation.protocol import Measure, Plan, measures_of, refuse_irrelevant, relevance
from matinee.evaluation.ranking_pass import of_catalog
from matinee.evaluation.results import Evaluation, UserScores, versions
from matinee.models import Model
from matinee.spark.cleaning import good, judged, warn_of_faults
from matinee.spark.model_folder import ModelFolder
from matinee.spark.passes import use_threads
from matinee.spark.payloads import Arrays, from_bytes, to_bytes
from matinee.spark.sessions import batches_by_rows, check_frame, threads_of_task
from matinee.spark.tasks import Batches, in_task

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

SUMS = "trained string, payload binary"
COUNTS = ("ratings", "unknown", "cold", "users", "measured", "nan", "relevant")


@dataclass(frozen=True)
class EvaluateTask:
    """The model, the plan and the threads of every task."""

    place: ModelFolder
    plan: Plan
    threads: int


def evaluate(
    model: Model | str | Path,
    test: "DataFrame",
    ns: Iterable[int] = (10,),
    relevant_from: float | None = None,
    metrics: Iterable[str] | None = None,
    *,
    folder: str | Path | None = None,
) -> Evaluation:
    """``matinee.evaluate`` on a DataFrame of test ratings: the same figures, without the groups.

    ``test`` has the columns of ``fit``; ``model`` and ``folder`` are as for ``recommend``. Metrics
    of intervals are not measured here.

    Raises as ``matinee.evaluate`` does.
    """
    started = time.perf_counter()
    check_frame("evaluate", test)
    place = ModelFolder.of(model, folder)
    known = place.model()
    measures = measures_of(metrics, ns, len(known.items))
    threshold = relevance(relevant_from, known.scale, np.asarray(known.seen.values))
    genres = known.catalog.genre_matrix(known.items)[1]
    plan = Plan(measures, threshold, metrics is None).fitted_to(known, genres.shape[1] > 0)
    if any(one.metric.source == "intervals" for one in plan.measures):
        raise BadSetting("intervals are not measured on Spark; matinee.evaluate measures them")
    task = EvaluateTask(place, plan, threads_of_task(test.sparkSession))
    parts = _clean(test).repartition("user_id").mapInArrow(in_task(_measure, task), SUMS)
    with batches_by_rows(test.sparkSession):
        rows = parts.collect()
    for row in rows:
        if row["trained"] is not None:
            raise BadRatings(row["trained"])
    sums = [from_bytes(row["payload"]) for row in rows]
    counts = dict(
        zip(COUNTS, np.sum([one["counts"] for one in sums], axis=0).tolist(), strict=True)
    )
    if not counts["ratings"]:
        refuse_unknown(counts["unknown"])
    if plan.ranks and not counts["relevant"]:
        refuse_irrelevant(threshold, max(float(one["highest"][0]) for one in sums), known.kind)
    return Evaluation(
        metrics=_metrics(sums, plan.measures),
        relevant_from=threshold,
        users_measured=counts["measured"],
        users_skipped=counts["users"] - counts["measured"],
        test_ratings=counts["ratings"],
        cold_ratings=counts["cold"],
        unknown_ratings=counts["unknown"],
        protocol=protocol_of(known, plan),
        test_seconds=time.perf_counter() - started,
        nan_scores=counts["nan"],
        origin={"fingerprints": {"train": known.data_fingerprint}, "versions": versions()},
    )


def _clean(test: "DataFrame") -> "DataFrame":
    """The valid rows, one of each pair; warns of the rows that are set aside."""
    from pyspark.sql import functions as F

    rows = judged(test)
    warn_of_faults(rows)
    order = [name for name in ("moment", "place") if name in rows.columns]
    last = F.max_by("rating", F.struct(*order)).alias("rating")
    return good(rows).groupBy("user_id", "item_id").agg(last)


def _metrics(parts: list[Arrays], measures: Sequence[Measure]) -> dict[str, float]:
    """The values in the order of the measures, from the sums of all tasks."""
    sums: Arrays = {}
    for part in parts:
        for name, value in part.items():
            sums[name] = sums[name] + value if name in sums else value
    totals, weights, times = (
        {name.split(":")[1]: value for name, value in sums.items() if name.startswith(kind)}
        for kind in ("total:", "weight:", "times:")
    )
    values = UserScores(totals, weights, ROOTS).means()
    values |= of_catalog({int(n): value for n, value in times.items()}, measures)
    return {one.name: values[one.name] for one in measures if one.name in values}


def _measure(task: EvaluateTask, batches: Batches) -> Batches:
    import pyarrow as pa

    use_threads(task.threads)
    filled = [batch for batch in batches if batch.num_rows]
    if not filled:
        return
    table = pa.Table.from_batches(filled)
    trained, arrays = None, {}
    try:
        arrays = _sums(task, _ratings(table))
    except BadRatings as error:
        trained = str(error)
    yield pa.RecordBatch.from_pydict(
        {
            "trained": pa.array([trained], pa.string()),
            "payload": pa.array([to_bytes(**arrays)], pa.binary()),
        }
    )


def _ratings(table: "pa.Table") -> Ratings:
    """The rows of a task as ratings."""
    names = [list(map(str, table.column(f"{kind}_id").to_pylist())) for kind in ("user", "item")]
    users, items = (IdMap.of(*pair) for pair in zip(names, ("user", "item"), strict=True))
    rating = table.column("rating").to_numpy()
    return Ratings.of(users, items, users.rows(names[0]), items.rows(names[1]), rating)


def _sums(task: EvaluateTask, ratings: Ratings) -> Arrays:
    """The sums of some users' test ratings, which all metrics are computed from."""
    model: Any = task.place.model()
    test, unknown = on_ids_of(model, ratings)
    if test is None:
        counts = np.array([0, unknown, *(0 for _ in COUNTS[2:])])
        return {"counts": counts, "highest": np.array([-np.inf])}
    refuse_trained(model, test)
    relevant = test.rating >= task.plan.relevant_from
    plan = task.plan.only(one for one in task.plan.measures if relevant.any() or not one.ranks)
    genres = model.catalog.genre_matrix(model.items)[1]
    measured = Measured.of(model, test, plan, genres)
    n_users, n_measured = (len(np.unique(user)) for user in (test.user, test.user[relevant]))
    counts = np.array(
        [
            len(test),
            unknown,
            count_cold(model, test),
            n_users,
            n_measured,
            measured.nan_scores,
            np.count_nonzero(relevant),
        ]
    )
    sums = {"counts": counts, "highest": np.array([test.rating.max()], np.float64)}
    for name, values in measured.per_user.totals.items():
        sums[f"total:{name}"] = np.array([values.sum()])
        sums[f"weight:{name}"] = np.array([measured.per_user.weights[name].sum()])
    return sums | {f"times:{n}": times for n, times in measured.times.items()}
