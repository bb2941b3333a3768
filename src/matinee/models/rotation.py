"""Factors, and effects on factors, times an orthogonal matrix: the scores stay what they are."""

import numpy as np

from matinee.kernels.blas import rotated
from matinee.row_solvers.embeddings import Embeddings


def times_turn(factors: np.ndarray, turn: np.ndarray, in_place: bool = False) -> np.ndarray:
    """Factors times ``turn``; where samples stand side by side, those of each."""
    samples = np.ascontiguousarray(factors).reshape(-1, len(turn))
    out = samples if in_place else None
    return rotated(samples, turn.astype(np.float32), out).reshape(factors.shape)


def rotated_embeddings(side: Embeddings, turn: np.ndarray, in_place: bool = False) -> Embeddings:
    """The side with all its factors times ``turn``, written over the others if so asked."""
    if in_place:
        side.factors.flags.writeable = True
    implicit = None if side.implicit is None else times_turn(side.implicit, turn)
    return Embeddings(times_turn(side.factors, turn, in_place), side.bias, implicit).frozen()


def turned_effects(weights: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Effects (n, n_factors + 1) on factors and on the bias, those on factors times ``turn``."""
    result = np.column_stack([times_turn(weights[:, :-1], turn), weights[:, -1]])
    result.flags.writeable = False
    return result
