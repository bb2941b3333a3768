"""Small dense blocks and rows in vector registers: what solves and gradient steps spend time in.

A tile is ROWS rows by up to 3 vectors of columns, held in registers while it is summed. The
compiler cannot be talked into that by loops, so these few functions are written in its own terms
(LLVM's vector types, see ``vectors``); they run on any machine. Matrices have room for whole tiles.
With compilation off, the plain twins take their place.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types

from matinee.kernels.vectors import GLANCE, INT, LANES, ROWS, Emit, compiled, sum_over

AT_ONCE = 8  # vectors of float64 sums held in registers while listed rows are added


def products(vectors: int, sign: int) -> Any:
    """A function that writes one tile of S + M' M, or S - M' M, into A."""

    def plain(M: np.ndarray, n: int, f: int, g: int, S: np.ndarray, A: np.ndarray) -> None:
        """A = S + sign * sum over j < n of M[j]' M[j] at [f : f + ROWS, g : g + width]."""
        rows, columns = slice(f, f + ROWS), slice(g, g + vectors * LANES * 4 // M.itemsize)
        A[rows, columns] = S[rows, columns] + sign * (M[:n, rows].T @ M[:n, columns])

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _, n, f, g, _, _ = args
        M, S, A = (Emit(context, builder, signature.args[k], args[k]) for k in (0, 4, 5))

        def turn(j: Any, sums: list[Any]) -> list[Any]:
            left, right = M.at(j, f), M.at(j, g)
            loaded = [M.load(right, v) for v in range(vectors)]
            factors = [M.spread(M.number_at(left, r)) for r in range(ROWS)]
            return [
                M.fused(factors[k // vectors], loaded[k % vectors], total)
                for k, total in enumerate(sums)
            ]

        totals = sum_over(builder, INT(0), n, 1, [M.zero] * (ROWS * vectors), turn)
        combine = builder.fadd if sign > 0 else builder.fsub
        for k, total in enumerate(totals):
            row, column = builder.add(f, INT(k // vectors)), INT(k % vectors * M.lanes)
            place = builder.add(g, column)
            old = S.load(S.at(row, place), lanes=M.lanes)
            wide = total if old.type == total.type else builder.fpext(total, old.type)
            A.store(combine(old, wide), A.at(row, place))
        return context.get_dummy_value()

    def typed(typing: Any, M: Any, n: Any, f: Any, g: Any, S: Any, A: Any) -> Any:
        return types.void(M, types.intp, types.intp, types.intp, S, A), emit

    return compiled(typed, plain)


def _factor_tile_plain(A: np.ndarray, f: int, inverse: np.ndarray) -> None:
    """Cholesky of the block on the diagonal at f, upper triangle, in place.

    ``inverse`` gets one over its diagonal. Below the diagonal the block is left with no meaning.
    """
    block = A[f : f + ROWS, f : f + ROWS]
    for r in range(ROWS):
        inverse[f + r] = 1.0 / np.sqrt(block[r, r])
        block[r] *= inverse[f + r]
        for h in range(r + 1, ROWS):
            block[h] -= block[r, h] * block[r]


def _factor_tile(typing: Any, A: Any, f: Any, inverse: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        A = Emit(context, builder, signature.args[0], args[0])
        inverse = context.make_array(signature.args[2])(context, builder, args[2])
        places = [A.at(builder.add(args[1], INT(r)), args[1]) for r in range(ROWS)]
        rows = [A.load(place) for place in places]
        for r in range(ROWS):
            pivot = builder.extract_element(rows[r], ir.IntType(32)(r))
            over = builder.fdiv(ir.Constant(A.number, 1.0), A.root(pivot))
            place = builder.add(args[1], INT(r))
            builder.store(over, builder.gep(inverse.data, [place]))
            rows[r] = builder.fmul(rows[r], A.spread(over))
            minus = builder.fsub(A.zero, rows[r])
            for h in range(r + 1, ROWS):
                rows[h] = A.fused(A.spread_lane(rows[r], h), minus, rows[h])
        for row, place in zip(rows, places, strict=True):
            A.store(row, place)
        return context.get_dummy_value()

    return types.void(A, types.intp, inverse), emit


def _solve_tile_plain(A: np.ndarray, f: int, g: int, inverse: np.ndarray) -> None:
    """Solve U' X = A[f : f + ROWS, g : g + ROWS] in place, U being the factored block at f."""
    block = A[f : f + ROWS, g : g + ROWS]
    for r in range(ROWS):
        block[r] *= inverse[f + r]
        for h in range(r + 1, ROWS):
            block[h] -= A[f + r, f + h] * block[r]


def _solve_tile(typing: Any, A: Any, f: Any, g: Any, inverse: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        A = Emit(context, builder, signature.args[0], args[0])
        inverse = context.make_array(signature.args[3])(context, builder, args[3])
        _, f, g, _ = args
        below = [builder.add(f, INT(r)) for r in range(ROWS)]
        places = [A.at(row, g) for row in below]
        rows = [A.load(place) for place in places]
        for r in range(ROWS):
            over = builder.load(builder.gep(inverse.data, [below[r]]))
            rows[r] = builder.fmul(rows[r], A.spread(over))
            minus = builder.fsub(A.zero, rows[r])
            for h in range(r + 1, ROWS):
                factor = A.spread(builder.load(A.at(below[r], below[h])))
                rows[h] = A.fused(factor, minus, rows[h])
        for row, place in zip(rows, places, strict=True):
            A.store(row, place)
        return context.get_dummy_value()

    return types.void(A, types.intp, types.intp, inverse), emit


def _solve_upper_tile_plain(U: np.ndarray, f: int, end: int, inverse: np.ndarray, x: Any) -> None:
    """Solve rows f : f + ROWS of U x = y in place, x[f + ROWS : end] being solved before."""
    for row in range(f + ROWS - 1, f - 1, -1):
        x[row] = (x[row] - U[row, row + 1 : end] @ x[row + 1 : end]) * inverse[row]


def _solve_upper_tile(typing: Any, U: Any, f: Any, end: Any, inverse: Any, x: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        U = Emit(context, builder, signature.args[0], args[0])
        inverse, x = (
            context.make_array(signature.args[k])(context, builder, args[k]).data for k in (3, 4)
        )
        _, f, end, _, _ = args
        rows = [builder.add(f, INT(r)) for r in range(ROWS)]

        def turn(g: Any, sums: list[Any]) -> list[Any]:
            known = U.load(builder.gep(x, [g]))
            return [U.fused(U.load(U.at(rows[r], g)), known, sums[r]) for r in range(ROWS)]

        first = builder.add(f, INT(ROWS))
        totals = sum_over(builder, first, end, ROWS, [U.zero] * ROWS, turn)
        y = [builder.load(builder.gep(x, [row])) for row in rows]
        left = [builder.fsub(y[r], U.sum_lanes(totals[r])) for r in range(ROWS)]
        for r in range(ROWS - 1, -1, -1):
            left[r] = builder.fmul(left[r], builder.load(builder.gep(inverse, [rows[r]])))
            builder.store(left[r], builder.gep(x, [rows[r]]))
            for h in range(r):
                known = builder.fmul(builder.load(U.at(rows[h], rows[r])), left[r])
                left[h] = builder.fsub(left[h], known)
        return context.get_dummy_value()

    return types.void(U, types.intp, types.intp, inverse, x), emit


def _dot_rows_plain(P: np.ndarray, u: int, Q: np.ndarray, i: int) -> Any:
    """P[u] . Q[i], float32 rows of whole vectors."""
    return P[u] @ Q[i]


def _dot_rows(typing: Any, P: Any, u: Any, Q: Any, i: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        P, Q = (Emit(context, builder, signature.args[k], args[k]) for k in (0, 2))
        p, q = P.at(args[1], INT(0)), Q.at(args[3], INT(0))

        def turn(f: Any, sums: list[Any]) -> list[Any]:
            left, right = (P.load(builder.gep(row, [f])) for row in (p, q))
            return [P.fused(left, right, sums[0])]

        total = sum_over(builder, INT(0), P.width, LANES, [P.zero], turn)
        return P.sum_lanes(total[0])

    return types.float32(P, types.intp, Q, types.intp), emit


def _mix_rows_plain(
    P: np.ndarray, u: int, stay_p: Any, Q: np.ndarray, i: int, stay_q: Any, step: Any
) -> None:
    """P[u], Q[i] = stay_p P[u] + step Q[i], stay_q Q[i] + step P[u], both from the old rows."""
    P[u], Q[i] = stay_p * P[u] + step * Q[i], stay_q * Q[i] + step * P[u]


def _mix_rows(
    typing: Any, P: Any, u: Any, stay_p: Any, Q: Any, i: Any, stay_q: Any, step: Any
) -> Any:
    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        P, Q = (Emit(context, builder, signature.args[k], args[k]) for k in (0, 3))
        p, q = P.at(args[1], INT(0)), Q.at(args[4], INT(0))
        stay_p, stay_q, step = (P.spread(args[k]) for k in (2, 5, 6))
        with cgutils.for_range_slice(builder, INT(0), P.width, INT(LANES), INT) as (f, _):
            left, right = (builder.gep(row, [f]) for row in (p, q))
            old_p, old_q = P.load(left), P.load(right)
            P.store(P.fused(step, old_q, builder.fmul(stay_p, old_p)), left)
            P.store(P.fused(step, old_p, builder.fmul(stay_q, old_q)), right)
        return context.get_dummy_value()

    number = types.float32
    return types.void(P, types.intp, number, Q, types.intp, number, number), emit


def _add_listed_plain(
    Z: np.ndarray, indices: np.ndarray, first: int, last: int, S: np.ndarray, u: int, f: int, g: int
) -> None:
    """S[u, f:g] += Z[indices[j], f:g] for j in first..last, one after the other; S is float64.

    There are ROWS columns or more, and no more than AT_ONCE vectors hold.
    """
    for j in range(first, last):
        S[u, f:g] += Z[indices[j], f:g]


def _add_listed(
    typing: Any, Z: Any, indices: Any, first: Any, last: Any, S: Any, u: Any, f: Any, g: Any
) -> Any:
    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        Z, S = (Emit(context, builder, signature.args[k], args[k]) for k in (0, 4))
        indices = context.make_array(signature.args[1])(context, builder, args[1])
        _, _, first, last, _, u, f, g = args
        # The last vectors end at g, and may hold columns twice: both times the same sums.
        furthest = builder.sub(g, INT(ROWS))
        columns = [builder.add(f, INT(v * ROWS)) for v in range(AT_ONCE)]
        columns = [
            builder.select(builder.icmp_signed("<", at, furthest), at, furthest) for at in columns
        ]

        def turn(j: Any, sums: list[Any]) -> list[Any]:
            number = builder.load(builder.gep(indices.data, [j]))
            row = Z.at(builder.sext(number, INT), INT(0))
            added = [Z.load(builder.gep(row, [at]), lanes=S.lanes) for at in columns]
            return [
                builder.fadd(total, builder.fpext(one, S.vector))
                for total, one in zip(sums, added, strict=True)
            ]

        begin = [S.load(S.at(u, at)) for at in columns]
        for total, at in zip(sum_over(builder, first, last, 1, begin, turn), columns, strict=True):
            S.store(total, S.at(u, at))
        return context.get_dummy_value()

    number = types.intp
    return types.void(Z, indices, number, number, S, number, number, number), emit


def _fetch_row_plain(P: np.ndarray, u: int) -> None:
    """Ask for P[u] before it is needed."""


def _fetch_row(typing: Any, P: Any, u: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        P = Emit(context, builder, signature.args[0], args[0])
        row = P.at(args[1], INT(0))
        flag, byte = ir.IntType(32), ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [byte, flag, flag, flag])
        fetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        with cgutils.for_range_slice(builder, INT(0), P.width, INT(16), INT) as (f, _):
            place = builder.bitcast(builder.gep(row, [f]), byte)
            builder.call(fetch, [place, flag(1), flag(3), flag(1)])  # to write, keep near, data
        return context.get_dummy_value()

    return types.void(P, types.intp), emit


def _above_plain(A: np.ndarray, row: int, column: int, least: Any) -> int:
    """Which of the GLANCE numbers from A[row, column] on are above ``least``: a bit for each.

    NaN counts as above everything, and everything as above NaN.
    """
    return sum(
        1 << place
        for place, number in enumerate(A[row, column : column + GLANCE])
        if not number <= least
    )


def _above(typing: Any, A: Any, row: Any, column: Any, least: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        A = Emit(context, builder, signature.args[0], args[0])
        first, least, bits = A.at(args[1], args[2]), A.spread(args[3]), INT(0)
        for vector in range(GLANCE // LANES):
            above = builder.fcmp_unordered(">", A.load(first, vector), least)
            some = builder.zext(builder.bitcast(above, ir.IntType(LANES)), INT)
            bits = builder.or_(bits, builder.shl(some, INT(vector * LANES)))
        return bits

    return types.int64(A, types.intp, types.intp, types.float32), emit


def _lowest_bit_plain(bits: int) -> int:
    """The place of the lowest bit that is set; there is one."""
    return (bits & -bits).bit_length() - 1


def _lowest_bit(typing: Any, bits: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.IntType(1)(1))

    return types.int64(types.int64), emit


add_1, add_2, add_3 = (products(vectors, +1) for vectors in (1, 2, 3))
subtract_1, subtract_2, subtract_3 = (products(vectors, -1) for vectors in (1, 2, 3))
factor_tile = compiled(_factor_tile, _factor_tile_plain)
solve_tile = compiled(_solve_tile, _solve_tile_plain)
solve_upper_tile = compiled(_solve_upper_tile, _solve_upper_tile_plain)
dot_rows = compiled(_dot_rows, _dot_rows_plain)
mix_rows = compiled(_mix_rows, _mix_rows_plain)
add_listed = compiled(_add_listed, _add_listed_plain)
fetch_row = compiled(_fetch_row, _fetch_row_plain)
above = compiled(_above, _above_plain)
lowest_bit = compiled(_lowest_bit, _lowest_bit_plain)
