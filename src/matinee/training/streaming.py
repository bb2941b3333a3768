"""Fits on packed ratings: one pass over the users for each epoch, in bounded memory.

    pass 0          draw P
    pass e          P = solve(users | Q), block by block
    and on the way  gather the items' normal equations, of which the next Q is solved at its end

The sums and the solves are those of the fit in memory, and so are the factors, to the bit. The
users' factors lie on disk where the next pass needs them, and after each pass the items' do too, so
that an interrupted fit can resume.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from matinee.data.packed import PackedRatings
from matinee.data.rows import Rows
from matinee.disk.locks import folder_lock
from matinee.disk.temporary_folders import temporary_folder
from matinee.display.text import counted
from matinee.errors import MatineeError, Option, Setting
from matinee.kernels.rows import by_columns
from matinee.models.factor import FactorModel
from matinee.row_solvers.embeddings import Embeddings
from matinee.training.alternating import (
    AlternatingAlgorithm,
    Alternation,
    TableSummary,
    fit_fingerprint,
    implicit_products,
    implicit_rows,
)
from matinee.training.checkpoints import BEGINNING, Checkpoints
from matinee.training.dual_items import DualItems
from matinee.training.epochs import diverged, error_of_rows, first_rows, say_if_too_many
from matinee.training.gathering import (
    MEMORY,
    Gathering,
    Sums,
    learn_item_implicit,
    rounds,
)
from matinee.training.progress import Epoch, OnEpoch, OnPart, quiet, report


def fit_packed(
    algorithm: AlternatingAlgorithm,
    ratings: PackedRatings,
    on_epoch: OnEpoch = quiet,
    *,
    folder: str | Path | None = None,
    resume: bool = False,
    memory: int = MEMORY,
    on_part: OnPart = quiet,
) -> FactorModel:
    """``algorithm.fit`` for packed ratings: the same factors, to the bit, in bounded memory.

    ``folder`` holds the state after each epoch, from which ``resume`` continues an interrupted fit;
    by default it is a temporary one. ``memory`` is how many bytes the items' normal equations may
    take; where they need more, an epoch passes over the ratings several times. Users' factors are
    mapped from a file where they are large.

    Raises BadSetting for an algorithm that is not an alternating one, MatineeError for a state of
    another fit or one that another program is at work on, and Diverged.
    """
    algorithm = algorithm.for_blocks
    plan = algorithm.alternation(TableSummary.of(ratings))
    say_if_too_many(plan.n_factors, ratings)
    if folder is None:
        # a file that is mapped stays readable when its name is gone
        with temporary_folder() as temporary:
            state = temporary / "state"
            return fit_packed(
                algorithm, ratings, on_epoch, folder=state, memory=memory, on_part=on_part
            )
    place = Path(folder)
    place.parent.mkdir(parents=True, exist_ok=True)
    checkpoints = Checkpoints(place, fit_fingerprint(algorithm, ratings.fingerprint))
    with folder_lock(place, seconds=0):
        stream = Stream(plan, ratings, checkpoints, memory, on_part)
        return _fit_stream(algorithm, stream, on_epoch, resume)


def _fit_stream(
    algorithm: AlternatingAlgorithm, stream: "Stream", on_epoch: OnEpoch, resume: bool
) -> FactorModel:
    """The model of a fit that begins, or resumes where its state is."""
    plan, ratings, state = stream.plan, stream.ratings, stream.state
    first = state.load(stream.items) if resume else state.begin()
    if first > plan.n_epochs:
        raise MatineeError(
            f"{counted(first - 1, 'epoch')} done already, more than n_epochs={plan.n_epochs}; "
            "resume with ",
            Setting("n_epochs", first),
            " or more, or begin without ",
            Option("resume"),
        )
    rmse = None
    for number in range(first, plan.n_epochs + 1):
        rmse = stream.sweep(number)
        if number < plan.n_epochs:  # the last pass is done again: it gives the users
            state.save(stream.items, number + 1)
        if number:
            report(Epoch(number, plan.n_epochs, rmse, None), on_epoch)
    facts = {"n_epochs_run": plan.n_epochs, **plan.facts}
    facts |= {} if rmse is None else {"train_rmse": rmse}
    users = state.last_users(plan.n_epochs, ratings.n_users, plan.n_factors)
    model = algorithm.model(
        ratings,
        stream.mean,
        users,
        stream.items,
        plan.finish or plan.fit_users,
        facts=facts,
        unrated_items_learned=plan.unrated_learned,
        item_fold=plan.item_fold,
        canonical=False,
    )
    return model.canonical(in_place=True)  # in their file: a copy of them could be too large


@dataclass(frozen=True, eq=False)
class Stream:
    """A fit in progress: the items, which passes improve in place, and what they are fitted to."""

    plan: Alternation
    ratings: PackedRatings
    state: Checkpoints
    memory: int
    on_part: OnPart

    @cached_property
    def mean(self) -> float:
        """What all scores begin with."""
        return self.ratings.mean if self.plan.centered else 0.0

    @cached_property
    def items(self) -> Embeddings:
        """The items' side, as it is drawn."""
        plan, ratings = self.plan, self.ratings
        items = Embeddings.zeros(ratings.n_items, plan.n_factors)
        if plan.implicit_reg is not None:
            items = items.with_implicit()
        self._draw(items, 1, 0, ratings.item_counts > 0)
        return items

    @cached_property
    def begun(self) -> FactorModel | None:
        """The model that the first factors grow from, where there is one."""
        if self.plan.begin is None:
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # too many factors: warned of already
            return fit_packed(
                self.plan.begin,
                self.ratings,
                folder=self.state.folder / BEGINNING,
                resume=True,
                memory=self.memory,
            )

    @cached_property
    def dual_items(self) -> DualItems:
        """The items with so few ratings that they are solved in the dual."""
        return DualItems.of(self.plan, self.ratings)

    @cached_property
    def parts(self) -> Sequence[np.ndarray]:
        """The items solved in the primal, in parts (n,), one for each round of a pass."""
        return rounds(self.plan, self.dual_items.others, self.memory)

    @cached_property
    def gathering(self) -> Gathering:
        """Where the first of the parts is gathered, pass after pass."""
        return self._gathering(self.parts[0])

    def sweep(self, number: int) -> float | None:
        """Pass ``number`` over all users; returns the training RMSE, where there is one."""
        plan, ratings = self.plan, self.ratings
        with_implicit, last = plan.implicit_reg is not None, number == plan.n_epochs
        gathering = None if last else self.gathering.cleared()
        sums = Sums.zeros(ratings.n_items, plan.n_factors, with_implicit)
        users_needed = last or plan.nonnegative or len(self.parts) > 1 or self.dual_items.any
        error, done = 0.0, 0
        with self.state.writing(number) if users_needed else nullcontext() as keep:
            for rated, users in self._solved(number):
                if number and plan.stars:
                    error += error_of_rows(rated, self.mean, users, self.items)
                if last and plan.finish is not None:
                    plan.finish.solve(rated, self.mean, self.items, users)
                if keep is not None:
                    keep(users)
                if gathering is not None:
                    every = None
                    if with_implicit or gathering.whole:
                        every = by_columns(rated, ratings.n_items)
                    sums.add(every, users)
                    gathering.add(rated, users, every)
                done += len(rated.indices)
                all_passes = (plan.n_epochs + 1) * len(ratings)
                self.on_part(number * len(ratings) + done, all_passes, number)
        rmse = float(np.sqrt(error / len(ratings))) if number and plan.stars else None
        if rmse is not None and not np.isfinite(rmse):
            self._diverged(number)
        if gathering is not None:
            gathering.solve(sums, ratings.n_users, self.items)
            self._solve_others(number, self.parts[1:], sums)
        return rmse

    def _solve_others(self, number: int, more: Sequence[np.ndarray], sums: Sums) -> None:
        """The items of further rounds, those solved in the dual, and the implicit factors."""
        plan, ratings = self.plan, self.ratings
        if len(more) or self.dual_items.any:
            users = self.state.users(number, ratings.n_users, plan.n_factors)
        for part in more:
            gathering = self._gathering(part)
            for first, stop in ratings.blocks():
                block = Embeddings(users.factors[first:stop], users.bias[first:stop])
                gathering.add(ratings.by_user.block(first, stop), block)
            gathering.solve(sums, ratings.n_users, self.items)
        if self.dual_items.any:
            self.dual_items.solve(self.mean, users, sums.of_factors, self.items)
        learn_item_implicit(plan, sums, self.items)
        if not np.isfinite(self.items.factors).all():
            self._diverged(number + 1)

    def _solved(self, number: int) -> Iterator[tuple[Rows, Embeddings]]:
        """Blocks of users: their ratings, and themselves as pass ``number`` makes them."""
        plan, ratings, items = self.plan, self.ratings, self.items
        size = ratings.n_users, plan.n_factors
        A = None if plan.implicit_reg is None else implicit_products(items, plan.implicit_reg)
        warm = plan.nonnegative and number > 1  # each row begins where it was
        before = self.state.users(number - 1, *size) if warm else None
        for first, stop in ratings.blocks():
            rated = ratings.by_user.block(first, stop)
            known = rated.counts > 0
            users = Embeddings.zeros(stop - first, plan.n_factors)
            if before is not None:
                users.fill(Embeddings(before.factors[first:stop], before.bias[first:stop]))
            elif number == 0 or plan.nonnegative or not known.all():
                self._draw(users, 0, first, known)
            if number:
                plan.fit_users.solve(rated, self.mean, items, users)
            if A is not None:
                rows = implicit_rows(rated, items, A) if number else np.zeros_like(users.factors)
                users = users._replace(implicit=rows)
            yield rated, users

    def _draw(self, side: Embeddings, which: int, first: int, rated: np.ndarray) -> None:
        """The first factors of some users (0) or items (1), from row ``first`` on."""
        begun = None
        if self.begun is not None:
            known = (self.begun.user_embeddings, self.begun.item_embeddings)[which]
            span = slice(first, first + len(rated))
            begun = Embeddings(known.factors[span], known.bias[span])
        first_rows(self.plan, side, which, first, rated, begun)

    def _gathering(self, items: np.ndarray) -> Gathering:
        return Gathering.of(self.plan, self.mean, items, self.ratings.n_items)

    def _diverged(self, number: int) -> None:
        raise diverged(number, self.ratings.scale, self.plan.remedy)
