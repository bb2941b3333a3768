"""The contract of an algorithm: what comparing, tuning and serving take for granted of it."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from matinee.algorithms.base import Algorithm
from matinee.algorithms.registry import choose_one
from matinee.data.ratings import Ratings
from matinee.display.tables import Table
from matinee.display.text import counted
from matinee.errors import BadModel, BadSetting, known_arguments
from matinee.evaluation.evaluate import evaluate
from matinee.models.model import Model
from matinee.sources.synthetic import checkerboard
from matinee.splitting import Split, random

N = 60  # users and items of the ratings that are fitted
PAIRS = 200  # predicted at once
TOLERANCE = 1e-4  # of sums of terms, relative to the score


@known_arguments
def check_algorithm(algorithm: object) -> Table:
    """Fit an algorithm to small data and check what is taken for granted of it.

    ``algorithm`` is a name, a value or a class: one of ours, or one from outside with
    ``fit(ratings)``. Returns a table of what was checked. Raises BadModel with everything that does
    not hold, and BadSetting for what is no algorithm.
    """
    case = Case(choose_one(algorithm), random(checkerboard(N)))
    failures = {}
    for name, check in CHECKS.items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the data are smaller than any real ones
                failures[name] = check(case)
        except Exception as error:  # every failure is reported, whatever it is
            failures[name] = f"{type(error).__name__}: {error}"
    broken = [f"{name}: {failure}" for name, failure in failures.items() if failure]
    if broken:
        raise BadModel(f"{case.algorithm!r} does not keep the contract; " + "; ".join(broken))
    return Table({"check": list(CHECKS), "result": ["holds"] * len(CHECKS)}, repr(case.algorithm))


@dataclass(frozen=True, eq=False)
class Case:
    """An algorithm and small data to fit it to."""

    algorithm: Algorithm
    split: Split

    @cached_property
    def model(self) -> Model:
        """The model of the training part."""
        return self.algorithm.fit(self.split.train)

    @property
    def train(self) -> Ratings:
        """The training part."""
        return self.split.train

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """Scores (n,) of the training pairs at ``rows``, by id."""
        users, items = self.train.users.ids[self.train.user], self.train.items.ids[self.train.item]
        return self.model.score(users[rows].tolist(), items[rows].tolist())


def finite(case: Case) -> str:
    """One finite number for every pair."""
    scores = case.scores(np.arange(PAIRS))
    bad = np.flatnonzero(~np.isfinite(scores))
    return f"{len(bad)} of {counted(PAIRS, 'score')} are not finite" if len(bad) else ""


def in_step(case: Case) -> str:
    """A score depends on its pair, and not on the others or their order."""
    rows = np.random.default_rng(0).permutation(PAIRS)
    whole, shuffled = case.scores(np.arange(PAIRS)), case.scores(rows)
    same = np.allclose(whole[rows], shuffled, rtol=TOLERANCE, atol=TOLERANCE)
    return "" if same else "the scores of pairs change with their order"


def repeatable(case: Case) -> str:
    """The same ratings and settings give the same scores."""
    again = Case(case.algorithm, case.split)
    rows = np.arange(PAIRS)
    same = np.array_equal(case.scores(rows), again.scores(rows))
    return "" if same else "two fits of the same ratings differ; take the chance from a seed"


def leaves_ratings(case: Case) -> str:
    """A fit leaves its ratings as they are."""
    fresh = random(checkerboard(N)).train.fingerprint
    case.algorithm.fit(case.train)
    digest = Ratings.of(
        case.train.users,
        case.train.items,
        case.train.user,
        case.train.item,
        case.train.rating,
        case.train.timestamp,
    ).fingerprint
    return "" if digest == fresh else "the fit changed its ratings"


def settings_kept(case: Case) -> str:
    """Settings are attributes, and the algorithm can be made again from them."""
    again = case.algorithm.with_settings({})
    same = repr(again) == repr(case.algorithm)
    return "" if same else f"made again from its settings it is {again!r}"


def states_its_kind(case: Case) -> str:
    """The kind that the algorithm states is that of its models."""
    stated, kind = case.algorithm.kind, case.model.kind
    return "" if stated == kind else f'its models are of kind "{kind}"; state kind = "{kind}"'


def lists(case: Case) -> str:
    """Lists are in falling order, without what the user has rated."""
    user = case.train.users[0]
    table = case.model.recommend(user, 5)
    shared = set(table.item_id) & set(case.train.history(user))
    if shared:
        return f"the list of {user} has {sorted(shared)}, which they have rated"
    return "" if list(table.score) == sorted(table.score, reverse=True) else "lists are in disorder"


def measurable(case: Case) -> str:
    """It can be evaluated on held-out ratings."""
    metrics = evaluate(case.model, case.split.test).metrics
    bad = [name for name, value in metrics.items() if not np.isfinite(value)]
    return f"{', '.join(bad)} not finite" if bad else ""


def explained(case: Case) -> str:
    """The terms of an explanation sum to the score; models from outside give none."""
    user, item = case.train.users[0], case.train.items[1]
    try:
        why = case.model.explain(user, item)
    except BadSetting:
        return ""
    total = sum(term.value for term in why.terms)
    error = abs(total - why.score)
    within = error <= TOLERANCE * max(1.0, abs(why.score))
    return "" if within else f"terms sum to {total:g}, the score is {why.score:g}"


CHECKS: dict[str, Callable[[Case], str]] = {
    "one finite number a pair": finite,
    "pairs do not depend on one another": in_step,
    "the same fit twice": repeatable,
    "ratings stay as they are": leaves_ratings,
    "settings make it again": settings_kept,
    "it states its kind": states_its_kind,
    "lists without what is rated": lists,
    "it can be evaluated": measurable,
    "terms sum to the score": explained,
}
