"""Explanations, as the API shows them: short in lists, whole when asked for."""

from typing import Any

from matinee.errors import BadSetting
from matinee.explain.explanation import Explanation, round_to_sum
from matinee.models import Model, Person

DIGITS = 2  # of a term that is shown
LEVEL = 0.8  # of the interval that is shown
TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": False}


def view_of(model: Model, asked: str | None) -> str | None:
    """The view that ``why`` asks for: the usual one for "true", none for "false".

    Raises BadSetting, with the views there are, for another word.
    """
    if asked is None or asked in model.views:
        return asked
    if asked.lower() not in TRUTH:
        raise BadSetting(f"why is {asked!r}; it is true, false, {', '.join(model.views)}")
    return next(iter(model.views)) if TRUTH[asked.lower()] else None


def why(explanation: Explanation) -> dict[str, Any]:
    """The sentence, and the terms to show; their rounded values add up to the rounded score."""
    shown = explanation.shown()
    values = round_to_sum([term.value for term in shown], explanation.score, DIGITS)
    terms = []
    for term, value in zip(shown, values, strict=True):
        one: dict[str, Any] = {"name": term.name, "value": value, "kind": term.kind}
        if term.detail:
            one["detail"] = term.detail
        terms.append(one)
    return {"by": explanation.by, "sentence": explanation.sentence(), "terms": terms}


def whole(explanation: Explanation) -> dict[str, Any]:
    """Everything of an explanation; ``shown`` are the rows of a waterfall, from start to end."""
    content = explanation.to_dict()
    del content["strategy"]
    content["unit"] = explanation.unit
    content["shown"] = [
        {"name": name, "value": value, "detail": detail, "start": start, "end": end}
        for name, value, detail, (start, end) in explanation.rows()
    ]
    return content


def how_sure(model: Model, person: Person, item: str) -> dict[str, Any]:
    """How many ratings a score rests on, how personal it is, and where the rating may lie."""
    interval = None
    if model.has_intervals and len(person.items):
        (found,) = model.interval(person, item, LEVEL)
        low, high = (round(float(end), DIGITS) for end in (found.low, found.high))
        interval = {"level": LEVEL, "low": low, "high": high}
    return {
        "evidence": model.evidence(person, item)._asdict(),
        "personal": round(model.how_personal(person, item), DIGITS),
        "interval": interval,
    }
