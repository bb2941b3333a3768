"""What all request bodies and all responses share."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from matinee.errors import check_known

# Values of request bodies, of their own JSON types alone: true is no number, and "5" is none.
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Integer = Annotated[int, Field(strict=True)]
Flag = Annotated[bool, Field(strict=True)]
MOST_SHOWN = 40  # characters of the name of an unknown field


class RequestBody(BaseModel):
    """A request body; an unknown field is an error."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def check_fields(cls, values: object) -> object:
        """The fields unchanged. Raises BadSetting for an unknown one, and offers the nearest."""
        for name in values if isinstance(values, dict) else ():
            check_known("field", str(name)[:MOST_SHOWN], cls.model_fields)
        return values


def example(**fields: Any) -> ConfigDict:
    """The configuration of a schema with an example, which a server of the sample answers."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


class Envelope(BaseModel):
    """The fields of every response under ``/v1``."""

    model_version: str
    strategy: str = Field(
        description="How the answer came about: personal, folded_in, features, tastes or popular "
        "for a person; model for what is the same for everybody; store for stored feedback."
    )
    took_ms: float
