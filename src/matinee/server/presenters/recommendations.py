"""Recommendation lists as the API shows them."""

from dataclasses import dataclass

import numpy as np

from matinee.display.plain_data import JsonObject
from matinee.lists.list_rules import NO_RULES, ListRules
from matinee.lists.ruled_lists import ListMaker, RuledLists
from matinee.models import Model, Person
from matinee.server.item_filter import ItemFilter
from matinee.server.presenters.explanations import ReasonsRequest, short_explanation
from matinee.server.presenters.items import item_summary
from matinee.server.snapshot import ModelSnapshot

DIGITS = 4  # of a rating, and of what rules add
SCORE_DIGITS = 6  # so that a score rounds to the hundredths that its terms sum to


@dataclass(frozen=True)
class ListRequest:
    """Which part of the ranking to list: ``n`` entries after the best ``offset``."""

    n: int
    offset: int = 0
    reasons: ReasonsRequest | None = None  # None omits them
    exclude_seen: bool = True
    stars_weight: float | None = None  # of the stars against the choice; None: as learned
    caution: float | None = None  # from safe (above 0) to adventurous; None: the model's
    rules: ListRules = NO_RULES

    @property
    def keeps_order(self) -> bool:
        """Whether the list is part of the usual one, in the same order."""
        usual = self.stars_weight is None and self.caution is None and not self.rules.rerank
        return usual and self.exclude_seen

    def model_of(self, snapshot: ModelSnapshot) -> Model:
        """The model that lists. Raises BadSetting where it cannot weigh as requested."""
        return snapshot.model.weighed(self.stars_weight, self.caution)


def allowed_items(snapshot: ModelSnapshot, item_filter: ItemFilter, rules: ListRules) -> np.ndarray:
    """Rows of the items that a filter and rules let through, ascending: int32.

    Raises UnknownId and BadSetting for conditions on what the model does not know.
    """
    return ListMaker.of(snapshot.model, rules, item_filter.rows(snapshot)).candidates


def ruled_lists(
    snapshot: ModelSnapshot, person: Person, candidates: np.ndarray, request: ListRequest
) -> RuledLists:
    """The list of the best candidates for a person, from its first place.

    ``candidates`` are item rows, ascending: those that the rules allow.
    """
    ranker = request.model_of(snapshot).ranker
    maker = ListMaker(ranker, request.rules, candidates, request.exclude_seen)
    return maker.lists(ranker.from_stars([person]), request.offset + request.n)


def top_items(
    snapshot: ModelSnapshot, person: Person, candidates: np.ndarray, request: ListRequest
) -> tuple[np.ndarray, np.ndarray]:
    """Rows and scores of the best candidates for a person, best first.

    ``candidates`` are item rows, ascending. Returns int32 and float32 arrays of at most
    ``request.n`` entries.
    """
    return part_of(ruled_lists(snapshot, person, candidates, request), request)


def part_of(lists: RuledLists, request: ListRequest) -> tuple[np.ndarray, np.ndarray]:
    """Rows and scores of the part of one list that is requested."""
    filled = lists.filled
    return lists.rows[filled][request.offset :], lists.scores[filled][request.offset :]


def recommended_items(
    snapshot: ModelSnapshot,
    person: Person,
    rows: np.ndarray,
    scores: np.ndarray,
    first_rank: int = 1,
) -> list[JsonObject]:
    """The entries of a list: summary, rank, score and predicted rating of each item."""
    predicted = snapshot.model.predicted(person, rows)
    return [
        {
            "rank": rank,
            **item_summary(snapshot, row),
            "score": round(float(score), SCORE_DIGITS),
            "predicted": round(float(rating), DIGITS),
        }
        for rank, (row, score, rating) in enumerate(
            zip(rows.tolist(), scores.tolist(), predicted, strict=True), start=first_rank
        )
    ]


def recommendations(
    snapshot: ModelSnapshot, person: Person, candidates: np.ndarray, request: ListRequest
) -> list[JsonObject]:
    """The list for a person, with reasons where a view is requested."""
    lists = ruled_lists(snapshot, person, candidates, request)
    entries = list_entries(snapshot, person, *part_of(lists, request), request)
    add_rule_terms(entries, lists, request.offset)
    return entries


def list_entries(
    snapshot: ModelSnapshot,
    person: Person,
    rows: np.ndarray,
    scores: np.ndarray,
    request: ListRequest,
) -> list[JsonObject]:
    """The entries of the part of a list that is requested, with reasons where it wants them."""
    entries = recommended_items(snapshot, person, rows, scores, request.offset + 1)
    if request.reasons is not None:
        item_ids = [entry["item_id"] for entry in entries]
        model, view = request.model_of(snapshot), request.reasons.view
        explanations = model.explain_list(person, item_ids, view)
        for entry, explanation in zip(entries, explanations, strict=True):
            entry["why"] = short_explanation(explanation)
    return entries


def add_rule_terms(entries: list[JsonObject], lists: RuledLists, offset: int) -> None:
    """Add to each entry what the rules add to its score, their total, and how far it moved."""
    if not lists.terms:
        return
    for place, entry in enumerate(entries, start=offset):
        terms = {name: float(values[0, place]) for name, values in lists.terms.items()}
        total = float(lists.scores[0, place]) + sum(terms.values())
        entry["rules"] = {name: round(value, DIGITS) for name, value in terms.items()}
        entry["total"] = round(total, DIGITS)
        entry["moved"] = str(lists.moved[0, place])
