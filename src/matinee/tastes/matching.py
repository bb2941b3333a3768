"""Finding tastes again: factors of one fit matched with those of another."""

import numpy as np


def match_factors(A: np.ndarray, B: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each column of A (n, a) its partner in B (n, b), -1 for none, and their cosine.

    Partners are one to one, so that the sum of absolute cosines is largest (Kuhn 1955). A cosine
    below 0 says that the partner faces the other way.
    """
    from scipy.optimize import linear_sum_assignment

    cosine = _unit_columns(A).T @ _unit_columns(B)
    columns, partners = linear_sum_assignment(-np.abs(cosine))
    partner, alike = np.full(A.shape[1], -1), np.zeros(A.shape[1])
    partner[columns], alike[columns] = partners, cosine[columns, partners]
    return partner, alike


def _unit_columns(Q: np.ndarray) -> np.ndarray:
    norms = np.sqrt((Q.astype(np.float64) ** 2).sum(axis=0))
    unit: np.ndarray = Q / np.where(norms > 0, norms, 1.0)
    return unit
