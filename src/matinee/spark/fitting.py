"""Alternating fits on Spark: users are solved where their ratings lie, items where sums meet.

In each pass a task solves the users of its blocks on the items it was sent, and gathers the items'
normal equations, all its blocks together. These go once, by ranges of items, to those who add them
up, in the order of blocks, and solve them. The driver sees the items' factors, and sums over users
of the size of one matrix.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from matinee.algorithms.alternating import Alternation, implicit_products, implicit_rows
from matinee.algorithms.base import Algorithm, Epoch, OnEpoch, quiet
from matinee.algorithms.epochs import draw_factors, squared_errors
from matinee.algorithms.gathering import Gathering, Sums, by_columns
from matinee.errors import BadSetting, Diverged
from matinee.kernels.normal_sums import NormalSums, flush
from matinee.models.factor import FactorModel
from matinee.models.fold_in.sums import regressed
from matinee.models.side import Side
from matinee.ratings import Ratings
from matinee.spark.blocks import (
    SCHEMA,
    Numbered,
    clean,
    from_bytes,
    number,
    pack,
    payloads,
    rows_of,
    to_bytes,
)  # fmt: skip
from matinee.spark.state import State

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

ITEMS_PER_RANGE = 512  # whose sums meet at one place
OF_ALL = -1  # the number of what is summed over all items
Batches = Iterator["pa.RecordBatch"]


@dataclass(frozen=True, eq=False)
class Pass:
    """One pass over the users, as it is sent to the tasks."""

    plan: Alternation
    number: int
    mean: float
    n_users: int
    items: Side

    def users_of(self, first: int, rated: Any) -> Side:
        """The users of a block after this pass."""
        plan = self.plan
        users = Side.zeros(len(rated.counts), plan.n_factors)
        if not self.number:
            draw_factors(users.factors, plan.init_scale, plan.seed, 0, first)
        else:
            plan.fit_users.solve(rated, self.mean, self.items, users)
        if plan.implicit_reg is None:
            return users
        if not self.number:
            return users.with_implicit()
        A = implicit_products(self.items, plan.implicit_reg)
        return users._replace(implicit=implicit_rows(rated, self.items, A))


def fit(
    algorithm: Algorithm,
    frame: "DataFrame",
    *,
    folder: str | Path | None = None,
    resume: bool = False,
    on_epoch: OnEpoch = quiet,
) -> FactorModel:
    """``algorithm.fit`` for a Spark DataFrame: the same factors, whatever the number of partitions.

    ``frame`` has the columns user_id, item_id, rating, and maybe timestamp; ids of any type. Rows
    with something missing are set aside, with a warning; of several rows of a pair the last is
    kept. ``folder``, which all executors can reach, holds the packed ratings and the state after
    each pass, from which ``resume`` goes on. The model is returned to the driver.

    Raises BadSetting for an algorithm that cannot, BadRatings for a frame without ratings.
    """
    algorithm = algorithm.for_blocks
    plan = algorithm.alternation
    if plan.nonnegative:
        raise BadSetting(
            "nmf does not run on Spark yet, as its users go on from where they were; fit it on "
            "packed ratings (matinee.pack, then fit_packed)"
        )
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="matinee-") as temporary:
            return fit(algorithm, frame, folder=temporary, on_epoch=on_epoch)
    state = State(Path(folder), algorithm)
    numbered, blocks = state.blocks(frame, lambda: _packed(frame), resume)
    mean = numbered.mean if plan.centered else 0.0
    items, first = state.items(plan, len(numbered.items), resume)
    for epoch in range(first, plan.n_epochs):
        here = Pass(plan, epoch, mean, len(numbered.users), items)
        items, rmse = _items_after(here, blocks, numbered)
        if epoch:
            on_epoch(Epoch(epoch, plan.n_epochs, rmse, None))
        state.save(items, epoch + 1)
    last = Pass(plan, plan.n_epochs, mean, len(numbered.users), items)
    users, ratings, rmse = _users_after(last, blocks, numbered)
    on_epoch(Epoch(plan.n_epochs, plan.n_epochs, rmse, None))
    facts: dict[str, Any] = {"n_epochs_run": plan.n_epochs}
    return algorithm.model(
        ratings, mean, users, items, plan.fit_users,
        facts=facts | ({} if rmse is None else {"train_rmse": rmse}),
        unrated_items_learned=plan.unrated_learned, item_fold=plan.item_fold,
    )  # fmt: skip


def _packed(frame: "DataFrame") -> tuple[Numbered, "DataFrame"]:
    rows = clean(frame).persist()
    numbered = number(rows)
    return numbered, pack(rows, numbered)


def _items_after(here: Pass, blocks: "DataFrame", numbered: Numbered) -> tuple[Side, float | None]:
    """The next items, and the training RMSE of this pass."""
    partials = blocks.mapInArrow(partial(_gather, here), "range int, task int, payload binary")
    partials = partials.persist()
    try:
        total = Sums.zeros(0, here.plan.n_factors, False)
        error = 0.0
        found = partials.where(f"range = {OF_ALL}").orderBy("task").collect()
        for row in found:
            sums = from_bytes(row["payload"])
            total.of_factors[:] += sums["of_factors"]
            total.of_implicit[:] += sums["of_implicit"]
            error += float(sums["error"])
        solved = (
            partials.where(f"range <> {OF_ALL}")
            .groupBy("range")
            .applyInArrow(_solver(here, total), SCHEMA)
        )
        items = here.items.copy()
        for row in solved.toLocalIterator():
            part = from_bytes(row["payload"])
            rows = part.pop("items")
            for name, values in part.items():
                getattr(items, name)[rows] = values
    finally:
        partials.unpersist()
    if not np.isfinite(items.factors).all():
        raise Diverged(f"the fit diverged in epoch {here.number + 1}; {here.plan.remedy}")
    rmse = float(np.sqrt(error / numbered.n_ratings)) if here.plan.stars else None
    return items, rmse


def _gather(here: Pass, batches: Batches) -> Batches:
    """A task: solve the users of its blocks, and hand on what items need of them."""
    import pyarrow as pa

    os.environ.setdefault("MATINEE_THREADS", "1")
    plan, n_items = here.plan, len(here.items.bias)
    gathering = Gathering.of(plan, here.mean, np.arange(n_items), n_items)
    found = Sums.zeros(n_items, plan.n_factors, plan.implicit_reg is not None)
    error, task = 0.0, -1
    for block, payload in sorted(payloads(batches), key=lambda pair: pair[0]):
        first, rated = rows_of(payload)
        task = block if task < 0 else task
        users = here.users_of(first, rated)
        if here.number and plan.stars:
            error += squared_errors(rated, here.mean, users, here.items)
        by_item = by_columns(rated, None, n_items)
        found.add(by_item, users)
        gathering.add(rated, users, by_item)
    if task < 0:
        return
    flush(0, n_items, gathering.sums)
    rows = [(OF_ALL, to_bytes(of_factors=found.of_factors, of_implicit=found.of_implicit,
                              error=np.array(error)))]  # fmt: skip
    for first in range(0, n_items, ITEMS_PER_RANGE):
        part = np.flatnonzero(gathering.sums.n[first : first + ITEMS_PER_RANGE]) + first
        if len(part):
            sums = gathering.sums
            more = {}
            if plan.implicit_reg is not None:
                more = {"S": found.factors[part], "T": found.implicit[part]}
            data = to_bytes(items=part, A=sums.A[part], b=sums.b[part], n=sums.n[part], **more)
            rows.append((first // ITEMS_PER_RANGE, data))
    for number_, data in rows:
        yield pa.RecordBatch.from_pydict(
            {"range": pa.array([number_], pa.int32()), "task": pa.array([task], pa.int32()),
             "payload": pa.array([data], pa.binary())}
        )  # fmt: skip


def _solver(here: Pass, total: Sums) -> Callable[[Any, "pa.Table"], "pa.Table"]:
    """What adds up the sums of a range of items, in the order of tasks, and solves them."""

    def solve(key: Any, table: "pa.Table") -> "pa.Table":
        import pyarrow as pa

        plan, n_items = here.plan, len(here.items.bias)
        with_implicit = plan.implicit_reg is not None
        first = key[0].as_py() * ITEMS_PER_RANGE
        rows = np.arange(first, min(first + ITEMS_PER_RANGE, n_items))
        gathering = Gathering.of(plan, here.mean, rows, n_items)
        found = Sums.zeros(n_items, plan.n_factors, with_implicit)
        found.of_factors[:], found.of_implicit[:] = total.of_factors, total.of_implicit
        order = np.argsort(table.column("task").to_numpy(), kind="stable").tolist()
        for place in order:
            part = from_bytes(table.column("payload")[place].as_py())
            _add(gathering.sums, found, part, first)
        items = here.items.copy()
        gathering.solve(found, here.n_users, items)
        solved = {"factors": items.factors[rows], "bias": items.bias[rows]}
        if plan.implicit_reg is not None:
            A = found.of_factors + plan.implicit_reg * np.eye(plan.n_factors)
            solved["implicit"] = regressed(found.factors[rows].astype(np.float32), A)
        data = to_bytes(items=rows, **solved)
        return pa.table({"block": pa.array([key[0].as_py()], pa.int32()), "payload": [data]})

    return solve


def _add(sums: NormalSums, found: Sums, part: dict[str, np.ndarray], first: int) -> None:
    items = part["items"]
    for name in ("A", "b", "n"):
        getattr(sums, name)[items - first] += part[name]
    if "S" in part:
        found.factors[items] += part["S"]
        found.implicit[items] += part["T"]


def _users_after(
    here: Pass, blocks: "DataFrame", numbered: Numbered
) -> tuple[Side, Ratings, float | None]:
    """The users' factors, their ratings, and the training RMSE, on the driver."""

    def solve(batches: Batches) -> Batches:
        import pyarrow as pa

        os.environ.setdefault("MATINEE_THREADS", "1")
        for block, payload in payloads(batches):
            first, rated = rows_of(payload)
            users = here.users_of(first, rated)
            error = squared_errors(rated, here.mean, users, here.items)
            more = {"factors": users.factors, "bias": users.bias, "error": np.array(error)}
            data = to_bytes(**more, **payload)
            yield pa.RecordBatch.from_pydict(
                {"block": pa.array([block], pa.int32()), "payload": pa.array([data], pa.binary())}
            )

    users = Side.zeros(here.n_users, here.plan.n_factors)
    parts, error = {}, 0.0
    for row in blocks.mapInArrow(solve, SCHEMA).toLocalIterator():
        part = from_bytes(row["payload"])
        first, rated = rows_of(part)
        span = slice(first, first + len(rated.counts))
        users.factors[span], users.bias[span] = part["factors"], part["bias"]
        parts[row["block"]] = (first, rated, float(part["error"]))
    user, item, rating = [], [], []
    for block in sorted(parts):
        first, rated, wrong = parts[block]
        user.append(np.repeat(np.arange(first, first + len(rated.counts)), rated.counts))
        item.append(rated.indices)
        rating.append(rated.values)
        error += wrong
    columns = (np.concatenate(one) for one in (user, item, rating))
    ratings = Ratings.of(numbered.users, numbered.items, *columns, scale=numbered.scale)
    rmse = float(np.sqrt(error / numbered.n_ratings)) if here.plan.stars else None
    return users, ratings, rmse
