"""The lists that scores make: every ranking metric, with its interval over users.

What a contender gives is only scores; ranking, metrics and intervals are Matinee's own for all.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data import POSITIVE_FROM, Fold, likes, ml_1m_ids
from jobs import LIST_LENGTH, Row
from matinee.data.catalog import Catalog
from matinee.data.ids import IdMap
from matinee.data.ratings import Ratings
from matinee.data.rows import Rows
from matinee.data.scale import Scale
from matinee.evaluation.bootstrap import resample
from matinee.evaluation.evaluate import evaluate
from matinee.evaluation.metrics import METRICS
from matinee.kernels.resampling import interval

SCALE = Scale(1.0, 5.0)
HITS = tuple(name for name, metric in METRICS.items() if metric.source in ("ranks", "grades"))
BEYOND = tuple(name for name, metric in METRICS.items() if metric.source in ("lists", "catalog"))


@dataclass(frozen=True, eq=False)
class Scored:
    """Scores of some users as a model that can be measured; only those users are asked for."""

    users: IdMap
    items: IdMap
    seen: Rows  # the likes that are not held out: what the lists leave out
    scored: np.ndarray  # (n,) row numbers of the users, ascending
    scores: np.ndarray  # (n, n_items)
    catalog: Catalog
    scale: Scale = SCALE
    kind: str = "preference"

    def score_block(self, users: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(self.scores[np.searchsorted(self.scored, users)])

    def predict_rows(self, user: np.ndarray, item: np.ndarray) -> np.ndarray:
        raise NotImplementedError("preferences are no predicted ratings")


def of_lists(fold: Fold, scores: np.ndarray, folder: Path) -> Row:
    """All metrics of the lists of the users with held-out items, and their 95 % intervals."""
    users, items, catalog = ml_1m_ids(folder)
    parts = (
        Ratings.of(users, items, *part, scale=SCALE, catalog=catalog)
        for part in (likes(fold.train, POSITIVE_FROM), fold.test)
    )
    train, test = parts
    model = Scored(users, items, train.by_user, np.unique(fold.test.user), scores, catalog)
    found = evaluate(model, test, (LIST_LENGTH,), POSITIVE_FROM)
    assert found.per_user is not None
    draws = resample(found.per_user)
    return {
        "metrics": found.metrics,
        "intervals": {name: interval(values) for name, values in draws.items()},
        "users": found.users_measured,
        "test_ratings": found.test_ratings,
        "positive_from": POSITIVE_FROM,
        "nan_scores": found.nan_scores,
    }


def list_columns(rows: list[Row], metrics: tuple[str, ...]) -> list[Row]:
    """A row a contender, the best at NDCG first: each metric and half its interval."""
    measured = [row for row in rows if "intervals" in row]
    order = sorted(measured, key=lambda row: -row["metrics"][f"ndcg@{LIST_LENGTH}"])
    names = [name for name in order[0]["metrics"] if name.partition("@")[0] in metrics]
    best = {name: best_of(name, order) for name in names}
    return [
        {"contender": row["contender"], **{name: cell(row, name, best[name]) for name in names}}
        for row in order
    ]


def best_of(name: str, rows: list[Row]) -> float | None:
    """The best value of a metric; None where neither end is better."""
    higher = METRICS[name.partition("@")[0]].higher_is_better
    values = [row["metrics"][name] for row in rows if name in row["metrics"]]
    return None if higher is None else (max if higher else min)(values)


def cell(row: Row, name: str, best: float | None) -> str:
    """``0.3352 ±0.0061``, in bold where it is the best."""
    if name not in row["metrics"]:
        return "–"
    value = row["metrics"][name]
    low, high = row["intervals"].get(name, (value, value))
    text = f"{value:.4f}" + (f" ±{(high - low) / 2:.4f}" if high > low else "")
    return f"**{text}**" if value == best else text
