"""Which column is the user, the item, the rating, the time: by its usual name, or as given."""

import re
from collections.abc import Collection, Mapping, Sequence

from matinee.display.text import counted
from matinee.errors import BadRatings, BadSetting, Option, did_you_mean

FIELDS = ("user_id", "item_id", "rating", "timestamp")
NEEDED = FIELDS[:3]
REMEDY = Option("columns", {"user_id": "...", "item_id": "...", "rating": "..."})

# In each field the first group that a header shows decides; two names of one group are a doubt.
# Names are compared without case, spaces and punctuation.
USUAL_NAMES: dict[str, tuple[tuple[str, ...], ...]] = {
    "user_id": (
        ("userid", "uid"),
        ("user", "users", "userkey", "usernumber"),
        ("reviewerid", "customerid", "memberid", "viewerid", "personid", "profileid", "raterid"),
        ("username", "reviewer", "customer", "member", "viewer", "person", "profile", "rater"),
    ),
    "item_id": (
        ("itemid", "iid"),
        ("item", "items", "itemkey", "itemnumber"),
        ("movieid", "filmid", "productid", "bookid", "songid", "trackid", "gameid", "showid"),
        ("asin", "isbn", "mid", "parentasin", "businessid", "artistid", "animeid", "recipeid"),
        ("movie", "film", "product", "book", "song", "track", "game", "show", "title"),
    ),
    "rating": (
        ("rating", "ratings", "userrating", "ratingvalue"),
        ("stars", "star", "score", "starrating", "bookrating", "overall", "grade", "value"),
    ),
    "timestamp": (
        ("timestamp", "ts", "unixreviewtime", "ratingtimestamp"),
        ("datetime", "ratedat", "createdat", "reviewtime"),
        ("time", "date", "when", "ratingdate"),
    ),
}
SHORT = {"user": "user_id", "item": "item_id", "time": "timestamp"}
KNOWN = {name for groups in USUAL_NAMES.values() for group in groups for name in group}


def plain(name: str) -> str:
    """A column name as it is compared: ``User ID``, ``userId`` and ``user_id`` are one."""
    return re.sub(r"[\W_]+", "", name).casefold()


def is_usual(name: str) -> bool:
    """Whether a cell reads like the name of a rating column rather than a value."""
    return plain(name) in KNOWN


def find_columns(
    names: Sequence[str], chosen: Mapping[str, str | int] | None, source: str
) -> dict[str, int]:
    """Field -> position among the named columns of a source; ``timestamp`` may be absent.

    Raises BadRatings when a needed one is missing or two would do.
    """
    position = chosen_columns(names, chosen, source)
    for field in FIELDS:
        if field not in position:
            at = by_name(names, field, source, position.values())
            position |= {} if at is None else {field: at}
    lacking = [field for field in NEEDED if field not in position]
    if lacking:
        raise BadRatings(
            f"{source} has the columns {', '.join(map(repr, names))}: which is "
            f"{' and which is '.join(lacking)}? Say so with ",
            REMEDY,
        )
    return {field: position[field] for field in FIELDS if field in position}


def columns_by_position(
    n_columns: int, chosen: Mapping[str, str | int] | None, source: str
) -> dict[str, int]:
    """Field -> position where a source has no header: user, item, rating[, timestamp].

    Raises BadRatings when there are too few columns.
    """
    if chosen:
        by_default = dict(zip(NEEDED, range(3), strict=True))
        columns = by_default | {SHORT.get(key, key): column for key, column in chosen.items()}
        return chosen_columns([str(at) for at in range(n_columns)], columns, source)
    if n_columns < len(NEEDED):
        raise BadRatings(
            f"{source} has {counted(n_columns, 'column')} and no header; "
            "user, item and rating (and perhaps timestamp) are needed, in this order"
        )
    return dict(zip(FIELDS, range(min(n_columns, len(FIELDS))), strict=False))


def chosen_columns(
    names: Sequence[str], chosen: Mapping[str, str | int] | None, source: str
) -> dict[str, int]:
    """The positions of the columns that the caller chose, by name or by number from 0.

    Raises BadSetting for an unknown field or a column used twice, BadRatings for no such column.
    """
    position: dict[str, int] = {}
    for key, column in (chosen or {}).items():
        field = SHORT.get(key, key)
        if field not in FIELDS:
            raise BadSetting(
                Option("columns", {key: "..."}),
                f": {key!r} is not one of {', '.join(FIELDS)}{did_you_mean(key, FIELDS)}",
            )
        if isinstance(column, int) and 0 <= column < len(names):
            position[field] = column
        elif column in names:
            position[field] = list(names).index(str(column))
        else:
            raise BadRatings(
                f"{source} has no column {column!r} for {field}; it has "
                f"{listed(names)}{did_you_mean(str(column), names)}"
            )
    if len(set(position.values())) < len(position):
        raise BadSetting(Option("columns", dict(chosen or {})), " uses one column for two fields")
    return position


def listed(names: Sequence[str]) -> str:
    """The names of columns; where there is no header, the numbers that they go by."""
    if list(names) == [str(at) for at in range(len(names))]:
        return f"no header, so columns go by number, from 0 to {len(names) - 1}"
    return ", ".join(map(repr, names))


def by_name(
    names: Sequence[str], field: str, source: str, taken: Collection[int] = ()
) -> int | None:
    """The position of the column with a usual name of this field, or None.

    Raises BadRatings when two columns have equally good names.
    """
    free = [at for at in range(len(names)) if at not in taken]
    for group in USUAL_NAMES[field]:
        fits = [at for at in free if plain(names[at]) in group]
        if len(fits) > 1:
            either = " or ".join(repr(names[at]) for at in fits)
            raise BadRatings(
                f"{source}: {field} could be {either}; say which with ",
                Option("columns", {field: "..."}),
            )
        if fits:
            return fits[0]
    return None
