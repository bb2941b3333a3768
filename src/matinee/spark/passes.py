"""What tasks do in a pass: solve the users of their blocks, and hand on what items need of them.

Users' factors that a later pass or the model needs stay in files beside the blocks, one a block,
which the tasks write and read; nothing of a user's passes the driver.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from matinee.kernels.normal_sums import NormalSums, flush
from matinee.kernels.rows import by_columns
from matinee.models.rotation import times_turn
from matinee.models.tensors import map_tensors
from matinee.row_solvers.embeddings import Embeddings
from matinee.spark.blocks import Block, Shelf
from matinee.spark.files import Arrays, from_bytes, to_bytes, write_arrays
from matinee.training.alternating import Alternation, implicit_products, implicit_rows
from matinee.training.epochs import error_of_rows, first_rows
from matinee.training.gathering import Gathering, Sums, learn_item_implicit

if TYPE_CHECKING:
    import pyarrow as pa

Batches = Iterator["pa.RecordBatch"]
SUMS = "range int, task int, payload binary"
SOLVED = "range int, payload binary"


@dataclass(frozen=True)
class Kept:
    """Users' factors in files, one a block, and how they are to be turned."""

    folder: Path
    turn: np.ndarray | None = None

    def read(self, block: int) -> Embeddings:
        """The users of a block."""
        arrays = map_tensors(self.folder / str(block))
        factors = arrays["factors"]
        return Embeddings(
            factors if self.turn is None else times_turn(factors, self.turn), arrays["bias"]
        )

    def write(self, block: int, side: Embeddings) -> None:
        """Keep the users of a block."""
        arrays = {"factors": side.factors, "bias": side.bias}
        write_arrays(self.folder, arrays, lambda _: str(block))


@dataclass(frozen=True, eq=False)
class Pass:
    """One pass over the users, as it is sent to the tasks."""

    plan: Alternation
    number: int
    mean: float
    n_users: int
    shelf: Shelf
    items: Embeddings
    kept: Kept  # the users of this pass
    before: Kept  # those of the pass before it
    begun: Kept | None  # those that the first factors grow from, where there are any
    tasks: int  # side by side
    threads: int  # of each

    @property
    def last(self) -> bool:
        """Whether it gives the users of the model."""
        return self.number == self.plan.n_epochs

    def keeps(self, n_rounds: int) -> bool:
        """Whether its users are looked at again."""
        return self.last or n_rounds > 1 or (self.plan.nonnegative and self.number > 0)

    def users_of(self, block: Block) -> Embeddings:
        """The users of a block after this pass."""
        plan, n = self.plan, len(block.rated.counts)
        users = Embeddings.zeros(n, plan.n_factors)
        if plan.nonnegative and self.number > 1:  # each row begins where it was
            users.fill(self.before.read(block.number))
        elif self.number == 0 or plan.nonnegative:
            begun = None if self.begun is None else self.begun.read(block.number)
            first_rows(plan, users, 0, block.first, block.rated.counts > 0, begun)
        if self.number:
            plan.fit_users.solve(block.rated, self.mean, self.items, users)
        return users

    def with_implicit(self, block: Block, users: Embeddings) -> Embeddings:
        """The users of a block with what their choice of items says, where it counts."""
        if self.plan.implicit_reg is None:
            return users
        if not self.number:
            return users.with_implicit()
        rows = implicit_rows(block.rated, self.items, self._implicit_products)
        return users._replace(implicit=rows)

    @cached_property
    def _implicit_products(self) -> np.ndarray:
        return implicit_products(self.items, cast(float, self.plan.implicit_reg))


@dataclass(frozen=True)
class Round:
    """The items whose normal equations are summed at once: all, or as many as there is room for."""

    number: int
    of: int
    items: np.ndarray  # (n,) rows
    per_range: int  # items whose sums meet at one place


def use_threads(n: int) -> None:
    """Let the kernels of this process use so many threads from now on."""
    os.environ["MATINEE_THREADS"] = str(n)


def gather(here: Pass, turn: Round, batches: Batches) -> Batches:
    """A task: solve the users of its blocks, and hand on what the items of a round need of them.

    Columns ``range, task, payload``. Each row has the sums over users that all items share.
    """
    use_threads(here.threads)
    plan, items = here.plan, turn.items
    gathering = Gathering.of(plan, here.mean, items, len(here.items.bias))
    found = Sums.zeros(len(items), plan.n_factors, plan.implicit_reg is not None)
    error, task = 0.0, -1
    for block in here.shelf.blocks(batches):
        task = block.number if task < 0 else task
        if turn.number == 0:
            users = here.users_of(block)
            if here.number and plan.stars:
                error += error_of_rows(block.rated, here.mean, users, here.items)
            if here.keeps(turn.of):
                here.kept.write(block.number, users)
        else:
            users = here.kept.read(block.number)
        users = here.with_implicit(block, users)
        slots = None if gathering.whole else gathering.slots
        by_item = by_columns(block.rated, len(items), slots)
        found.add(by_item, users)
        gathering.add(block.rated, users, by_item)
    if task < 0:
        return
    flush(gathering.sums)
    common = {"of_factors": found.of_factors, "of_implicit": found.of_implicit}
    common["error"] = np.array([error])
    for number in range(-(-len(items) // turn.per_range)):
        data = _partial(gathering.sums, found, number * turn.per_range, turn.per_range)
        yield _row(number, task, to_bytes(**data, **common))


def _partial(sums: NormalSums, found: Sums, first: int, n: int) -> Arrays:
    """What is summed of n items of a round, from a place on; in single precision."""
    places = np.flatnonzero(sums.n[first : first + n]) + first
    more = {}
    if len(found.factors):
        more = {"S": found.factors, "T": found.implicit}
    whole = {"A": sums.A, "b": sums.b, **more}
    single = {name: array[places].astype(np.float32) for name, array in whole.items()}
    return {"places": places, "n": sums.n[places], **single}


def _row(number: int, task: int, data: bytes) -> "pa.RecordBatch":
    import pyarrow as pa

    columns = {
        "range": pa.array([number], pa.int32()),
        "task": pa.array([task], pa.int32()),
        "payload": pa.array([data], pa.binary()),
    }
    return pa.RecordBatch.from_pydict(columns)


def solver(here: Pass, turn: Round) -> Callable[[Any, "pa.Table"], "pa.Table"]:
    """What adds up the sums of a range of items, in the order of tasks, and solves them."""

    def solve(key: Any, table: "pa.Table") -> "pa.Table":
        import pyarrow as pa

        use_threads(1)  # others are solved beside it
        payloads = table.sort_by("task").column("payload").to_pylist()
        return pa.Table.from_batches([_solved(here, turn, key[0].as_py(), payloads)])

    return solve


def gather_and_solve(here: Pass, turn: Round, batches: Batches) -> Batches:
    """What ``gather`` and ``solver`` do, where one task has all users and nothing need be sent."""
    for sums in gather(here, turn, batches):
        yield _solved(here, turn, sums.column(0)[0].as_py(), sums.column(2).to_pylist())


def _solved(here: Pass, turn: Round, number: int, payloads: list[bytes]) -> "pa.RecordBatch":
    """A range of items, of what tasks have summed."""
    import pyarrow as pa

    first = number * turn.per_range
    rows = turn.items[first : first + turn.per_range]
    data = to_bytes(**_solve_items(here, rows, first, map(from_bytes, payloads)))
    columns = {"range": pa.array([number], pa.int32()), "payload": pa.array([data], pa.binary())}
    return pa.RecordBatch.from_pydict(columns)


def _solve_items(here: Pass, rows: np.ndarray, first: int, parts: Iterable[Arrays]) -> Arrays:
    """Items in some rows, of the sums that tasks have found; ``first`` is where they begin."""
    plan, n = here.plan, len(rows)
    gathering = Gathering.of(plan, here.mean, np.arange(n), n)
    found = Sums.zeros(n, plan.n_factors, plan.implicit_reg is not None)
    error = np.zeros(1)
    for part in parts:
        at = part["places"] - first
        for name in ("A", "b", "n"):
            getattr(gathering.sums, name)[at] += part[name]
        for name in ("of_factors", "of_implicit"):
            getattr(found, name)[:] += part[name]
        if "S" in part:
            found.factors[at] += part["S"]
            found.implicit[at] += part["T"]
        error += part["error"]
    items = here.items.take(rows)
    gathering.solve(found, here.n_users, items)
    learn_item_implicit(plan, found, items)
    solved = {"factors": items.factors, "bias": items.bias}
    if items.implicit is not None:
        solved["implicit"] = items.implicit
    return solved | {"rows": rows, "counts": gathering.sums.n, "error": error}


def finish(here: Pass, batches: Batches) -> Batches:
    """A task of the last pass: solve and keep its users, and hand on their moments and error."""
    use_threads(here.threads)
    plan = here.plan
    found, total = Sums.zeros(0, plan.n_factors, False), np.zeros(plan.n_factors)
    error, task = 0.0, -1
    for block in here.shelf.blocks(batches):
        task = block.number if task < 0 else task
        users = here.users_of(block)
        if plan.stars:
            error += error_of_rows(block.rated, here.mean, users, here.items)
        if plan.finish is not None:
            plan.finish.solve(block.rated, here.mean, here.items, users)
        here.kept.write(block.number, users)
        found.add(None, users)
        total += users.factors.sum(axis=0, dtype=np.float64)
    if task >= 0:
        error_ = np.array([error])
        yield _row(0, task, to_bytes(second=found.of_factors, first=total, error=error_))
