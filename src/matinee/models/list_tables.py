"""Lists as tables: the items recommended to people, and the items or users most like others."""

from collections.abc import Iterable, Sequence

import numpy as np

from matinee.data.ids import as_id
from matinee.display.frames import Column
from matinee.display.plain_data import JsonObject
from matinee.display.tables import DECIMALS, Table
from matinee.errors import BadSetting, check_whole
from matinee.lists.ruled_lists import RuledLists
from matinee.models.fitted import Fitted
from matinee.models.predictions import as_objects, is_many
from matinee.row_solvers.person import Person


def check_length(n: int) -> None:
    """Raise BadSetting unless a list can have n entries."""
    check_whole("n", n)
    if n < 1:
        raise BadSetting(f"n is {n}; a list needs at least 1 entry")


def candidates_of(
    model: Fitted, items: Iterable[object] | None, exclude: Iterable[object] | None
) -> np.ndarray:
    """Rows (n,) int32 of ``items``, or of all, without ``exclude``, ascending. Raises UnknownId."""
    if items is None and exclude is None:
        return np.arange(len(model.items), dtype=np.int32)
    allowed = np.full(len(model.items), items is None)
    for ids, value in ((items, True), (exclude, False)):
        if ids is not None:
            allowed[[model.item_row(one) for one in ids]] = value
    return np.flatnonzero(allowed).astype(np.int32)


class ListTable(Table):
    """Lists whose stars and points add up to their scores as they are shown, too."""

    def _shown_rows(self) -> list[JsonObject]:
        return [added_up(row, DECIMALS) for row in super()._shown_rows()]


def added_up(row: JsonObject, decimals: int) -> JsonObject:
    """A row of a list whose points, if any, lead from the rounded stars to the rounded score."""
    if "points" not in row:
        return row
    points = round(row["score"], decimals) - round(row["stars"], decimals)
    return {**row, "points": round(points, decimals)}


def list_table(
    model: Fitted, people: Sequence[object], lists: RuledLists, ranker: Fitted, *, with_users: bool
) -> ListTable:
    """The lists of people as one table, with the columns that ``Model.recommend`` states.

    ``ranker`` is the model of the scores.
    """
    best, filled = lists.rows, lists.filled
    columns: dict[str, Column] = {}
    if with_users:
        names = np.array([model.name_of(one) for one in people], dtype=object)
        columns["user_id"] = np.repeat(names, filled.sum(axis=1))
    columns["rank"] = np.broadcast_to(np.arange(1, best.shape[1] + 1), best.shape)[filled]
    columns |= model.named(best[filled])
    if model.kind == "rating":
        columns["stars"] = _stars_of(model, people, best)[filled].astype(float)
    scores = lists.scores[filled].astype(float)
    if ranker.adds_points:
        columns["points"] = scores - columns["stars"]
    columns["score"] = scores
    return ListTable(columns | lists.columns(), ranker.score_in_words, model.id_types)


def _stars_of(model: Fitted, people: Sequence[object], items: np.ndarray) -> np.ndarray:
    """Predicted ratings of the items (n_people, n) in each one's row; -1 is none."""
    stars = np.full(items.shape, np.nan, np.float32)
    rows = model.users.rows("" if isinstance(one, Person) else as_id(one) for one in people)
    known = (items >= 0) & (rows >= 0)[:, None]
    stars[known] = model.predict_rows(
        np.repeat(rows, known.sum(axis=1)).astype(np.int32), items[known]
    )
    for place, one in enumerate(people):
        if isinstance(one, Person):
            stars[place] = model.predicted(one, items[place])
    return stars


def similarity_table(model: Fitted, side: str, query: object, n: int) -> Table:
    """What is most like one or several ids of a side, "item" or "user".

    Raises UnknownId, and BadSetting for a model that does not compare that side.
    """
    check_length(n)
    queries = as_objects(query).tolist()
    row_of = model.item_row if side == "item" else model.user_row
    similar = [model.nearest(side, row_of(one), n) for one in queries]
    sizes = [len(rows) for rows, _ in similar]
    rows = np.concatenate([np.zeros(0, np.int64), *(rows for rows, _ in similar)])
    ids = np.array([as_id(one) for one in queries], dtype=object)
    columns: dict[str, Column] = {"query_id": np.repeat(ids, sizes)} if is_many(query) else {}
    columns["rank"] = [rank for size in sizes for rank in range(1, size + 1)]
    columns |= model.named(rows) if side == "item" else {"user_id": model.users.ids[rows]}
    columns["similarity"] = np.concatenate([np.zeros(0, np.float32), *(s for _, s in similar)])
    id_types = {**model.id_types, "query_id": model.id_types[f"{side}_id"]}
    return Table(columns, id_types=id_types)
