"""Every algorithm by its name on the command line. One line here, and it is everywhere."""

from matinee.algorithms.base import Algorithm, Epoch, OnEpoch
from matinee.algorithms.bias import Bias
from matinee.algorithms.mf import MF
from matinee.algorithms.nmf import NMF
from matinee.algorithms.popularity import Popularity
from matinee.algorithms.svdpp import SVDpp
from matinee.algorithms.truncated_svd import TruncatedSVD

ALGORITHMS: dict[str, type[Algorithm]] = {
    kind.name: kind for kind in (Popularity, Bias, NMF, TruncatedSVD, MF, SVDpp)
}

__all__ = [
    "ALGORITHMS", "MF", "NMF", "Algorithm", "Bias", "Epoch", "OnEpoch", "Popularity", "SVDpp",
    "TruncatedSVD",
]  # fmt: skip
