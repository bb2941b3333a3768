"""Ids as they come in a path or a body: any text of up to 256 bytes."""

from typing import Annotated
from urllib.parse import unquote_to_bytes

from fastapi import Path
from pydantic import AfterValidator

from matinee.feedback.events import ID_BYTES, bad_id


def is_id(text: str) -> str:
    """The text, when it is an id. Raises ValueError, in words, when not."""
    if wrong := bad_id(text):
        raise ValueError(wrong)
    return text


def decoded(text: str) -> str:
    """The id that a part of a path stands for."""
    try:
        return is_id(unquote_to_bytes(text).decode())
    except UnicodeDecodeError:
        raise ValueError(f"an id is text of up to {ID_BYTES} bytes in UTF-8") from None


Id = Annotated[str, AfterValidator(is_id)]
UserInPath = Annotated[str, Path(description="Id of a user."), AfterValidator(decoded)]
ItemInPath = Annotated[str, Path(description="Id of an item."), AfterValidator(decoded)]
