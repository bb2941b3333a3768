"""How sure a predicted rating is: the variance around it, calibrated on ratings held out.

    variance(u, i) = a + b y'A_u^-1 y + c x'A_i^-1 x + d / sqrt(n_u),    y = (q_i, 1), x = (p_u, 1)

y'A_u^-1 y is how unsure the row solve of the user leaves the score, and x'A_i^-1 x likewise for
the item, whose raters are taken as typical: A_i = n_i E[x x'] + penalty. The four numbers, and how
often ratings stray how far, are learned from the model's own training ratings: those of some users
are left out a tenth at a time, and the users solved again without. Items were fitted to those
ratings, too; their pull is taken out by its leverage, as in PRESS (Allen 1974), and a third more
for its ways around by other users and items, which was chosen on MovieLens 100K.
"""

from typing import Any, NamedTuple

import numpy as np

from matinee.data.rows import Rows
from matinee.errors import BadSetting
from matinee.kernels.least_squares import Penalty
from matinee.models.folding import FoldingModel
from matinee.row_solvers import LeastSquares
from matinee.row_solvers.person import Person

SAMPLE = 1000  # users whose ratings are held out
TENTHS = 10  # parts that a user's ratings are held out in
TYPICAL = 100_000  # most users that E[x x'] is taken over
MOST_LEVERAGE = 0.8  # of one rating on its item; beyond that little is left to judge by
WAYS_AROUND = 1.35  # what a rating pulls its item, by way of others too, over what it does alone
LEAST_REG = 1e-6  # of items, where none was set
ROUNDS = 5  # of reweighting while the variance is fitted
LEVELS = np.arange(1, 100) / 100  # at which quantiles are kept


class Calibration(NamedTuple):
    """What was learned from held-out ratings of a model."""

    coefficients: np.ndarray  # (4,): a, b, c, d
    strays: np.ndarray  # (99,): |rating - prediction| / deviation is below it for 1 %, 2 %, ...
    moments: np.ndarray  # (d,): E[x x'] over ratings, diagonal in the axes
    axes: np.ndarray  # (d, d): in columns; the item's penalty is diagonal in them as well

    def reach(self, level: float) -> float:
        """How many deviations hold a share ``level`` of the ratings."""
        return float(np.interp(level, LEVELS, self.strays))


class RowSolves(NamedTuple):
    """The row solves that a model's ratings were fitted by."""

    users: LeastSquares
    items: LeastSquares
    penalty: Penalty  # of the users' row solves


def deviations(
    model: FoldingModel,
    solves: RowSolves,
    calibration: Calibration,
    person: Person,
    items: np.ndarray,
) -> np.ndarray:
    """Standard deviation (n,) of this person's ratings of items (rows) around the predictions."""
    of_user = solves.users.spread(
        person.history, model.item_embeddings, items, person.embeddings, solves.penalty
    )
    moments, axes = calibration.moments, calibration.axes
    raters = Raters(moments, axes, model.item_counts[items])
    of_item = _item_spread(model, solves.items, raters, person.embeddings.factors, items)
    features = _features(of_user, of_item, np.full(len(items), len(person.items)))
    return np.asarray(np.sqrt(features @ calibration.coefficients))


class Raters(NamedTuple):
    """The users who rated some items, taken as typical of all."""

    moments: np.ndarray  # (d,), as in Calibration
    axes: np.ndarray  # (d, d)
    n: np.ndarray  # (n_items,): how many of each item


def calibrate(model: FoldingModel, solves: RowSolves) -> Calibration:
    """Learn the variance of ratings around predictions from a sample of the training ratings.

    Raises BadSetting where nobody has two ratings.
    """
    rng = np.random.default_rng(0)
    counts = model.seen.counts
    users = np.flatnonzero(counts > 1)
    if not len(users):
        raise BadSetting("nobody has two ratings or more, so no interval can be calibrated")
    users = np.sort(rng.choice(users, min(SAMPLE, len(users)), replace=False))
    moments, axes = _moments(model, solves.items)
    rated = model.seen.take(users)
    item, rating = rated.indices, rated.values.astype(np.float64)
    row = np.repeat(np.arange(len(users)), counts[users])
    predicted, factors = _held_out(model, row, rated, rng.integers(0, TENTHS, len(row)))
    inside = np.concatenate(
        [
            solves.users.spread(
                rated.only(at),
                model.item_embeddings,
                rated.row(at)[0],
                model.user_embeddings.row(u),
                solves.penalty,
            )
            for at, u in enumerate(users.tolist())
        ]
    )
    leverage = inside if rated.weights is None else rated.weights * inside
    of_user = inside / np.maximum(1 - leverage, 1 - MOST_LEVERAGE)
    raters = Raters(moments, axes, model.item_counts[item] - 1)
    of_item = _item_spread(model, solves.items, raters, factors, item)
    pull = WAYS_AROUND * of_item / (1 + of_item) * (1 + of_user)
    error = (rating - predicted) / (1 - np.minimum(pull, MOST_LEVERAGE))
    error = np.abs(rating - np.clip(rating - error, *model.scale))
    features = _features(of_user, of_item, counts[users][row] - 1)
    coefficients = _fit_variance(features, error**2, 1 / np.sqrt(counts[users][row]))
    strays = np.quantile(error / np.sqrt(features @ coefficients), LEVELS)
    calibration = Calibration(coefficients, strays, moments, axes)
    for array in calibration:
        array.flags.writeable = False
    return calibration


def _held_out(
    model: FoldingModel, row: np.ndarray, rated: Rows, part: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What each rating is predicted without its part of the user's, and the factors it is by.

    ``row`` (n_ratings,) is the row of each rating, ``part`` (n_ratings,) the part that it is in.
    """
    item = rated.indices
    predicted = np.empty(len(row))
    factors = np.empty((len(row), model.item_embeddings.n_factors), np.float32)
    for held in range(TENTHS):
        out = part == held
        side = model.solve_many(rated.subset(~out))
        factors[out] = side.factors[row[out]]
        products = np.einsum("nf,nf->n", factors[out], model.item_embeddings.factors[item[out]])
        predicted[out] = (
            model.global_mean
            + side.bias[row[out]]
            + model.item_embeddings.bias[item[out]]
            + products
        )
    return predicted, factors


def _moments(model: FoldingModel, solve: LeastSquares) -> tuple[np.ndarray, np.ndarray]:
    """E[x x'] over the training ratings as eigenvalues and eigenvectors.

    Where the penalty is a matrix they are generalised ones, in which it is the identity.
    """
    users = np.flatnonzero(model.seen.counts)
    users = users[:: max(1, len(users) // TYPICAL)]
    X = _with_ones(model.user_embeddings.factors[users])
    weights = model.seen.counts[users] / model.seen.counts[users].sum()
    second = X.T @ (weights[:, None] * X)
    if solve.matrix is None:
        moments, axes = np.linalg.eigh(second)
    else:
        from scipy.linalg import eigh

        factors = slice(None, -1)
        penalty = np.diag(np.full(len(second), solve.bias_reg or LEAST_REG))
        penalty[factors, factors] = solve.matrix.base
        second[factors, factors] += solve.matrix.slope
        moments, axes = eigh(second, penalty)
    return np.maximum(moments, 0.0), axes


def _item_spread(
    model: FoldingModel,
    solve: LeastSquares,
    raters: Raters,
    factors: np.ndarray,
    items: np.ndarray,
) -> np.ndarray:
    """x' (n E[x x'] + reg n^power)^-1 x (n,) for items with n ratings; n 0 counts as 1 in reg."""
    if solve.nonnegative:  # a factor held at zero takes no part
        factors = factors * (model.item_embeddings.factors[items] > 0)
    rotated = _with_ones(factors) @ raters.axes
    reg, power = solve.reg, solve.reg_power
    if solve.matrix is not None:
        reg, power = 1.0, 0.0  # in these axes
    elif not reg:
        reg, power = solve.bias_reg or LEAST_REG, solve.bias_power
    penalty = reg * np.maximum(raters.n, 1).astype(np.float64) ** power
    spread: np.ndarray = rotated**2 / (raters.n[:, None] * raters.moments + penalty[:, None])
    result: np.ndarray = spread.sum(axis=1)
    return result


def _features(of_user: np.ndarray, of_item: np.ndarray, n: np.ndarray) -> np.ndarray:
    return np.column_stack([np.ones(len(n)), of_user, of_item, 1 / np.sqrt(np.maximum(n, 1))])


def _fit_variance(features: np.ndarray, squares: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Non-negative coefficients of the variance, by least squares reweighted by its own fit."""
    from scipy.optimize import nnls

    coefficients: Any = np.array([squares.mean(), 0.0, 0.0, 0.0])
    for _ in range(ROUNDS):
        expected = np.maximum(features @ coefficients, 1e-6 * squares.mean() + 1e-12)
        scale = np.sqrt(weights) / expected  # a square's deviation is like its mean
        Q, R = np.linalg.qr(features * scale[:, None])  # nnls takes its time for tall matrices
        coefficients = nnls(R, Q.T @ (squares * scale))[0]
    result: np.ndarray = np.maximum(coefficients, [1e-12, 0.0, 0.0, 0.0])
    return result


def _with_ones(factors: np.ndarray) -> np.ndarray:
    ones = np.ones((len(factors), 1))
    return np.concatenate([factors, ones], axis=1, dtype=np.float64)
