"""A network of user and item vectors, and the solve of one user's vectors."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.linalg import LinAlgError
from scipy.linalg import cho_factor, cho_solve

MOST_STEPS = 50  # of Newton's method
MOST_HALVINGS = 8  # of a step that does not lower the objective
SOLVED = 1e-7  # largest entry of a last step, relative to the largest of v
MOST_CELLS = 1 << 22  # hidden units in memory together
NODES = (4, 8, 16, 32, 64, 128)  # of Gauss-Legendre, until the quadrature is exact enough
QUADRATURE = 1e-6  # its error, relative to the larger of 1 and the integral


@dataclass(frozen=True, eq=False)
class Tower:
    """Two layers on the sum of a user's and an item's vector: f(z) = w . tanh(tanh(z) C + c).

    The sum is what a first layer makes of the two vectors side by side (He et al. 2017). tanh is
    smooth where their ReLU has kinks, so that integrals along a path need few nodes.
    """

    weights: np.ndarray  # C (n_hidden, n_inner) float32
    bias: np.ndarray  # c (n_inner,) float32
    output: np.ndarray  # w (n_inner,) float32

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """f of each row of z (n, n_hidden): (n,)."""
        value: np.ndarray = np.tanh(np.tanh(z) @ self.weights + self.bias) @ self.output
        return value

    def of_pairs(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """f of all sums of users (n_users, n_hidden) and items (n_items, n_hidden), as a table."""
        out = np.empty((len(users), len(items)), np.float32)
        at_once = max(1, MOST_CELLS // max(1, items.size))
        for first in range(0, len(users), at_once):
            z = users[first : first + at_once, None] + items
            out[first : first + at_once] = self(z.reshape(-1, z.shape[-1])).reshape(z.shape[:2])
        return out

    def gradients(self, z: np.ndarray) -> np.ndarray:
        """The gradient of f at each row of z: (n, n_hidden)."""
        h = np.tanh(z)
        inner = np.tanh(h @ self.weights + self.bias)
        slope: np.ndarray = (((1 - inner**2) * self.output) @ self.weights.T) * (1 - h**2)
        return slope

    def curvature(self, z: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The sum of f's second derivatives at rows of z, times ``weights`` (n,): (d, d)."""
        h = np.tanh(z)
        inner = np.tanh(h @ self.weights + self.bias)
        slope, of_inner = 1 - h**2, (1 - inner**2) * self.output
        along = (slope[:, :, None] * self.weights).transpose(0, 2, 1).reshape(-1, z.shape[1])
        bend = (-2 * inner * of_inner * weights[:, None]).reshape(-1, 1)
        result: np.ndarray = along.T @ (along * bend)
        diagonal = weights @ ((of_inner @ self.weights.T) * (-2 * h * slope))
        result[np.diag_indices_from(result)] += diagonal
        return result


class Vectors(NamedTuple):
    """Vectors of some users or items, float64: for the product, for the tower, and biases."""

    linear: np.ndarray  # (n, n_factors)
    hidden: np.ndarray  # (n, n_hidden)
    bias: np.ndarray  # (n,)

    def take(self, rows: np.ndarray) -> "Vectors":
        """The vectors of ``rows`` (n,)."""
        return Vectors(*(array[rows] for array in self))

    @property
    def flat(self) -> np.ndarray:
        """Side by side: (n, n_factors + n_hidden + 1)."""
        return np.column_stack(self)

    @classmethod
    def of(cls, flat: np.ndarray, n_factors: int) -> "Vectors":
        """``flat`` in reverse, for an array (n, n_factors + n_hidden + 1)."""
        return cls(flat[:, :n_factors], flat[:, n_factors:-1], flat[:, -1])


class Examples(NamedTuple):
    """What one person's scores should be: of stars a target, of choices 1 or 0."""

    items: Vectors
    targets: np.ndarray  # (n,)
    weights: np.ndarray  # (n,)


@dataclass(frozen=True, eq=False)
class PersonSolve:
    """The vectors v of one person, for fixed items, by Newton's method from the average person a.

        min  sum_j w_j loss(y_j, s_j(v)) + reg / 2 |v - a|^2

    Where its gradient is zero, and so at the solution,

        v - a = A^-1 sum_j J_j W_j t_j,   A = sum_j W_j J_j J_j' + reg
        t_j = J_j . (v - a) + e_j / W_j

    J_j is the gradient of s_j at v. Of stars, loss is half the squared error, W_j = w_j and
    e_j = w_j (y_j - s_j). Of choices, loss is the log loss, W_j = w_j sigmoid'(s_j) and
    e_j = w_j (y_j - sigmoid(s_j)). So much of v has each example brought about; without a tower
    these are the shares of least squares (Hu, Koren & Volinsky 2008, section 5).
    """

    tower: Tower
    average: np.ndarray  # a (k,)
    n_factors: int
    logistic: bool

    def scores(self, v: np.ndarray, items: Vectors) -> np.ndarray:
        """s_j (n,) of someone with vectors v (k,), without the mean of all."""
        p, x, b = v[: self.n_factors], v[self.n_factors : -1], v[-1]
        return np.asarray(items.linear @ p + self.tower(items.hidden + x) + items.bias + b)

    def gradients(self, v: np.ndarray, items: Vectors) -> np.ndarray:
        """J (n, k): the gradient of each score in v (k,)."""
        slopes = self.tower.gradients(items.hidden + v[self.n_factors : -1])
        J: np.ndarray = np.column_stack([items.linear, slopes, np.ones(len(slopes))])
        return J

    def solve(self, examples: Examples, reg: float) -> np.ndarray:
        """v (k,); a step that raises the objective is halved until it does not."""
        v = self.average.copy()
        objective = self._objective(v, examples, reg)
        for _ in range(MOST_STEPS):
            step = self._step(v, examples, reg)
            if np.abs(step).max() <= SOLVED * (1 + np.abs(v).max()):
                v = v + step
                break
            for _ in range(MOST_HALVINGS):
                lower = self._objective(v + step, examples, reg)
                if lower <= objective:
                    break
                step /= 2
            v, objective = v + step, lower
        return v

    def parts(self, v: np.ndarray, examples: Examples, reg: float, target: Vectors) -> np.ndarray:
        """What each example adds (n,) to the score of ``target``, one row, beyond the average's.

        The gradient of that score is integrated along the straight path from a to v (k,), and each
        example has its share of v - a.
        """
        parts: np.ndarray = self._shares(v, examples, reg) @ self._mean_gradient(v, target)
        return parts

    def _mean_gradient(self, v: np.ndarray, target: Vectors) -> np.ndarray:
        """int_0^1 of the gradient at a + t (v - a): (k,), with as many nodes as it takes."""
        lead = float(self.scores(v, target)[0] - self.scores(self.average, target)[0])
        way = v - self.average
        for n in NODES:
            nodes, weights = np.polynomial.legendre.leggauss(n)
            along = (
                weight / 2 * self.gradients(self.average + (node + 1) / 2 * way, target)[0]
                for node, weight in zip(nodes, weights, strict=True)
            )
            gradient: np.ndarray = np.sum(list(along), axis=0)
            if abs(float(gradient @ way) - lead) <= QUADRATURE * max(1.0, abs(lead)):
                break
        return gradient

    def _step(self, v: np.ndarray, examples: Examples, reg: float) -> np.ndarray:
        """A step of Newton's method; of Gauss-Newton where the objective is not convex at v."""
        J, e, W = self._linearized(v, examples)
        A = _gram(J, W, reg)
        down = e @ J - reg * (v - self.average)
        hidden = slice(self.n_factors, -1)
        H = A.copy()
        H[hidden, hidden] -= self.tower.curvature(examples.items.hidden + v[hidden], e)
        try:
            step: np.ndarray = cho_solve(cho_factor(H), down)
        except LinAlgError:
            step = cho_solve(cho_factor(A), down)
        return step

    def _shares(self, v: np.ndarray, examples: Examples, reg: float) -> np.ndarray:
        """What each example brings about of v - a: (n, k)."""
        J, e, W = self._linearized(v, examples)
        t = W * (J @ (v - self.average)) + e
        shares: np.ndarray = cho_solve(cho_factor(_gram(J, W, reg)), (J * t[:, None]).T).T
        return shares

    def _linearized(
        self, v: np.ndarray, examples: Examples
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """J (n, k), e (n,) and W (n,)."""
        s = self.scores(v, examples.items)
        return self.gradients(v, examples.items), *self._residuals(s, examples)

    def _residuals(self, s: np.ndarray, examples: Examples) -> tuple[np.ndarray, np.ndarray]:
        """e and W, (n,) each."""
        if not self.logistic:
            return examples.weights * (examples.targets - s), examples.weights
        chance = 1 / (1 + np.exp(-s))
        return (
            examples.weights * (examples.targets - chance),
            examples.weights * chance * (1 - chance),
        )

    def _objective(self, v: np.ndarray, examples: Examples, reg: float) -> float:
        s, y = self.scores(v, examples.items), examples.targets
        loss = np.logaddexp(0, s) - y * s if self.logistic else (y - s) ** 2 / 2
        way = v - self.average
        return float(examples.weights @ loss + reg / 2 * (way @ way))


def _gram(J: np.ndarray, W: np.ndarray, reg: float) -> np.ndarray:
    """sum_j W_j J_j J_j' + reg: (k, k)."""
    A: np.ndarray = (J * W[:, None]).T @ J
    A[np.diag_indices_from(A)] += reg
    return A
