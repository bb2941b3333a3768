"""How much a score can be relied on: what it rests on, how personal it is, and its interval."""

from typing import NamedTuple

from matinee.display.plain_data import JsonObject
from matinee.display.text import counted, percent
from matinee.explain.personalization import Evidence
from matinee.models.model import Model

LEVEL = 0.8  # of the interval
PERSONAL = 0.5  # a smaller share of an item's lead than this is not the user's own
MORE_POPULAR = "more popular than personal"


class Interval(NamedTuple):
    """Where a rating will lie with probability ``level``, in stars."""

    level: float
    low: float
    high: float


class Certainty(NamedTuple):
    """What stands behind one score."""

    evidence: Evidence
    personal: float | None  # 0..1, see ``Model.how_personal``
    interval: Interval | None  # None where the model gives none, or nothing is known of the user

    def to_dict(self, digits: int | None = None) -> JsonObject:
        """Plain values, ready for JSON, rounded where ``digits`` are given."""

        def shown(value: float) -> float:
            return value if digits is None else round(value, digits)

        interval = self.interval
        ends = interval and (shown(interval.low), shown(interval.high))
        return {
            "evidence": self.evidence._asdict(),
            "personal": self.personal if self.personal is None else shown(self.personal),
            "interval": ends and Interval(LEVEL, *ends)._asdict(),
        }


def certainty(model: Model, user: object, item: object) -> Certainty:
    """The certainty of a user's score of an item. Raises UnknownId."""
    interval = None
    if model.has_intervals and len(model.rated(user)):
        table = model.interval(user, item, LEVEL)
        interval = Interval(LEVEL, float(table.low[0]), float(table.high[0]))
    return Certainty(model.evidence(user, item), model.how_personal(user, item), interval)


def in_words(certain: Certainty) -> str:
    """A certainty as a sentence or two."""
    by_user, of_item = certain.evidence
    sentence = f"It rests on {counted(by_user, 'rating')} by you and {of_item:,} of it."
    if certain.personal is not None and certain.personal < PERSONAL:
        sentence += f" It is {MORE_POPULAR}."
    if certain.interval is not None:
        _, low, high = certain.interval
        sentence += (
            f" You would rate it from {low:.1f} to {high:.1f}, with a certainty of "
            f"{percent(LEVEL)}."
        )
    return sentence
