"""Ids in paths and bodies: any text of up to 256 bytes in UTF-8."""

from typing import Annotated
from urllib.parse import unquote_to_bytes

from fastapi import Path
from pydantic import AfterValidator, WithJsonSchema

from matinee.feedback.events import MAX_ID_BYTES, id_problem


def validate_id(text: str) -> str:
    """The id unchanged. Raises ValueError for text that is not an id."""
    if reason := id_problem(text):
        raise ValueError(reason)
    return text


def decode_id(segment: str) -> str:
    """The id in a percent-encoded path segment. Raises ValueError for text that is not an id."""
    try:
        return validate_id(unquote_to_bytes(segment).decode())
    except UnicodeDecodeError:
        raise ValueError(f"an id is text of up to {MAX_ID_BYTES} bytes in UTF-8") from None


Id = Annotated[
    str,
    AfterValidator(validate_id),
    WithJsonSchema({"type": "string", "minLength": 1}),
]
UserInPath = Annotated[str, Path(description="Id of a user."), AfterValidator(decode_id)]
ItemInPath = Annotated[str, Path(description="Id of an item."), AfterValidator(decode_id)]
