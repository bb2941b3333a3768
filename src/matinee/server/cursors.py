"""Where a list goes on: text that means nothing elsewhere, and is bound to what it was made of."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

from matinee.server.problems import Problem


def cursor_to(offset: int, *bound: object) -> str:
    """A cursor to the entries after the first ``offset``, as long as ``bound`` is the same."""
    return urlsafe_b64encode(json.dumps([offset, *map(str, bound)]).encode()).decode()


def offset_of(cursor: str, *bound: object) -> int:
    """The offset a cursor stands for. Raises Problem when what it was made of has changed."""
    try:
        offset, *made_of = json.loads(urlsafe_b64decode(cursor.encode()))
        offset = int(offset)
    except (ValueError, TypeError):
        raise Problem(422, "the cursor is not one that this server gave") from None
    if made_of != [str(one) for one in bound] or offset < 0:
        raise Problem(410, "the list has changed since the cursor was given; begin it again")
    return offset
