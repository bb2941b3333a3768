"""External ids and row numbers: the only place where one becomes the other.

An id is text, exactly as written (``007`` is not ``7``). An int given in Python means its decimal
text. Rows are numbered in the natural order of ids: by value where every id is a whole number,
by text otherwise, so the order of rows in a file never changes a result.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral
from typing import overload

import numpy as np

from matinee.data.texts import Texts
from matinee.display.text import counted
from matinee.errors import MatineeError, Message, UnknownId, did_you_mean

INTEGER_TYPES = [f"{sign}int{size}" for sign in ("", "u") for size in (8, 16, 32, 64)]
WHOLE_NUMBER = re.compile(r"-?[0-9]+")
SUGGEST_AMONG = 20_000  # ids compared when looking for a near miss; keeps a wrong id cheap
UNPACK_BELOW = 200_000  # packed ids up to this number become Python strings at once


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
        return sorted(distinct, key=natural_key)
    return sorted(distinct)


def natural_key(text: str) -> tuple[int, str]:
    """What whole numbers are ordered by: their value, and then as they are written."""
    return int(text), text


@dataclass(frozen=True, eq=False, repr=False)
class IdMap:
    """The ids of all users or all items; ``ids[row]`` is the id of a row, ``row(id)`` its row.

    Millions of ids stay packed, as ``Texts``; a row is then found by halving their order.
    """

    ids: np.ndarray | Texts  # (n,) str, an object array where few; distinct, in natural order
    kind: str  # "user" or "item", for messages
    numeric: bool | None = None  # whether packed ids are whole numbers; None to look at all of them
    id_type: str | None = None  # the integer type they were given in, such as "int64"

    def __repr__(self) -> str:
        first = ", ".join(repr(one) for one in self.ids[:3])
        return f"<{counted(len(self), self.kind)}: {first}{', ...' if len(self) > 3 else ''}>"

    @classmethod
    def of(cls, ids: Iterable[object], kind: str, id_type: str | None = None) -> "IdMap":
        """Number the distinct ids among ``ids`` in natural order."""
        ordered = natural_order(as_id(value) for value in ids)
        array = np.empty(len(ordered), dtype=object)
        array[:] = ordered
        array.flags.writeable = False
        return cls(array, kind, id_type=id_type)

    @classmethod
    def counting(cls, n: int, kind: str) -> "IdMap":
        """The ids 0 .. n - 1, which are in natural order already."""
        return cls.packed(Texts.counting(n), kind, numeric=True, id_type="int64")

    @classmethod
    def packed(
        cls, ids: Texts, kind: str, numeric: bool | None = None, id_type: str | None = None
    ) -> "IdMap":
        """The map of ids that stand in natural order already; few of them are unpacked at once."""
        return cls(ids if len(ids) > UNPACK_BELOW else ids.unpacked(), kind, numeric, id_type)

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {text: row for row, text in enumerate(self.ids.tolist())}

    @property
    def texts(self) -> Texts:
        """The ids packed, as they are stored."""
        return self.ids if isinstance(self.ids, Texts) else Texts.of(self.ids.tolist())

    @cached_property
    def whole_numbers(self) -> bool:
        """Whether all ids are whole numbers."""
        return self.texts.whole_numbers() if self.numeric is None else self.numeric

    def find(self, text: str) -> int:
        """The row of an id, or -1 where it is unknown."""
        if not isinstance(self.ids, Texts):
            return self._row_of.get(text, -1)
        if self.whole_numbers and not WHOLE_NUMBER.fullmatch(text):
            return -1
        key = natural_key if self.whole_numbers else str
        row = bisect_left(self.ids, key(text), key=key)
        return row if row < len(self) and self.ids[row] == text else -1

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[str]:
        return iter(self.ids if isinstance(self.ids, Texts) else self.ids.tolist())

    @overload
    def __getitem__(self, at: int | np.integer) -> str: ...
    @overload
    def __getitem__(self, at: slice | np.ndarray) -> list[str]: ...
    def __getitem__(self, at: int | np.integer | slice | np.ndarray) -> str | list[str]:
        """The id of a row, or those of some rows. Raises IndexError for a row there is not."""
        if isinstance(at, str):
            raise IndexError(f"{at!r} is an id; row({at!r}) is its row")
        ids = self.ids[at]
        return ids if isinstance(ids, str) else list(ids)

    def __contains__(self, value: object) -> bool:
        return self.find(as_id(value)) >= 0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, IdMap) or len(self) != len(other):
            return False
        if isinstance(self.ids, Texts) and isinstance(other.ids, Texts):
            return self.ids == other.ids
        return self.ids is other.ids or all(map(str.__eq__, self, other))

    def row(self, value: object, remedy: Message = ()) -> int:
        """Row number of one id. Raises UnknownId, with remedy and nearest ids, for an unknown."""
        text = as_id(value)
        row = self.find(text)
        if row < 0:
            hint = did_you_mean(text, self.ids[:SUGGEST_AMONG].tolist())
            raise UnknownId(
                f"no {self.kind} {text!r} among the {counted(len(self), self.kind)} known",
                *remedy,
                hint,
            )
        return row

    def rows(self, values: Iterable[object]) -> np.ndarray:
        """Row numbers of many ids: int32 (n,), -1 where an id is unknown."""
        if isinstance(self.ids, Texts):
            return np.fromiter((self.find(as_id(value)) for value in values), dtype=np.int32)
        row_of = self._row_of
        return np.fromiter((row_of.get(as_id(value), -1) for value in values), dtype=np.int32)


def check_ids(ids: IdMap) -> None:
    """Raise ValueError unless ids from a disk are what their map takes them for.

    Few are compared each with each; many are only looked at, as to compare them takes long.
    """
    if ids.id_type is not None and ids.id_type not in INTEGER_TYPES:
        raise ValueError(f"the ids of {ids.kind}s are of no integer type")
    if isinstance(ids.ids, Texts):
        if ids.whole_numbers and not ids.ids.whole_numbers():
            raise ValueError(f"the ids of {ids.kind}s are no whole numbers, though they should be")
    elif len(set(ids.ids.tolist())) < len(ids):
        raise ValueError(f"an id of {ids.kind}s stands there twice")
