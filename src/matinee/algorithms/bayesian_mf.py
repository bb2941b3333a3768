"""Bayesian matrix factorization: the average of many plausible models, not the one best.

    score(u, i) = mu + b_u + c_i + p_u . q_i,      rating ~ N(score, noise / w_u)
    p_u and b_u come from one normal distribution, q_i and c_i from another: see ``population``

so there is no penalty to tune. Some people rate more steadily than others: their w_u is larger, and
items are learned from them more than from the erratic (Lakshminarayanan et al. 2011). Gibbs
sampling draws items, then users, then the rest, each given the others (Salakhutdinov & Mnih 2008).
It starts from a few epochs of least squares and keeps samples at even distances. The means of p_u
and q_i may lean on features: singular vectors of who rated what in the training data, whatever they
gave. They say most where ratings are few; without them (n_features=0) the model is the paper's,
with biases and w_u.

Each sample is kept in the coordinates in which its users are standard normal: there a user's
posterior mean is ridge regression around what the choice of items says, and what people like in
general is part of the items' biases. All users are solved so in the end, against the averaged
biases: the averaged model is a factor model whose fold-in and explanation by history are exact.

The sampling error, what averaging so few draws adds to the mean squared error, is estimated from
the averages of the first and the second half of the draws. A quarter and half of the way, sampling
ends where it is less than ``tolerance`` standard errors of the mean squared error over so many
ratings: few ratings cannot tell what more draws would change. ``facts`` hold the epochs run, and
the sampling error in units of the noise's variance. A drift slower than the draws is not seen.

It holds 4 n_samples n_factors bytes per user and 8 n_samples n_factors per item: 54 MB on ml-1m.
"""

from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple, cast

import numpy as np

from matinee.algorithms.choice import RatingAlgorithm
from matinee.algorithms.device_memory import row_solve_memory
from matinee.algorithms.hyperparameters import setting
from matinee.algorithms.mf import MF
from matinee.algorithms.search_space import Real, Whole
from matinee.data.ratings import Ratings
from matinee.display.plain_data import JsonObject
from matinee.kernels.blas import one_blas_thread
from matinee.kernels.gibbs import draw_rows
from matinee.kernels.least_squares import Terms, penalty_of
from matinee.models.posterior import PosteriorModel
from matinee.row_solvers import PosteriorMean
from matinee.row_solvers.embeddings import Embeddings
from matinee.training.epochs import Training, check_validation, say_if_too_many
from matinee.training.implicit_features import ImplicitFeatures
from matinee.training.population import Population, Prior
from matinee.training.progress import Epoch, OnEpoch, quiet, report

ALS_EPOCHS = 5  # of least squares, to start from
PRIOR_RATINGS = 1.0  # ratings with noise as large as all variance that the prior of noise is worth


@dataclass(frozen=True, kw_only=True)
class BayesianMF(RatingAlgorithm):
    """``BayesianMF().fit(train)``: the most accurate on ratings alone, and it has intervals."""

    name: ClassVar[str] = "bayesian-mf"
    grows_with: ClassVar[tuple[str, ...]] = ("n_factors",)

    n_factors: int = setting(
        20, "factors of each sample", at_least=1, search=Whole(4, 40, log=True)
    )
    n_features: int = setting(
        100, "singular vectors of who rated what that factors may lean on", at_least=0
    )
    n_epochs: int = setting(210, "one epoch draws all items, then all users; the most", at_least=1)
    burn_in: int = setting(10, "epochs before the first sample may be kept", at_least=0)
    n_samples: int = setting(50, "samples kept, at even distances after burn_in", at_least=1)
    noise_damping: float = setting(
        30.0, "ratings with average noise assumed of each user, for w_u", above=0
    )
    tolerance: float = setting(
        0.6,
        "what sampling may add to the mean squared error where it ends early, in standard errors",
        at_least=0,
    )
    spread: float = setting(
        1.0,
        "prior sum of squares of a factor over all rows, in standard deviations",
        above=0,
        search=Real(0.2, 5, log=True),
    )
    seed: int = setting(42, "of the Gibbs sampler", at_least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require("n_epochs", at_least=self.burn_in + self.n_samples)

    @property
    def takes_weights(self) -> bool:
        return True

    def device_memory(self, train: Ratings) -> int:
        return row_solve_memory(train, self.n_factors + 1)

    def fit(
        self, train: Ratings, validation: Ratings | None = None, on_epoch: OnEpoch = quiet
    ) -> PosteriorModel:
        check_validation(train, validation)
        say_if_too_many(self.n_factors, train)
        unit, standard = train.deviation, train.standardized(train.mean)
        with one_blas_thread():
            chain = Chain.start(standard, self)
            samples, facts = self._draw(chain, unit, on_epoch)
            items = side_by_side(samples, chain.features, train.by_item.counts, unit)
            model = self._average(train, validation, unit, items, samples, facts)
        return self.with_choice(model, train)

    def _draw(
        self, chain: "Chain", unit: float, on_epoch: OnEpoch
    ) -> tuple[list["Sample"], JsonObject]:
        """The samples at even distances up to the first end at which their average is settled."""
        n_ratings = len(chain.train)
        average = ScoreAverage.of(n_ratings)
        ends, samples, error = self._ends, dict[int, Sample](), np.inf
        middle = (self.burn_in + ends[0]) // 2
        for epoch in range(1, self.n_epochs + 1):
            sample = chain.step(epoch)
            if any(epoch in self._kept(end) for end in ends):
                samples[epoch] = sample
            if epoch > self.burn_in:
                average.add(chain.residuals)
            report(Epoch(epoch, self.n_epochs, unit * chain.rmse, None), on_epoch)
            if epoch == ends[0]:
                error = average.sampling_error() / chain.usual_noise
                standard_error = np.sqrt(2 / n_ratings)  # of a mean of squares
                if error <= self.tolerance * standard_error or epoch == self.n_epochs:
                    break
                ends = ends[1:]
                needed = set[int]().union(*map(self._kept, ends))
                samples = {one: samples[one] for one in samples if one in needed}
            if epoch in (middle, *self._ends):
                average.end_first_part()
        chosen = [samples[one] for one in sorted(self._kept(epoch))]
        facts = {"sampling_error": error} if np.isfinite(error) else {}
        return chosen, {"n_epochs_run": epoch, **facts}

    @property
    def _ends(self) -> list[int]:
        """Where sampling may end: a quarter of the way, half of it, and all of it."""
        after = self.n_epochs - self.burn_in
        return [self.burn_in + after // k for k in (4, 2, 1) if after // k >= self.n_samples]

    def _kept(self, end: int) -> set[int]:
        """The epochs whose draws are kept where sampling ends there."""
        after = end - self.burn_in
        return {self.burn_in + after * j // self.n_samples for j in range(1, self.n_samples + 1)}

    def _average(
        self,
        train: Ratings,
        validation: Ratings | None,
        unit: float,
        items: Embeddings,
        samples: list["Sample"],
        facts: JsonObject,
    ) -> PosteriorModel:
        """The samples in stars, with all users solved on their items."""
        mean = train.mean
        users = Embeddings.zeros(train.n_users, items.n_factors)
        fold = PosteriorMean(
            reg=tuple(unit**2 * sample.noise for sample in samples),
            bias_reg=tuple(sample.noise / sample.user_bias_variance for sample in samples),
        )
        fold.solve(train.by_user, mean, items, users)
        training = Training(train, validation, mean, users, items)
        facts |= {
            "train_rmse": training.rmse(train),
            "noise": float(np.sqrt(np.mean(fold.reg))),
        }
        if validation is not None:
            facts["validation_rmse"] = training.rmse(validation, clip=True)
        bias = unit * np.array([sample.items.bias for sample in samples], np.float64)
        variance = bias.var(axis=0).astype(np.float32)
        variance.flags.writeable = False
        model = PosteriorModel.of(
            train,
            mean,
            users,
            items,
            fold,
            item_bias_variance=variance,
            kind="rating",
            algorithm=self.name,
            settings=self.settings,
            facts=facts,
        )
        return cast(PosteriorModel, model)


class Sample(NamedTuple):
    """What is kept of a draw: the items as standard normal users see them, and two variances."""

    items: Embeddings
    G: np.ndarray  # (n_features, k): what features of users add to their factors
    noise: float
    user_bias_variance: float


@dataclass
class ScoreAverage:
    """The average residual of each rating over the draws of a chain, and over its first part.

    The sampling error is the variance that averaging so many draws leaves in the scores. Draws hang
    together, so it is estimated from the averages of both parts: mean((first - second)^2) / 4.
    """

    total: np.ndarray  # (n_ratings,) float64: the sum of residuals
    first: np.ndarray  # (n_ratings,): that of the first part
    n: int = 0  # draws
    n_first: int = 0

    @classmethod
    def of(cls, n_ratings: int) -> "ScoreAverage":
        return cls(np.zeros(n_ratings), np.zeros(n_ratings))

    def add(self, residuals: np.ndarray) -> None:
        """Add those of one draw."""
        self.total += residuals
        self.n += 1

    def end_first_part(self) -> None:
        """Let the first part be all draws until now."""
        self.first, self.n_first = self.total.copy(), self.n

    def sampling_error(self) -> float:
        """The mean over ratings; infinite where a part has no draws."""
        if not 0 < self.n_first < self.n:
            return np.inf
        second = (self.total - self.first) / (self.n - self.n_first)
        return float(((self.first / self.n_first - second) ** 2).mean() / 4)


@dataclass
class Chain:
    """A state of the sampler, on ratings of mean 0 and variance 1; ``step`` moves it on."""

    train: Ratings
    users: Embeddings
    items: Embeddings
    features: ImplicitFeatures
    of_users: Population
    of_items: Population
    seed: int
    noise_damping: float
    steadiness: np.ndarray  # (n_users,) w_u: a rating of u has the variance noise / w_u
    noise: float = 1.0
    rmse: float = 1.0
    residuals: np.ndarray = field(default_factory=lambda: np.empty(0))  # (n_ratings,) float32

    @classmethod
    def start(cls, train: Ratings, settings: BayesianMF) -> "Chain":
        """A state near the best fit: a few epochs of alternating least squares."""
        k, seed = settings.n_factors, settings.seed
        model = MF(n_factors=k, n_epochs=ALS_EPOCHS, seed=seed, choice=None).fit(train)
        features = ImplicitFeatures.of(train, settings.n_features)
        chain = cls(
            train,
            model.user_embeddings.copy(),
            model.item_embeddings.copy(),
            features,
            Population.of(train.by_user, features.of_users, k, settings.spread),
            Population.of(train.by_item, features.of_items, k, settings.spread),
            seed,
            settings.noise_damping,
            np.ones(train.n_users),
        )
        chain._draw_noise(np.random.default_rng((seed, 0)))
        return chain

    def step(self, epoch: int) -> Sample:
        """Draw all items, all users and the noise, in turn, each given the others."""
        rng, noise = np.random.default_rng((self.seed, epoch)), self.usual_noise
        self._draw_embeddings(self.of_items, self.items, self.users, 2 * epoch, rng)
        prior, seen = self._draw_embeddings(
            self.of_users, self.users, self.items, 2 * epoch + 1, rng
        )
        self._draw_noise(rng)
        return Sample(seen, prior.G, noise, prior.bias_variance)

    def _draw_embeddings(
        self,
        own: Population,
        rows: Embeddings,
        other: Embeddings,
        draw: int,
        rng: np.random.Generator,
    ) -> tuple[Prior, Embeddings]:
        """Draw one side, its prior first; returns the prior and how it sees the other side."""
        prior = own.draw(rows, rng)
        seen = prior.standardized(other)
        leaning = Embeddings(prior.expected.astype(np.float32), np.zeros_like(rows.bias))
        Y = np.column_stack([seen.factors, np.ones_like(seen.bias)])
        d = Y.shape[1]
        reg = np.full(d, self.noise)
        reg[-1] /= prior.bias_variance
        rated = own.rated
        raters = own.row if own is self.of_users else rated.indices
        weights = self.steadiness[raters]
        if rated.weights is not None:
            weights = weights * rated.weights
        beyond = rated._replace(values=own.beyond(leaning, seen), weights=weights)
        terms = Terms.of(beyond, np.zeros(len(seen.bias)), Y)
        X = draw_rows(terms, penalty_of(reg, np.zeros(d)), np.sqrt(self.noise), self.seed, draw)
        X[:, :-1] += leaning.factors
        rows.fill(prior.restored(X))
        return prior, seen

    @property
    def usual_noise(self) -> float:
        """The mean variance of a rating around its score."""
        return self.noise * float((1 / self.steadiness)[self.train.user].mean())

    def _draw_noise(self, rng: np.random.Generator) -> None:
        """The variance of a rating around its score, and each user's share: inverse gammas."""
        user, n_u = self.train.user, self.train.user_counts
        self.residuals = self.of_users.beyond(self.users, self.items)
        squares = self.residuals.astype(np.float64) ** 2
        self.rmse = float(np.sqrt(squares.mean()))
        if self.train.sample_weight is not None:
            squares *= self.train.sample_weight
        total = PRIOR_RATINGS + self.steadiness[user] @ squares
        self.noise = float(total / rng.chisquare(PRIOR_RATINGS + len(squares)))
        of_user = np.bincount(user, squares, len(n_u)) / self.noise
        nu = self.noise_damping
        self.steadiness = rng.chisquare(nu + n_u) / (nu + of_user)


def side_by_side(
    samples: list[Sample], features: ImplicitFeatures, counts: np.ndarray, unit: float
) -> Embeddings:
    """The items of all samples, aligned with each other, factors and implicit factors in columns.

    ``counts`` (n_items,) are the items' ratings, ``unit`` is one of the samples in stars. Without
    features there are no implicit factors.
    """
    rotations = aligning_rotations([sample.items.factors for sample in samples], counts)
    n_items, k = samples[0].items.factors.shape
    factors = np.empty((n_items, len(samples), k), np.float32)
    for s, (sample, rotation) in enumerate(zip(samples, rotations, strict=True)):
        factors[:, s] = sample.items.factors @ (np.float32(unit) * rotation)
    bias = np.array([sample.items.bias for sample in samples], np.float64).mean(axis=0)
    items = Embeddings(factors.reshape(n_items, -1), (unit * bias).astype(np.float32))
    if not len(samples[0].G):
        return items
    G = np.hstack([one.G @ rotation for one, rotation in zip(samples, rotations, strict=True)])
    return items._replace(implicit=features.vectors.astype(np.float32) @ G.astype(np.float32))


def aligning_rotations(samples: list[np.ndarray], counts: np.ndarray) -> list[np.ndarray]:
    """Rotations (k, k) that align the item factors (n_items, k) of all samples with each other.

    A sample scores the same after any rotation. The last is rotated to its principal axes, weighted
    by ratings; the others are rotated towards it (orthogonal Procrustes, Schoenemann 1966).
    ``counts`` (n_items,) are the items' ratings.
    """
    weighted = [np.sqrt(counts)[:, None] * Q for Q in samples]
    _, axes = np.linalg.eigh(weighted[-1].T @ weighted[-1])
    target = weighted[-1] @ axes[:, ::-1]
    rotations = []
    for Q in weighted:
        left, _, right = np.linalg.svd(Q.T @ target)
        rotations.append((left @ right).astype(np.float32))
    return rotations
