"""Rotations: factors, and effects on factors, times an orthogonal matrix; scores stay the same."""

from typing import TypeVar, cast

import numpy as np

from matinee.kernels.blas import rotated
from matinee.row_solvers import Encoder, FoldIn, LeastSquares
from matinee.row_solvers.embeddings import Embeddings

F = TypeVar("F", bound=FoldIn | None)


def rotated_factors(
    factors: np.ndarray, rotation: np.ndarray, in_place: bool = False
) -> np.ndarray:
    """Factors (n, n_samples * k) times ``rotation`` (k, k), sample by sample; float32."""
    samples = np.ascontiguousarray(factors).reshape(-1, len(rotation))
    out = samples if in_place else None
    return rotated(samples, rotation.astype(np.float32), out).reshape(factors.shape)


def rotated_embeddings(
    embeddings: Embeddings, rotation: np.ndarray, in_place: bool = False
) -> Embeddings:
    """Embeddings, read-only, with all factors rotated.

    ``rotation`` is (n_factors, n_factors), orthogonal. ``in_place`` overwrites the old factors.
    """
    if in_place:
        embeddings.factors.flags.writeable = True
    implicit = embeddings.implicit
    if implicit is not None:
        implicit = rotated_factors(implicit, rotation)
    factors = rotated_factors(embeddings.factors, rotation, in_place)
    return Embeddings(factors, embeddings.bias, implicit).frozen()


def rotated_fold(fold: F, rotation: np.ndarray) -> F:
    """The fold-in on items times ``rotation`` (k, k); most penalties are the same for all."""
    if isinstance(fold, LeastSquares | Encoder):
        return cast(F, fold.rotated(rotation))
    return fold


def rotated_effects(weights: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """Effects (n, n_factors + 1) on factors and on the bias, those on factors rotated."""
    effects = np.column_stack([rotated_factors(weights[:, :-1], rotation), weights[:, -1]])
    effects.flags.writeable = False
    return effects
