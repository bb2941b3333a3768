"""Whether the machine has the memory that the factors of a fit need: asked before it begins."""

import os

from matinee.algorithms.device_memory import FitsOnDevice
from matinee.data.ratings import Ratings
from matinee.display.text import memory
from matinee.errors import BadSetting, Setting

FACTORS = "n_factors"


def check_host_memory(algorithm: FitsOnDevice, train: Ratings) -> None:
    """Raise BadSetting where the factors alone need more memory than the machine has.

    The value to take is the highest that fits in a quarter of it, or what the data support.
    """
    n_factors = algorithm.settings.get(FACTORS)
    if not isinstance(n_factors, int):
        return
    solves = algorithm.extra is None and algorithm.device_memory(train) > 0  # rows, not a network
    n_rows = train.n_users + train.n_items
    needed, there = factor_memory(n_factors, n_rows, solves), machine_memory()
    if there is None or needed <= there:
        return
    fitting = min(n_factors, train.n_users, train.n_items)
    while fitting > 1 and factor_memory(fitting, n_rows, solves) > there / 4:
        fitting //= 2
    raise BadSetting(
        f"a fit of {algorithm.name} with {FACTORS}={n_factors:,} needs at least {memory(needed)} "
        f"of memory, and the machine has {memory(there)}; ",
        Setting(FACTORS, fitting),
        " fits",
    )


def factor_memory(n_factors: int, n_rows: int, solves: bool) -> int:
    """Bytes of the factors of ``n_rows`` users and items, and of the equations of a row solve."""
    return 4 * n_rows * n_factors + (8 * n_factors**2 if solves else 0)


def machine_memory() -> int | None:
    """Bytes of memory that the machine has, where it says so."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not on every system
        return None
