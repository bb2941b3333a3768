"""Whether a device has the memory that a fit needs: asked before anything is fitted."""

from bisect import bisect_right
from typing import Protocol, Self

from matinee.data.ratings import Ratings
from matinee.display.optional import Optional
from matinee.display.plain_data import JsonMapping, JsonObject
from matinee.errors import Advice, Remedy, Setting
from matinee.kernels.device_rows import batch_memory
from matinee.kernels.devices import (
    IN_MEMORY,
    accelerator,
    check_memory,
    free_memory,
    training_device,
)

ON_PROCESSOR = (
    Advice('with matinee.on_device("cpu"):', "--device cpu"),
    " trains in the memory of the machine",
)


class FitsOnDevice(Protocol):
    """What is asked of an algorithm."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def extra(self) -> Optional | None:
        """What its networks are trained by, where it has any."""

    @property
    def settings(self) -> JsonObject:
        """The hyper-parameters by name."""

    def with_settings(self, settings: JsonMapping) -> Self:
        """The algorithm with other settings."""

    def device_memory(self, train: Ratings) -> int:
        """Bytes that a fit needs at least; 0 where it needs no device."""


def check_device_memory(
    algorithm: FitsOnDevice, train: Ratings, smaller: tuple[str, ...] = ()
) -> None:
    """Raise BadSetting where the device, if there is one, has too little memory free for a fit.

    The first of the settings ``smaller`` of which a lower value suffices is named with the highest
    value that fits.
    """
    is_network = algorithm.extra is not None
    device = training_device() if is_network else accelerator()
    if device is None:
        return
    needed, free = algorithm.device_memory(train), free_memory(device)
    remedy: tuple[str | Remedy, ...] = ON_PROCESSOR if is_network else IN_MEMORY
    for setting in smaller if needed > free else ():
        if highest := highest_that_fits(algorithm, train, setting, free):
            remedy = Setting(setting, highest), " fits, or ", *remedy
            break
    check_memory(device, needed, f"a fit of {algorithm.name}", remedy)


def highest_that_fits(algorithm: FitsOnDevice, train: Ratings, setting: str, free: float) -> int:
    """The highest value below the present one with which a fit needs at most ``free`` bytes, or 0.

    Memory grows with the setting, whose least value is 1.
    """
    lower = range(1, algorithm.settings[setting])
    return bisect_right(
        lower,
        free,
        key=lambda value: algorithm.with_settings({setting: value}).device_memory(train),
    )


def row_solve_memory(train: Ratings, d: int) -> int:
    """Bytes that row solves in ``d`` unknowns need, of users and of items."""
    return batch_memory(longest_row(train), d)


def longest_row(train: Ratings) -> int:
    """Most ratings of a user or of an item."""
    return int(max(train.user_counts.max(initial=0), train.item_counts.max(initial=0)))
