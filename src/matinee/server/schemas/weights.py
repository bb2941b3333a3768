"""How a list weighs stars, choice and certainty."""

from pydantic import Field

from matinee.server.schemas.base import Number, RequestBody


class ListWeights(RequestBody):
    """The weights of a list's scores, where they are not those of the model."""

    stars_weight: Number | None = Field(
        None, ge=0, description="Points of choice that a star is worth: 0 ranks by choice alone."
    )
    caution: Number | None = Field(
        None, description="From safe (above 0) to adventurous (0, or below): holds rare items back."
    )
