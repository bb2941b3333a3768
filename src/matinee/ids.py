"""External ids and row numbers: the only place where one becomes the other.

An id is text, exactly as written (``007`` is not ``7``). An int given in Python means its decimal
text. Rows are numbered in the natural order of ids: by value where every id is a whole number,
by text otherwise, so the order of rows in a file never changes a result.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral

import numpy as np

from matinee.errors import MatineeError, UnknownId, did_you_mean

WHOLE_NUMBER = re.compile(r"-?[0-9]+")
SUGGEST_AMONG = 20_000  # ids compared when looking for a near miss; keeps a wrong id cheap


def as_id(value: object) -> str:
    """The id that a Python value stands for: text as it is, a whole number as its decimal text.

    Raises MatineeError for anything else (a float or None is never an id).
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Integral) and not isinstance(value, bool):
        return str(int(value))
    raise MatineeError(
        f"an id is text or a whole number, not {type(value).__name__} {value!r}; "
        "convert it to str first"
    )


def natural_order(ids: Iterable[str]) -> list[str]:
    """Distinct ids in natural order: by value where all are whole numbers, else by text."""
    distinct = set(ids)
    if all(WHOLE_NUMBER.fullmatch(text) for text in distinct):
        return sorted(distinct, key=lambda text: (int(text), text))
    return sorted(distinct)


@dataclass(frozen=True, eq=False)
class IdMap:
    """The ids of all users or all items; ``ids[row]`` is the id of a row, ``row(id)`` its row."""

    ids: np.ndarray  # (n,) object array of str, distinct, in natural order
    kind: str  # "user" or "item", for messages

    @classmethod
    def of(cls, ids: Iterable[object], kind: str) -> "IdMap":
        """Number the distinct ids among ``ids`` in natural order."""
        ordered = natural_order(as_id(value) for value in ids)
        array = np.empty(len(ordered), dtype=object)
        array[:] = ordered
        array.flags.writeable = False
        return cls(array, kind)

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {text: row for row, text in enumerate(self.ids.tolist())}

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[str]:
        return iter(self.ids.tolist())

    def __contains__(self, value: object) -> bool:
        return as_id(value) in self._row_of

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IdMap) and (
            self.ids is other.ids or np.array_equal(self.ids, other.ids)
        )

    def row(self, value: object) -> int:
        """Row number of one id. Raises UnknownId, with the nearest ids, when there is none."""
        text = as_id(value)
        try:
            return self._row_of[text]
        except KeyError:
            hint = did_you_mean(text, self.ids[:SUGGEST_AMONG].tolist())
            raise UnknownId(
                f"no {self.kind} {text!r} among the {len(self):,} {self.kind}s known{hint}"
            ) from None

    def rows(self, values: Iterable[object]) -> np.ndarray:
        """Row numbers (int32) of many ids, -1 where an id is unknown."""
        row_of = self._row_of
        return np.fromiter((row_of.get(as_id(value), -1) for value in values), dtype=np.int32)
