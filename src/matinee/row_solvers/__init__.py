"""How a user's ratings become their factors, on fixed item factors: the row solve as a value.

The value that solves every user in training is stored on the model. There it folds in new users and
attributes a score to each of their ratings. One formula, one place.
"""

from dataclasses import asdict

from matinee.display.plain_data import JsonObject
from matinee.row_solvers.around_implicit import AroundImplicit
from matinee.row_solvers.base import FoldIn
from matinee.row_solvers.encoder import Encoder
from matinee.row_solvers.implicit_least_squares import ImplicitLeastSquares
from matinee.row_solvers.least_squares import LeastSquares
from matinee.row_solvers.matrix_penalty import MatrixPenalty
from matinee.row_solvers.posterior_mean import PosteriorMean
from matinee.row_solvers.projection import Projection
from matinee.row_solvers.zero_filled import ZeroFilled

__all__ = [
    "FOLD_INS",
    "AroundImplicit",
    "Encoder",
    "FoldIn",
    "ImplicitLeastSquares",
    "LeastSquares",
    "MatrixPenalty",
    "PosteriorMean",
    "Projection",
    "ZeroFilled",
    "from_plain",
    "to_plain",
]

FOLD_INS: dict[str, type] = {
    "least_squares": LeastSquares,
    "implicit_least_squares": ImplicitLeastSquares,
    "around_implicit": AroundImplicit,
    "posterior_mean": PosteriorMean,
    "projection": Projection,
    "zero_filled": ZeroFilled,
    "encoder": Encoder,
}


def to_plain(fold_in: FoldIn) -> JsonObject:
    """The value as plain JSON data; ``from_plain`` is its inverse."""
    name = next(name for name, kind in FOLD_INS.items() if type(fold_in) is kind)
    return {"kind": name, **asdict(fold_in)}  # type: ignore[call-overload]


def from_plain(data: JsonObject) -> FoldIn:
    """The value that ``to_plain`` wrote."""
    settings = dict(data)
    fold_in: FoldIn = FOLD_INS[settings.pop("kind")](**settings)
    return fold_in
