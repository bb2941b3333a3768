"""Opaque pagination cursors, valid only for the list they were made for."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

from matinee.server.problems import Problem


def encode_cursor(offset: int, *list_key: object) -> str:
    """A cursor to the entries from ``offset`` on of the list that ``list_key`` identifies."""
    return urlsafe_b64encode(json.dumps([offset, *map(str, list_key)]).encode()).decode()


def decode_cursor(cursor: str, *list_key: object) -> int:
    """The offset of a cursor. Raises Problem: 422 if malformed, 410 for another list."""
    try:
        offset, *cursor_key = json.loads(urlsafe_b64decode(cursor.encode()))
        offset = int(offset)
    except (ValueError, TypeError):
        raise Problem(422, "the cursor is not one that this server issued") from None
    if cursor_key != [str(part) for part in list_key] or offset < 0:
        raise Problem(410, "the list has changed since the cursor was issued; start again")
    return offset
