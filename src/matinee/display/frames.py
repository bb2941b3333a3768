"""Columns as frames of pandas, polars and pyarrow, none of which needs to be installed."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from matinee.display.optional import library

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

Column = Sequence[object] | np.ndarray  # one value a row


class Framed:
    """Parent of what converts to frames: it has ``frame_columns``."""

    def frame_columns(self) -> Mapping[str, Column]:
        """The columns of equal length, by name; ids in the types they were given in."""
        raise NotImplementedError

    def to_pandas(self) -> "pd.DataFrame":
        """A pandas DataFrame. Raises MatineeError where pandas is not installed."""
        frame: pd.DataFrame = library("pandas", "to_pandas").DataFrame(self.frame_columns())
        return frame

    def to_polars(self) -> "pl.DataFrame":
        """A polars DataFrame. Raises MatineeError where polars is not installed."""
        columns = {name: _plain(values) for name, values in self.frame_columns().items()}
        frame: pl.DataFrame = library("polars", "to_polars").DataFrame(columns)
        return frame

    def to_arrow(self) -> Any:
        """A pyarrow Table. Raises MatineeError where pyarrow is not installed."""
        arrow = library("pyarrow", "to_arrow")
        columns = self.frame_columns().items()
        return arrow.table({name: arrow.array(_plain(values)) for name, values in columns})


def ids_in_type(ids: Sequence[Any], id_type: str | None) -> Column:
    """Ids as an array of the integer type they were given in; as they are where any is no such."""
    if id_type is None:
        return ids
    try:
        numbers = np.array([int(one) for one in ids], dtype=id_type)
    except (TypeError, ValueError, OverflowError):
        return ids
    same = all(str(one) == text for one, text in zip(numbers.tolist(), ids, strict=True))
    return numbers if same else ids


def _plain(values: Column) -> Column:
    """Numbers as an array, anything else as a list."""
    if isinstance(values, np.ndarray):
        return values.tolist() if values.dtype.kind in "OU" else values
    return list(values)
