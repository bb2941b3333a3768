"""What would change for somebody if ratings were gone or other ones, or a taste counted less."""

from typing import Any

import numpy as np

from matinee.errors import BadSetting
from matinee.explain.ranks import ranks, unseen
from matinee.models import Person
from matinee.server.asked import WhatIf
from matinee.server.filters import Filter
from matinee.server.lists import best_of, listed
from matinee.server.serving import Serving


def what_if(serving: Serving, person: Person, asked: WhatIf) -> dict[str, Any]:
    """The list before and after, with old ranks, and how one item moves.

    That is the one asked about, else the first of the list. Raises BadSetting when nothing would
    change, and as ``model.what_if`` does.
    """
    model = serving.model
    every = Filter().rows(serving)
    before, scores = best_of(serving, person, asked.n, 0, every, True)
    if asked.item is None and not len(before):
        raise BadSetting(f"{person.name} has rated everything; name an item")
    item = model.items.ids[before[0]] if asked.item is None else asked.item
    moved = model.what_if(
        person,
        item,
        without=asked.without,
        change={one.item_id: one.rating for one in asked.change},
        tastes={int(name) if name.isdecimal() else name: by for name, by in asked.turn.items()},
    )
    after, new_scores = best_of(serving, moved.person, asked.n, 0, every, True)
    entries = listed(serving, moved.person, after, new_scores)
    for one, row in zip(entries, after.tolist(), strict=True):
        one["rank_before"] = rank_of(serving, person, row)
    return {
        "before": listed(serving, person, before, scores),
        "after": entries,
        "item": moved.to_dict(),
    }


def rank_of(serving: Serving, person: Person, row: int) -> int | None:
    """The rank of an item among what somebody has not rated; None for what they have."""
    if row in person.items:
        return None
    among = unseen(serving.model, person, row)
    scores = serving.model.score_people([person], among)
    return int(ranks(scores, int(np.searchsorted(among, row)))[0])
