"""Every algorithm by its name on the command line. One line here, and it is everywhere."""

from matinee.algorithms.base import ALGORITHMS, Algorithm
from matinee.algorithms.bayesian_mf import BayesianMF
from matinee.algorithms.bias import Bias
from matinee.algorithms.blend import Blend
from matinee.algorithms.bpr import BPR
from matinee.algorithms.content import ContentBased
from matinee.algorithms.default import default_algorithm, fit
from matinee.algorithms.ease import EASE
from matinee.algorithms.hybrid import Hybrid
from matinee.algorithms.implicit_als import ImplicitALS
from matinee.algorithms.item_knn import ItemKNN
from matinee.algorithms.mf import MF
from matinee.algorithms.mult_vae import MultVAE
from matinee.algorithms.neural_mf import NeuralMF
from matinee.algorithms.nmf import NMF
from matinee.algorithms.popularity import Popularity
from matinee.algorithms.rp3beta import RP3beta
from matinee.algorithms.slim import SLIM
from matinee.algorithms.slope_one import SlopeOne
from matinee.algorithms.svdpp import SVDpp
from matinee.algorithms.truncated_svd import TruncatedSVD
from matinee.algorithms.user_knn import UserKNN
from matinee.training.progress import Epoch, OnEpoch

ALGORITHMS |= {
    kind.name: kind
    for kind in (
        Popularity,
        Bias,
        NMF,
        TruncatedSVD,
        MF,
        SVDpp,
        BayesianMF,
        ItemKNN,
        UserKNN,
        SlopeOne,
        EASE,
        SLIM,
        RP3beta,
        Blend,
        ImplicitALS,
        BPR,
        NeuralMF,
        MultVAE,
        Hybrid,
        ContentBased,
    )
}

__all__ = [
    "ALGORITHMS",
    "BPR",
    "EASE",
    "MF",
    "NMF",
    "SLIM",
    "Algorithm",
    "BayesianMF",
    "Bias",
    "Blend",
    "ContentBased",
    "Epoch",
    "Hybrid",
    "ImplicitALS",
    "ItemKNN",
    "MultVAE",
    "NeuralMF",
    "OnEpoch",
    "Popularity",
    "RP3beta",
    "SVDpp",
    "SlopeOne",
    "TruncatedSVD",
    "UserKNN",
    "default_algorithm",
    "fit",
]
