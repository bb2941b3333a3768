"""What a fit reports of its progress: its epochs, and on packed ratings the parts of one."""

from collections.abc import Callable
from typing import NamedTuple

from matinee.display.steps import quiet

__all__ = ["Epoch", "OnEpoch", "OnPart", "quiet"]


class Epoch(NamedTuple):
    """What is known after one pass over the data."""

    number: int  # 1, 2, ...
    n_epochs: int
    train_rmse: float | None  # in stars; None where scores are not ratings
    validation_rmse: float | None


OnEpoch = Callable[[Epoch], None]

OnPart = Callable[[int, int, int], None]
"""Called with the ratings done and the ratings of all passes together, and the epoch."""
