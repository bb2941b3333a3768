"""The only place where compilation is configured; every compiled function uses ``kernel``.

``nogil`` lets our own threads run kernels side by side, ``cache`` keeps the machine code for the
next process. Sums may be reordered so that they vectorise; NaN and infinity keep their meaning,
so bad numbers stay visible.
"""

from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np

from matinee.kernels.code_cache import stamp_with_sources, use_code_cache

FAST_MATH = {"reassoc", "contract", "arcp", "nsz"}  # not nnan, not ninf

CACHE = use_code_cache()
OPTIONS = {"nogil": True, "cache": CACHE, "fastmath": FAST_MATH, "error_model": "numpy"}
COMPILED, INLINED = numba.njit(**OPTIONS), numba.njit(inline="always", **OPTIONS)

Function = TypeVar("Function", bound=Callable[..., object])


def kernel(function: Function) -> Function:
    """A function compiled at its first call, whose code is cached until any kernel changes."""
    return _stamped(function, COMPILED(function))


def inlined(function: Function) -> Function:
    """A part of a kernel, inlined before the kernel is compiled.

    LLVM optimizes a function on its own and again in every caller, up all levels of calls. So
    what is called in one place of a kernel compiles in a fraction of the time when it is inlined.
    """
    return _stamped(function, INLINED(function))


def _stamped(function: Function, dispatcher: object) -> Function:
    compiled = cast(Function, dispatcher)
    if CACHE and compiled is not function:  # it is the same with compilation switched off
        stamp_with_sources(compiled)
    return compiled


def read_only(array: np.ndarray, dtype: type) -> np.ndarray:
    """An array as kernels take their inputs: contiguous, of one type, and read-only.

    numba compiles anew for every kind of argument, so inputs are always of one kind.
    """
    view: np.ndarray = np.ascontiguousarray(array, dtype=dtype).view()
    view.flags.writeable = False
    return view
