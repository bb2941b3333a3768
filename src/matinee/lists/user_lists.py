"""The lists of many users, made in blocks when they are read."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from matinee.data.texts import Texts
from matinee.disk.table_files import check_table_file, write_table
from matinee.display.frames import Column, Framed
from matinee.display.notebook import Part, Printable
from matinee.display.steps import OnStep, quiet
from matinee.display.tables import Table
from matinee.display.text import counted

ROWS_AT_ONCE = 1 << 16  # of a block


@dataclass(frozen=True, eq=False, repr=False)
class UserLists(Framed, Printable):
    """A list of ``n`` items for each of ``users``; iterating makes them, block by block.

    Each block is a Table as ``model.recommend`` returns it for several users. ``save`` writes all
    of them to a file in the memory of one block; ``to_pandas`` and the others make one frame.
    """

    users: Sequence[object] | Texts
    n: int
    recommend: Callable[[Sequence[object]], Table]

    @classmethod
    def of(
        cls,
        users: Sequence[object],
        n: int,
        recommend: Callable[..., Table],
        rules: Mapping[str, object],
    ) -> "UserLists":
        """The lists that ``recommend`` makes by these rules. Raises what a first list raises."""
        settled = {
            name: list(value) if isinstance(value, Iterator) else value  # as every block reads it
            for name, value in rules.items()
        }
        recommend = partial(recommend, n=n, **settled)
        recommend(list(users[:1]))
        return cls(users, n, recommend)

    def __len__(self) -> int:
        return len(self.users)

    @property
    def users_at_once(self) -> int:
        """The users of a block."""
        return max(1, ROWS_AT_ONCE // self.n)

    def __iter__(self) -> Iterator[Table]:
        for first in range(0, len(self), self.users_at_once):
            yield self.recommend(list(self.users[first : first + self.users_at_once]))

    def __repr__(self) -> str:
        return f"<lists of {counted(self.n, 'item')} for {counted(len(self), 'user')}>"

    def parts(self) -> Iterator[Part]:
        """How many lists there are, and the first of them."""
        yield repr(self)
        yield self.head()

    def head(self, n_users: int = 3) -> Table:
        """The lists of the first users."""
        return self.recommend(list(self.users[:n_users]))

    def frame_columns(self) -> Mapping[str, Column]:
        columns: dict[str, list[object]] = {}
        for block in self:
            for name, values in block.frame_columns().items():
                columns.setdefault(name, []).extend(
                    values.tolist() if hasattr(values, "tolist") else values
                )
        return columns

    def save(self, path: str | Path, on_step: OnStep = quiet) -> Path:
        """Write all lists to a .parquet or .csv file, which takes its name when it is whole.

        ``on_step`` is called with the users done and those in all. Raises BadSetting for another
        ending, and where there is no such folder.
        """
        path = Path(path)
        check_table_file(path)
        write_table(path, self.blocks(on_step))
        return path

    def blocks(self, on_step: OnStep = quiet) -> Iterator[Mapping[str, Column]]:
        """The columns of one block after another, as frames have them; see ``save``."""
        for place, block in enumerate(self):
            yield block.frame_columns()
            on_step(min((place + 1) * self.users_at_once, len(self)), len(self), "")
