"""The only place where compilation is configured; every compiled function uses ``kernel``.

``nogil`` lets our own threads run kernels side by side, ``cache`` keeps the machine code for the
next process. Sums may be reordered so that they vectorise; NaN and infinity keep their meaning,
so bad numbers stay visible. A first run compiles for seconds; the logger ``matinee.kernels`` says
so when one second has passed.
"""

import gc
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar, cast

import numba
import numpy as np
from numba.core.event import Event, Listener, register

from matinee.kernels.code_cache import compile_once, stamp_with_sources, use_code_cache

FAST_MATH = {"reassoc", "contract", "arcp", "nsz"}  # not nnan, not ninf

CACHE = use_code_cache()
JIT = partial(
    numba.njit,
    nogil=True,
    no_cfunc_wrapper=True,
    cache=CACHE,
    fastmath=FAST_MATH,
    error_model="numpy",
)
COMPILED, INLINED = JIT(), JIT(inline="always")

PATIENCE = 1.0  # seconds of compiling before a line says so

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
        compile_once(compiled)
    return compiled


def read_only(array: np.ndarray, dtype: type) -> np.ndarray:
    """An array as kernels take their inputs: contiguous, of one type, and read-only.

    numba compiles anew for every kind of argument, so inputs are always of one kind.
    """
    view: np.ndarray = np.ascontiguousarray(array, dtype=dtype).view()
    view.flags.writeable = False
    return view


class Compilations(Listener):
    """Follows compilations: what a kernel calls is compiled inside it, and is part of it."""

    def __init__(self) -> None:
        self.depth = 0

    def on_start(self, event: Event) -> None:
        """A kernel begins to be compiled."""
        if self.depth == 0:
            self.begin()
        self.depth += 1

    def on_end(self, event: Event) -> None:
        """It is done."""
        self.depth -= 1
        self.end()

    def begin(self) -> None:
        """What to do before an outermost kernel."""

    def end(self) -> None:
        """What to do after every kernel; ``depth`` is 0 after an outermost one."""


class Notice(Compilations):
    """Logs once that kernels are compiled, when that has taken ``PATIENCE``."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds, self.started, self.done = 0.0, 0.0, False

    def begin(self) -> None:
        self.started = time.monotonic()

    def end(self) -> None:
        passed = self.seconds + time.monotonic() - self.started
        if self.depth == 0:
            self.seconds = passed
        if passed >= PATIENCE and not self.done:
            self.done = True
            when = "once: the code is cached" if CACHE else "at each start: no code is cached"
            logging.getLogger("matinee.kernels").info("compiling, %s", when)


class CollectionPause(Compilations):
    """Collects no garbage while a kernel is compiled.

    A compiler makes many objects that live until it is done; looking through them again and again
    takes an eighth of its time.
    """

    def __init__(self) -> None:
        super().__init__()
        self.was_enabled = False

    def begin(self) -> None:
        self.was_enabled = gc.isenabled()
        gc.disable()

    def end(self) -> None:
        if self.depth == 0 and self.was_enabled:
            gc.enable()


for listener in (Notice(), CollectionPause()):
    register("numba:compile", listener)
