"""Neural matrix factorization: a product of factors, and a network of two layers beside it.

    score(u, i) = mean + unit [b_u + c_i + p_u . q_i + w . tanh(tanh(x_u + y_i) C + c)]
    min  mean over examples of  loss(y, score) + reg (|p_u|^2 + |x_u|^2 + b_u^2 + the same of i)
                                                                                He et al. 2017

Of choices, y is 1 for what someone has and 0 for ``n_negatives`` items drawn for each in every
epoch, loss is the log loss, mean is 0 and unit 1. Of stars, y are standard deviations from the mean
and the loss is squared. The paper's tower has ReLU; tanh is smooth, so that the integrals of
explanations need few nodes. Adding x_u and y_i is what its first layer does to them side by side.

Of choices, the product begins as that of implicit ALS, as the paper begins with a product trained
alone; its scores are taken for log-odds.

Users are solved last, on fixed items, by Newton's method from the average person, and so are
newcomers. Of choices, 600 items drawn once stand for what people do not choose. A score is taken
apart by the tastes of the product and what the network adds, or by history: see ``PersonSolve``.

Trained by Adam, with JAX (``matinee[accelerated]``); fitted and saved models need NumPy alone. One
rating in twenty is held out, and the epoch of its least loss is kept.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from matinee.algorithms.choice import RatingAlgorithm
from matinee.algorithms.hyperparameters import When, setting
from matinee.algorithms.implicit_als import ImplicitALS
from matinee.algorithms.search_space import Real, Whole
from matinee.data.ratings import Ratings
from matinee.display.optional import ACCELERATED, Optional
from matinee.models.fitted import fields_of
from matinee.models.model import Model
from matinee.models.neural import NeuralModel
from matinee.models.trial_fits import trial_fits
from matinee.training.epochs import check_validation
from matinee.training.network_epochs import Schedule
from matinee.training.neural_mf import (
    Network,
    Shape,
    Source,
    Start,
    train_network,
    training_memory,
)
from matinee.training.progress import OnEpoch, quiet

FEEDBACKS = ("preference", "rating")
LOG_ODDS = 6.0  # that a score of 1 by implicit ALS, of what is chosen, adds to those of 0
LOG_ODDS_OF_NONE = -3.5  # at a score of 0, of what is not chosen
MOST_SAMPLED = 600  # items that stand for what people do not choose


@dataclass(frozen=True, kw_only=True)
class NeuralMF(RatingAlgorithm):
    """``NeuralMF().fit(train)``: factors and a network; of choices, or of stars."""

    name: ClassVar[str] = "neural-mf"
    extra: ClassVar[Optional | None] = ACCELERATED
    grows_with: ClassVar[tuple[str, ...]] = ("n_factors", "n_hidden", "batch_size")

    feedback: str = setting(
        "preference", '"preference": scores that rank; "rating": stars', choices=FEEDBACKS
    )
    n_factors: int = setting(
        32, "length of p_u and q_i", at_least=1, search=Whole(8, 128, log=True)
    )
    n_hidden: int = setting(32, "length of x_u and y_i", at_least=1, search=Whole(8, 128, log=True))
    n_inner: int = setting(16, "units of the second layer", at_least=1)
    n_epochs: int = setting(
        30, "most epochs; fewer where the held-out loss gets no lower for 3 of them", at_least=1
    )
    batch_size: int = setting(4096, "examples whose loss makes a step", at_least=1)
    learning_rate: float = setting(
        0.002,
        "step size of Adam",
        When(0.003, feedback="rating"),
        above=0,
        search=Real(0.0005, 0.01, log=True),
    )
    reg: float = setting(
        0.003,
        "penalty on squared vectors, per example",
        When(0.01, feedback="rating"),
        above=0,
        search=Real(0.0003, 0.1, log=True),
    )
    n_negatives: int = setting(4, "preference: items drawn for each choice", at_least=1)
    seed: int = setting(42, "of the first weights, the batches and the negatives", at_least=0)

    @property
    def kind(self) -> str:
        return self.feedback

    def device_memory(self, train: Ratings) -> int:
        memory = training_memory(train, self._shape, self.batch_size, self._n_negatives)
        start = 0 if self.kind == "rating" else self._start_algorithm.device_memory(train)
        return max(memory, start)

    def fit(
        self, train: Ratings, validation: Ratings | None = None, on_epoch: OnEpoch = quiet
    ) -> Model:
        check_validation(train, validation)
        source = Source(train, 0.0, 1.0, self.n_negatives)
        if self.kind == "rating":
            mean, unit = float(train.rating.mean(dtype="f8")), float(train.rating.std(dtype="f8"))
            source = Source(train, mean, unit or 1.0, 0)
        network, facts = train_network(
            source,
            validation,
            self._shape,
            Schedule(self.n_epochs, self.batch_size, self.learning_rate, self.seed),
            on_epoch,
            self._start,
        )
        begun = self._model(train, source, network)
        solved = begun.solve_many(train.by_user)
        model = replace(begun, user_embeddings=solved.frozen(), facts=facts)
        return self.with_choice(model, train)

    @property
    def _shape(self) -> Shape:
        return Shape(self.n_factors, self.n_hidden, self.n_inner, self.reg)

    @property
    def _n_negatives(self) -> int:
        return 0 if self.kind == "rating" else self.n_negatives

    @property
    def _start_algorithm(self) -> ImplicitALS:
        return ImplicitALS(n_factors=self.n_factors, seed=self.seed)

    def _start(self, learned: Ratings) -> Start | None:
        """Of choices: the factors of implicit ALS, so that their product is in log-odds."""
        if self.kind == "rating":
            return None
        with trial_fits():
            model = self._start_algorithm.fit(learned)
        root = np.sqrt(LOG_ODDS)
        return Start(root * model.user_factors, root * model.item_factors, LOG_ODDS_OF_NONE)

    def _model(self, train: Ratings, source: Source, network: Network) -> NeuralModel:
        """The model whose users are as trained."""
        rng = np.random.default_rng(self.seed)
        n = min(train.n_items, MOST_SAMPLED) if source.n_negatives else 0
        sampled = np.sort(rng.choice(train.n_items, n, replace=False)).astype(np.int32)
        sampled.flags.writeable = False
        learned = (train.item_counts > 0) | bool(source.n_negatives)
        return NeuralModel(
            **fields_of(train),
            **self.signature,
            global_mean=source.mean,
            rating_unit=source.unit,
            n_factors=self.n_factors,
            user_embeddings=network.users.completed(train.user_counts > 0),
            item_embeddings=network.items.completed(learned),
            average_user=network.users.mean(train.user_counts > 0).frozen(),
            tower=network.tower,
            reg=self.reg,
            sampled=sampled,
            n_negatives=self.n_negatives,
        )
