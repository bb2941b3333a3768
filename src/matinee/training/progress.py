"""What a fit says of itself after each epoch."""

from collections.abc import Callable
from typing import NamedTuple


class Epoch(NamedTuple):
    """What is known after one pass over the data."""

    number: int  # 1, 2, ...
    n_epochs: int
    train_rmse: float | None  # None where scores are no stars
    validation_rmse: float | None


OnEpoch = Callable[[Epoch], None]


def quiet(epoch: Epoch) -> None:
    """Say nothing about an epoch."""
