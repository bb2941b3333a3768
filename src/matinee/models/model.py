"""What every fitted model can do, whatever it is made of.

Predicting, recommending and explaining follow from a few methods that each kind of model defines:
how it scores people, how it solves a new person's embeddings, and which views a score has.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Protocol, Self, Unpack, cast, overload

import numpy as np

from matinee.data.catalog import NO_CATALOG, Catalog
from matinee.data.ids import IdMap, as_id
from matinee.data.packed import PackedRatings
from matinee.data.ratings import Ratings, Rows
from matinee.data.scale import Scale
from matinee.display.notebook import Grid, Part, Printable
from matinee.display.tables import Table
from matinee.display.text import counted, shorten
from matinee.errors import Advice, BadSetting, Message, Option, UnknownId
from matinee.explain.contrast import Contrast, contrast
from matinee.explain.counterfactual import Counterfactual, counterfactual
from matinee.explain.explainable import TasteControls
from matinee.explain.explanation import LIST, STARS, Explanation
from matinee.explain.personalization import Evidence, shares
from matinee.explain.variety import varied
from matinee.explain.views import View
from matinee.explain.what_if import WhatIf, what_if
from matinee.models.capabilities import INTERVALS, SIMILAR, TASTES, VECTORS
from matinee.models.list_rules import ListArguments, ListRules, RuleArguments
from matinee.models.newcomers import from_ratings, without_ratings
from matinee.models.predictions import Predictions, as_objects, by_user, is_many, pairs_of
from matinee.models.retrieval import Scorer
from matinee.models.ruled_lists import ListMaker
from matinee.models.serialization import save_model
from matinee.models.user_lists import UserLists
from matinee.models.vectors import Vectors, search_vectors
from matinee.row_solvers.embeddings import Embeddings
from matinee.row_solvers.person import Person

PIECE = 1 << 22  # numbers counted at once
SETTINGS_WIDTH = 100  # characters of the settings that are printed; model.settings has all
NEGLIGIBLE = 1e-9  # a term this small is a zero of the model, not a reason
NEW_USERS: Message = (
    "; fold new users in by their ratings (",
    Advice("model.fold_in", "matinee recommend --ratings FILE", "POST /v1/recommendations"),
    ") or by a few questions (",
    Advice("matinee.Interview", "matinee interview"),
    ")",
)


class Choice(Protocol):
    """What a model of stars knows of who chooses what, for its lists."""

    def cautions(self, ranker: "Model") -> tuple[float, ...]:
        """Cautions from safe to adventurous, its own in the middle."""

    def check(self, stars: "Model") -> None:
        """Raise BadModel unless this can be part of a model of stars."""

    def ranker(self, stars: "Model") -> "Model":
        """What ranks the lists of ``stars``."""

    def weighed(self, stars_weight: float | None, caution: float | None) -> "Choice":
        """The same with another weight of the stars, or another caution. Raises BadSetting."""

    def with_items(self, catalog: Catalog) -> "Choice | None":
        """The same for the items of a catalogue too; None where it cannot know them."""

    def embeddings_of_features(self, features: Mapping[str, object]) -> Embeddings:
        """How someone with these features chooses. Raises BadSetting."""

    def embeddings_of_tastes(self, gains: np.ndarray, share: float) -> Embeddings:
        """How someone chooses whose tastes add ``gains`` (n_items,) to the stars of items."""


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Model(Printable):
    """A fitted model. Make one with an algorithm's ``fit``, or ``matinee.load``.

    Whoever or whatever has no training rating is scored as the average of those who have:
    ``predict`` and ``score`` do so and mark it, ``recommend`` and ``explain`` ask for a known
    user or a folded-in one.
    """

    users: IdMap
    items: IdMap
    seen: Rows  # the training ratings of each user
    scale: Scale
    kind: str  # "rating": scores are stars; "preference": scores only rank
    algorithm: str  # its registered name
    settings: Mapping[str, Any]  # its hyper-parameters
    data_fingerprint: str
    catalog: Catalog = NO_CATALOG
    facts: Mapping[str, Any] = field(default_factory=dict)  # what the fit reports, in plain data
    choice: Choice | None = None  # ranks lists together with the stars; None: scores alone rank

    def __post_init__(self) -> None:
        """Raise BadModel for a choice part of other users or items."""
        if self.choice is not None:
            self.choice.check(self)

    def __repr__(self) -> str:
        return (
            f"<{self.algorithm} model: {counted(len(self.users), 'user')}, "
            f"{counted(len(self.items), 'item')}, {self.scale}>"
        )

    def parts(self) -> Iterator[Part]:
        """What it was fitted by and to, and what it can do."""
        settings = ", ".join(f"{name}={value}" for name, value in self.settings.items())
        facts = {
            "settings": shorten(settings, SETTINGS_WIDTH),
            "fitted to": counted(int(self.seen.counts.sum()), "rating"),
            "scores are": f"stars, {self.scale}" if self.kind == "rating" else "points that rank",
            "lists by": "scores" if self.choice is None else "stars and choice",
            "explains by": ", ".join(self.views),
        }
        yield repr(self)
        yield Grid([list(fact) for fact in facts.items()], has_heading=False, left=(0, 1), indent=2)

    # What each kind of model defines.

    def score_people(self, people: Sequence[object], items: np.ndarray) -> np.ndarray:
        """Unclipped scores (n_people, n) float32 of the items in rows ``items`` (n,).

        People are ids or Persons; an unknown id counts as the average person.
        """
        raise NotImplementedError

    def score_block(self, users: np.ndarray) -> np.ndarray:
        """Unclipped scores (n, n_items) float32 of all items for the users in rows ``users``."""
        raise NotImplementedError

    def score_rows(self, user: np.ndarray, item: np.ndarray) -> np.ndarray:
        """Unclipped scores (n,) float32 of pairs of row numbers."""
        raise NotImplementedError

    def solve(self, items: np.ndarray, ratings: np.ndarray) -> Embeddings:
        """Bias and factors, one row, of someone with ratings (n,); the average user for none."""
        raise NotImplementedError

    def embeddings_of(self, user: int) -> Embeddings:
        """Bias and factors, one row, of a trained user by row number."""
        raise NotImplementedError

    @property
    def views(self) -> Mapping[str, View]:
        """The ways to explain a score, by name; the first is the default."""
        raise NotImplementedError

    @property
    def precomputed(self) -> tuple[str, ...]:
        """Names of cached properties that a folder stores, as they take long to compute."""
        return ("item_counts",)

    # What only some kinds can do.

    def scorer(self, items: np.ndarray) -> Scorer:
        """``score_people`` of the items in rows (n,), for one block of people after another."""

        def score(people: Sequence[object], out: np.ndarray) -> None:
            out[:] = self.score_people(people, items)

        return score

    def solve_many(self, rated: Rows) -> Embeddings:
        """``solve`` for each row of ``rated``, as embeddings of as many rows."""
        solved = [self.solve(*rated.row(r)) for r in range(len(rated.counts))]
        return Embeddings(
            np.concatenate([one.factors for one in solved]),
            np.concatenate([one.bias for one in solved]),
        )

    def solve_without_each(self, items: np.ndarray, ratings: np.ndarray) -> Embeddings:
        """``solve`` without each of the ratings (n,) in turn, as embeddings of n rows."""
        n = len(items)
        rest = np.nonzero(~np.eye(n, dtype=bool))[1]
        ends = np.arange(n + 1) * (n - 1)
        return self.solve_many(Rows(ends, items[rest], ratings[rest]))

    def nearest(self, side: str, row: int, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows (n,) of the items or users ("item", "user") most like a row, and similarities (n,).

        Raises BadSetting for a model that does not compare them.
        """
        raise SIMILAR[side].missing(self.algorithm)

    def item_vectors(self, items: np.ndarray) -> np.ndarray | None:
        """Vectors (n, k) by which the items in these rows are alike; None where there are none."""
        return None

    def linear_people(self, people: Sequence[object]) -> Embeddings:
        """People as embeddings e_u with score(u, i) = e_u . e_i; see ``linear_items``.

        The product of embeddings is that of their factors, plus both biases. Raises BadSetting for
        a model whose score is no such product.
        """
        raise VECTORS.missing(self.algorithm)

    def linear_items(self) -> Embeddings:
        """All items as embeddings e_i with score(u, i) = e_u . e_i; raises as ``linear_people``."""
        raise VECTORS.missing(self.algorithm)

    @property
    def taste_controls(self) -> TasteControls | None:
        """Its tastes, for explanations; None for a model without any."""
        return None

    @property
    def has_intervals(self) -> bool:
        """Whether ``interval`` can say where a rating will lie."""
        return False

    def reach(self, person: Person, items: np.ndarray, level: float) -> np.ndarray:
        """How far (n,) from the predictions a share ``level`` of this person's ratings lie.

        In rating units. Raises BadSetting for a model without intervals.
        """
        raise INTERVALS.missing(self.algorithm)

    def embeddings_of_features(self, features: Mapping[str, object]) -> Embeddings:
        """Bias and factors, one row, expected of someone with these features. Raises BadSetting."""
        raise BadSetting(
            f"this model of {self.algorithm} knows nothing of people but their ratings; fit mf or "
            "nmf on ratings with profiles, as MovieLens 100K and 1M have them",
            Advice(" (ratings.with_profiles adds some)", ""),
        )

    # What ranks.

    @cached_property
    def ranker(self) -> "Model":
        """The model whose scores rank lists: itself, or the sum of stars and choice."""
        return self if self.choice is None else self.choice.ranker(self)

    def weighed(self, stars_weight: float | None = None, caution: float | None = None) -> Self:
        """The same model, whose lists weigh stars and choice differently.

        ``stars_weight`` is how many points of choice a star is worth: 0 ranks by choice alone,
        infinity by stars alone. ``caution`` is the dial from safe (above 0) to adventurous (0, or
        below): how much what few have rated is held back. Raises BadSetting where either is given
        and the model has no choice part, and for what is no number.
        """
        if stars_weight is None and caution is None:
            return self
        if self.choice is None:
            raise BadSetting(
                f"this model of {self.algorithm} ranks by its scores alone; ",
                Option("stars_weight", ...),
                " and ",
                Option("caution", ...),
                " are for models of stars that were fitted with a choice part",
            )
        model = replace(self, choice=self.choice.weighed(stars_weight, caution))
        own = {one.name for one in fields(self)} | {"ranker"}
        vars(model).update({name: one for name, one in vars(self).items() if name not in own})
        return model

    @cached_property
    def cautions(self) -> tuple[float, ...]:
        """Cautions that change lists step by step, from safe to adventurous; the model's own is in
        the middle. None for a model without a choice part.
        """
        return () if self.choice is None else self.choice.cautions(self.ranker)

    @property
    def unit(self) -> str:
        """What scores are in: stars, or points where they only rank."""
        return "stars" if self.kind == "rating" else "points"

    def list_scores(self, people: Sequence[object], items: np.ndarray) -> np.ndarray:
        """Scores (n_people, n) float32 that rank the items in rows ``items`` in people's lists."""
        return self.ranker.score_people(self.ranker.from_stars(people), items)

    @property
    def explains(self) -> str:
        """Which number its explanations are of: "stars", or the "list" score."""
        return STARS if self.kind == "rating" else LIST

    def from_stars(self, people: Sequence[object]) -> list[object]:
        """Ids, and Persons of the model that this one ranks for, as this one knows them."""
        return list(people)

    def to_stars(self, person: Person) -> Person:
        """``from_stars`` in reverse."""
        return person

    def predicted(self, person: Person, items: np.ndarray) -> np.ndarray:
        """Predicted ratings (n,) of the items in rows ``items``: stars clipped to the scale."""
        return self.clipped(self.stars(person, items))

    def stars(self, person: Person, items: np.ndarray) -> np.ndarray:
        """Unclipped stars (n,) of the items in rows ``items``; scores where there are none."""
        return np.asarray(self.score_people([person], items)[0])

    # Cold-start users.

    def fold_in(self, history: Mapping[object, float], name: str = "newcomer") -> Person:
        """Someone new, from ``{item id: rating}``, without a refit; usable wherever a user is.

        Items that the model does not know are left out and named in ``person.unknown_items``; an
        empty history gives the average person. Raises BadRatings for a rating that is no finite
        number or lies outside the scale, UnknownId when no item of the history is known.
        """
        (person,) = from_ratings(self, {name: history})
        return person

    def fold_in_many(self, histories: Mapping[str, Mapping[object, float]]) -> list[Person]:
        """``fold_in`` for many people at once, ``{name: {item id: rating}}``: much quicker."""
        return from_ratings(self, histories)

    def fold_in_tastes(self, points: Mapping[object, float], name: str = "newcomer") -> Person:
        """Someone new without ratings, who shares 10 points among tastes: ``{"Horror": 6, 3: 4}``.

            person = sum_t points_t / 10 lover_t + (points left) / 10 average person
            |p_t| mean_i |q_it| = mean_u sum_f |p_uf| mean_i |q_if|

        lover_t has taste t alone, as strong as all tastes of people are together on average.
        The strength is capped at the 95th percentile of the people who are at that end of it.
        Tastes go by name, or by number (see ``model.tastes()``). Raises BadSetting for unknown
        tastes, one named twice, points below 0 or above 10 in all, and for models without tastes.
        """
        raise TASTES.missing(self.algorithm)

    def fold_in_features(self, features: Mapping[str, object], name: str = "newcomer") -> Person:
        """Someone new without ratings, from their profile: ``{"age": 25, "gender": "F"}``.

        The model must have been fitted on ratings with profiles (MovieLens 100K and 1M have them).
        What is not given counts as average. Raises BadSetting for unknown names or values, and for
        a model that knows no profiles.
        """
        embeddings = self.embeddings_of_features(features)
        choice = None if self.choice is None else self.choice.embeddings_of_features(features)
        return without_ratings(name, embeddings, "features", choice)

    # People.

    def name_of(self, user: object) -> str:
        """What to call a user: the id, or a folded-in person's name."""
        return user.name if isinstance(user, Person) else as_id(user)

    def user_row(self, user: object) -> int:
        """Row of a user. Raises UnknownId, with near ids and how to fold new users in."""
        return self.users.row(user, NEW_USERS)

    def require(self, user: object) -> None:
        """Raise UnknownId unless there are ratings to know this user by."""
        if isinstance(user, Person):
            return
        row = self.user_row(user)
        if self.seen.indptr[row] == self.seen.indptr[row + 1]:
            raise UnknownId(f"user {as_id(user)!r} has no rating in the training data", *NEW_USERS)

    def person(self, user: object) -> Person:
        """The person behind an id. Raises UnknownId when there is no rating to know them by."""
        if isinstance(user, Person):
            return user
        self.require(user)
        row = self.users.row(user)
        return Person(as_id(user), *self.seen.row(row), self.embeddings_of(row), "personal")

    def rated(self, user: object) -> np.ndarray:
        """Rows (n,) of the items that a user has rated, ascending; none for an unknown id."""
        if isinstance(user, Person):
            return user.items
        row = self.users.find(as_id(user))
        return self.seen.row(row)[0] if row >= 0 else np.empty(0, np.int32)

    def rated_by(self, people: Sequence[object]) -> tuple[np.ndarray, np.ndarray]:
        """``rated`` of several people, as indptr (n_people + 1,) and items (n_ratings,).

        Those of person j are items[indptr[j]:indptr[j + 1]].
        """
        if any(isinstance(one, Person) for one in people):
            lists = [self.rated(one) for one in people]
            return np.cumsum([0, *map(len, lists)]), np.concatenate(lists)
        seen = self.seen.take(self.users.rows(people))
        return seen.indptr, seen.indices

    # Items.

    def item_row(self, item: object) -> int:
        """Row of an item. Raises UnknownId, which says whose title it is if it is one."""
        try:
            return self.items.row(item)
        except UnknownId:
            title = as_id(item).casefold()
            for one, entry in self.catalog.entries.items():
                if title in (entry.label.casefold(), entry.title.casefold()) and one in self.items:
                    raise UnknownId(
                        f"no item {as_id(item)!r}; that is the title of item {one!r}"
                    ) from None
            raise

    # Scores of pairs.

    @cached_property
    def item_counts(self) -> np.ndarray:
        """Training ratings of each item: int64 (n_items,)."""
        counts = counts_of(self.seen.indices, len(self.items))
        counts.flags.writeable = False
        return counts

    @cached_property
    def item_genres(self) -> np.ndarray:
        """Which item has which genre of the catalogue: bool (n_items, n_genres)."""
        _, genres = self.catalog.genre_matrix(self.items)
        genres.flags.writeable = False
        return genres

    @cached_property
    def _rated_items(self) -> np.ndarray:
        """Rows of the items with training ratings."""
        return np.flatnonzero(self.item_counts > 0).astype(np.int32)

    @property
    def id_types(self) -> dict[str, str | None]:
        """The integer types that ids were given in, by the columns of result tables."""
        return {"user_id": self.users.id_type, "item_id": self.items.id_type}

    def predict_rows(self, user: np.ndarray, item: np.ndarray) -> np.ndarray:
        """Predicted ratings (n,) of pairs of row numbers: scores clipped to the scale."""
        return self.clipped(self.score_rows(user, item))

    def clipped(self, scores: np.ndarray) -> np.ndarray:
        """Scores of any shape as predicted ratings: clipped to the scale if they are in stars."""
        return scores if self.kind == "preference" else np.clip(scores, *self.scale)

    def score(self, users: object, items: object = None) -> np.ndarray:
        """Unclipped scores (n,) of (user, item) pairs, by id; an unknown id counts as average."""
        return self.predict(users, items).score

    def predict(self, users: object, items: object = None) -> Predictions:
        """Predicted ratings of (user, item) pairs, by id, clipped to the rating scale.

        ``predict(users, items)`` takes as many of both, or one id of either that goes with each of
        the others. ``predict(pairs)`` takes Ratings such as ``split.test``, a DataFrame, or a file;
        the ratings of these are the column ``actual``. Unknown ids count as the average user or
        item, and the result marks them in ``known``. Raises BadSetting for sequences of different
        lengths, and BadRatings for pairs that cannot be read.
        """
        pairs = pairs_of(users, items)
        rows = self.items.rows(pairs.items.tolist())
        scores, known = np.empty(len(rows), np.float32), np.zeros(len(rows), bool)
        for user, at in by_user(pairs):
            scores[at] = self._scores_of(user, rows[at])
            known[at] = isinstance(user, Person) or len(self.rated(user)) > 0
        return Predictions(
            pairs,
            user_id=[self.name_of(user) for user in pairs.users.tolist()],
            score=scores,
            rating=self.clipped(scores) if self.kind == "rating" else None,
            known=known & (rows >= 0) & (self.item_counts[rows] > 0),
            id_types=self.id_types,
        )

    def _scores_of(self, user: object, rows: np.ndarray) -> np.ndarray:
        """Unclipped scores (n,) of a user for items by row, -1 being the average item."""
        scores = np.empty(len(rows), np.float32)
        known = rows >= 0
        if known.any():
            scores[known] = self.score_people([user], rows[known])[0]
        if not known.all():
            everything = self.score_people([user], self._rated_items)
            scores[~known] = everything.mean(dtype=np.float64)
        return scores

    # Lists.

    def recommend(
        self,
        user: object,
        n: int = 10,
        *,
        exclude_seen: bool = True,
        items: Iterable[object] | None = None,
        exclude: Iterable[object] | None = None,
        stars_weight: float | None = None,
        caution: float | None = None,
        **rules: Unpack[RuleArguments],
    ) -> Table:
        """The ``n`` items that suit a user best, or each of several users.

            score(u, i) = stars(u, i) + choice(u, i) / stars_weight - caution noise / sqrt(n_i + 1)

        That is where the model has a choice part; else the score is the model's own. Columns
        ``rank, item_id, title, stars, score``, with ``user_id`` first for several users, and
        without stars for a model of preferences. Stars are predicted, on the scale; scores are
        unclipped; ties keep the order of items. ``items`` limits the candidates, ``exclude`` takes
        some out. ``stars_weight``, in points of choice per star, is the one learned unless given:
        0 ranks by choice alone, infinity by stars alone. ``caution`` is the dial from safe (above
        0) to adventurous (0, or below): it holds back what few have rated. Raises UnknownId for an
        id without training ratings (fold them in first), and BadSetting when ``n`` is below 1, or
        where the model has no choice part to weigh.

        Rules: ``min_ratings=20`` and ``where={"genre": "Horror", "year": (1990, 1999)}`` filter,
        on any column of the catalogue, by a value, a list of values or a range; ``hide`` are items
        to leave out. ``diversity``, ``novelty`` and ``calibrated`` (strengths from 0; 1 is strong)
        and ``boost={item id: stars}`` re-rank the best 100; each is then a column, whose values
        are added to the score, ``total`` is what ranks, and ``moved`` says how far an item moved
        and by which rule. Raises BadSetting for an unknown column or value.
        """
        _at_least_one(n)
        single, people = not is_many(user), as_objects(user).tolist()
        for one in people:
            self.require(one)
        candidates = self._candidates(items, exclude)
        ranker = self.weighed(stars_weight, caution).ranker
        maker = ListMaker.of(ranker, ListRules(**rules), candidates, exclude_seen)
        lists = maker.lists(ranker.from_stars(people), n)
        best, filled = lists.rows, lists.filled
        columns: dict[str, Any] = {}
        if not single:
            names = np.array([self.name_of(one) for one in people], dtype=object)
            columns["user_id"] = np.repeat(names, filled.sum(axis=1))
        columns["rank"] = np.broadcast_to(np.arange(1, best.shape[1] + 1), best.shape)[filled]
        columns |= self.named(best[filled])
        if self.kind == "rating":
            columns["stars"] = self._stars_of(people, best)[filled].astype(float)
        columns["score"] = lists.scores[filled].astype(float)
        return Table(columns | lists.columns(), id_types=self.id_types)

    def recommend_all(
        self,
        n: int = 10,
        *,
        users: Iterable[object] | None = None,
        stars_weight: float | None = None,
        caution: float | None = None,
        **how: Unpack[ListArguments],
    ) -> UserLists:
        """The lists of all users with training ratings, or of ``users``, made in blocks.

            model.recommend_all(10).save("lists.parquet")

        Other arguments are those of ``recommend``. What is returned makes the lists when it is
        read: iterate over blocks, ``save`` them as .parquet or .csv, or take them all as a frame.
        Raises as ``recommend`` does, before any list is made.
        """
        model = self.weighed(stars_weight, caution)
        rated = np.flatnonzero(self.seen.counts)
        ids = self.users.ids[rated] if users is None else list(users)
        for one in () if users is None else ids:
            self.require(one)
        settled = {name: _settled(value) for name, value in how.items()}
        recommend = partial(model.recommend, n=n, **cast(ListArguments, settled))
        recommend(list(ids[:1]))
        return UserLists(cast(Sequence[object], ids), n, recommend)

    def search_vectors(self, side: str | Iterable[object], of: str | None = None) -> Vectors:
        """Vectors for maximum inner product search: their product is the score, biases included.

        ``side`` is "item", "user" for all users, or a list of users and folded-in people. The score
        is the one that ranks lists, or with ``of="stars"`` the unclipped predicted rating. What a
        user has rated is not left out; search for that many more. Raises BadSetting for a model
        whose score is no inner product, and UnknownId.
        """
        scored = self if self._scored(of) == STARS else self.ranker
        if side == "item":
            ids, embeddings = self.items.ids[:], scored.linear_items()
            return search_vectors("item", ids, embeddings, self.items.id_type)
        people = self.users[:] if side == "user" else as_objects(side).tolist()
        for one in people if side != "user" else ():
            self.require(one)
        ids = np.array([self.name_of(one) for one in people], dtype=object)
        embeddings = scored.linear_people(scored.from_stars(people))
        return search_vectors("user", ids, embeddings, self.users.id_type)

    def _stars_of(self, people: Sequence[object], items: np.ndarray) -> np.ndarray:
        """Predicted ratings of the items (n_people, n) in each one's row; -1 is none."""
        stars = np.full(items.shape, np.nan, np.float32)
        rows = self.users.rows("" if isinstance(one, Person) else as_id(one) for one in people)
        known = (items >= 0) & (rows >= 0)[:, None]
        stars[known] = self.predict_rows(
            np.repeat(rows, known.sum(axis=1)).astype(np.int32), items[known]
        )
        for place, one in enumerate(people):
            if isinstance(one, Person):
                stars[place] = self.predicted(one, items[place])
        return stars

    def named(self, rows: np.ndarray) -> dict[str, Any]:
        """Ids of item rows (n,), and titles where there is a catalogue, as columns."""
        if not self.catalog:
            return {"item_id": self.items.ids[rows]}
        different, place = np.unique(rows, return_inverse=True)
        titles = np.empty(len(different), dtype=object)
        titles[:] = [self.catalog.label(one) for one in self.items.ids[different].tolist()]
        return {"item_id": self.items.ids[rows], "title": titles[place]}

    def similar_items(self, item: object, n: int = 10) -> Table:
        """The ``n`` items most like an item, or like each of several.

        Columns ``rank, item_id, title, similarity``, with ``query_id`` first for several: the item
        that these are like. Raises UnknownId, and BadSetting for a model that compares no items.
        """
        return self._similar("item", item, n)

    def similar_users(self, user: object, n: int = 10) -> Table:
        """The ``n`` users most like a user, or like each of several.

        Columns ``rank, user_id, similarity``, with ``query_id`` first for several. Raises as
        ``similar_items`` does.
        """
        return self._similar("user", user, n)

    def _similar(self, side: str, query: object, n: int) -> Table:
        """The rows most like one or several of a side, "item" or "user"."""
        _at_least_one(n)
        queries = as_objects(query).tolist()
        row_of = self.item_row if side == "item" else self.user_row
        found = [self.nearest(side, row_of(one), n) for one in queries]
        sizes = [len(rows) for rows, _ in found]
        rows = np.concatenate([np.zeros(0, np.int64), *(rows for rows, _ in found)])
        ids = np.array([as_id(one) for one in queries], dtype=object)
        columns: dict[str, Any] = {"query_id": np.repeat(ids, sizes)} if is_many(query) else {}
        columns["rank"] = [rank for size in sizes for rank in range(1, size + 1)]
        columns |= self.named(rows) if side == "item" else {"user_id": self.users.ids[rows]}
        columns["similarity"] = np.concatenate([np.zeros(0, np.float32), *(s for _, s in found)])
        id_types = {**self.id_types, "query_id": self.id_types[f"{side}_id"]}
        return Table(columns, id_types=id_types)

    # Reasons.

    @overload
    def explain(
        self,
        user: object,
        item: object,
        by: str | None = None,
        *,
        versus: None = None,
        of: str | None = None,
    ) -> Explanation: ...
    @overload
    def explain(
        self,
        user: object,
        item: object,
        by: str | None = None,
        *,
        versus: object,
        of: str | None = None,
    ) -> Explanation | Contrast: ...
    def explain(
        self,
        user: object,
        item: object,
        by: str | None = None,
        *,
        versus: object = None,
        of: str | None = None,
    ) -> Explanation | Contrast:
        """Why this item scores what it does for this user, in terms that sum to the score.

        ``of="list"`` takes apart the score that ranks lists, ``of="stars"`` the predicted rating;
        left out, it is the list's, as long as that is another number.

        ``by="factor"``: average, user, item, and one term per taste. ``by="history"``: one term
        per rating the user gave; what training added beyond them is a term of its own. Left out,
        the model's usual view. With ``versus``, another item, the terms that set the two apart.
        Raises UnknownId, and BadSetting for a view or a number it does not have.
        """
        if versus is not None:
            return contrast(
                self.explain(user, item, by, of=of), self.explain(user, versus, by, of=of)
            )
        (explanation,) = self.explain_each(user, [item], by, of)
        return explanation

    def explain_each(
        self,
        user: object,
        items: Iterable[object],
        by: str | None = None,
        of: str | None = None,
    ) -> list[Explanation]:
        """``explain`` of several items for one user, at less cost than one by one."""
        rows = np.array([self.item_row(item) for item in items], dtype=np.int32)
        scored = self if self._scored(of) == STARS else self.ranker
        (person,) = scored.from_stars([self.person(user)])
        return scored.explanations(cast(Person, person), rows, by)

    def explain_list(
        self,
        user: object,
        items: Iterable[object],
        by: str | None = None,
        of: str | None = None,
    ) -> list[Explanation]:
        """``explain_each`` of the places of a list, whose sentences do not repeat one another.

        No reason is given by more than a third of them. Where all reasons of an item are worn out
        and ``by`` is left out, the explanation is of another view that has one.
        """
        listed = list(items)

        def by_other_views(why: Explanation) -> Iterator[Explanation]:
            for view in () if by is not None else self.views:
                if view != why.by:
                    yield self.explain_each(user, [why.item_id], view, of)[0]

        return varied(self.explain_each(user, listed, by, of), by_other_views)

    def _scored(self, of: str | None) -> str:
        """Which number is meant, of stars and the list's score. Raises BadSetting."""
        usual = LIST if self.kind == "preference" or self.choice is not None else STARS
        if of not in (None, LIST, STARS):
            raise BadSetting(f"of is {of!r}; it must be {LIST!r} or {STARS!r}")
        if of == STARS and self.kind == "preference":
            raise BadSetting(f"models of {self.algorithm} predict no stars to explain")
        return of or usual

    def explanations(
        self, person: Person, rows: np.ndarray, by: str | None = None
    ) -> list[Explanation]:
        """Why the items in ``rows`` (n,) have these scores of this model, for one of its people.

        Raises BadSetting for a view that the model does not have.
        """
        views = self.views
        by = by or next(iter(views))
        if by not in views:
            raise BadSetting(
                f"by is {by!r}; models of {self.algorithm} explain by {' or '.join(views)}"
            )
        scores = self.score_people([person], rows)[0]
        usual = float(self.score_people([person], self._rated_items).mean(dtype=np.float64))
        stars = self.stars(person, rows)
        numbers = zip(
            rows.tolist(),
            scores.tolist(),
            self.clipped(stars).tolist(),
            stars.tolist(),
            strict=True,
        )
        return [
            Explanation(
                user=person.name,
                item_id=self.items.ids[row],
                title=self.catalog.label(self.items.ids[row]),
                by=by,
                score=score,
                predicted=predicted,
                strategy=person.strategy,
                terms=tuple(
                    t for t in views[by].terms(self, person, row) if abs(t.value) > NEGLIGIBLE
                ),
                unit=self.unit,
                usual=usual,
                of=self.explains,
                n_raters=int(self.item_counts[row]),
                beyond_scale=star_score - predicted,
            )
            for row, score, predicted, star_score in numbers
        ]

    def what_if(
        self,
        user: object,
        item: object,
        *,
        without: Iterable[object] = (),
        change: Mapping[object, float] | None = None,
        tastes: Mapping[object, float] | None = None,
    ) -> WhatIf:
        """How an item's score and rank would move if the user's ratings or tastes were others.

        ``without`` are rated items to forget, ``change`` is ``{item: rating}``, of rated items or
        new ones, and ``tastes`` is ``{number or name: factor}``. The user is solved again. Raises
        UnknownId, BadRatings for a rating outside the scale, and BadSetting when nothing changes,
        for an item in ``without`` that was never rated, or for a taste the model does not have.
        """
        row = self.item_row(item)
        ranker, person = self._ranked(user)
        result = what_if(ranker, person, row, without, change or {}, tastes or {})
        return replace(result, person=ranker.to_stars(result.person))

    def counterfactual(
        self, user: object, item: object, n: int = 10, most: int = 5
    ) -> Counterfactual:
        """The fewest of the user's ratings without which an item leaves their first ``n``.

        At most ``most``; where no such set is found, the result says so. Raises UnknownId, and
        BadSetting for an item that is not among the first ``n``.
        """
        return counterfactual(*self._ranked(user), self.item_row(item), n, most)

    def _ranked(self, user: object) -> "tuple[Model, Person]":
        """What ranks, and a user as it knows them."""
        (person,) = self.ranker.from_stars([self.person(user)])
        return self.ranker, cast(Person, person)

    def evidence(self, user: object, item: object) -> Evidence:
        """How many ratings a score rests on: ``by_user`` and ``of_item``.

        Raises UnknownId for an unknown item.
        """
        row = self.item_row(item)
        return Evidence(len(self.rated(user)), int(self.item_counts[row]))

    def how_personal(self, user: object, item: object) -> float:
        """The share of an item's lead over the others that is this user's own, 0..1.

        1 - lead for the average person / lead for the user; 0 where the item has no lead. Below
        one half an item is popular rather than personal. Raises UnknownId.
        """
        return float(shares(*self._ranked(user), np.array([self.item_row(item)]))[0])

    def interval(self, users: object, items: object = None, level: float = 0.8) -> Table:
        """Where the rating of each (user, item) pair will lie with probability ``level``.

        Columns ``user_id, item_id, rating, low, high``, clipped to the scale. ``users`` and
        ``items`` are those of ``predict``. Raises UnknownId for an unknown item or for a user
        without ratings, and BadSetting unless 0 < level < 1, or where the model gives none.
        """
        if not self.has_intervals:
            raise INTERVALS.missing(self.algorithm)
        if not 0 < level < 1:
            raise BadSetting(f"level is {level}; it must lie between 0 and 1")
        pairs = pairs_of(users, items)
        rows = np.array([self.item_row(item) for item in pairs.items], dtype=np.int64)
        rating, reach = np.empty(len(rows)), np.empty(len(rows))
        for user, at in by_user(pairs):
            person = self.person(user)
            rating[at] = self.clipped(self.score_people([user], rows[at])[0])
            reach[at] = self.reach(person, rows[at], level)
        ends = {"low": rating - reach, "high": rating + reach}
        ids = {
            "user_id": np.array([self.name_of(one) for one in pairs.users], dtype=object),
            "item_id": self.items.ids[rows],
        }
        return Table(
            ids | {"rating": rating} | {name: self.clipped(end) for name, end in ends.items()},
            id_types=self.id_types,
        )

    def save(self, path: str | Path) -> Path:
        """Write the model to the folder ``path``, as data and never code; see ``matinee.load``."""
        return save_model(self, Path(path))

    def _candidates(
        self, items: Iterable[object] | None, exclude: Iterable[object] | None
    ) -> np.ndarray:
        allowed = np.full(len(self.items), items is None)
        for ids, value in ((items, True), (exclude, False)):
            if ids is not None:
                allowed[[self.item_row(one) for one in ids]] = value
        return np.flatnonzero(allowed).astype(np.int32)


def fields_of(train: Ratings | PackedRatings) -> dict[str, Any]:
    """The fields that every model takes over from the ratings it was fitted on."""
    return {
        "users": train.users,
        "items": train.items,
        "seen": train.by_user,
        "scale": train.scale,
        "data_fingerprint": train.fingerprint,
        "catalog": train.catalog,
    }


def counts_of(numbers: np.ndarray, n: int) -> np.ndarray:
    """How often each of 0..n - 1 stands there: int64 (n,), counted piece by piece."""
    counts = np.zeros(n, np.int64)
    for first in range(0, len(numbers), PIECE):  # numpy counts on a copy of eight bytes each
        counts += np.bincount(numbers[first : first + PIECE], minlength=n)
    return counts


def _settled(value: object) -> object:
    """An iterator as a list, as it is read for every block; anything else as it is."""
    return list(value) if isinstance(value, Iterator) else value


def _at_least_one(n: int) -> None:
    if not isinstance(n, int | np.integer) or isinstance(n, bool):
        raise BadSetting(f"n is {n!r}; it must be a whole number")
    if n < 1:
        raise BadSetting(f"n is {n}; a list needs at least 1 entry")
