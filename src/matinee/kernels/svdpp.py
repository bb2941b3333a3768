"""SVD++ by gradient descent, a user at a time."""

import numpy as np

from matinee.kernels.jit import kernel


@kernel
def descend_users(
    users,
    indptr,
    indices,
    values,
    chosen_indptr,
    chosen,
    mean,
    rate,
    reg,
    bias_reg,
    implicit_reg,
    P,
    b,
    Q,
    c,
    Z,
):
    """One step per rating, user by user, with e = r - (mean + b_u + c_i + q_i . (p_u + s_u)).

        p_u += rate (e q_i - reg p_u)             b_u += rate (e - bias_reg b_u)
        q_i += rate (e (p_u + s_u) - reg q_i)     c_i += rate (e - bias_reg c_i)
        z_j += rate (sum_i e q_i / sqrt(n_u) - implicit_reg z_j)   once per user and chosen j

    s_u sums over the n_u items that u chose, in rows of their own (``chosen_indptr, chosen``).
    Every z_j of a user shares one gradient, so gathering it over the user's ratings makes a visit
    cost n_u k, where stepping all z_j at every rating costs n_u^2 k.
    """
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
