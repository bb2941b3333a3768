"""Where an item stands for a person, and the receipt of its score."""

from matinee.charts.receipt import Origin, Receipt
from matinee.display.plain_data import JsonObject
from matinee.models import Model, Person
from matinee.models.certainty import certainty
from matinee.models.standing import Standing, standing
from matinee.server.presenters.titles import with_years
from matinee.server.schemas.standings import StandingRequest
from matinee.server.snapshot import ModelSnapshot


def standing_content(snapshot: ModelSnapshot, person: Person, body: StandingRequest) -> JsonObject:
    """The rank, the comparison with the last of the list, and what would move the item.

    With a width also a receipt of the score, as an SVG document.
    """
    model = snapshot.model.weighed(body.stars_weight, body.caution)
    stands = standing(model, person, body.item, body.n, body.by)
    content = stands.to_dict()
    if stands.last is not None:
        content["last"]["shown"] = [
            {"name": name, "value": value, "detail": detail}
            for name, value, detail in stands.last.rows()
        ]
    if body.width is not None:
        content["receipt"] = receipt_of(snapshot, model, person, stands, body)
    return with_years(model.catalog, content)


def receipt_of(
    snapshot: ModelSnapshot,
    model: Model,
    person: Person,
    stands: Standing,
    body: StandingRequest,
) -> str:
    """The receipt of an item's score, as an SVG document."""
    origin = Origin.now(snapshot.version, model.data_fingerprint)
    why = model.explain(person, body.item, body.by)
    return Receipt(why, stands, certainty(model, person, body.item), origin).svg(body.width or 0)
