"""What ranks the lists of a model of stars: what someone would like, and what they would choose.

    score(u, i) = stars(u, i) + choice(u, i) / stars_weight - caution noise / sqrt(n_i + 1)

``stars_weight`` is how many points of choice a star is worth, so a star is one point of the score.
With 0 the score is choice(u, i), in points of choice; with infinity, stars(u, i). ``noise`` is the
standard deviation of ratings around the stars, so the last term is about the standard error of a
film's mean rating.

What somebody rated low they have chosen too, and it tells what they choose next, as long as they
liked something. Of a newcomer who liked nothing choice is that of the average person: more of what
they dislike is not what they look for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from matinee.data.rows import Rows
from matinee.data.scale import Scale
from matinee.display.text import counted
from matinee.explain.explanation import FEW_RATERS, LIST
from matinee.explain.term import Label, Opposite
from matinee.explain.term_table import TermTable
from matinee.explain.views import FACTOR, HISTORY, VIEWS, View
from matinee.models.blend import BlendModel, end_to_end
from matinee.models.factor import FactorModel
from matinee.models.fitted import Fitted
from matinee.models.list_tastes import ListTastes
from matinee.models.model import Model
from matinee.row_solvers.embeddings import Embeddings
from matinee.row_solvers.person import Person

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matinee.explain.explainable import TasteControls
    from matinee.lists.retrieval import Scorer

FEW_RATED, UNCERTAIN = "few have rated it", "uncertainty"
BY_MANY = Label("chosen by many", "popularity")
STARS_AND_CHOICE = "score: the stars predicted, plus points for how likely each is to be chosen"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class ListModel(BlendModel):
    """The weighted sum of a model of stars and one of choices, and one offset per item.

    It knows people by the embeddings of both, end to end; ``from_stars`` brings those that the
    model of stars knows, and ``to_stars`` takes them back.
    """

    offsets: np.ndarray  # (n_items,) float32: what is taken off for what few have rated

    @classmethod
    def of(
        cls, stars: Model, choice: Model, stars_weight: float, caution: float, noise: float
    ) -> "ListModel":
        """The sum for a weight of the stars, from 0 to infinity, and a caution."""
        weights = (0.0, 1.0) if stars_weight == 0 else (1.0, 1 / stars_weight)
        offsets = -weights[0] * caution * noise / np.sqrt(stars.item_counts + 1)
        model = cls(
            users=stars.users,
            items=stars.items,
            seen=stars.seen,
            scale=stars.scale,
            kind=stars.kind,
            algorithm=stars.algorithm,
            settings=stars.settings,
            data_fingerprint=stars.data_fingerprint,
            catalog=stars.catalog,
            constant=0.0,
            weights=weights,
            models=(stars, choice),
            offsets=offsets.astype(np.float32),
        )
        vars(model)["item_counts"] = stars.item_counts
        return model

    @property
    def unit(self) -> str:
        return super().unit if self.weights[0] else "points"

    @property
    def explains(self) -> str:
        return LIST

    @property
    def adds_points(self) -> bool:
        return all(self.weights)

    @property
    def score_in_words(self) -> str:
        way = {-1: ", less", 0: "", 1: ", plus"}[int(np.sign(self.offsets.sum()))]
        by_few = way and f"{way} some where few have rated it"
        if not self.adds_points:
            return f"{super().score_in_words}{by_few}"
        return f"{STARS_AND_CHOICE}{by_few}; a point is worth a star"

    def score_people(self, people: Sequence[object], items: np.ndarray) -> np.ndarray:
        return np.asarray(super().score_people(people, items) + self.offsets[items])

    def scorer(self, items: np.ndarray) -> "Scorer":
        score_sum, offsets = super().scorer(items), self.offsets[items]

        def score(people: Sequence[object], out: np.ndarray) -> None:
            score_sum(people, out)
            out += offsets

        return score

    def score_block(self, users: np.ndarray) -> np.ndarray:
        return np.asarray(super().score_block(users) + self.offsets)

    def score_rows(self, user: np.ndarray, item: np.ndarray) -> np.ndarray:
        return np.asarray(super().score_rows(user, item) + self.offsets[item])

    def stars(self, person: Person, items: np.ndarray) -> np.ndarray:
        return self.models[0].stars(self.persons(person)[0], items)

    def usual_score(self, person: Person) -> float:
        return super().usual_score(person) + self._mean_offset

    @cached_property
    def _mean_offset(self) -> float:
        """The mean offset of the items with ratings."""
        return float(self.offsets[self.rated_items].mean(dtype=np.float64))

    def linear_items(self) -> Embeddings:
        items = super().linear_items()
        return items._replace(bias=items.bias + self.offsets)

    def item_vectors(self, items: np.ndarray) -> np.ndarray | None:
        return self.models[0].item_vectors(items)

    # People.

    def from_stars(self, people: Sequence[object]) -> list[object]:
        sides = iter(self._choice_sides([one for one in people if isinstance(one, Person)]))
        return [
            replace(one, embeddings=end_to_end([one.embeddings, next(sides)]), choice=None)
            if isinstance(one, Person)
            else one
            for one in people
        ]

    def persons(self, person: Person) -> list[Person]:
        stars, choice = super().persons(person)
        choice = replace(choice, rates=True)
        if choice.strategy != "folded_in" or has_likes(choice.history, self.scale).all():
            return [stars, choice]
        nothing = choice.history.subset(np.zeros(len(choice.items), bool))
        return [
            stars,
            replace(choice, items=nothing.indices, ratings=nothing.values, weights=nothing.weights),
        ]

    def solve(self, items: np.ndarray, ratings: np.ndarray) -> Embeddings:
        return self.solve_many(Rows.single(items, ratings))

    def solve_many(self, rated: Rows) -> Embeddings:
        stars, choice = self.models
        return end_to_end([stars.solve_many(rated), choice.solve_many(self._choices(rated))])

    def solve_without_each(self, rated: Rows) -> Embeddings:
        if np.count_nonzero(rated.values >= self.scale.middle) > 1:
            return super().solve_without_each(rated)
        return Fitted.solve_without_each(self, rated)  # one at a time: some have no like left

    def _choices(self, rated: Rows) -> Rows:
        """The histories (rows) as choices: those without a like are empty."""
        return rated.subset(np.repeat(has_likes(rated, self.scale), rated.counts))

    def _choice_sides(self, people: Sequence[Person]) -> list[Embeddings]:
        """How the choice part knows people: as it was trained, or by their ratings."""
        known = [one.choice or self._trained(one) for one in people]
        unsolved = [one for one, side in zip(people, known, strict=True) if side is None]
        solved = None
        if unsolved:  # models of choices take no weights: who chose what does not depend on them
            rated = Rows.joined([one.history for one in unsolved])
            solved = self.models[1].solve_many(self._choices(rated))
        rows = iter(range(len(unsolved)))
        return [solved.row(next(rows)) if side is None and solved else side for side in known]  # type: ignore[misc]

    def to_stars(self, person: Person) -> Person:
        stars, choice = self.persons(person)
        return replace(stars, choice=choice.embeddings)

    def _trained(self, person: Person) -> Embeddings | None:
        """The trained choice side of a trained user."""
        row = self.users.find(person.name) if person.strategy == "personal" else -1
        return self.models[1].embeddings_of(row) if row >= 0 else None

    @property
    def taste_controls(self) -> "TasteControls | None":
        return None if self.models[0].taste_controls is None else ListTastes(self)

    # Explanations.

    @property
    def views(self) -> "Mapping[str, View]":
        """Those of the stars."""
        names = self.models[0].views
        return {name: VIEWS[name].of(partial(terms_of_list, by=name)) for name in names}


def has_likes(rated: Rows, scale: Scale) -> np.ndarray:
    """Whether each history (row) holds a rating from the middle of the scale up, or nothing.

    bool (n_rows,).
    """
    likes = np.concatenate([[0], np.cumsum(rated.values >= scale.middle)])[rated.indptr]
    found: np.ndarray = (np.diff(likes) > 0) | (rated.counts == 0)
    return found


def terms_of_list(model: ListModel, person: Person, items: np.ndarray, by: str) -> TermTable:
    """The terms of the stars, those of the choice in stars, and what few ratings take off.

    Terms of one name and kind are one: a film that speaks for both is named once.

    ``items`` (n,) are rows.
    """
    (w_stars, stars, own_stars), (w_choice, choice, own_choice) = model.parts_of(person)
    of_stars = stars.views[by].terms(stars, own_stars, items).times(w_stars)
    of_choice = choice_terms(choice, own_choice, items, by, w_choice)
    both = TermTable.side_by_side(of_stars, of_choice).joined()
    return TermTable.side_by_side(both, certainty_terms(model, items))


def certainty_terms(model: ListModel, items: np.ndarray) -> TermTable:
    """What is taken off each item for what few have rated; ``items`` (n,) are rows."""
    labels = [
        Label(FEW_RATED if n < FEW_RATERS else UNCERTAIN, "certainty", counted(n, "rating"))
        for n in model.item_counts[items].tolist()
    ]
    return TermTable(labels, np.diag(model.offsets[items].astype(np.float64)))


def choice_terms(
    choice: Model, person: Person, items: np.ndarray, by: str, weight: float
) -> TermTable:
    """Scores of choice, times ``weight``, in the terms of a view.

    Without that view they are what everybody and what this person adds.

    ``items`` (n,) are rows.
    """
    if by != FACTOR.name and by in choice.views:
        return choice.views[by].terms(choice, person, items).times(weight)
    if isinstance(choice, BlendModel):
        by_part = (
            choice_terms(part, own, items, by, own_weight)
            for own_weight, part, own in choice.parts_of(person)
        )
        return TermTable.side_by_side(*by_part).times(weight)
    if not isinstance(choice, FactorModel) and HISTORY.name in choice.views:
        return choice.views[HISTORY.name].terms(choice, person, items).times(weight)
    if isinstance(choice, FactorModel) and choice.n_factors:
        return taste_terms(choice, person, items, weight)
    scores = choice.score_people([choice.average_person, person], items).astype(np.float64)
    return TermTable.of_columns(
        len(items),
        (BY_MANY, weight * scores[0]),
        (
            Label(
                "what you tend to choose",
                "choice",
                said="such films",
                opposite=Opposite("such films", "such films"),
            ),
            weight * (scores[1] - scores[0]),
        ),
    )


def taste_terms(choice: FactorModel, person: Person, items: np.ndarray, weight: float) -> TermTable:
    """What everybody adds, and one term per taste in choosing that sets this person apart.

    Non-negative tastes are taken as they are: they only ever add.

    ``items`` (n,) are rows.
    """
    bias = choice.global_mean + float(person.embeddings.bias[0])
    common = bias + choice.item_bias[items].astype(np.float64)
    if not choice.taste_space.only_adds:
        everybody = choice.average_person
        common += choice.taste_space.products(everybody, items).sum(axis=1)
        factors = person.embeddings.factors - everybody.embeddings.factors
        person = replace(person, embeddings=person.embeddings._replace(factors=factors))
    by_many = TermTable.of_columns(len(items), (BY_MANY, weight * common))
    own = choice.taste_space.terms(person, items, "choice", weight)
    return TermTable.side_by_side(by_many, own)
