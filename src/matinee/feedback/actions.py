"""Kinds of feedback: what each means for lists, and the validation of rows of any kind.

    kind         model of stars                model of preferences
    rating       the stars given               the number given
    like         the top of the scale          1
    dislike      the bottom of the scale       leaves the item out of lists
    purchase     leaves the item out of lists  3
    play         leaves the item out of lists  1
    seen, hide   leaves the item out of lists  leaves the item out of lists
    restore      takes back what the actions before it on the item did, in both
    impression, click                          counted, and no more

A weight beyond the scale of the model is its nearest end. The last event on an item counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from matinee.data.ids import IdMap
from matinee.data.scale import Scale
from matinee.errors import offered
from matinee.feedback.events import Event, Verdict, judge

KindName = Literal[
    "rating",
    "like",
    "dislike",
    "purchase",
    "play",
    "seen",
    "hide",
    "restore",
    "impression",
    "click",
]
RATING: KindName = "rating"
RESTORE: KindName = "restore"
EVENT_WEIGHTS = "event_weights"  # what each kind counts as, among what is told of a model
MAX_RECOMMENDATION_ID = 200  # characters


class ActionKind(NamedTuple):
    """What an action says of an item."""

    stars: float | None = None  # as a share of the scale of a model of stars
    points: float | None = None  # for a model of preferences
    hides: bool = False  # leaves the item out of lists
    converts: bool = False  # is what a list is shown for


KINDS: Mapping[str, ActionKind] = {
    RATING: ActionKind(converts=True),
    "like": ActionKind(stars=1.0, points=1.0, converts=True),
    "dislike": ActionKind(stars=0.0, hides=True),
    "purchase": ActionKind(points=3.0, hides=True, converts=True),
    "play": ActionKind(points=1.0, hides=True, converts=True),
    "seen": ActionKind(hides=True),
    "hide": ActionKind(hides=True),
    RESTORE: ActionKind(),
    "impression": ActionKind(),
    "click": ActionKind(),
}
CHANGING_HIDDEN = (*(name for name, kind in KINDS.items() if kind.hides), RESTORE)
CONVERTING = tuple(name for name, kind in KINDS.items() if kind.converts)


@dataclass(frozen=True)
class Action:
    """A user did something with an item, perhaps in a list that was recommended."""

    user_id: str
    item_id: str
    kind: str
    recommendation_id: str | None
    arm: str | None  # the model of that list, by name
    at: int  # seconds since 1970


class Judgement(NamedTuple):
    """What a row of feedback comes to."""

    event: Event | None  # a rating, where it counts as one
    action: Action | None
    verdict: Verdict


def weight_of(kind: ActionKind, scale: Scale, stars: bool) -> float | None:
    """The rating that an action counts as in a model; None for what is no rating."""
    if stars:
        return None if kind.stars is None else scale.low + kind.stars * (scale.high - scale.low)
    return None if kind.points is None else min(max(kind.points, scale.low), scale.high)


def weights(scale: Scale, stars: bool) -> dict[str, float | None]:
    """``weight_of`` each kind, by name."""
    return {name: weight_of(kind, scale, stars) for name, kind in KINDS.items()}


def judge_row(
    row: object, items: IdMap, scale: Scale, stars: bool, step: float | None = None
) -> Judgement:
    """The rating and the action of a row of feedback, and the verdict on it.

    A row is ``{"kind", "user_id", "item_id", "rating", "timestamp", "recommendation_id"}``; its
    kind is "rating" unless given, and only that kind has a rating, which lies on the step where
    there is one.
    """
    if not isinstance(row, Mapping):
        return Judgement(None, None, judge(row, items, scale)[1])
    kind, list_id = row.get("kind", RATING), row.get("recommendation_id")
    if problem := _kind_problem(row, kind, list_id):
        return Judgement(None, None, Verdict("rejected", problem))
    plain = {name: one for name, one in row.items() if name not in ("kind", "recommendation_id")}
    weight = None if kind == RATING else weight_of(KINDS[kind], scale, stars)
    if kind != RATING:
        plain["rating"] = weight
    event, verdict = judge(plain, items, scale, step if kind == RATING else None)
    if event is None:
        return Judgement(None, None, verdict)
    arm = None if list_id is None else arm_of(list_id)
    action = Action(event.user_id, event.item_id, kind, list_id, arm, event.at)
    counts = kind == RATING or weight is not None
    stored = kind != RATING or (list_id is not None and event.rating is not None)
    return Judgement(event if counts else None, action if stored else None, verdict)


def _kind_problem(row: Mapping[str, object], kind: object, list_id: object) -> str:
    if not isinstance(kind, str) or kind not in KINDS:
        name = str(kind)[:40]
        return f"kind is {name!r}{offered(name, KINDS, 'it is one of')}"
    if kind != RATING and "rating" in row:
        return f"a row of kind {kind!r} has no rating"
    if list_id is not None and (not isinstance(list_id, str) or arm_of(list_id) is None):
        return "recommendation_id is not one that a list had"
    return ""


def arm_of(list_id: str) -> str | None:
    """The model that made a list, by name; None for what is no id of a list."""
    arm, *rest = list_id.split(".")
    valid = len(list_id) <= MAX_RECOMMENDATION_ID and list_id.isascii() and list_id.isprintable()
    return arm if valid and arm and len(rest) == 2 and all(rest) else None
