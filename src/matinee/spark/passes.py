"""The tasks of a pass: solve the users of a block, and sum the items' normal equations.

Users' factors that a later pass or the model needs are in files beside the blocks, one per block,
which the tasks write and read. No data of users go through the driver.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from matinee.kernels.normal_sums import NormalSums, flush
from matinee.kernels.rows import by_columns
from matinee.models.rotation import rotated_factors
from matinee.row_solvers.embeddings import Embeddings
from matinee.spark.blocks import Block, BlockFolder
from matinee.spark.payloads import Arrays, from_bytes, to_bytes, write_arrays
from matinee.spark.tasks import Batches, keep_loaded
from matinee.storage.tensors import map_tensors
from matinee.training.alternating import Alternation, implicit_products, implicit_rows
from matinee.training.epochs import error_of_rows, first_rows
from matinee.training.gathering import Gathering, Sums, learn_item_implicit

if TYPE_CHECKING:
    import pyarrow as pa

SUMS = "range int, task int, payload binary"
SOLVED = "range int, payload binary"


@dataclass(frozen=True)
class UserFiles:
    """Users' factors in files, one per block, and the rotation to apply on reading."""

    folder: Path
    rotation: np.ndarray | None = None

    def read(self, block: int) -> Embeddings:
        """The embeddings of the users of a block."""
        with (self.folder / str(block)).open("rb") as file:
            arrays = map_tensors(file)
        factors = arrays["factors"]
        return Embeddings(
            factors if self.rotation is None else rotated_factors(factors, self.rotation),
            arrays["bias"],
        )

    def write(self, block: int, side: Embeddings) -> None:
        """Write the embeddings of the users of a block."""
        arrays = {"factors": side.factors, "bias": side.bias}
        write_arrays(self.folder, arrays, lambda _: str(block))


@dataclass(frozen=True, eq=False)
class Pass:
    """One pass over the users: the value that is sent to the tasks."""

    plan: Alternation
    number: int
    mean: float
    n_users: int
    block_folder: BlockFolder
    items: Embeddings
    user_files: UserFiles  # of this pass
    previous_files: UserFiles  # of the pass before it
    start: UserFiles | None  # of the fit that this one starts from, where there is one
    tasks: int  # in parallel
    threads: int  # of each
    watched: bool = True  # whether somebody looks at the error of every pass

    @property
    def measured(self) -> bool:
        """Whether its error is of use: it takes a sixth of a pass with few factors."""
        return self.plan.stars and self.number > 0 and (self.watched or self.last)

    @property
    def last(self) -> bool:
        """Whether its users are those of the model."""
        return self.number == self.plan.n_epochs

    def keeps(self, n_rounds: int) -> bool:
        """Whether its users are read again."""
        return self.last or n_rounds > 1 or (self.plan.nonnegative and self.number > 0)

    def users_of(self, block: Block) -> Embeddings:
        """The users of a block after this pass."""
        plan, n = self.plan, len(block.rated.counts)
        users = Embeddings.zeros(n, plan.n_factors)
        if plan.nonnegative and self.number > 1:  # each row starts from its last solution
            users.fill(self.previous_files.read(block.number))
        elif self.number == 0 or plan.nonnegative:
            start = None if self.start is None else self.start.read(block.number)
            first_rows(plan, users, 0, block.first, block.rated.counts > 0, start)
        if self.number:
            plan.fit_users.solve(block.rated, self.mean, self.items, users)
        return users

    def with_implicit(self, block: Block, users: Embeddings) -> Embeddings:
        """The users of a block with their implicit factors, where the algorithm has them."""
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
    """The items whose normal equations are summed at once: all, or as many as memory allows."""

    number: int
    of: int
    items: np.ndarray  # (n,) rows
    per_range: int  # items in a range


def use_threads(n: int) -> None:
    """Set the number of threads of the kernels in this process."""
    os.environ["MATINEE_THREADS"] = str(n)


def gather(step: Pass, items_round: Round, batches: Batches) -> Batches:
    """A task: solve the users of its blocks, and sum the normal equations of a round of items.

    Columns ``range, task, payload``. Each row also holds the sums that all items share.
    """
    use_threads(step.threads)
    plan, items = step.plan, items_round.items
    gathering = Gathering.of(plan, step.mean, items, len(step.items.bias))
    shared_sums = Sums.zeros(len(items), plan.n_factors, plan.implicit_reg is not None)
    error, task = 0.0, -1
    for block in step.block_folder.blocks(batches):
        task = block.number if task < 0 else task
        if items_round.number == 0:
            users = step.users_of(block)
            if step.measured:
                error += error_of_rows(block.rated, step.mean, users, step.items)
            if step.keeps(items_round.of):
                step.user_files.write(block.number, users)
        else:
            users = step.user_files.read(block.number)
        users = step.with_implicit(block, users)
        slots = None if gathering.whole else gathering.slots
        by_item = by_columns(block.rated, len(items), slots)
        shared_sums.add(by_item, users)
        gathering.add(block.rated, users, by_item)
    if task < 0:
        return
    flush(gathering.sums)
    common = {"of_factors": shared_sums.of_factors, "of_implicit": shared_sums.of_implicit}
    common["error"] = np.array([error])
    for number in range(-(-len(items) // items_round.per_range)):
        data = _partial(
            gathering.sums, shared_sums, number * items_round.per_range, items_round.per_range
        )
        yield _row(number, task, to_bytes(**data, **common))


def _partial(sums: NormalSums, shared_sums: Sums, first: int, n: int) -> Arrays:
    """The sums of n items of a round, from index ``first``, in single precision."""
    places = np.flatnonzero(sums.n[first : first + n]) + first
    more = {}
    if len(shared_sums.factors):
        more = {"S": shared_sums.factors, "T": shared_sums.implicit}
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


def solver(step: Pass, items_round: Round) -> Callable[[Any, "pa.Table"], "pa.Table"]:
    """A function that adds the sums of a range of items, in the order of tasks, and solves it."""

    def solve(key: Any, table: "pa.Table") -> "pa.Table":
        import pyarrow as pa

        use_threads(1)  # other ranges are solved in parallel
        payloads = table.sort_by("task").column("payload").to_pylist()
        solved = _solved(step, items_round, key[0].as_py(), payloads)
        keep_loaded()
        return pa.Table.from_batches([solved])

    return solve


def gather_and_solve(step: Pass, items_round: Round, batches: Batches) -> Batches:
    """``gather`` and ``solver`` in one, for a single task with all users: nothing is sent."""
    for sums in gather(step, items_round, batches):
        yield _solved(step, items_round, sums.column(0)[0].as_py(), sums.column(2).to_pylist())


def _solved(step: Pass, items_round: Round, number: int, payloads: list[bytes]) -> "pa.RecordBatch":
    """The solution of a range of items from the sums of all tasks."""
    import pyarrow as pa

    first = number * items_round.per_range
    rows = items_round.items[first : first + items_round.per_range]
    data = to_bytes(**_solve_items(step, rows, first, map(from_bytes, payloads)))
    columns = {"range": pa.array([number], pa.int32()), "payload": pa.array([data], pa.binary())}
    return pa.RecordBatch.from_pydict(columns)


def _solve_items(step: Pass, rows: np.ndarray, first: int, parts: Iterable[Arrays]) -> Arrays:
    """The items ``rows`` solved from the sums of all tasks; ``first`` is the index of the first."""
    plan, n = step.plan, len(rows)
    gathering = Gathering.of(plan, step.mean, np.arange(n), n)
    shared_sums = Sums.zeros(n, plan.n_factors, plan.implicit_reg is not None)
    error = np.zeros(1)
    for part in parts:
        at = part["places"] - first
        for name in ("A", "b", "n"):
            getattr(gathering.sums, name)[at] += part[name]
        for name in ("of_factors", "of_implicit"):
            getattr(shared_sums, name)[:] += part[name]
        if "S" in part:
            shared_sums.factors[at] += part["S"]
            shared_sums.implicit[at] += part["T"]
        error += part["error"]
    items = step.items.take(rows)
    gathering.solve(shared_sums, step.n_users, items)
    learn_item_implicit(plan, shared_sums, items)
    solved = {"factors": items.factors, "bias": items.bias}
    if items.implicit is not None:
        solved["implicit"] = items.implicit
    return solved | {"rows": rows, "counts": gathering.sums.n, "error": error}


def finish(step: Pass, batches: Batches) -> Batches:
    """A task of the last pass: solve and write its users, and emit their moments and error."""
    use_threads(step.threads)
    plan = step.plan
    shared_sums, total = Sums.zeros(0, plan.n_factors, False), np.zeros(plan.n_factors)
    error, task = 0.0, -1
    for block in step.block_folder.blocks(batches):
        task = block.number if task < 0 else task
        users = step.users_of(block)
        if step.measured:
            error += error_of_rows(block.rated, step.mean, users, step.items)
        if plan.finish is not None:
            plan.finish.solve(block.rated, step.mean, step.items, users)
        step.user_files.write(block.number, users)
        shared_sums.add(None, users)
        total += users.factors.sum(axis=0, dtype=np.float64)
    if task >= 0:
        error_ = np.array([error])
        yield _row(0, task, to_bytes(second=shared_sums.of_factors, first=total, error=error_))
