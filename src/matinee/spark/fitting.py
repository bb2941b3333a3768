"""Alternating fits on Spark: users are solved beside their ratings, items after a reduction.

In each pass a task solves the users of its blocks for the items it was sent, and sums the items'
normal equations over its blocks. These sums are shuffled once, by ranges of items; the tasks that
receive a range add them up in the order of blocks and solve its items. The driver holds the items'
factors only: the tasks write users' factors and ratings into files of the model folder.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from matinee.algorithms.base import Algorithm
from matinee.data.ids import IdMap
from matinee.data.packed import rows_of
from matinee.data.texts import Texts
from matinee.disk.temporary_folders import temporary_folder
from matinee.errors import BadRatings, BadSetting
from matinee.kernels.blas import gram
from matinee.kernels.normal_sums import packed_size
from matinee.models.factor import FactorModel
from matinee.models.rotation import rotated_embeddings
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
from matinee.spark.tasks import in_task
from matinee.spark.users import write_users
from matinee.storage.model_files import MAP_FROM
from matinee.tastes.canonical import Moments, canonical_rotation
from matinee.training.alternating import ANY_TABLE, AlternatingAlgorithm, Alternation
from matinee.training.epochs import diverged
from matinee.training.gathering import MEMORY, rounds
from matinee.training.progress import Epoch, OnEpoch, is_watched, quiet, report

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

MOST_PER_RANGE = 512  # items in a range
BYTES_PER_RANGE = 256 << 20  # that all tasks together may send for a range


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

    ``frame`` has the columns user_id, item_id, rating, and optionally timestamp; ids are of any
    type. Invalid rows are set aside with a warning; of several rows of a pair the last is kept.
    ``folder`` is a path that the driver and all executors share. It holds the packed ratings, the
    state after each pass, from which ``resume`` continues, and the users' part of the model, which
    the tasks write and the model maps. ``memory`` limits the bytes of the items' normal equations
    in a task; where they need more, the items are solved in several rounds.

    Raises BadSetting for an algorithm that cannot be fitted in blocks, BadRatings for a frame
    without ratings or with weights of ratings, MatineeError for the state of another fit, and
    Diverged.
    """
    check_frame("fit", frame)
    if "sample_weight" in frame.columns:
        raise BadRatings(
            "a fit on Spark takes no sample_weight; leave the weights out with "
            'frame.drop("sample_weight"), or fit the ratings in memory'
        )
    algorithm = algorithm.for_blocks
    algorithm.alternation(ANY_TABLE)  # raises before anything is packed
    if "://" in str(folder):
        raise BadSetting(
            f"folder is {folder}; it must be a path under which the driver and all executors "
            "reach the same files, such as one on a shared disk, not an address"
        )
    if folder is None:
        _check_local(frame.sparkSession, resume)
        # a mapped file stays readable after it is unlinked
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
    users: UserFiles  # with the rotation into canonical form
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
        """Run all passes; ``folder`` holds their state."""
        numbered, n_items = self.numbered, len(self.numbered.items)
        plan = algorithm.alternation(numbered.table)
        state = State(folder, algorithm)
        state.begin()
        start = None
        if plan.begin is not None:
            start = self.run(plan.begin, folder / "begin", resume)
        grown = start.items if start else None
        items, counts, first = state.items(plan, n_items, grown, resume)
        mean = numbered.mean if plan.centered else 0.0
        for number_ in range(first, plan.n_epochs + 1):
            step = Pass(
                plan,
                number_,
                mean,
                numbered.n_users,
                self.blocks.block_folder,
                items,
                state.users(number_),
                state.users(number_ - 1),
                start.users if start else None,
                self.tasks,
                self.threads,
                is_watched(on_epoch),
            )
            if step.last:
                break
            items, counts, rmse = self._items_after(step)
            if number_:
                report(Epoch(number_, plan.n_epochs, rmse, None), on_epoch)
            state.save(items, counts, number_ + 1)
        moments, rmse = self._finish(step)
        report(Epoch(plan.n_epochs, plan.n_epochs, rmse, None), on_epoch)
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
        """The next items, their numbers of ratings, and the training RMSE of this pass."""
        items, error = step.items.copy(), 0.0
        counts = np.zeros(len(items.bias), np.int64)
        parts = rounds(step.plan, np.arange(len(items.bias)), self.memory)
        for place, rows in enumerate(parts):
            items_round = Round(place, len(parts), rows, self._per_range(step.plan))
            if self.tasks == 1:
                solved = self.frame.mapInArrow(in_task(gather_and_solve, step, items_round), SOLVED)
            else:
                sums = self.frame.mapInArrow(in_task(gather, step, items_round), SUMS)
                solved = sums.groupBy("range").applyInArrow(solver(step, items_round), SOLVED)
            for row in solved.collect():
                part = from_bytes(row["payload"])
                at = part.pop("rows")
                counts[at] = part.pop("counts")
                of_tasks = float(part.pop("error")[0])
                error += of_tasks if row["range"] == 0 else 0.0  # every range carries the same
                for name, values in part.items():
                    getattr(items, name)[at] = values
        if not np.isfinite(items.factors).all():
            raise diverged(step.number + 1, self.numbered.scale, step.plan.remedy)
        return items, counts, self._rmse(step, error)

    def _finish(self, step: Pass) -> tuple[Moments, float | None]:
        """The last pass: the moments of its users, and its training RMSE."""
        rows = self.frame.mapInArrow(in_task(finish, step), SUMS).collect()
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
        return float(np.sqrt(error / self.numbered.n_ratings)) if step.measured else None

    def _per_range(self, plan: Alternation) -> int:
        """Items per range, so that the sums of all tasks for it fit BYTES_PER_RANGE."""
        d = plan.fit_items.width(plan.n_factors)
        each = 4 * (packed_size(d) + d) * self.tasks
        return int(np.clip(BYTES_PER_RANGE // each, 1, MOST_PER_RANGE))


def _check_local(spark: Any, resume: bool) -> None:
    """Raise BadSetting where a temporary folder is not enough."""
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
    """The model of a fit and the users' arrays that its tasks have written."""
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
    vars(model)["item_counts"] = fitted.item_counts  # counting would read all ratings
    return model
