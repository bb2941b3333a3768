"""What would change for somebody if ratings were gone or other ones, or a taste counted less."""

from dataclasses import replace
from typing import Any

import numpy as np

from matinee.errors import BadSetting, UnknownId, did_you_mean
from matinee.models import FactorModel, Model, Person
from matinee.server.asked import WhatIf
from matinee.server.filters import Filter
from matinee.server.lists import best_of, listed
from matinee.server.serving import Serving


def what_if(serving: Serving, person: Person, asked: WhatIf) -> dict[str, Any]:
    """The list before and after, and how one item stands where it is asked about."""
    changed = changed_person(serving.model, person, asked)
    every = Filter().rows(serving)
    before, scores = best_of(serving, person, asked.n, 0, every, True)
    after, new_scores = best_of(serving, changed, asked.n, 0, every, True)
    old = ranks_of(serving, person, after)
    moved = listed(serving, changed, after, new_scores)
    for one, rank in zip(moved, old, strict=True):
        one["rank_before"] = rank
    item = None if asked.item is None else standing(serving, person, changed, asked.item)
    return {
        "before": listed(serving, person, before, scores), "after": moved, "item": item,
    }  # fmt: skip


def changed_person(model: Model, person: Person, asked: WhatIf) -> Person:
    """Somebody with the ratings and the tastes that are asked about."""
    if asked.without or asked.change:
        history = dict(
            zip(model.items.ids[person.items].tolist(), person.ratings.tolist(), strict=True)
        )
        for item in asked.without:
            if history.pop(item, None) is None:
                raise UnknownId(f"{person.name} has no rating of item {item!r} to take away")
        history |= {one.item_id: one.rating for one in asked.change}
        person = model.fold_in(history, name=person.name)
    return turned(model, person, asked.turn) if asked.turn else person


def turned(model: Model, person: Person, turn: dict[str, float]) -> Person:
    """Somebody whose tastes count more or less: their factors times some numbers."""
    if not isinstance(model, FactorModel):
        raise BadSetting(f"models of {model.algorithm} have no tastes to turn up or down")
    numbers = {taste.name: taste.number for taste in model.tastes()}
    numbers |= {str(number): number for number in range(model.n_factors)}
    factors = person.side.factors.copy()
    for name, by in turn.items():
        if name not in numbers:
            raise UnknownId(f"there is no taste {name!r}{did_you_mean(name, numbers)}")
        factors[0, numbers[name]] *= by
    return replace(person, side=person.side._replace(factors=factors))


def ranks_of(serving: Serving, person: Person, rows: np.ndarray) -> list[int | None]:
    """The rank of items among what somebody has not rated; None for what they have."""
    model = serving.model
    every = np.arange(len(model.items), dtype=np.int32)
    scores = model.score_people([person], every)[0]
    seen = np.zeros(len(every), dtype=bool)
    seen[model.rated(person)] = True
    unseen = scores[~seen]
    return [
        None if seen[row] else 1 + int((unseen > scores[row]).sum())
        for row in rows.tolist()
    ]  # fmt: skip


def standing(serving: Serving, before: Person, after: Person, item: str) -> dict[str, Any]:
    """Score and rank of an item for somebody before and after."""
    model = serving.model
    row = np.array([model.items.row(item)])
    people = (before, after)
    old, new = (float(model.score_people([one], row)[0, 0]) for one in people)
    ranks = [ranks_of(serving, one, row)[0] for one in people]
    title = model.catalog.label(item)
    return {
        "item_id": item,
        "title": title,
        "before": {"score": round(old, 4), "rank": ranks[0]},
        "after": {"score": round(new, 4), "rank": ranks[1]},
        "sentence": moved_sentence(title, old, new),
    }


def moved_sentence(title: str, old: float, new: float) -> str:
    """How a score moves, in words."""
    if abs(new - old) < 0.005:
        return f"{title} stays at {new:.2f}."
    return f"{title} {'rises' if new > old else 'falls'} from {old:.2f} to {new:.2f}."
