"""Stochastic gradient descent on blocks of ratings that share no user and no item."""

from matinee.kernels import tiles
from matinee.kernels.jit import kernel

AHEAD = 8  # ratings by which a user's factors are asked for in advance: they come from far away


@kernel
def descend(blocks, starts, user, item, rating, mean, rate, keep, places, P, b, Q, c):
    """One step per rating, in stored order, for each listed block starts[B]..starts[B + 1].

    With e = r - (mean + b_u + c_i + p_u . q_i) a step is
        p_u <- keep_p[u] p_u + rate e q_i         b_u <- keep_b[u] b_u + rate e
        q_i <- keep_q[i] q_i + rate e p_u         c_i <- keep_c[i] c_i + rate e
    ``keep`` = (keep_p, keep_b, keep_q, keep_c) holds 1 - rate x penalty per rating, for each row; a
    bias that is kept by 0 or less does not exist and stays as it is. P (n_users, width) and Q
    (n_items, width) are float32 rows of whole vectors (see ``tiles``).
    """
    keep_p, keep_b, keep_q, keep_c = keep
    place_u, place_i = places
    for block in blocks:
        last = starts[block + 1]
        for j in range(starts[block], last):
            u, i = user[j], item[j]
            ahead = min(j + AHEAD, last - 1)
            tiles.fetch_row(P, user[ahead])
            tiles.fetch_row(Q, item[ahead])
            at_u, at_i = place_u[u], place_i[i]
            step = rate * (rating[j] - (mean + b[at_u] + c[at_i] + tiles.dot_rows(P, u, Q, i)))
            if keep_b[u] > 0:
                b[at_u] = keep_b[u] * b[at_u] + step
                c[at_i] = keep_c[i] * c[at_i] + step
            tiles.mix_rows(P, u, keep_p[u], Q, i, keep_q[i], step)
