"""Kernels over row ranges, side by side on the machine's cores.

Every call splits its rows into ranges of equal cost and gives each range to one thread. Rows are
independent and each is computed by the same instructions whatever the range, so the result has
the same bits at any number of threads. Only the drivers in this package use it.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from itertools import pairwise
from threading import local

import numpy as np

from matinee.errors import BadSetting

RANGES_PER_THREAD = 4  # a few more than one evens out what the cost estimate misses

_inside = local()  # whether this thread is running a job: jobs within a job run one by one


def n_threads() -> int:
    """Threads to use: ``MATINEE_THREADS`` where it is set, else the cores this process may use.

    Raises BadSetting when the variable is not a whole number of at least 1.
    """
    text = os.environ.get("MATINEE_THREADS")
    if text is None:
        return (
            len(os.sched_getaffinity(0))
            if hasattr(os, "sched_getaffinity")
            else os.cpu_count() or 1
        )
    if not text.isdecimal() or int(text) < 1:
        raise BadSetting(f"MATINEE_THREADS is {text!r}; it must be a whole number of at least 1")
    return int(text)


@cache
def _pool(threads: int, process: int) -> ThreadPoolExecutor:
    # The process id is part of the key: a forked child must not inherit its parent's threads.
    return ThreadPoolExecutor(threads, thread_name_prefix="matinee")


def equal_cost_ranges(cost: np.ndarray, n_ranges: int) -> list[tuple[int, int]]:
    """Split rows 0..len(cost) into at most ``n_ranges`` runs of nearly the same summed cost."""
    total = np.cumsum(cost, dtype=np.float64)
    if len(total) == 0:
        return []
    targets = total[-1] * np.arange(1, n_ranges) / n_ranges
    cuts = np.unique(np.r_[0, np.searchsorted(total, targets) + 1, len(total)])
    cuts = cuts[cuts <= len(total)]
    return [(int(a), int(b)) for a, b in pairwise(cuts)]


def run_all(jobs: list[Callable[[], object]]) -> None:
    """Run jobs that write disjoint outputs, by this thread and those of the pool.

    The pool takes them in order, and this thread, when it has done the first, from the end. The
    jobs of a job run in its own thread: the cores are busy already.
    """
    threads = n_threads()
    if threads == 1 or len(jobs) < 2 or getattr(_inside, "job", False):
        for job in jobs:
            job()
        return
    pool = _pool(threads - 1, os.getpid())
    submitted = [(pool.submit(_run, job), job) for job in jobs[1:]]
    _run(jobs[0])
    for future, job in reversed(submitted):
        if future.cancel():  # no thread has begun it
            _run(job)
        else:
            future.result()


def _run(job: Callable[[], object]) -> None:
    _inside.job = True
    try:
        job()
    finally:
        _inside.job = False


def run_rows(compute: Callable[..., object], cost: np.ndarray, *arrays: object) -> None:
    """Call ``compute(start, stop, *arrays)`` on ranges that together cover every row once.

    ``cost`` (n_rows,) is an estimate of the work per row, in any unit.
    """
    ranges = equal_cost_ranges(cost, n_threads() * RANGES_PER_THREAD)
    run_all([partial(compute, a, b, *arrays) for a, b in ranges])
