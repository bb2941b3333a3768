"""Lists that this process makes, written so that they can be looked up."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from matinee.disk.table_files import write_table
from matinee.display.frames import Column
from matinee.display.steps import OnStep, quiet
from matinee.list_store.stored_list import FINGERPRINT
from matinee.lists.user_lists import UserLists


def save_lists(lists: UserLists, fingerprint: str, place: str, on_step: OnStep = quiet) -> None:
    """Write the lists of the model with a fingerprint to a .parquet file.

    The file takes its name when it is whole. ``on_step`` is that of ``UserLists.save``.
    """
    write_table(Path(place), labelled(lists.blocks(on_step), fingerprint))


def labelled(
    blocks: Iterator[Mapping[str, Column]], fingerprint: str
) -> Iterator[Mapping[str, Column]]:
    """The blocks with a column that says which model made them."""
    for block in blocks:
        n_rows = len(block["user_id"])
        yield {**block, FINGERPRINT: [fingerprint] * n_rows}
