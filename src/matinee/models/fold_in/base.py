"""What every fold-in can do."""

from typing import Protocol

import numpy as np

from matinee.models.side import Side
from matinee.ratings import Rows
from matinee.tastes.canonical import Freedom


class FoldIn(Protocol):
    """From ratings to a bias and factors, and back to what each rating adds to a score."""

    @property
    def freedom(self) -> Freedom:
        """What may be done to all factors alike so that the fold-in gives the same scores."""

    def solve(self, rated: Rows, mean: float, items: Side, users: Side) -> None:
        """Write into ``users`` the solution of each row of ``rated``; empty rows are left."""

    def parts(
        self, rated: np.ndarray, t: np.ndarray, items: Side, target: int, person: Side
    ) -> np.ndarray:
        """What each rating adds to user_bias + p . q_target: (n,), summing to it.

        ``rated`` (n,) are the rows of the items in the person's history, ``t`` (n,) their ratings
        less mean and item bias, and ``person`` is the solution for them.
        """
