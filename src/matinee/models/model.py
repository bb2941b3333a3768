"""What people do with a fitted model: fold in, predict, recommend, compare, explain, save."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Protocol, Self, Unpack, cast, overload

import numpy as np

from matinee.data.catalog import Catalog
from matinee.display.notebook import Grid, Part, Printable
from matinee.display.tables import Table
from matinee.display.text import counted, settings_in_short, shorten
from matinee.errors import BadSetting, Option
from matinee.explain.contrast import Contrast, contrast
from matinee.explain.counterfactual import Counterfactual, counterfactual
from matinee.explain.explanation import LIST, STARS, Explanation, as_listed
from matinee.explain.personalization import Evidence, shares
from matinee.explain.variety import varied
from matinee.explain.views import MODEL
from matinee.explain.what_if import WhatIf, what_if
from matinee.lists.list_rules import ListArguments, ListRules, RuleArguments
from matinee.lists.ruled_lists import ListMaker
from matinee.lists.user_lists import UserLists
from matinee.models.capabilities import TASTES, WEIGHTS
from matinee.models.explanations import explanations
from matinee.models.fitted import Fitted
from matinee.models.list_tables import candidates_of, check_length, list_table, similarity_table
from matinee.models.newcomers import from_ratings, without_ratings
from matinee.models.onnx import Graph
from matinee.models.predictions import Predictions, as_objects, intervals, is_many, predictions
from matinee.models.vectors import Vectors, search_vectors
from matinee.row_solvers.embeddings import Embeddings
from matinee.row_solvers.person import Person
from matinee.storage.serialization import save_model

SETTINGS_WIDTH = 100  # characters of the settings that are printed; model.settings has all


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

    def embeddings_of_tastes(self, gains: np.ndarray, shares: np.ndarray) -> Embeddings:
        """How someone chooses who has tastes, ``shares`` (n,) of each.

        ``gains`` (n, n_items) are the stars that each adds to the items.
        """


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Model(Fitted, Printable):
    """A fitted model. Make one with an algorithm's ``fit``, or ``matinee.load``.

    Whoever or whatever has no training rating is scored as the average of those who have:
    ``predict`` and ``score`` do so and mark it, ``recommend`` and ``explain`` ask for a known
    user or a folded-in one.
    """

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
        facts = {
            "settings": shorten(settings_in_short(self.settings), SETTINGS_WIDTH),
            "fitted to": counted(int(self.seen.counts.sum()), "rating"),
            "scores are": f"stars, {self.scale}" if self.kind == "rating" else "points that rank",
            "lists by": "scores" if self.choice is None else "stars and choice",
            "explains by": ", ".join(self.views),
        }
        yield repr(self)
        yield Grid([list(fact) for fact in facts.items()], has_heading=False, left=(0, 1), indent=2)

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
        and the model has no choice part, for what is no number, and for a caution beyond the ends
        of the dial (``cautions``).
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
        if caution is not None:
            self._check_on_dial(caution)
        own = {one.name for one in fields(self)} | {"ranker"}
        vars(model).update({name: one for name, one in vars(self).items() if name not in own})
        return model

    def _check_on_dial(self, caution: float) -> None:
        """Raise BadSetting for a caution beyond the ends of the dial; none at all is on it."""
        safest, boldest = self.cautions[0], min(0.0, self.cautions[-1])
        if not boldest <= caution <= safest:
            raise BadSetting(
                Option("caution", caution),
                f" is beyond the dial of this model; give one from {safest}, the safest, to "
                f"{boldest}, the most adventurous, or leave it out for the one learned",
            )

    @cached_property
    def cautions(self) -> tuple[float, ...]:
        """Cautions that change lists step by step, from safe to adventurous; the model's own is in
        the middle. None for a model without a choice part.
        """
        return () if self.choice is None else self.choice.cautions(self.ranker)

    def list_scores(self, people: Sequence[object], items: np.ndarray) -> np.ndarray:
        """Scores (n_people, n) float32 that rank the items in rows ``items`` in people's lists."""
        return self.ranker.score_people(self.ranker.from_stars(people), items)

    # Cold-start users.

    def fold_in(
        self,
        history: Mapping[object, float],
        name: str = "newcomer",
        sample_weight: Mapping[object, float] | None = None,
    ) -> Person:
        """Someone new, from ``{item id: rating}``, without a refit; usable wherever a user is.

        Items that the model does not know are left out and named in ``person.unknown_items``; an
        empty history gives the average person. ``sample_weight`` is ``{item id: weight}`` for the
        ratings that do not weigh one. Raises BadRatings for a rating that is no finite number or
        lies outside the scale, and for a weight that is not finite and above 0 or of no rating;
        UnknownId when no item of the history is known; BadSetting for a model without weights.
        """
        if sample_weight and not self.takes_weights:
            raise WEIGHTS.missing(self.algorithm)
        (person,) = from_ratings(self, {name: history}, sample_weight)
        return person

    @cached_property
    def average_person(self) -> Person:
        """Someone of whom nothing is known."""
        return self.fold_in({})

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

    # Scores of pairs.

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
        return predictions(self, users, items)

    def interval(self, users: object, items: object = None, level: float = 0.8) -> Table:
        """Where the rating of each (user, item) pair will lie with probability ``level``.

        Columns ``user_id, item_id, rating, low, high``, clipped to the scale. ``users`` and
        ``items`` are those of ``predict``. Raises UnknownId for an unknown item or for a user
        without ratings, and BadSetting unless 0 < level < 1, or where the model gives none.
        """
        return intervals(self, users, items, level)

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
        ``rank, item_id, title, stars, points, score``, with ``user_id`` first for several users,
        and without stars for a model of preferences. Stars are predicted, on the scale; points are
        what the score has beyond them, where choice is part of it; scores are unclipped; ties keep
        the order of items. ``items`` limits the candidates, ``exclude`` takes some out.
        ``stars_weight``, in points of choice per star, is the one learned unless given: 0 ranks by
        choice alone, infinity by stars alone. ``caution`` is the dial from safe (above 0) to
        adventurous (0, or below): it holds back what few have rated. Raises UnknownId for an id
        without training ratings (fold them in first), and BadSetting when ``n`` is below 1, or
        where the model has no choice part to weigh.

        Rules: ``min_ratings=20`` and ``where={"genre": "Horror", "year": (1990, 1999)}`` filter,
        on any column of the catalogue, by a value, a list of values or a range; ``hide`` are items
        to leave out. ``diversity``, ``novelty`` and ``calibrated`` (strengths 0..1)
        and ``boost={item id: stars}`` re-rank the best 100; each is then a column, whose values
        are added to the score, ``total`` is what ranks, and ``moved`` says how far an item moved
        and by which rule. Raises BadSetting for an unknown column or value.
        """
        check_length(n)
        people = as_objects(user).tolist()
        for one in people:
            self.require(one)
        ranker = self.weighed(stars_weight, caution).ranker
        candidates = candidates_of(self, items, exclude)
        maker = ListMaker.of(ranker, ListRules.of(rules), candidates, exclude_seen)
        lists = maker.lists(ranker.from_stars(people), n)
        return list_table(self, people, lists, ranker, with_users=is_many(user))

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
        return UserLists.of(cast(Sequence[object], ids), n, model.recommend, how)

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

    def similar_items(self, item: object, n: int = 10) -> Table:
        """The ``n`` items most like an item, or like each of several.

        Columns ``rank, item_id, title, similarity``, with ``query_id`` first for several: the item
        that these are like. Raises UnknownId, and BadSetting for a model that compares no items.
        """
        return similarity_table(self, "item", item, n)

    def similar_users(self, user: object, n: int = 10) -> Table:
        """The ``n`` users most like a user, or like each of several.

        Columns ``rank, user_id, similarity``, with ``query_id`` first for several. Raises as
        ``similar_items`` does.
        """
        return similarity_table(self, "user", user, n)

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
        return explanations(scored, cast(Person, person), rows, by)

    def explain_list(
        self,
        user: object,
        items: Iterable[object],
        by: str | None = None,
        of: str | None = None,
        *,
        own: bool = True,
    ) -> list[Explanation]:
        """``explain_each`` of the places of a list, whose sentences do not repeat one another.

        Each says why its item is there; unless the list is not the user's ``own``, where an item
        below what is usual for them has a reason against it. No reason is given by more than a
        third of the places. Where all reasons of an item are worn out and ``by`` is left out, the
        explanation is of another view that has one.
        """
        listed = list(items)

        def by_view(view: str | None) -> list[Explanation]:
            whys = self.explain_each(user, listed, view, of)
            return as_listed(whys) if own else whys

        @cache
        def by_item(view: str) -> dict[str, Explanation]:
            return {why.item_id: why for why in by_view(view)}

        def by_other_views(why: Explanation) -> Iterator[Explanation]:
            for view in () if by is not None else self.views:
                if view not in (why.by, MODEL.name):
                    yield by_item(view)[why.item_id]

        return varied(by_view(by), by_other_views)

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

    def evidence(self, user: object, item: object) -> Evidence:
        """How many ratings a score rests on: ``by_user`` and ``of_item``.

        Raises UnknownId for an unknown item.
        """
        row = self.item_row(item)
        return Evidence(len(self.rated(user)), int(self.item_counts[row]))

    def how_personal(self, user: object, item: object) -> float | None:
        """The share of an item's lead over the others that is this user's own, 0..1.

        1 - lead for the average person / lead for the user; None where the item has no lead.
        Below one half an item is popular rather than personal. Raises UnknownId.
        """
        (share,) = shares(*self._ranked(user), np.array([self.item_row(item)])).tolist()
        return None if np.isnan(share) else share

    def _scored(self, of: str | None) -> str:
        """Which number is meant, of stars and the list's score. Raises BadSetting."""
        usual = LIST if self.kind == "preference" or self.choice is not None else STARS
        if of not in (None, LIST, STARS):
            raise BadSetting(f"of is {of!r}; it must be {LIST!r} or {STARS!r}")
        if of == STARS and self.kind == "preference":
            raise BadSetting(f"models of {self.algorithm} predict no stars to explain")
        return of or usual

    def _ranked(self, user: object) -> "tuple[Model, Person]":
        """What ranks, and a user as it knows them."""
        (person,) = self.ranker.from_stars([self.person(user)])
        return self.ranker, cast(Person, person)

    # Files.

    def save_onnx(self, path: str | Path, of: str | None = None) -> Path:
        """Write the scores of all items to an ONNX file, which other runtimes compute.

        Its input is ``user`` (n,) int64, rows of trained users; or for ``ease``, ``slim`` and
        ``rp3beta`` ``chosen`` (n, n_items) float32, 1 for each item that somebody chose. The output
        ``scores`` (n, n_items) is what ranks lists, or with ``of="stars"`` the predicted ratings.
        Ids are in the metadata ``user_ids`` and ``item_ids``, as JSON. Raises BadSetting for a
        model whose scores are neither products of vectors nor sums, and MatineeError without the
        extra ``onnx``.
        """
        return self.scores_graph(of).save(path, self.users, self.items)

    def scores_graph(self, of: str | None = None) -> Graph:
        """The scores as a graph; raises BadSetting as ``save_onnx`` does."""
        users, items = (self.search_vectors(side, of) for side in ("user", "item"))
        return Graph.of_vectors(users, items, self.scale if of == STARS else None)

    def save(self, path: str | Path) -> Path:
        """Write the model to the folder ``path``, as data and never code; see ``matinee.load``."""
        return save_model(self, Path(path))
