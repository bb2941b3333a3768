"""Alternating fits on Spark: users are solved where their ratings lie, items where sums meet.

In each pass a task solves the users of its blocks on the items it was sent, and gathers the items'
normal equations, all its blocks together. These go once, by ranges of items, to those who add them
up, in the order of blocks, and solve them. The driver sees the items' factors; users' factors and
ratings it never sees: the tasks write them into files of the model folder.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from matinee.algorithms.base import Algorithm
from matinee.data.ids import IdMap
from matinee.data.packed import rows_of
from matinee.data.texts import Texts
from matinee.disk.temporary_folders import temporary_folder
from matinee.errors import BadSetting
from matinee.kernels.blas import gram
from matinee.kernels.normal_sums import packed_size
from matinee.models.factor import FactorModel
from matinee.models.rotation import rotated_embeddings
from matinee.models.storage import MAP_FROM
from matinee.row_solvers.embeddings import Embeddings
from matinee.spark.passes import (
    SOLVED,
    SUMS,
    Pass,
    Round,
    UserFiles,
    finish,
    gather,
    gather_and_solve,
    solver,
)
from matinee.spark.payloads import from_bytes
from matinee.spark.sessions import check_frame, is_local, room_in
from matinee.spark.state import Blocks, State
from matinee.spark.users import write_users
from matinee.tastes.canonical import Moments, canonical_rotation
from matinee.training.alternating import ANY_TABLE, AlternatingAlgorithm, Alternation, TableSummary
from matinee.training.epochs import diverged
from matinee.training.gathering import MEMORY, rounds
from matinee.training.progress import Epoch, OnEpoch, quiet

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

MOST_PER_RANGE = 512  # items whose sums meet at one place
BYTES_PER_RANGE = 256 << 20  # that all tasks together may send to one place


def fit(
    algorithm: Algorithm,
    frame: "DataFrame",
    *,
    folder: str | Path | None = None,
    resume: bool = False,
    memory: int = MEMORY,
    on_epoch: OnEpoch = quiet,
) -> FactorModel:
    """``algorithm.fit`` for a Spark DataFrame: the same factors, whatever the number of partitions.

    ``frame`` has the columns user_id, item_id, rating, and maybe timestamp; ids of any type. Rows
    with something missing are set aside, with a warning; of several rows of a pair the last is
    kept. ``folder``, which the driver and all executors reach under one name, holds the packed
    ratings, the state after each pass, from which ``resume`` goes on, and the users' part of the
    model, which the tasks write and the model maps. ``memory`` is how many bytes the items' normal
    equations may take in a task; where they need more, items take turns in several rounds.

    Raises BadSetting for an algorithm that cannot, BadRatings for a frame without ratings,
    MatineeError for a state of another fit, and Diverged.
    """
    check_frame("fit", frame)
    algorithm = algorithm.for_blocks
    algorithm.alternation(ANY_TABLE)  # refuses before anything is packed
    if "://" in str(folder):
        raise BadSetting(
            f"folder is {folder}; it must be a path under which the driver and all executors "
            "reach the same files, such as one on a shared disk, not an address"
        )
    if folder is None:
        _check_local(frame.sparkSession, resume)
        # a file that is mapped stays readable when its name is gone
        with temporary_folder() as place:
            return fit(algorithm, frame, folder=place / "fit", memory=memory, on_epoch=on_epoch)
    blocks = Blocks.of(Path(folder).absolute(), frame, resume)
    fitting = FitRun(frame.sparkSession, blocks, memory)
    fitted = fitting.run(algorithm, blocks.folder, resume, on_epoch)
    arrays: dict[str, Any] = dict(write_users(fitting.frame, blocks, fitted.users))
    if sum(part.n_bytes for part in arrays["user_factors"].parts) <= MAP_FROM:
        arrays = {name: np.asarray(array) for name, array in arrays.items()}
    return _model(algorithm, blocks, fitted, arrays)


@dataclass(frozen=True, eq=False)
class FitResult:
    """The outcome of a fit."""

    plan: Alternation
    mean: float
    items: Embeddings  # in canonical form
    item_counts: np.ndarray  # (n_items,) int64
    users: UserFiles  # with the rotation that brings them into canonical form
    facts: dict[str, Any]


class FitRun:
    """A fit in progress, on blocks that lie on a cluster."""

    def __init__(self, spark: Any, blocks: Blocks, memory: int) -> None:
        self.blocks, self.numbered, self.memory = blocks, blocks.numbered, memory
        room = room_in(spark)
        self.frame = blocks.frame(spark, room)
        self.tasks, self.threads = room or (len(blocks.sizes), 1)

    def run(
        self,
        algorithm: AlternatingAlgorithm,
        folder: Path,
        resume: bool,
        on_epoch: OnEpoch = quiet,
    ) -> FitResult:
        """All passes; ``folder`` keeps their state."""
        numbered = self.numbered
        n_items = len(numbered.items)
        table = TableSummary(
            numbered.n_ratings,
            numbered.n_users,
            n_items,
            numbered.scale,
            numbered.mean,
            numbered.deviation,
        )
        plan = algorithm.alternation(table)
        state = State(folder, algorithm)
        state.begin()
        begun = None
        if plan.begin is not None:
            begun = self.run(plan.begin, folder / "begin", resume)
        grown = begun.items if begun else None
        items, counts, first = state.items(plan, n_items, grown, resume)
        mean = numbered.mean if plan.centered else 0.0
        for number_ in range(first, plan.n_epochs + 1):
            step = Pass(
                plan,
                number_,
                mean,
                numbered.n_users,
                self.blocks.shelf,
                items,
                state.users(number_),
                state.users(number_ - 1),
                begun.users if begun else None,
                self.tasks,
                self.threads,
            )
            if step.last:
                break
            items, counts, rmse = self._items_after(step)
            if number_:
                on_epoch(Epoch(number_, plan.n_epochs, rmse, None))
            state.save(items, counts, number_ + 1)
        moments, rmse = self._finish(step)
        on_epoch(Epoch(plan.n_epochs, plan.n_epochs, rmse, None))
        facts = {"n_epochs_run": plan.n_epochs, **plan.facts}
        facts |= {} if rmse is None else {"train_rmse": rmse}
        of_items = Moments(
            gram(items.factors) / n_items, items.factors.sum(axis=0, dtype=np.float64) / n_items
        )
        fold = plan.finish or plan.fit_users
        rotation = canonical_rotation(items.factors, counts, moments, of_items, fold.freedom)
        if rotation is not None:
            items = rotated_embeddings(items, rotation)
        users = state.users(plan.n_epochs, rotation)
        return FitResult(plan, mean, items, counts, users, facts)

    def _items_after(self, step: Pass) -> tuple[Embeddings, np.ndarray, float | None]:
        """The next items, their ratings, and the training RMSE of this pass."""
        items, error = step.items.copy(), 0.0
        counts = np.zeros(len(items.bias), np.int64)
        parts = rounds(step.plan, np.arange(len(items.bias)), self.memory)
        for place, rows in enumerate(parts):
            items_round = Round(place, len(parts), rows, self._per_range(step.plan))
            if self.tasks == 1:
                solved = self.frame.mapInArrow(partial(gather_and_solve, step, items_round), SOLVED)
            else:
                sums = self.frame.mapInArrow(partial(gather, step, items_round), SUMS)
                solved = sums.groupBy("range").applyInArrow(solver(step, items_round), SOLVED)
            for row in solved.collect():
                part = from_bytes(row["payload"])
                at = part.pop("rows")
                counts[at] = part.pop("counts")
                of_tasks = float(part.pop("error")[0])
                error += of_tasks if row["range"] == 0 else 0.0  # all ranges have the same
                for name, values in part.items():
                    getattr(items, name)[at] = values
        rmse = self._rmse(step, error) if step.number else None
        if not np.isfinite(items.factors).all():
            raise diverged(step.number + 1, self.numbered.scale, step.plan.remedy)
        return items, counts, rmse

    def _finish(self, step: Pass) -> tuple[Moments, float | None]:
        """The last pass: the moments of its users, and its training RMSE."""
        rows = self.frame.mapInArrow(partial(finish, step), SUMS).collect()
        payloads = [from_bytes(row["payload"]) for row in sorted(rows, key=lambda row: row["task"])]
        second, first, error = (
            np.stack([one[name] for one in payloads]).sum(axis=0)
            for name in ("second", "first", "error")
        )
        n = self.numbered.n_users
        if not np.isfinite(second).all():
            raise diverged(step.number, self.numbered.scale, step.plan.remedy)
        return Moments(second / n, first / n), self._rmse(step, float(error[0]))

    def _rmse(self, step: Pass, error: float) -> float | None:
        return float(np.sqrt(error / self.numbered.n_ratings)) if step.plan.stars else None

    def _per_range(self, plan: Alternation) -> int:
        """Items whose sums meet at one place, all tasks' together."""
        d = plan.fit_items.width(plan.n_factors)
        each = 4 * (packed_size(d) + d) * self.tasks
        return int(np.clip(BYTES_PER_RANGE // each, 1, MOST_PER_RANGE))


def _check_local(spark: Any, resume: bool) -> None:
    """Raise BadSetting where temporary files will not do."""
    if resume:
        raise BadSetting("resume is given without folder; give that of the fit to go on with")
    if not is_local(spark):
        raise BadSetting(
            f"folder is not given; with {spark.conf.get('spark.master')} it must be one that the "
            "driver and all executors reach under the same name"
        )


def _model(
    algorithm: Algorithm,
    blocks: Blocks,
    fitted: FitResult,
    arrays: dict[str, Any],
) -> FactorModel:
    """The model, of the users' arrays that the tasks have written."""
    numbered, plan = blocks.numbered, fitted.plan
    if numbered.levels is not None:
        arrays["seen_levels"] = numbered.levels
    model = FactorModel(
        users=IdMap.packed(Texts(arrays["user_ids"], arrays["user_id_ends"]), "user"),
        items=numbered.items,
        seen=rows_of(arrays),  # type: ignore[arg-type]
        scale=numbered.scale,
        kind=algorithm.kind,
        algorithm=algorithm.name,
        settings=algorithm.settings,
        data_fingerprint=blocks.fingerprint,
        facts=fitted.facts,
        global_mean=fitted.mean,
        user_embeddings=Embeddings(arrays["user_factors"], arrays["user_bias"]),
        item_embeddings=fitted.items.frozen(),
        fold=plan.finish or plan.fit_users,
        item_fold=cast(Any, plan.item_fold),
    )
    vars(model)["item_counts"] = fitted.item_counts  # to count them anew takes long
    return model
