"""Somebody new, as a body describes them: by ratings, by points for tastes, or by features."""

import warnings

from starlette.requests import Request

from matinee.errors import BadSetting
from matinee.models import Model, Person
from matinee.server.asked import Someone
from matinee.server.serving import Serving
from matinee.server.working import people_of

WAYS = ("user", "ratings", "tastes", "features")
NAME = "you"


async def someone(request: Request, serving: Serving, asked: Someone) -> Person:
    """The person that a body means; nothing given is the average one.

    Raises BadSetting for several ways at once, or one that the model does not know.
    """
    given = [way for way in WAYS if getattr(asked, way) is not None]
    if len(given) > 1:
        raise BadSetting(f"{' and '.join(given)} are given; one of {', '.join(WAYS)} is enough")
    if asked.user is not None:
        return await people_of(request).find(serving, asked.user)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # unknown items are named in the answer
        if asked.tastes is not None:
            return by_tastes(serving.model, asked.tastes)
        if asked.features is not None:
            return by_features(serving.model, asked.features)
        history: dict[object, float] = {one.item_id: one.rating for one in asked.ratings or ()}
        return serving.model.fold_in(history, name=NAME)


def by_tastes(model: Model, points: dict[str, float]) -> Person:
    """Somebody who gives points to tastes, by number or name."""
    fold_in = getattr(model, "fold_in_tastes", None)
    if fold_in is None:
        raise BadSetting(f"models of {model.algorithm} take no points for tastes; send ratings")
    named = {int(name) if name.isdecimal() else name: value for name, value in points.items()}
    person: Person = fold_in(named)
    return person


def by_features(model: Model, features: dict[str, str]) -> Person:
    """Somebody of whom only features are known."""
    fold_in = getattr(model, "fold_in_features", None)
    if fold_in is None:
        raise BadSetting(f"models of {model.algorithm} know no features; send ratings")
    person: Person = fold_in(features)
    return person
