"""Stochastic gradient descent on blocks of ratings that share no user and no item."""

import numpy as np

from matinee.kernels.jit import kernel


@kernel
def descend(blocks, starts, user, item, rating, mean, rate, keep, P, b, Q, c):
    """One step per rating, in stored order, for each listed block starts[B]..starts[B + 1].

    With e = r - (mean + b_u + c_i + p_u . q_i) a step is
        p_u <- keep_p[u] p_u + rate e q_i         b_u <- keep_b[u] b_u + rate e
        q_i <- keep_q[i] q_i + rate e p_u         c_i <- keep_c[i] c_i + rate e
    ``keep`` = (keep_p, keep_b, keep_q, keep_c) holds 1 - rate x penalty per rating, for each row; a
    bias that is kept by 0 or less does not exist and stays as it is.
    """
    keep_p, keep_b, keep_q, keep_c = keep
    k = P.shape[1]
    for block in blocks:
        for j in range(starts[block], starts[block + 1]):
            u, i = user[j], item[j]
            p, q = P[u], Q[i]
            dot = np.float32(0)
            for f in range(k):
                dot += p[f] * q[f]
            step = rate * (rating[j] - (mean + b[u] + c[i] + dot))
            if keep_b[u] > 0:
                b[u] = keep_b[u] * b[u] + step
                c[i] = keep_c[i] * c[i] + step
            stay_p, stay_q = keep_p[u], keep_q[i]
            for f in range(k):
                p_f, q_f = p[f], q[f]
                p[f] = stay_p * p_f + step * q_f
                q[f] = stay_q * q_f + step * p_f
