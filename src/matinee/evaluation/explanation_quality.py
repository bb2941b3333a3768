"""The quality of an algorithm's explanations, measured on the lists of some people."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from matinee.algorithms import Algorithm
from matinee.data.ratings import Ratings
from matinee.display.notebook import Grid, Part, Printable
from matinee.display.plain_data import JsonObject
from matinee.display.text import counted
from matinee.errors import BadRatings, BadSetting
from matinee.evaluation.metrics.explanations import (
    LARGEST,
    deletion_fidelity,
    largest_terms_share,
    stability,
)
from matinee.models import Model, Person

FEWEST_RATINGS = 2  # of a person whose reasons are tested by deleting one of them
Pair = tuple[str, str]  # user id, item id


@dataclass(frozen=True, repr=False)
class ExplanationQuality(Printable):
    """Means over explained (user, item) pairs; None where the algorithm has nothing to measure."""

    algorithm: str
    largest_terms_share: float  # of the usual view
    deletion_fidelity: float | None  # of the view by history
    stability: float | None  # of the largest reasons by history, over seeds
    pairs: int  # explanations measured

    def parts(self) -> Iterator[Part]:
        """A row a measure."""
        yield f"{self.algorithm}: {counted(self.pairs, 'explanation')}"
        shares = {
            "share of the largest terms": self.largest_terms_share,
            "deletion fidelity": self.deletion_fidelity,
            "stability over seeds": self.stability,
        }
        rows = [[name, "–" if x is None else f"{x:.3f}"] for name, x in shares.items()]
        yield Grid(rows, has_heading=False, indent=2)

    def to_dict(self) -> JsonObject:
        """Plain values, ready for JSON."""
        return asdict(self)


def explanation_quality(
    algorithm: Algorithm,
    train: Ratings,
    n_people: int = 30,
    n_items: int = 3,
    n_seeds: int = 3,
    seed: int = 0,
) -> ExplanationQuality:
    """Explain the first ``n_items`` recommendations of ``n_people``, and measure the reasons.

    People are drawn by ``seed`` among those with at least two ratings. The algorithm is fitted
    ``n_seeds`` times where it has a seed, else once. Raises BadSetting for a number below 1, and
    BadRatings where nobody has two ratings or nothing is left to recommend.
    """
    for name, value in (("n_people", n_people), ("n_items", n_items), ("n_seeds", n_seeds)):
        if value < 1:
            raise BadSetting(f"{name} is {value}; it must be at least 1")
    users = np.flatnonzero(train.by_user.counts >= FEWEST_RATINGS)
    if not len(users):
        raise BadRatings("nobody has two ratings or more, so no reason can be tested")
    rng = np.random.default_rng(seed)
    people = np.sort(rng.choice(users, min(n_people, len(users)), replace=False))
    model = algorithm.fit(train)
    pairs = [
        (user, item)
        for user in train.users.ids[people].tolist()
        for item in model.recommend(user, n_items).item_id
    ]
    if not pairs:
        raise BadRatings("the sampled users have rated every item: nothing to recommend")
    by_history = "history" in model.views
    seeded = by_history and n_seeds > 1 and "seed" in {field.name for field in fields(algorithm)}
    return ExplanationQuality(
        algorithm=repr(algorithm),
        largest_terms_share=float(np.mean([_share(model, pair) for pair in pairs])),
        deletion_fidelity=_fidelity(model, pairs, rng) if by_history else None,
        stability=_stability(algorithm, train, pairs, n_seeds) if seeded else None,
        pairs=len(pairs),
    )


def _share(model: Model, pair: Pair) -> float:
    terms = model.explain(*pair).terms
    return largest_terms_share(np.array([term.value for term in terms if term.kind != "base"]))


def _fidelity(model: Model, pairs: list[Pair], rng: np.random.Generator) -> float | None:
    """Fold each person in without the rating of the largest term, and without a random other."""
    drops = []
    for user, item in pairs:
        items, ratings = model.seen.row(model.users.row(user))
        ids = model.items.ids[items].tolist()
        history = dict(zip(ids, ratings.tolist(), strict=True))
        person = model.fold_in(history, name=user)
        id_of = {model.catalog.called(one): one for one in ids}
        terms = [t for t in model.explain(person, item, by="history").terms if t.kind == "rating"]
        terms = [term for term in terms if term.name in id_of]
        if not terms:
            continue
        first = id_of[max(terms, key=lambda term: term.value).name]
        other = str(rng.choice([one for one in ids if one != first]))
        before = _score(model, person, item)
        drops.append([before - _score_without(model, history, one, item) for one in (first, other)])
    return deletion_fidelity(*np.array(drops).T) if drops else None


def _score_without(model: Model, history: dict[str, float], left_out: str, item: str) -> float:
    rest = {one: rating for one, rating in history.items() if one != left_out}
    return _score(model, model.fold_in(rest), item)  # type: ignore[arg-type]


def _score(model: Model, person: Person, item: str) -> float:
    """The score that ranks the item in the person's list."""
    return float(model.list_scores([person], np.array([model.item_row(item)]))[0, 0])


def _stability(algorithm: Any, train: Ratings, pairs: list[Pair], n_seeds: int) -> float:
    models = [replace(algorithm, seed=algorithm.seed + k).fit(train) for k in range(n_seeds)]
    return float(np.mean([stability([_reasons(one, pair) for one in models]) for pair in pairs]))


def _reasons(model: Model, pair: Pair) -> frozenset[str]:
    """The names of the ratings with the largest terms."""
    terms = [term for term in model.explain(*pair, by="history").terms if term.kind == "rating"]
    terms.sort(key=lambda term: (-abs(term.value), term.name))
    return frozenset(term.name for term in terms[:LARGEST])
