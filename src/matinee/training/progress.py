"""What a fit reports of its progress: its epochs, and on packed ratings the parts of one."""

import logging
from collections.abc import Callable
from typing import NamedTuple

from matinee.display.steps import quiet

__all__ = ["Epoch", "OnEpoch", "OnPart", "is_watched", "quiet", "report"]


class Epoch(NamedTuple):
    """What is known after one pass over the data."""

    number: int  # 1, 2, ...
    n_epochs: int
    train_rmse: float | None  # in stars; None where scores are not ratings
    validation_rmse: float | None


OnEpoch = Callable[[Epoch], None]

log = logging.getLogger("matinee.fit")


def is_watched(on_epoch: OnEpoch) -> bool:
    """Whether anybody learns of what ``report`` tells."""
    return on_epoch is not quiet or log.isEnabledFor(logging.INFO)


def report(epoch: Epoch, on_epoch: OnEpoch) -> None:
    """Tell a callback of an epoch, and the logger ``matinee`` at level INFO."""
    errors = {"training": epoch.train_rmse, "validation": epoch.validation_rmse}
    known = [f", {part} RMSE {error:.4f}" for part, error in errors.items() if error is not None]
    log.info("fit: epoch %d of %d%s", epoch.number, epoch.n_epochs, "".join(known))
    on_epoch(epoch)


OnPart = Callable[[int, int, int], None]
"""Called with the ratings done and the ratings of all passes together, and the epoch."""
