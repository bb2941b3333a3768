"""The sections on tastes, maps, and what some people are recommended."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from matinee.charts import has_map, map_of, space, taste_card, waterfall
from matinee.charts.chart import Chart
from matinee.display.markup import Markup, el
from matinee.display.text import counted
from matinee.explain.explanation import Explanation
from matinee.models import FactorModel, Model
from matinee.report.elements import Block, Prose, Section, Wall

MOST_CARDS = 40
CARD_ITEMS = 8
MAP_POINTS = 1000
LIST_LENGTH = 5
QUANTILES = (0.1, 0.5, 0.95)  # of activity, of the people shown
FAVOURITES = 4


def tastes_section(model: Model) -> Section:
    """A card for each taste, those that matter most first."""
    if not isinstance(model, FactorModel) or model.n_factors == 0:
        return Section(
            "tastes",
            "Tastes",
            [Prose(f"{model.algorithm} has no tastes: it keeps no factors of people and items.")],
        )
    tastes = model.tastes().by_share()
    blocks: list[Block] = [
        Prose(
            f"A taste is a factor of the model: {len(tastes)} of them, those first that make most "
            "of the differences between scores. A bar is what a taste adds to the score of an item "
            "for somebody typical; names are what stands out among the strongest items."
        ),
        Wall([taste_card(taste, CARD_ITEMS) for taste in tastes[:MOST_CARDS]]),
    ]
    if len(tastes) > MOST_CARDS:
        blocks.append(Prose(f"Not shown: {counted(len(tastes) - MOST_CARDS, 'more taste')}."))
    return Section("tastes", "Tastes", blocks)


def map_section(model: Model) -> Section:
    """Items and people in the plane."""
    if not has_map(model):
        return Section("map", "Map", [Prose("A map needs a model with two factors or more.")])
    maps = [map_of(model, of, most=MAP_POINTS) for of in ("items", "users")]
    return Section("map", "Map", [space(one) for one in maps])


@dataclass(frozen=True)
class Sample:
    """One person, what they are recommended, and why."""

    user: str
    n_rated: int
    favourites: Sequence[str]
    reasons: Sequence[Explanation]
    charts: Sequence[Chart]  # of the first recommendation, by each view

    def figure(self) -> Markup:
        """A list with a sentence for each item, and the waterfalls of the first."""
        rows = (
            el(
                "li",
                why.title,
                " ",
                el("span", f"{why.predicted:.2f}", class_="score"),
                el("span", because(why), class_="why"),
            )
            for why in self.reasons
        )
        return el(
            "div",
            el("h3", f"User {self.user}"),
            el(
                "p", counted(self.n_rated, "rating"), f"; liked best: {', '.join(self.favourites)}."
            ),
            el("ol", *rows),
            *(chart.figure() for chart in self.charts),
            class_="person",
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "user_id": self.user,
            "ratings": self.n_rated,
            "liked_best": list(self.favourites),
            "recommendations": [why.to_dict() for why in self.reasons],
        }


def because(why: Explanation) -> str:
    """The sentence without the title, which stands before it."""
    return why.sentence().removeprefix(why.title).lstrip(",: ")


def samples_section(model: Model) -> Section:
    """A person with few ratings, one with as many as most have, and one with many."""
    blocks: list[Block] = [
        Prose(
            "Three people, with few, a typical number of, and many ratings. Every score is the sum "
            "of its terms; nothing is left out of a picture without being shown as a term."
        )
    ]
    blocks += [sample(model, row) for row in typical_people(model)]
    return Section("people", "For some people, and why", blocks)


def typical_people(model: Model) -> list[int]:
    """Rows of the users at some quantiles of activity."""
    counts = model.seen.counts
    rated = np.flatnonzero(counts)
    order = rated[np.argsort(counts[rated], kind="stable")]
    places = [round(q * (len(order) - 1)) for q in QUANTILES]
    return list(dict.fromkeys(order[places].tolist()))


def sample(model: Model, row: int) -> Sample:
    """What a user is recommended, and why."""
    user = str(model.users.ids[row])
    items, ratings = model.seen.row(row)
    best = items[np.argsort(-ratings, kind="stable")][:FAVOURITES]
    listed = model.recommend(user, LIST_LENGTH).item_id
    reasons = model.explain_list(user, listed)
    views = [model.explain(user, listed[0], by=by) for by in model.views] if listed else []
    return Sample(
        user,
        len(items),
        [model.catalog.label(one) for one in model.items.ids[best]],
        reasons,
        [waterfall(why) for why in views],
    )
