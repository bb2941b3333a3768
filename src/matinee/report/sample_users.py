"""The section on sample users: their recommendations and the reasons."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from matinee.charts import waterfall
from matinee.charts.chart import Chart
from matinee.display.markup import Markup, el
from matinee.display.plain_data import JsonObject
from matinee.display.text import counted
from matinee.evaluation.popular_lists import typical_users
from matinee.explain.explanation import Explanation
from matinee.models import Model
from matinee.report.elements import Block, Prose, Section

ORDER = (
    "Best first by the list score, which also weighs how likely they are to choose it; ★ is the "
    "rating that the model predicts."
)
LIST_LENGTH = 5
FAVOURITES = 4


@dataclass(frozen=True)
class Sample:
    """One user, their recommendations, and the reasons."""

    user: str
    n_rated: int
    favourites: Sequence[str]
    reasons: Sequence[Explanation]
    charts: Sequence[Chart]  # of the first recommendation, by each view

    @property
    def is_by_list_score(self) -> bool:
        """Whether another number than the stars that are shown puts the list in order."""
        return any(why.score_name == "list score" for why in self.reasons)

    def figure(self) -> Markup:
        """A list with a sentence for each item, and the waterfall charts of the first."""
        rows = (
            el(
                "li",
                why.title,
                " ",
                el("span", stars(why), class_="score"),
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
            el("p", ORDER, class_="note") if self.is_by_list_score else None,
            el("ol", *rows),
            *(chart.figure() for chart in self.charts),
            class_="person",
        )

    def to_dict(self) -> JsonObject:
        """Plain values."""
        return {
            "user_id": self.user,
            "ratings": self.n_rated,
            "liked_best": list(self.favourites),
            "recommendations": [why.to_dict() for why in self.reasons],
        }


def stars(why: Explanation) -> str:
    """The predicted stars, or the score of a model of preferences."""
    return f"{why.predicted:.2f}" + (" ★" if why.unit == "stars" else "")


def because(why: Explanation) -> str:
    """The sentence without the title, which stands before it."""
    return why.sentence().removeprefix(why.title).lstrip(",: ")


def samples_section(model: Model) -> Section:
    """A user with few ratings, one with a typical number, and one with many."""
    blocks: list[Block] = [
        Prose(
            "Three people: one with few ratings, one with a typical number, one with many. Every "
            "score is the sum of its terms, and no term is hidden."
        )
    ]
    blocks += [sample(model, row) for row in typical_users(model)]
    return Section("people", "For some people, and why", blocks)


def sample(model: Model, row: int) -> Sample:
    """The recommendations of a user by row number, and the reasons."""
    user = str(model.users.ids[row])
    items, ratings = model.seen.row(row)
    best = items[np.argsort(-ratings, kind="stable")][:FAVOURITES]
    item_ids = model.recommend(user, LIST_LENGTH).item_id
    reasons = model.explain_list(user, item_ids)
    views = [model.explain(user, item_ids[0], by=by) for by in model.views] if item_ids else []
    return Sample(
        user,
        len(items),
        [model.catalog.label(one) for one in model.items.ids[best]],
        reasons,
        [waterfall(why) for why in views],
    )
