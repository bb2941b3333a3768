"""Explanations as the API shows them: short beside a list, complete on request."""

from dataclasses import dataclass

from matinee.charts import waterfall
from matinee.display.plain_data import JsonObject
from matinee.errors import BadSetting, offered
from matinee.explain.explanation import Explanation, round_to_sum
from matinee.models import Model, Person
from matinee.models.certainty import certainty
from matinee.server.presenters.titles import with_years
from matinee.server.snapshot import ModelSnapshot

DIGITS = 2  # of a displayed term
TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": False}


@dataclass(frozen=True)
class ReasonsRequest:
    """Reasons for the items of a list, by one view."""

    view: str | None = None  # None: the usual one, or another where its reasons are worn out


def requested_reasons(model: Model, why: str | None) -> ReasonsRequest | None:
    """The reasons that a ``why`` parameter requests: by any view for "true", none for "false".

    Raises BadSetting for any other text that is not a view of the model.
    """
    if why is None:
        return None
    if why in model.views:
        return ReasonsRequest(why)
    if why.lower() not in TRUTH:
        known = ["true", "false", *model.views]
        raise BadSetting(f"why is {why!r}{offered(why, known, 'it is one of')}")
    return ReasonsRequest() if TRUTH[why.lower()] else None


def short_explanation(explanation: Explanation) -> JsonObject:
    """The sentence and the largest terms; their rounded values sum to the rounded score."""
    shown = explanation.shown()
    values = round_to_sum([term.value for term in shown], explanation.score, DIGITS)
    terms = []
    for term, value in zip(shown, values, strict=True):
        content: JsonObject = {"name": term.name, "value": value, "kind": term.kind}
        if term.detail:
            content["detail"] = term.detail
        terms.append(content)
    return {"by": explanation.by, "sentence": explanation.sentence(), "terms": terms}


def full_explanation(explanation: Explanation) -> JsonObject:
    """All terms and, in ``shown``, the rows of a waterfall chart with their start and end."""
    content = explanation.to_dict()
    del content["strategy"]
    content["unit"] = explanation.unit
    content["score_name"] = explanation.score_name
    content["total"] = explanation.total
    content["shown"] = [
        {"name": name, "value": value, "detail": detail, "start": start, "end": end}
        for name, value, detail, (start, end) in explanation.rows()
    ]
    return content


@dataclass(frozen=True)
class ScoreRequest:
    """Which score to take apart, and how."""

    by: str | None = None  # a view
    versus: str | None = None  # another item to compare with
    width: int | None = None  # of a picture, in pixels; None for none
    of: str | None = None  # the list score, or stars
    stars_weight: float | None = None  # of the list score; None: as learned
    caution: float | None = None  # of the list score; None: the model's


def explanation_of(
    snapshot: ModelSnapshot, person: Person, item: str, request: ScoreRequest
) -> JsonObject:
    """An explanation with its certainty; as a picture and against another item on request."""
    model = snapshot.model.weighed(request.stars_weight, request.caution)
    by, versus, width, of = request.by, request.versus, request.width, request.of
    explanation = model.explain(person, item, by, of=of)
    content: JsonObject = {
        **full_explanation(explanation),
        **certainty(model, person, item).to_dict(DIGITS),
        "views": list(model.views),
    }
    if width is not None:
        content["svg"] = str(waterfall(explanation).inline(width))
    if versus is not None:
        content["versus"] = model.explain(person, item, by, versus=versus, of=of).to_dict()
    return with_years(model.catalog, content)
