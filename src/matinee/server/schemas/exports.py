"""Lists of many users as a file."""

from typing import Literal

from pydantic import Field

from matinee.server.limits import MAX_EXPORT_USERS, MAX_LIST_LENGTH
from matinee.server.schemas.base import Integer, example
from matinee.server.schemas.identifiers import Id
from matinee.server.schemas.recommendations import ItemConditions


class ExportRequest(ItemConditions):
    """Lists for many users, as a file."""

    model_config = example(users=["42", "7"], n=3)

    users: list[Id] | None = Field(
        None,
        min_length=1,
        max_length=MAX_EXPORT_USERS,
        description="Users; all that the model was trained on unless given.",
    )
    n: Integer = Field(10, ge=1, le=MAX_LIST_LENGTH)
    format: Literal["ndjson", "parquet"] = "ndjson"
