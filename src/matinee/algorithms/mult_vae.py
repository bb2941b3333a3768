"""A variational autoencoder: who chose what is compressed into factors, and read out of them again.

    score(u, i) = c_i + p_u . q_i,   p_u = [tanh(h_u W + b) - tanh(b)] V,   h_uj = 1 / sqrt(n_u)
    min  mean over u of  -sum_i x_ui ln softmax(Q z_u + c)_i + beta n_u KL(z_u | N(0, 1))
    z_u ~ N(mu_u, diag(s_u^2)) in training, mu_u after it               Liang et al. 2018

x_ui is 1 where u has i, whatever the rating; a share ``dropout`` of h is left out in each step. The
penalty grows with the history and the decoder is linear (RecVAE, Shenbin et al. 2020). So this is a
factor model: the only network is the one from histories to factors, and it folds newcomers in by
one forward pass. Factors of an empty history are zero, and c_i takes in its score. With one hidden
layer the integrated gradients of a score have a closed form: terms by history are exact.

Trained by Adam, with JAX (``matinee[accelerated]``); fitted and saved models need NumPy alone. A
tenth of the users, at most 1,000, are held out, and the epoch is kept whose lists find most of a
hidden fifth of their ratings. An epoch takes 6 n_users n_items (n_hidden + n_factors) operations.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from matinee.algorithms.base import Algorithm
from matinee.algorithms.hyperparameters import setting
from matinee.algorithms.search_space import Real, Whole
from matinee.data.ratings import Ratings
from matinee.display.optional import ACCELERATED, Optional
from matinee.models.factor import FactorModel
from matinee.training.autoencoder import Shape, step_memory, train_autoencoder
from matinee.training.epochs import check_validation
from matinee.training.held_out_lists import HeldOutLists
from matinee.training.network_epochs import Schedule
from matinee.training.progress import OnEpoch, quiet


@dataclass(frozen=True, kw_only=True)
class MultVAE(Algorithm):
    """``MultVAE().fit(train)``: every rating counts as a positive; scores only rank."""

    name: ClassVar[str] = "mult-vae"
    extra: ClassVar[Optional | None] = ACCELERATED
    grows_with: ClassVar[tuple[str, ...]] = ("n_factors", "n_hidden", "batch_size")

    n_factors: int = setting(
        100, "length of p_u and q_i", at_least=1, search=Whole(32, 400, log=True)
    )
    n_hidden: int = setting(
        300, "units of the hidden layer", at_least=1, search=Whole(100, 1000, log=True)
    )
    n_epochs: int = setting(
        100, "most epochs; fewer where lists get no better for 10 of them", at_least=1
    )
    batch_size: int = setting(200, "users whose loss makes a step", at_least=1)
    learning_rate: float = setting(
        0.003, "step size of Adam", above=0, search=Real(0.0005, 0.01, log=True)
    )
    dropout: float = setting(
        0.5, "share of a history left out in a step", at_least=0, below=1, search=Real(0, 0.8)
    )
    beta: float = setting(
        0.01,
        "weight of the divergence from the prior, per rating",
        at_least=0,
        search=Real(0.0005, 0.05, log=True),
    )
    seed: int = setting(42, "of the first weights, the batches and the noise", at_least=0)

    @property
    def kind(self) -> str:
        return "preference"

    def device_memory(self, train: Ratings) -> int:
        return step_memory(train.n_items, self._shape, min(self.batch_size, train.n_users))

    def fit(
        self, train: Ratings, validation: Ratings | None = None, on_epoch: OnEpoch = quiet
    ) -> FactorModel:
        check_validation(train, validation)
        network, facts = train_autoencoder(
            train,
            HeldOutLists.of(train, validation, self.seed),
            self._shape,
            Schedule(self.n_epochs, self.batch_size, self.learning_rate, self.seed),
            on_epoch,
        )
        everyone = network.users(np.arange(train.n_users))
        return self.model(
            train,
            0.0,
            everyone,
            network.items,
            network.encoder,
            facts=facts,
            unrated_items_learned=True,
        )

    @property
    def _shape(self) -> Shape:
        return Shape(self.n_hidden, self.n_factors, self.dropout, self.beta)
