"""Whether tastes come out again when the fit starts elsewhere."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from scipy.optimize import linear_sum_assignment


def taste_stability(item_factors: Sequence[np.ndarray | None]) -> float | None:
    """Mean cosine of matched factors, over all pairs of fits: 1 where all find the same tastes.

    ``item_factors`` (n_items, n_factors), a matrix a fit; factors are matched one to one so that
    the sum of cosines is largest (Kuhn 1955). None where tastes have no meaning by themselves:
    signed factors can be rotated at will, and models without factors have none.
    """
    known = [Q for Q in item_factors if Q is not None and Q.size and (Q >= 0).all()]
    if len(known) < 2 or len(known) < len(item_factors):
        return None
    return float(np.mean([_matched_cosine(a, b) for a, b in combinations(known, 2)]))


def _matched_cosine(a: np.ndarray, b: np.ndarray) -> float:
    cosine = _unit_columns(a).T @ _unit_columns(b)
    rows, columns = linear_sum_assignment(-cosine)
    return float(cosine[rows, columns].mean())


def _unit_columns(Q: np.ndarray) -> np.ndarray:
    norms = np.sqrt((Q.astype(np.float64) ** 2).sum(axis=0))
    unit: np.ndarray = Q / np.where(norms > 0, norms, 1.0)
    return unit
