"""Lists that this process makes, written so that they can be looked up."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from matinee.disk.table_files import write_table
from matinee.display.frames import Column
from matinee.display.steps import OnStep, quiet
from matinee.list_store.stored_list import FINGERPRINT, is_database
from matinee.lists.user_lists import UserLists

Block = Mapping[str, Column]


def save_lists(lists: UserLists, fingerprint: str, place: str, on_step: OnStep = quiet) -> None:
    """Write the lists of the model with a fingerprint to a .parquet file, or to PostgreSQL.

    They are there when all are. ``on_step`` is that of ``UserLists.save``. Raises BadLists.
    """
    blocks = lists.blocks(on_step)
    if is_database(place):
        from matinee.list_store.database_writing import new_lists

        with new_lists(place, fingerprint) as new:
            new.add(rows_of(blocks))
    else:
        write_table(Path(place), labelled(blocks, fingerprint))


def labelled(blocks: Iterable[Block], fingerprint: str) -> Iterator[Block]:
    """The blocks with a column that says which model made them."""
    for block in blocks:
        yield {**block, FINGERPRINT: [fingerprint] * len(block["user_id"])}


def rows_of(blocks: Iterable[Block]) -> Iterator[tuple[object, object, object]]:
    """User, item and score of one place after another."""
    for block in blocks:
        yield from zip(block["user_id"], block["item_id"], block["score"], strict=True)
