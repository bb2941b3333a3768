"""Vectors of users and items with their ids: factors as frames, and for search elsewhere."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from matinee.data.ids import IdMap
from matinee.display.frames import Column, Framed, ids_in_type
from matinee.display.notebook import Grid, Part, Printable
from matinee.display.text import counted
from matinee.row_solvers.embeddings import Embeddings

SHOWN = 5  # vectors, and components, that are printed


@dataclass(frozen=True, eq=False, repr=False)
class Vectors(Framed, Printable):
    """One vector a user or item, in the order of ``ids``; as a frame, a column a component."""

    side: str  # "user" or "item"
    ids: np.ndarray  # (n,) str
    values: np.ndarray  # (n, k) float32
    names: tuple[str, ...]  # of the k components
    id_type: str | None = None  # the integer type that the ids were given in

    def __len__(self) -> int:
        return len(self.ids)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.values, dtype=dtype)

    def __repr__(self) -> str:
        return f"<{len(self.names)}-dimensional vectors of {counted(len(self), self.side)}>"

    def parts(self) -> Iterator[Part]:
        """How many vectors there are, and the first components of the first of them."""
        yield repr(self)
        few = [[f"{value:.3f}" for value in row] for row in self.values[:SHOWN, :SHOWN]]
        rows = [[str(one), *row] for one, row in zip(self.ids, few, strict=False)]
        yield Grid([[f"{self.side}_id", *self.names[:SHOWN]], *rows])

    def frame_columns(self) -> dict[str, Column]:
        ids = {f"{self.side}_id": ids_in_type(self.ids.tolist(), self.id_type)}
        return ids | dict(zip(self.names, np.ascontiguousarray(self.values.T), strict=True))


def factor_vectors(side: str, ids: IdMap, embeddings: Embeddings) -> Vectors:
    """Biases and factors, as they are in a model."""
    values = np.column_stack([embeddings.bias, embeddings.factors])
    names = ("bias", *(f"factor_{n}" for n in range(1, embeddings.n_factors + 1)))
    return Vectors(side, np.asarray(ids[:], dtype=object), values, names, ids.id_type)


def search_vectors(
    side: str, ids: np.ndarray, embeddings: Embeddings, id_type: str | None
) -> Vectors:
    """Vectors whose inner product with those of the other side is the score: biases folded in.

    user (p_u, b_u, 1)        item (q_i, 1, c_i)        product p_u . q_i + b_u + c_i
    """
    one = np.ones(len(embeddings.bias), np.float32)
    ends = (embeddings.bias, one) if side == "user" else (one, embeddings.bias)
    values = np.ascontiguousarray(np.column_stack([embeddings.factors, *ends]), dtype=np.float32)
    names = tuple(f"v{n}" for n in range(1, values.shape[1] + 1))
    return Vectors(side, ids, values, names, id_type)
