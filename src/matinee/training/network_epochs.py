"""Epochs of a network: steps on batches, and early stopping by a measure on a held-out piece."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from matinee.display.plain_data import JsonObject
from matinee.errors import Diverged
from matinee.training.gradient_framework import Adam, Parameters
from matinee.training.progress import Epoch, OnEpoch


@dataclass(frozen=True)
class Schedule:
    """The steps of a fit by gradients."""

    n_epochs: int
    batch_size: int
    learning_rate: float
    seed: int


@dataclass(frozen=True)
class Judge:
    """What tells a better epoch from a worse one."""

    name: str  # of the measure, among what a fit reports
    measure: Callable[[Parameters], float]
    higher_is_better: bool
    patience: int  # epochs without a better one before the fit stops
    in_stars: Callable[[float], float | None] = lambda measure: None  # as an error, where it is one

    def is_better(self, one: float, other: float) -> bool:
        """Whether one measure is better than another."""
        return one > other if self.higher_is_better else one < other


def train_epochs(
    adam: Adam,
    batches: Callable[[], Iterable[tuple[object, ...]]],
    judge: Judge | None,
    how: Schedule,
    on_epoch: OnEpoch,
) -> tuple[Parameters, JsonObject]:
    """The parameters of the best epoch, or the last without a judge; and what to report.

    ``batches`` is called for each epoch, and each of them is a step. Raises Diverged when the loss
    is no longer finite.
    """
    best, best_epoch, best_parameters, number = np.nan, 0, adam.parameters, 0
    for number in range(1, how.n_epochs + 1):
        losses = [adam.step(*batch) for batch in batches()]
        if not np.isfinite(losses).all():
            raise Diverged(
                f"the fit diverged in epoch {number}: its loss is not finite; "
                f"lower learning_rate (now {how.learning_rate})"
            )
        if judge is None:
            on_epoch(Epoch(number, how.n_epochs, None, None))
            continue
        measure = judge.measure(adam.parameters)
        on_epoch(Epoch(number, how.n_epochs, None, judge.in_stars(measure)))
        if not best_epoch or judge.is_better(measure, best):
            best, best_epoch = measure, number
            best_parameters = {name: np.array(one) for name, one in adam.parameters.items()}
        elif number - best_epoch >= judge.patience:
            break
    facts: JsonObject = {"n_epochs_run": number}
    if judge is None:
        return adam.parameters, facts
    return best_parameters, facts | {"best_epoch": best_epoch, judge.name: best}
