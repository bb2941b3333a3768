"""A list before and after changes to ratings or tastes."""

import numpy as np

from matinee.display.plain_data import JsonObject
from matinee.errors import BadSetting
from matinee.explain.ranks import ranks, unseen
from matinee.models import Person
from matinee.server.item_filter import ItemFilter
from matinee.server.person_resolver import numbered_tastes
from matinee.server.presenters.recommendations import ListRequest, recommended_items, top_items
from matinee.server.presenters.titles import with_years
from matinee.server.schemas.what_if import WhatIfRequest
from matinee.server.snapshot import ModelSnapshot


def what_if(snapshot: ModelSnapshot, person: Person, body: WhatIfRequest) -> JsonObject:
    """The list before and after the change, with former ranks, and the move of one item.

    That item is the one in the body, else the first of the list. Raises BadSetting when nothing
    would change, and as ``model.what_if`` does.
    """
    model = snapshot.model.weighed(body.stars_weight, body.caution)
    candidates = ItemFilter().rows(snapshot)
    request = ListRequest(body.n, stars_weight=body.stars_weight, caution=body.caution)
    rows, scores = top_items(snapshot, person, candidates, request)
    if body.item is None and not len(rows):
        raise BadSetting(f"{person.name} has rated everything; name an item")
    change = model.what_if(
        person,
        model.items.ids[rows[0]] if body.item is None else body.item,
        without=body.without,
        change={one.item_id: one.rating for one in body.change},
        tastes=numbered_tastes(body.turn),
    )
    new_rows, new_scores = top_items(snapshot, change.person, candidates, request)
    after = recommended_items(snapshot, change.person, new_rows, new_scores)
    for entry, row in zip(after, new_rows.tolist(), strict=True):
        entry["rank_before"] = rank_of(snapshot, person, row)
    return {
        "before": recommended_items(snapshot, person, rows, scores),
        "after": after,
        "item": with_years(model.catalog, change.to_dict()),
    }


def rank_of(snapshot: ModelSnapshot, person: Person, row: int) -> int | None:
    """The rank of an item among all that the person has not rated; None for rated items."""
    if row in person.items:
        return None
    candidates = unseen(snapshot.model, person, row)
    scores = snapshot.model.list_scores([person], candidates)
    return int(ranks(scores, int(np.searchsorted(candidates, row)))[0])
