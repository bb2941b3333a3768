"""Tasks: what the Python workers of executors run."""

import gc
import sys
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import pyarrow as pa

Batches: TypeAlias = "Iterator[pa.RecordBatch]"


def in_task(function: Callable[..., Batches], *inputs: Any) -> Callable[[Batches], Batches]:
    """``function(*inputs, batches)`` as ``mapInArrow`` takes it."""
    return partial(_run, function, inputs)


def _run(function: Callable[..., Batches], inputs: tuple[Any, ...], batches: Batches) -> Batches:
    yield from function(*inputs, batches)
    keep_loaded()


def keep_loaded() -> None:
    """Take the libraries of a worker out of the garbage collector's sight.

    A worker collects garbage after each task, and to walk through what it keeps anyway takes a
    tenth of a second each time: more than the task, where the ratings are few.
    """
    _freeze(len(sys.modules))


@cache
def _freeze(n_modules: int) -> None:
    """Once for each number of modules."""
    gc.collect()
    gc.freeze()
