"""How a network is trained."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """The steps of a fit by gradients."""

    n_epochs: int
    batch_size: int
    learning_rate: float
    seed: int
