"""Epochs of a fit: measure the error, keep the best, and stop with advice when it diverges."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from matinee.data.packed import PackedRatings
from matinee.data.ratings import Ratings
from matinee.data.rows import Rows
from matinee.data.scale import Scale
from matinee.display.plain_data import JsonObject
from matinee.display.text import counted
from matinee.errors import Advice, BadSetting, Diverged, Option
from matinee.kernels.factors import score_pairs, squared_errors
from matinee.kernels.random import draw_normal
from matinee.models.factor import FactorModel
from matinee.models.trial_fits import trial_fits
from matinee.row_solvers.embeddings import Embeddings
from matinee.training.alternating import Alternation, begin_at
from matinee.training.progress import Epoch, OnEpoch, is_watched, report

ODD_SPAN = 1e7  # of a scale: more is a slip in some row rather than a scale
PATIENCE = 3  # epochs without a better validation error before the fit stops


@dataclass(frozen=True)
class Training:
    """One fit in progress: the embeddings that epochs improve in place, and their ratings."""

    train: Ratings
    validation: Ratings | None
    mean: float
    users: Embeddings
    items: Embeddings

    def rmse(self, ratings: Ratings, clip: bool = False) -> float:
        """Root mean squared error of the scores, in stars; ``clip`` clips them to the scale."""
        low, high = ratings.scale if clip else (-np.inf, np.inf)
        pairs = ratings.user, ratings.item, ratings.rating
        sums = squared_errors(self.mean, self.users, self.items, pairs, (low, high))
        return float(np.sqrt(sums.sum() / len(ratings)))

    def weighted_error(self) -> float:
        """The mean of w (r - score)^2 over the training ratings, w their weights."""
        train = self.train
        if train.sample_weight is None:
            return self.rmse(train) ** 2
        pairs, weights = (train.user, train.item, train.rating), train.sample_weight
        sums = squared_errors(self.mean, self.users, self.items, pairs, weights=weights)
        return float(np.sqrt(sums.sum() / len(train))) ** 2  # the root, for the bits of ``rmse``

    def run(
        self, step: Callable[[int], None], n_epochs: int, on_epoch: OnEpoch, remedy: str
    ) -> JsonObject:
        """Call ``step(epoch)`` up to ``n_epochs`` times; returns what to report of the fit.

        With a validation part, the embeddings end at its best epoch, and the fit stops PATIENCE
        epochs after it. Raises Diverged, with the remedy, when the error is no longer finite.
        """
        check_validation(self.train, self.validation)
        best, best_epoch = np.inf, n_epochs
        best_sides: tuple[Embeddings, Embeddings] | None = None
        epoch = Epoch(0, n_epochs, np.nan, None)
        for number in range(1, n_epochs + 1):
            step(number)
            validation_rmse = (
                None if self.validation is None else self.rmse(self.validation, clip=True)
            )
            measured = is_watched(on_epoch) or validation_rmse is not None or number == n_epochs
            rmse = self.rmse(self.train) if measured else None  # a sixth of an epoch of steps
            epoch = Epoch(number, n_epochs, rmse, validation_rmse)
            if not np.isfinite(self.items.factors if rmse is None else rmse).all():
                raise diverged(number, self.train.scale, remedy)
            report(epoch, on_epoch)
            if validation_rmse is None:
                continue
            if validation_rmse < best:
                best, best_epoch = validation_rmse, number
                best_sides = self.users.copy(), self.items.copy()
            elif number - best_epoch >= PATIENCE:
                break
        if best_sides is not None:
            self.users.fill(best_sides[0])
            self.items.fill(best_sides[1])
        facts = {"n_epochs_run": epoch.number, "train_rmse": epoch.train_rmse}
        if best_sides is not None:
            facts |= {"best_epoch": best_epoch, "validation_rmse": best}
        return facts


def diverged(number: int, scale: Scale, remedy: str) -> Diverged:
    """The error of an epoch whose error is not finite, with what to do about it."""
    message = f"the fit diverged in epoch {number}: its error is not finite; "
    if scale.high - scale.low <= ODD_SPAN:
        return Diverged(message, remedy)
    beyond = "), and ratings beyond it are set aside"
    return Diverged(message, f"the scale is {scale}; give one (", Option("scale", ...), beyond)


def run_epochs(
    step: Callable[[int], None],
    n_epochs: int,
    on_epoch: OnEpoch,
    sides: tuple[Embeddings, Embeddings],
    remedy: str,
) -> JsonObject:
    """``Training.run`` where scores are not ratings: all epochs, and no error to stop by.

    Raises Diverged, with the remedy, when a factor is no longer finite.
    """
    for number in range(1, n_epochs + 1):
        step(number)
        if not all(side.finite for side in sides):
            raise Diverged(f"the fit diverged in epoch {number}: not finite any more; {remedy}")
        report(Epoch(number, n_epochs, None, None), on_epoch)
    return {"n_epochs_run": n_epochs}


def initial_embeddings(
    train: Ratings, n_factors: int, scale: float, seed: int, start: FactorModel | None = None
) -> tuple[Embeddings, Embeddings]:
    """Users and items with normal factors of standard deviation ``scale`` and zero biases.

    The biases and the first factors are those of ``start``, where it is given.
    """
    sides = Embeddings.zeros(train.n_users, n_factors), Embeddings.zeros(train.n_items, n_factors)
    for which, side in enumerate(sides):
        draw_normal(side.factors, scale, seed, which)
    if start is not None:
        for side, known in zip(sides, (start.user_embeddings, start.item_embeddings), strict=True):
            side.factors[:, : start.n_factors], side.bias[:] = known.factors, known.bias
    return sides


def first_embeddings(
    plan: Alternation, train: Ratings, start: FactorModel | None
) -> tuple[Embeddings, Embeddings]:
    """The embeddings that a fit begins with: of ``start``, of ``plan.begin``, or random.

    They are non-negative where the plan is.
    """
    sides = initial_embeddings(train, plan.n_factors, plan.init_scale, plan.seed, start)
    if plan.nonnegative:
        for side in sides:
            np.abs(side.factors, out=side.factors)
    if plan.unrated_learned:
        for side, rated in zip(sides, (train.by_user, train.by_item), strict=True):
            side.factors[rated.counts == 0] = 0.0  # the solution for who or what has no rating
    if start is None and plan.begin is not None:
        with trial_fits():
            model = plan.begin.fit(train).canonical()  # or its factors would have few positive ones
        known = model.user_embeddings, model.item_embeddings
        for side, embeddings in zip(sides, known, strict=True):
            begin_at(side, embeddings)
    return sides


def error_of_rows(rated: Rows, mean: float, users: Embeddings, items: Embeddings) -> float:
    """The sum of squared errors of the scores of ``rated`` (n_users, n_items), in squared stars."""
    user = np.repeat(np.arange(len(users.bias), dtype=np.int32), rated.counts)
    scores = score_pairs(mean, users, items, user, rated.indices)
    with np.errstate(over="ignore", invalid="ignore"):
        return float(((rated.values - scores).astype(np.float64) ** 2).sum())


def first_rows(
    plan: Alternation,
    side: Embeddings,
    which: int,
    first: int,
    rated: np.ndarray,
    begun: Embeddings | None,
) -> None:
    """Initialise some users (``which`` 0) or items (1), from row ``first`` of the draw on.

    ``rated`` (n,) marks those that have ratings; ``begun`` are the embeddings to grow from.
    """
    draw_normal(side.factors, plan.init_scale, plan.seed, which, first)
    if plan.nonnegative:
        np.abs(side.factors, out=side.factors)
    if plan.unrated_learned:
        side.factors[~rated] = 0.0
    if begun is not None:
        begin_at(side, begun)


def say_if_too_many(n_factors: int, train: Ratings | PackedRatings) -> None:
    """Warn where there are more factors than the smaller side of the data can tell apart."""
    most = min(train.n_users, train.n_items)
    if n_factors > most:
        warnings.warn(
            f"n_factors is {n_factors}, but {counted(train.n_users, 'user')} and "
            f"{counted(train.n_items, 'item')} "
            f"support at most {most} distinct factors; the rest add nothing",
            stacklevel=4,
        )


def check_validation(train: Ratings, validation: Ratings | None) -> None:
    """Raise BadSetting unless the validation part is numbered like the training part."""
    if validation is not None and not (
        validation.users == train.users and validation.items == train.items
    ):
        raise BadSetting(
            "the validation ratings are numbered differently from the training ratings; "
            "make both parts with ",
            Advice("matinee.splitting", "matinee evaluate"),
        )
