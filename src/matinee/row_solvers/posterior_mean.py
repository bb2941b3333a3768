"""The average of least squares over posterior samples: the fold-in of Bayesian MF."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from matinee.data.rows import Rows
from matinee.row_solvers.around_implicit import AroundImplicit
from matinee.row_solvers.embeddings import Embeddings
from matinee.row_solvers.least_squares import LeastSquares
from matinee.tastes.canonical import Freedom


@dataclass(frozen=True)
class PosteriorMean:
    """The average of least squares over posterior samples (Salakhutdinov & Mnih 2008).

    Items hold the factors of the samples side by side. Someone's factors in sample s solve

        min over p, b   sum_j w_j (r_j - mean - c_j - b - p . q_j)^2
                        + reg[s] |p - sum_j z_j / sqrt(n)|^2 + bias_reg[s] b^2

    w_j is the weight of a rating, and z_j are the sample's implicit factors, where there are any.
    reg is the variance of a rating around its score, as p is normal with variance 1 beforehand;
    bias_reg is the same over the variance of b. The score is the average over samples, so users
    hold p / n_samples and the average of b.
    """

    reg: tuple[float, ...]
    bias_reg: tuple[float, ...]

    def __post_init__(self) -> None:
        for name in ("reg", "bias_reg"):  # a saved model has lists
            object.__setattr__(self, name, tuple(getattr(self, name)))

    @property
    def summed(self) -> None:
        return None

    @property
    def freedom(self) -> Freedom:
        return "rotation"  # of all samples alike

    def samples(self, items: Embeddings) -> Iterator[tuple[LeastSquares, Embeddings]]:
        """The row solve and the items of each sample; biases are those of the average."""
        k = items.n_factors // len(self.reg)
        for s, (reg, bias_reg) in enumerate(zip(self.reg, self.bias_reg, strict=True)):
            columns = slice(s * k, (s + 1) * k)
            if items.implicit is None:
                yield (
                    LeastSquares(reg, 0.0, bias_reg),
                    Embeddings(items.factors[:, columns], items.bias),
                )
            else:
                sample = Embeddings(
                    items.factors[:, columns], items.bias, items.implicit[:, columns]
                )
                yield AroundImplicit(reg, 0.0, bias_reg), sample

    def solve(self, rated: Rows, mean: float, items: Embeddings, users: Embeddings) -> None:
        rows = rated.counts > 0
        needed, places = np.unique(rated.indices, return_inverse=True)
        rated = rated._replace(indices=places.astype(np.int32))
        bias = np.zeros(len(rows))
        n_samples = np.float32(len(self.reg))
        for s, (fold, sample) in enumerate(self.samples(items)):
            solved = Embeddings.zeros(len(rows), sample.n_factors)
            fold.solve(rated, mean, sample.take(needed), solved)
            columns = slice(s * sample.n_factors, (s + 1) * sample.n_factors)
            np.divide(solved.factors, n_samples, users.factors[:, columns], where=rows[:, None])
            bias += solved.bias
        users.bias[rows] = bias[rows] / len(self.reg)

    def parts(
        self,
        rated: Rows,
        items: Embeddings,
        targets: np.ndarray,
        person: Embeddings,
        products: np.ndarray | None = None,
    ) -> np.ndarray:
        needed = items.take(np.append(rated.indices, targets))
        own, ahead = np.split(np.arange(len(needed.bias)), [len(rated.indices)])
        history = rated._replace(indices=own)
        parts = [
            fold.parts(history, sample, ahead, person) for fold, sample in self.samples(needed)
        ]
        result: np.ndarray = np.mean(parts, axis=0)
        return result
