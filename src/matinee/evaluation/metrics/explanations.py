"""How good reasons are: few enough to read, the same again, and true of the model.

These need no test ratings; ``matinee.evaluation.explanation_quality`` computes them for an
algorithm.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

LARGEST = 3  # terms that people are thought to read


def largest_terms_share(values: np.ndarray) -> float:
    """Share of the three largest terms in all: ``sum of the 3 largest |v| / sum of |v|``.

    ``values`` are the terms of one explanation, without those that everybody has (the average of
    all ratings). 1 is an explanation of at most three terms; one without terms has 1.
    """
    sizes = np.sort(np.abs(np.asarray(values, dtype=np.float64)))[::-1]
    return float(sizes[:LARGEST].sum() / sizes.sum()) if sizes.sum() > 0 else 1.0


def stability(reasons: Sequence[frozenset[str]]) -> float:
    """How alike the three largest reasons are from seed to seed: mean Jaccard over pairs of seeds.

    ``|a and b| / |a or b|``; 1 where every seed gives the same reasons, two empty sets being the
    same. ``reasons`` are those of one (user, item) pair, a set for each seed.
    """
    alike = [len(a & b) / len(a | b) if a | b else 1.0 for a, b in combinations(reasons, 2)]
    return float(np.mean(alike)) if alike else 1.0


def deletion_fidelity(drop_of_first: np.ndarray, drop_of_other: np.ndarray) -> float:
    """Chance that deleting the rating named first lowers the score more than deleting another.

    Both (n,) are score before minus score after the person is folded in without the rating: the
    one with the largest term, and another of the history drawn at random. Ties count 1/2, so
    reasons that are made up get 0.5 and faithful ones come near 1.
    """
    difference = np.asarray(drop_of_first, dtype=np.float64) - drop_of_other
    return float(np.mean((difference > 0) + 0.5 * (difference == 0)))
