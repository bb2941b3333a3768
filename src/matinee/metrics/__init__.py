"""What is measured: pure functions on arrays, each with its contract in the docstring.

``METRICS`` lists them all under the names that tables and the command line use.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from matinee.metrics.ranking import coverage, hit_rate, ndcg, precision, recall
from matinee.metrics.rating import mae, rmse


@dataclass(frozen=True)
class Metric:
    """A function, what it is computed from, and which end of it is the good one.

    - ``"ratings"``: ``compute(actual, predicted)`` is one number; only for models of ratings;
    - ``"ranks"``: ``compute(RankedTest, n)`` is one number a user; its mean is reported;
    - ``"lists"``: ``compute(best_place, n)`` is one number, from the lists that are shown.
    """

    compute: Callable[..., Any]
    source: Literal["ratings", "ranks", "lists"]
    higher_is_better: bool = True


METRICS: dict[str, Metric] = {
    "rmse": Metric(rmse, "ratings", higher_is_better=False),
    "mae": Metric(mae, "ratings", higher_is_better=False),
    "precision": Metric(precision, "ranks"),
    "recall": Metric(recall, "ranks"),
    "ndcg": Metric(ndcg, "ranks"),
    "hit_rate": Metric(hit_rate, "ranks"),
    "coverage": Metric(coverage, "lists"),
}
