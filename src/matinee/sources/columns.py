"""Which column is the user, the item, the rating, the time: by its usual name, or as given."""

import re
from collections.abc import Collection, Mapping, Sequence

from matinee.display.text import counted
from matinee.errors import BadRatings, BadSetting, Option, did_you_mean

FIELDS = ("user_id", "item_id", "rating", "timestamp")  # by position, where there is no header
NAMED_FIELDS = (*FIELDS, "sample_weight")
NEEDED = FIELDS[:3]
REMEDY = Option("columns", {"user_id": "...", "item_id": "...", "rating": "..."})
NO_RATINGS = "no column of ratings: every row counts as 1"
COUNT = Option("duplicates", "count")

# In each field the first group that a header shows decides; two names of one group are a doubt.
# Names are compared without case, spaces and punctuation.
USUAL_NAMES: dict[str, tuple[tuple[str, ...], ...]] = {
    "user_id": (
        ("userid", "uid"),
        ("user", "users", "userkey", "usernumber"),
        ("reviewerid", "customerid", "memberid", "viewerid", "personid", "profileid", "raterid"),
        ("visitorid", "visitor", "accountid", "listenerid", "buyerid", "playerid", "steamid"),
        ("username", "reviewer", "customer", "member", "viewer", "person", "profile", "rater"),
        ("nutzerid", "benutzerid", "kundenid", "kundeid", "kundennummer", "kundennr"),
        ("nutzer", "nutzerin", "benutzer", "kunde", "kundin"),
        ("idutilisateur", "utilisateurid", "idclient", "clientid", "utilisateur", "client"),
        ("idusuario", "usuarioid", "idcliente", "clienteid", "usuario", "cliente"),
    ),
    "item_id": (
        ("itemid", "iid"),
        ("item", "items", "itemkey", "itemnumber"),
        ("movieid", "filmid", "productid", "bookid", "songid", "trackid", "gameid", "showid"),
        ("asin", "isbn", "mid", "parentasin", "businessid", "artistid", "animeid", "recipeid"),
        ("placeid", "venueid", "locationid", "articleid", "newsid", "videoid", "appid", "sku"),
        ("stockcode", "gmapid", "beerid", "hotelid", "jokeid"),
        ("movie", "film", "product", "book", "song", "track", "game", "show", "title"),
        ("place", "venue", "business", "artist", "anime", "recipe", "article", "video"),
        ("artikelid", "artikelnummer", "artikelnr", "produktid", "filmnr", "buchid"),
        ("artikel", "produkt", "buch", "titel", "spiel"),
        ("idarticle", "idproduit", "produitid", "idfilm", "produit", "livre", "titre"),
        (
            "idarticulo",
            "idproducto",
            "productoid",
            "idpelicula",
            "producto",
            "articulo",
            "artículo",
        ),
        ("pelicula", "película", "libro", "titulo", "título"),
    ),
    "rating": (
        ("rating", "ratings", "userrating", "ratingvalue"),
        ("stars", "star", "score", "starrating", "bookrating", "overall", "grade", "value"),
        ("feedback", "preference", "weight", "hours", "plays", "playcount", "count", "quantity"),
        ("playtime", "playtimeforever", "listencount"),
        ("purchase", "purchases", "listens", "clicks", "views", "event", "eventtype"),
        ("bewertung", "bewertungen", "sterne", "wertung", "punkte"),
        ("note", "evaluation", "évaluation", "étoiles", "etoiles"),
        ("valoracion", "valoración", "puntuacion", "puntuación", "calificacion", "calificación"),
    ),
    "timestamp": (
        ("timestamp", "ts", "unixreviewtime", "ratingtimestamp"),
        ("datetime", "ratedat", "createdat", "reviewtime"),
        ("time", "date", "when", "ratingdate"),
        ("purchasedate", "orderdate", "invoicedate", "transactiondate", "reviewdate", "eventtime"),
        ("zeitstempel", "zeitpunkt", "datum", "zeit", "horodatage", "fecha", "hora"),
    ),
    "sample_weight": (("sampleweight",),),
}
MOMENT = re.compile(r".*[a-z](_at| at|At)")  # purchased_at, purchasedAt
SHORT = {"user": "user_id", "item": "item_id", "time": "timestamp"}
RECBOLE_TYPE = re.compile(r":(token|float)(_seq)?$")  # as in user_id:token
KNOWN = {name for groups in USUAL_NAMES.values() for group in groups for name in group}


def plain(name: str) -> str:
    """A column name as it is compared: ``User ID``, ``userId``, ``user_id:token`` are one."""
    return re.sub(r"[\W_]+", "", RECBOLE_TYPE.sub("", name)).casefold()


def is_usual(name: str) -> bool:
    """Whether a cell reads like the name of a rating column rather than a value."""
    return plain(name) in KNOWN or bool(MOMENT.fullmatch(name))


def find_columns(
    names: Sequence[str],
    chosen: Mapping[str, str | int] | None,
    source: str,
    *,
    rating_needed: bool = True,
    dated: Collection[int] = (),
) -> dict[str, int]:
    """Field -> position among the named columns of a source.

    ``timestamp`` and ``sample_weight`` may be absent. ``rating`` may be absent too where there is
    no other column, or ``rating_needed`` is false. A column of dates (those at ``dated``) is the
    timestamp, whatever its name, where it stands beside user and item alone. Raises BadRatings when
    a needed one is missing or two would do.
    """
    position = chosen_columns(names, chosen, source)
    for field in NAMED_FIELDS:
        if field not in position and (rating_needed or field != "rating"):
            at = by_name(names, field, source, position.values())
            position |= {} if at is None else {field: at}
    others = [at for at in range(len(names)) if at not in position.values()]
    if not {"rating", "timestamp"} & set(position) and len(others) == 1 and others[0] in dated:
        position["timestamp"] = others[0]
    lacking = [field for field in NEEDED if field not in position]
    if lacking == ["rating"] and (not rating_needed or len(names) == len(position)):
        lacking = []
    if lacking:
        raise BadRatings(
            f"{source} has the columns {', '.join(map(repr, names))}: which is "
            f"{' and which is '.join(lacking)}? Say so with ",
            REMEDY,
            *((", or count rows with ", COUNT) if lacking == ["rating"] else ()),
        )
    return {field: position[field] for field in NAMED_FIELDS if field in position}


def dates_unread(
    names: Sequence[str], at: Mapping[str, int], dated: Collection[int]
) -> tuple[str, ...]:
    """The note on columns of dates where none of them is the timestamp; names, if there are any."""
    places = [place for place in dated if place not in at.values()]
    if "timestamp" in at or not places:
        return ()
    unread = " and ".join(repr(names[place]) if names else f"column {place}" for place in places)
    hold = "holds" if len(places) == 1 else "hold"
    return (f"no times: {unread} {hold} dates; where these say when, name the column timestamp",)


def columns_by_position(
    n_columns: int,
    chosen: Mapping[str, str | int] | None,
    source: str,
    *,
    rating_needed: bool = True,
    missing: str | None = "empty",
) -> dict[str, int]:
    """Field -> position where a source has no header: user, item[, rating[, timestamp]].

    Raises BadRatings where more columns than these leave a doubt; ``missing`` is what cells would
    hold that are not rated, were it a matrix, and None where it cannot be one.
    """
    if chosen or (n_columns > len(FIELDS) and not rating_needed):
        usual = NEEDED[: min(n_columns, 3 if rating_needed else 2)]
        by_default = dict(zip(usual, range(3), strict=False))
        given = {SHORT.get(key, key): column for key, column in (chosen or {}).items()}
        return chosen_columns([str(at) for at in range(n_columns)], by_default | given, source)
    if n_columns > len(FIELDS):
        matrix = (
            "; where each line is a user and each column an item, name the value of what is not "
            "rated, as in ",
            Option("wide", missing),
        )
        raise BadRatings(
            f"{source} has no header and {counted(n_columns, 'column')}: which of them, from 0 to "
            f"{n_columns - 1}, are user, item and rating? Say so with ",
            Option("columns", dict(zip(NEEDED, range(3), strict=True))),
            " or other numbers",
            *(() if missing is None else matrix),
        )
    fields = FIELDS if rating_needed else (*FIELDS[:2], FIELDS[3])
    return dict(zip(fields, range(min(n_columns, len(fields))), strict=False))


def chosen_columns(
    names: Sequence[str], chosen: Mapping[str, str | int] | None, source: str
) -> dict[str, int]:
    """The positions of the columns that the caller chose, by name or by number from 0.

    Raises BadSetting for an unknown field or a column used twice, BadRatings for no such column.
    """
    position: dict[str, int] = {}
    for key, column in (chosen or {}).items():
        field = SHORT.get(key, key)
        if field not in NAMED_FIELDS:
            raise BadSetting(
                Option("columns", {key: "..."}),
                f": {key!r} is not one of {', '.join(NAMED_FIELDS)}"
                f"{did_you_mean(key, NAMED_FIELDS)}",
            )
        position[field] = position_of(column, names, field, source)
    if len(set(position.values())) < len(position):
        raise BadSetting(Option("columns", dict(chosen or {})), " uses one column for two fields")
    return position


def position_of(column: str | int, names: Sequence[str], field: str, source: str) -> int:
    """Where a column is, by its name, or by its number from 0 where no column has that name.

    Raises BadRatings where there is none, or two of the name.
    """
    if isinstance(column, str) and names.count(column) > 1:
        raise doubt(names, field, source, [at for at, one in enumerate(names) if one == column])
    if column in names:
        return list(names).index(str(column))
    if str(column).isdecimal() and int(column) < len(names):
        return int(column)
    raise BadRatings(
        f"{source} has no column {column!r} for {field}; it has "
        f"{listed(names)}{did_you_mean(str(column), names)}"
    )


def doubt(names: Sequence[str], field: str, source: str, fits: Sequence[int]) -> BadRatings:
    """The error for several columns that could be one field; equal names go by number."""
    alike = len({names[at] for at in fits}) < len(fits)
    either = " or ".join(
        f"column {at}, {names[at]!r}," if alike else repr(names[at]) for at in fits
    )
    return BadRatings(
        f"{source}: {field} could be {either}; say which with ",
        Option("columns", {field: fits[0] if alike else names[fits[0]]}),
        " or the other",
    )


def listed(names: Sequence[str]) -> str:
    """The names of columns; where there is no header, the numbers that they go by."""
    if list(names) == [str(at) for at in range(len(names))]:
        return f"no header, so columns go by number, from 0 to {len(names) - 1}"
    return ", ".join(map(repr, names))


def by_name(
    names: Sequence[str], field: str, source: str, excluded: Collection[int] = ()
) -> int | None:
    """The position of the column with a usual name of this field, or None.

    Raises BadRatings when two columns have equally good names.
    """
    free = [at for at in range(len(names)) if at not in excluded]
    for group in USUAL_NAMES[field]:
        fits = [at for at in free if plain(names[at]) in group]
        if len(fits) > 1:
            raise doubt(names, field, source, fits)
        if fits:
            return fits[0]
    if field != "timestamp":
        return None
    fits = [at for at in free if MOMENT.fullmatch(names[at])]
    if len(fits) > 1:
        raise doubt(names, field, source, fits)
    return fits[0] if fits else None
