"""Somebody new, as a body describes them: by ratings, by points for tastes, or by features."""

import warnings

from starlette.requests import Request

from matinee.errors import BadSetting
from matinee.models import Person
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
            points: dict[object, float] = {
                int(f) if f.isdecimal() else f: given for f, given in asked.tastes.items()
            }
            return serving.model.fold_in_tastes(points, NAME)
        if asked.features is not None:
            return serving.model.fold_in_features(asked.features, NAME)
        history: dict[object, float] = {one.item_id: one.rating for one in asked.ratings or ()}
        return serving.model.fold_in(history, name=NAME)
