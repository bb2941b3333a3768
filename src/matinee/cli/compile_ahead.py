"""A second process that compiles some kernels while this one imports, reads and compiles others.

numba compiles one function at a time in a process, so a second one is what a second core is good
for. Both keep their code in the same cache, where each finds what the other has compiled. The other
begins with the row solve, before this one knows what it will fit. Then it takes the algorithms from
the first and this one from the last, and a kernel that one of them compiles is waited for by the
other: so they meet in between, whatever each takes.
"""

import gc
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import matinee
from matinee.errors import MatineeError
from matinee.garbage import leave_garbage

if TYPE_CHECKING:
    from matinee.algorithms import Algorithm
    from matinee.models import Model
    from matinee.splitting import Split

TINY = 60  # users and items of the table that is fitted
FEW = {"n_epochs": 2, "burn_in": 1, "n_samples": 1}  # so that it is quick
WITH_PARTS = ("neural-mf", "hybrid", "content")  # a framework, or a catalog
PROGRAM = "from matinee.cli.compile_ahead import main; main()"
ONE_BLAS_THREAD = {"OPENBLAS_NUM_THREADS": "1"}  # the other core is this process's


@contextmanager
def compiling_ahead() -> Iterator["Ahead"]:
    """Meanwhile compile elsewhere the row solve, and then what is shared by ``Ahead.share``.

    There is another process only where there are two cores, and a cache that has no code yet. It
    ends with the block; what it has compiled stays in the cache.
    """
    from matinee.kernels.machine import can_compile_ahead

    ahead = Ahead(start() if can_compile_ahead() else None)
    try:
        yield ahead
    finally:
        ahead.end()


@dataclass
class Ahead:
    """Another process that compiles, if there is one, and what this one compiles meanwhile."""

    process: subprocess.Popen[bytes] | None
    here: Sequence[str] = ()  # algorithms

    def share(self, names: Sequence[str]) -> None:
        """Let the other process compile what fits of these algorithms need, in their order.

        This one takes them from the last to the second: the first is left to the fit itself.
        Without any the other process ends.
        """
        if self.process is None:
            return
        if not names:
            self.end()
            return
        self.here = names[:0:-1]
        assert self.process.stdin is not None
        with suppress(OSError):  # it has ended, for a reason of its own
            self.process.stdin.write(" ".join(names).encode())
            self.process.stdin.close()

    def compile_here(self) -> None:
        """Compile this process's part of what is shared."""
        compile_fits(self.here)

    def end(self) -> None:
        """End the other process."""
        if self.process is not None:
            self.process.terminate()
            self.process.communicate()


def needed(algorithm: "Algorithm | None") -> tuple[str, ...]:
    """The algorithms that a fit comes to, where it is worth compiling them side by side.

    None stands for the default, which the ratings decide: that for stars.
    """
    if algorithm is None:
        return "mf", "implicit-als", "slim"
    choosers = [one.name for one in getattr(algorithm, "choosers", ())]
    if not choosers and algorithm.name not in ("implicit-als", "bpr"):
        return ()
    own = [] if algorithm.name in WITH_PARTS else [algorithm.name]
    return tuple(dict.fromkeys([*own, *choosers]))


def main() -> None:
    """Compile the row solve, and then what the algorithms that are read need."""
    gc.disable()  # it ends soon
    compile_row_solve()
    names = sys.stdin.read().split()
    compile_fits(names)
    compile_fits(names, reasons)
    leave_garbage()


def compile_row_solve() -> None:
    """Compile what takes longest and nearly all fits come to, before the imports of their own."""
    import numpy as np

    from matinee.data.rows import Rows
    from matinee.row_solvers import LeastSquares
    from matinee.row_solvers.embeddings import Embeddings

    rated = Rows(np.array([0, 1]), np.zeros(1, np.int32), np.zeros(1, np.float32))
    LeastSquares(reg=1.0).solve(rated, 0.0, Embeddings.zeros(1, 1), Embeddings.zeros(1, 1))


def scores_and_lists(model: "Model") -> None:
    """Ask a model for what its measurement asks."""
    import numpy as np

    model.score_block(np.zeros(1, np.int32))
    model.score_rows(np.zeros(1, np.int32), np.zeros(1, np.int32))
    model.recommend(model.users.ids[0], 1)


def reasons(model: "Model") -> None:
    """Ask a model for an explanation."""
    model.explain(model.users.ids[0], model.items.ids[0])


def compile_fits(names: Sequence[str], ask: Callable[["Model"], None] = scores_and_lists) -> None:
    """Compile or load what fits of these algorithms need, and what is asked of their models."""
    from matinee.algorithms import ALGORITHMS

    train = tiny_split().train
    for name in names:
        with suppress(MatineeError, ImportError), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a tiny table gives reasons to warn
            ask(quick(ALGORITHMS[name]().for_stars).fit(train))


def compile_for(algorithm: "Algorithm") -> None:
    """Compile or load what a fit needs, and its lists: do both quickly on a tiny table."""
    from matinee.evaluation.model_quality import fit_and_measure

    fit_and_measure(quick(algorithm), tiny_split())


def tiny_split() -> "Split":
    """A table just large enough for all kernels to run."""
    from matinee.sources.synthetic import checkerboard
    from matinee.splitting import random

    return random(checkerboard(TINY))


def quick(algorithm: "Algorithm") -> "Algorithm":
    """The algorithm with few epochs, and what learns the choices for its lists likewise."""
    changes: dict[str, object] = {one: n for one, n in FEW.items() if hasattr(algorithm, one)}
    if choosers := getattr(algorithm, "choosers", ()):
        changes["choice"] = tuple(map(quick, choosers))
    return replace(algorithm, **changes)


def start() -> subprocess.Popen[bytes] | None:
    """The other process, which reads names of algorithms; None where none can be started."""
    nowhere = subprocess.DEVNULL
    with suppress(OSError):
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            cwd=Path(matinee.__file__).parents[1],  # which is where it is imported from
            env={**os.environ, **ONE_BLAS_THREAD},
            stdin=subprocess.PIPE,
            stdout=nowhere,
            stderr=nowhere,
        )
    return None
