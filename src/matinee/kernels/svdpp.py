"""SVD++ by gradient descent, a user at a time."""

from typing import NamedTuple

import numpy as np

from matinee.data.rows import Rows
from matinee.kernels.jit import kernel, read_only
from matinee.kernels.sparse import Sparse


class UserRates(NamedTuple):
    """The size of the steps, and the penalties per step."""

    rate: float
    reg: float
    bias_reg: float
    implicit_reg: float


class Letters(NamedTuple):
    """What the steps overwrite, float32: p_u, b_u, q_i, c_i and z_j."""

    P: np.ndarray  # (n_users, k)
    b: np.ndarray  # (n_users,)
    Q: np.ndarray  # (n_items, k)
    c: np.ndarray  # (n_items,)
    Z: np.ndarray  # (n_items, k)


def descend_users(
    order: np.ndarray, rated: Rows, implicit: Rows, mean: float, rates: UserRates, model: Letters
) -> None:
    """Take one step per rating, user by user, with e = r - (mean + b_u + c_i + q_i . (p_u + s_u)).

        p_u += rate (e q_i - reg p_u)             b_u += rate (e - bias_reg b_u)
        q_i += rate (e (p_u + s_u) - reg q_i)     c_i += rate (e - bias_reg c_i)
        z_j += rate (sum_i e q_i / sqrt(n_u) - implicit_reg z_j)   once per user and item j of s_u

    ``order`` (n_users,) are the users in the order they take their steps, and s_u sums z_j over the
    n_u items that ``implicit`` lists for u. Every z_j of a user shares one gradient, so gathering
    it over the user's ratings makes a visit cost n_u k, where stepping all z_j at every rating
    costs n_u^2 k.
    """
    _descend_users(
        order,
        Sparse(rated.indptr, rated.indices, rated.values).frozen(),
        read_only(implicit.indptr, np.int64),
        read_only(implicit.indices, np.int32),
        np.float32(mean),
        tuple(np.float32(rate) for rate in rates),
        model,
    )


@kernel
def _descend_users(users, rated, chosen_indptr, chosen, mean, rates, model):
    indptr, indices, values = rated
    rate, reg, bias_reg, implicit_reg = rates
    P, b, Q, c, Z = model
    k = P.shape[1]
    s, gathered = np.empty(k, np.float32), np.empty(k, np.float32)
    for u in users:
        first, last = indptr[u], indptr[u + 1]
        if first == last:
            continue
        first_chosen, last_chosen = chosen_indptr[u], chosen_indptr[u + 1]
        norm = np.float32(1.0) / np.sqrt(np.float32(last_chosen - first_chosen))
        s[:], gathered[:] = 0.0, 0.0
        for j in range(first_chosen, last_chosen):
            for f in range(k):
                s[f] += norm * Z[chosen[j], f]
        p = P[u]
        for j in range(first, last):
            i = indices[j]
            q = Q[i]
            dot = np.float32(0.0)
            for f in range(k):
                dot += q[f] * (p[f] + s[f])
            error = values[j] - (mean + b[u] + c[i] + dot)
            b[u] += rate * (error - bias_reg * b[u])
            c[i] += rate * (error - bias_reg * c[i])
            for f in range(k):
                p_f, q_f = p[f], q[f]
                gathered[f] += error * q_f
                p[f] += rate * (error * q_f - reg * p_f)
                q[f] += rate * (error * (p_f + s[f]) - reg * q_f)
        for j in range(first_chosen, last_chosen):
            z = Z[chosen[j]]
            for f in range(k):
                z[f] += rate * (norm * gathered[f] - implicit_reg * z[f])
