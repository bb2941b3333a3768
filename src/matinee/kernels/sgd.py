"""Stochastic gradient descent on blocks of ratings that share no user and no item."""

import numpy as np

from matinee.kernels.jit import kernel


@kernel
def descend(blocks, starts, user, item, rating, mean, rate, reg, bias_reg, P, b, Q, c):
    """One step per rating, in stored order, for each listed block starts[B]..starts[B + 1].

    With e = r - (mean + b_u + c_i + p_u . q_i) a step is
        p_u += rate (e q_i - user_reg p_u)     b_u += rate (e - bias_reg b_u)
        q_i += rate (e p_u - item_reg q_i)     c_i += rate (e - bias_reg c_i)
    where reg = (user_reg, item_reg). A negative bias_reg leaves the biases alone.
    """
    k = P.shape[1]
    keep_p, keep_q = np.float32(1) - rate * reg[0], np.float32(1) - rate * reg[1]
    for block in blocks:
        for j in range(starts[block], starts[block + 1]):
            u, i = user[j], item[j]
            p, q = P[u], Q[i]
            dot = np.float32(0)
            for f in range(k):
                dot += p[f] * q[f]
            error = rating[j] - (mean + b[u] + c[i] + dot)
            if bias_reg >= 0:
                b[u] += rate * (error - bias_reg * b[u])
                c[i] += rate * (error - bias_reg * c[i])
            step = rate * error
            for f in range(k):
                p_f, q_f = p[f], q[f]
                p[f] = keep_p * p_f + step * q_f
                q[f] = keep_q * q_f + step * p_f
