"""Lists of many users as files: made in blocks, in the memory of one block."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np
from pydantic_core import to_json

from matinee.disk.table_files import COPIED_AT_ONCE, write_table
from matinee.disk.temporary_folders import temporary_folder
from matinee.feedback.change_index import ChangeIndex
from matinee.feedback.history import person_of
from matinee.lists.ruled_lists import ListMaker
from matinee.models import Model
from matinee.server.presenters.recommendations import DIGITS, SCORE_DIGITS, ListRequest
from matinee.server.snapshot import ModelSnapshot

Columns = dict[str, list[object]]

COLUMNS = ("user_id", "rank", "item_id", "title", "year", "score", "predicted")
USERS_AT_ONCE = 128


@dataclass(frozen=True)
class ListExport:
    """The lists of some users, one row for each place of a list."""

    snapshot: ModelSnapshot
    changes: ChangeIndex
    users: Sequence[str]
    candidates: np.ndarray  # item rows, ascending: those that the rules allow
    request: ListRequest

    def blocks(self) -> Iterator[Columns]:
        """Columns ``user_id, rank, item_id, title, year, score, predicted``, block by block."""
        request = self.request
        ranker = request.model_of(self.snapshot).ranker
        maker = ListMaker(ranker, request.rules, self.candidates, request.exclude_seen)
        for first in range(0, len(self.users), USERS_AT_ONCE):
            yield self._block(ranker, maker, self.users[first : first + USERS_AT_ONCE])

    def _block(self, ranker: Model, maker: ListMaker, users: Sequence[str]) -> Columns:
        model = self.snapshot.model
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of rated items that the model does not know
            people = [person_of(model, self.changes, user) for user in users]
        lists = maker.lists(ranker.from_stars(people), self.request.n)
        columns: Columns = {name: [] for name in COLUMNS}
        for place, (user, person) in enumerate(zip(users, people, strict=True)):
            rows = lists.rows[place][lists.filled[place]]
            items = model.items.ids[rows].tolist()
            columns["user_id"] += [user] * len(rows)
            columns["rank"] += range(1, len(rows) + 1)
            columns["item_id"] += items
            known = [model.catalog[item] for item in items]
            columns["title"] += [item.title for item in known]
            columns["year"] += [item.year for item in known]
            scores = lists.scores[place][: len(rows)].astype(float)
            columns["score"] += scores.round(SCORE_DIGITS).tolist()
            predicted = model.predicted(person, rows).astype(float)
            columns["predicted"] += predicted.round(DIGITS).tolist()
        return columns


def to_ndjson(export: ListExport) -> Iterator[bytes]:
    """One JSON object a line, sent as they are made."""
    for block in export.blocks():
        rows = zip(*block.values(), strict=True)
        yield b"".join(to_json(dict(zip(block, row, strict=True))) + b"\n" for row in rows)


def to_parquet(export: ListExport) -> Iterator[bytes]:
    """A Parquet file, sent when it is whole, as its index comes last."""
    with temporary_folder(prefix="matinee-export-") as folder:
        path = folder / "lists.parquet"
        write_table(path, export.blocks())
        with path.open("rb") as file:
            while piece := file.read(COPIED_AT_ONCE):
                yield piece


class ExportFormat(NamedTuple):
    """A format of exported lists."""

    media_type: str
    write: Callable[[ListExport], Iterator[bytes]]


FORMATS: Mapping[str, ExportFormat] = {
    "ndjson": ExportFormat("application/x-ndjson", to_ndjson),
    "parquet": ExportFormat("application/vnd.apache.parquet", to_parquet),
}


def started(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same pieces, the first of them made now, so that its errors precede the response."""
    first = next(pieces, b"")
    return chain([first], pieces)
