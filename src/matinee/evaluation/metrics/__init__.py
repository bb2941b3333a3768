"""What is measured: pure functions on arrays, each with its contract in the docstring.

``METRICS`` lists them all under the names that tables and the command line use. A name is
followed by the length of the list where there is one, as in ``ndcg@10``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from matinee.evaluation.metrics.beyond import (
    coverage,
    diversity,
    genre_calibration,
    gini,
    novelty,
    shown_popularity,
)
from matinee.evaluation.metrics.intervals import interval_gap, interval_width
from matinee.evaluation.metrics.ranking import (
    auc,
    average_precision,
    capped_average_precision,
    capped_recall,
    graded_ndcg,
    hit_rate,
    ndcg,
    precision,
    recall,
    reciprocal_rank,
)
from matinee.evaluation.metrics.rating import absolute_errors, mae, rmse, squared_errors

Source = Literal["ratings", "intervals", "ranks", "grades", "lists", "catalog"]


@dataclass(frozen=True)
class Metric:
    """A function, what it is computed from, and which end of it is the good one.

    - ``"ratings"``: ``compute(actual, predicted)`` is one number, the ``root`` of the mean of
      ``parts(actual, predicted)`` or that mean itself; only for models of ratings;
    - ``"intervals"``: ``compute(IntervalTest)`` is one number; for models that offer intervals;
    - ``"ranks"``, ``"grades"``: ``compute(RankedTest, n)`` is one number a user, from the relevant
      or from all the test items, NaN where there is none; the mean over users is reported;
    - ``"lists"``: ``compute(Lists, n)`` is one number a user, likewise;
    - ``"catalog"``: ``compute(times_shown)`` is one number, of the lists of all users together.
    """

    compute: Callable[..., Any]
    source: Source
    higher_is_better: bool | None = True  # None: neither end is good by itself
    at_n: bool = True  # whether it is measured at a list length
    needs_genres: bool = False
    parts: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None
    root: bool = False

    @property
    def per_user(self) -> bool:
        """Whether users have values of their own, so that an interval over users exists."""
        return self.source not in ("intervals", "catalog")

    @property
    def ranks(self) -> bool:
        """Whether it is about lists, not about predicted ratings."""
        return self.source not in ("ratings", "intervals")


METRICS: dict[str, Metric] = {
    "rmse": Metric(rmse, "ratings", False, at_n=False, parts=squared_errors, root=True),
    "mae": Metric(mae, "ratings", False, at_n=False, parts=absolute_errors),
    "interval_gap": Metric(interval_gap, "intervals", False, at_n=False),
    "interval_width": Metric(interval_width, "intervals", False, at_n=False),
    "precision": Metric(precision, "ranks"),
    "recall": Metric(recall, "ranks"),
    "capped_recall": Metric(capped_recall, "ranks"),
    "ndcg": Metric(ndcg, "ranks"),
    "graded_ndcg": Metric(graded_ndcg, "grades"),
    "map": Metric(average_precision, "ranks"),
    "capped_map": Metric(capped_average_precision, "ranks"),
    "mrr": Metric(reciprocal_rank, "ranks"),
    "hit_rate": Metric(hit_rate, "ranks"),
    "auc": Metric(auc, "ranks", at_n=False),
    "coverage": Metric(coverage, "catalog"),
    "gini": Metric(gini, "catalog", False),
    "shown_popularity": Metric(shown_popularity, "lists", None),
    "novelty": Metric(novelty, "lists", None),
    "diversity": Metric(diversity, "lists", None, needs_genres=True),
    "genre_calibration": Metric(genre_calibration, "lists", False, needs_genres=True),
}


def metric_of(name: str) -> Metric:
    """The metric of a name in results, such as "ndcg@10"."""
    return METRICS[name.partition("@")[0]]
