"""Small dense blocks and rows in vector registers: the inner loops of solves and gradient steps.

A tile is ROWS rows by up to 3 vectors of columns and stays in registers while it is summed. The
compiler does not do that with loops, so these few functions are written in LLVM's vector types
(see ``vectors``), which run on any machine. Matrices are padded to whole tiles. With compilation
off, kernels call the plain twins instead.
"""

from collections.abc import Callable

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.base import BaseContext
from numba.core.typing.context import Context as TypingContext
from numba.core.typing.templates import Signature

from matinee.kernels.vectors import (
    GLANCE,
    INT,
    LANES,
    ROWS,
    Builder,
    Emit,
    Intrinsic,
    Type,
    Value,
    Values,
    compiled,
    sum_over,
)

AT_ONCE = 8  # vectors of float64 sums held in registers while listed rows are added


def products(vectors: int, sign: int) -> Callable[..., None]:
    """A function that writes one tile of S + M' M, or S - M' M, into A."""

    def plain(M: np.ndarray, n: int, f: int, g: int, S: np.ndarray, A: np.ndarray) -> None:
        """A = S + sign * sum over j < n of M[j]' M[j] at [f : f + ROWS, g : g + width]."""
        rows, columns = slice(f, f + ROWS), slice(g, g + vectors * LANES * 4 // M.itemsize)
        A[rows, columns] = S[rows, columns] + sign * (M[:n, rows].T @ M[:n, columns])

    def emit(context: BaseContext, builder: Builder, signature: Signature, args: Values) -> Value:
        _, n, f, g, _, _ = args
        M, S, A = (Emit(context, builder, signature.args[k], args[k]) for k in (0, 4, 5))

        def iteration(j: Value, sums: list[Value]) -> list[Value]:
            left, right = M.at(j, f), M.at(j, g)
            loaded = [M.load(right, v) for v in range(vectors)]
            factors = [M.spread(M.number_at(left, r)) for r in range(ROWS)]
            return [
                M.fused(factors[k // vectors], loaded[k % vectors], total)
                for k, total in enumerate(sums)
            ]

        totals = sum_over(builder, INT(0), n, 1, [M.zero] * (ROWS * vectors), iteration)
        combine = builder.fadd if sign > 0 else builder.fsub
        for k, total in enumerate(totals):
            row, column = builder.add(f, INT(k // vectors)), INT(k % vectors * M.lanes)
            place = builder.add(g, column)
            old = S.load(S.at(row, place), lanes=M.lanes)
            wide = total if old.type == total.type else builder.fpext(total, old.type)
            A.store(combine(old, wide), A.at(row, place))
        return context.get_dummy_value()

    def typed(
        typing: TypingContext, M: Type, n: Type, f: Type, g: Type, S: Type, A: Type
    ) -> Intrinsic:
        return types.void(M, types.intp, types.intp, types.intp, S, A), emit

    return compiled(typed, plain)


def _factor_tile_plain(A: np.ndarray, f: int, inverse: np.ndarray) -> None:
    """Cholesky of the block on the diagonal at f, upper triangle, in place.

    ``inverse`` receives 1 over its diagonal. What is below the diagonal is undefined.
    """
    block = A[f : f + ROWS, f : f + ROWS]
    for r in range(ROWS):
        inverse[f + r] = 1.0 / np.sqrt(block[r, r])
        block[r] *= inverse[f + r]
        for h in range(r + 1, ROWS):
            block[h] -= block[r, h] * block[r]


def _factor_tile(typing: TypingContext, A: Type, f: Type, inverse: Type) -> Intrinsic:
    def emit(context: BaseContext, builder: Builder, signature: Signature, args: Values) -> Value:
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


def _solve_tile(typing: TypingContext, A: Type, f: Type, g: Type, inverse: Type) -> Intrinsic:
    def emit(context: BaseContext, builder: Builder, signature: Signature, args: Values) -> Value:
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


def _solve_upper_tile_plain(
    U: np.ndarray, f: int, end: int, inverse: np.ndarray, x: np.ndarray
) -> None:
    """Solve rows f : f + ROWS of U x = y in place, x[f + ROWS : end] already solved."""
    for row in range(f + ROWS - 1, f - 1, -1):
        x[row] = (x[row] - U[row, row + 1 : end] @ x[row + 1 : end]) * inverse[row]


def _solve_upper_tile(
    typing: TypingContext, U: Type, f: Type, end: Type, inverse: Type, x: Type
) -> Intrinsic:
    def emit(context: BaseContext, builder: Builder, signature: Signature, args: Values) -> Value:
        U = Emit(context, builder, signature.args[0], args[0])
        inverse, x = (
            context.make_array(signature.args[k])(context, builder, args[k]).data for k in (3, 4)
        )
        _, f, end, _, _ = args
        rows = [builder.add(f, INT(r)) for r in range(ROWS)]

        def iteration(g: Value, sums: list[Value]) -> list[Value]:
            known = U.load(builder.gep(x, [g]))
            return [U.fused(U.load(U.at(rows[r], g)), known, sums[r]) for r in range(ROWS)]

        first = builder.add(f, INT(ROWS))
        totals = sum_over(builder, first, end, ROWS, [U.zero] * ROWS, iteration)
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


def _dot_rows_plain(P: np.ndarray, u: int, Q: np.ndarray, i: int) -> float:
    """P[u] . Q[i], float32 rows of whole vectors."""
    product: float = P[u] @ Q[i]
    return product


def _dot_rows(typing: TypingContext, P: Type, u: Type, Q: Type, i: Type) -> Intrinsic:
    def emit(context: BaseContext, builder: Builder, signature: Signature, args: Values) -> Value:
        P, Q = (Emit(context, builder, signature.args[k], args[k]) for k in (0, 2))
        p, q = P.at(args[1], INT(0)), Q.at(args[3], INT(0))

        def iteration(f: Value, sums: list[Value]) -> list[Value]:
            left, right = (P.load(builder.gep(row, [f])) for row in (p, q))
            return [P.fused(left, right, sums[0])]

        total = sum_over(builder, INT(0), P.width, LANES, [P.zero], iteration)
        return P.sum_lanes(total[0])

    return types.float32(P, types.intp, Q, types.intp), emit


def _mix_rows_plain(
    P: np.ndarray, u: int, stay_p: float, Q: np.ndarray, i: int, stay_q: float, step: float
) -> None:
    """P[u], Q[i] = stay_p P[u] + step Q[i], stay_q Q[i] + step P[u], both from the old rows."""
    P[u], Q[i] = stay_p * P[u] + step * Q[i], stay_q * Q[i] + step * P[u]


def _mix_rows(
    typing: TypingContext,
    P: Type,
    u: Type,
    stay_p: Type,
    Q: Type,
    i: Type,
    stay_q: Type,
    step: Type,
) -> Intrinsic:
    def emit(context: BaseContext, builder: Builder, signature: Signature, args: Values) -> Value:
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

    There are at least ROWS columns, and at most as many as AT_ONCE vectors hold.
    """
    for j in range(first, last):
        S[u, f:g] += Z[indices[j], f:g]


def _add_listed(
    typing: TypingContext,
    Z: Type,
    indices: Type,
    first: Type,
    last: Type,
    S: Type,
    u: Type,
    f: Type,
    g: Type,
) -> Intrinsic:
    def emit(context: BaseContext, builder: Builder, signature: Signature, args: Values) -> Value:
        Z, S = (Emit(context, builder, signature.args[k], args[k]) for k in (0, 4))
        indices = context.make_array(signature.args[1])(context, builder, args[1])
        _, _, first, last, _, u, f, g = args
        # The last vectors end at g and may overlap: their common columns get the same sums twice.
        furthest = builder.sub(g, INT(ROWS))
        columns = [builder.add(f, INT(v * ROWS)) for v in range(AT_ONCE)]
        columns = [
            builder.select(builder.icmp_signed("<", at, furthest), at, furthest) for at in columns
        ]

        def iteration(j: Value, sums: list[Value]) -> list[Value]:
            number = builder.load(builder.gep(indices.data, [j]))
            row = Z.at(builder.sext(number, INT), INT(0))
            added = [Z.load(builder.gep(row, [at]), lanes=S.lanes) for at in columns]
            return [
                builder.fadd(total, builder.fpext(one, S.vector))
                for total, one in zip(sums, added, strict=True)
            ]

        begin = [S.load(S.at(u, at)) for at in columns]
        for total, at in zip(
            sum_over(builder, first, last, 1, begin, iteration), columns, strict=True
        ):
            S.store(total, S.at(u, at))
        return context.get_dummy_value()

    number = types.intp
    return types.void(Z, indices, number, number, S, number, number, number), emit


def _fetch_row_plain(P: np.ndarray, u: int) -> None:
    """Prefetch P[u] into the cache."""


def _fetch_row(typing: TypingContext, P: Type, u: Type) -> Intrinsic:
    def emit(context: BaseContext, builder: Builder, signature: Signature, args: Values) -> Value:
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


def _above_plain(A: np.ndarray, row: int, column: int, least: np.float32) -> int:
    """Which of the GLANCE numbers from A[row, column] on exceed ``least``: a bit for each.

    NaN exceeds everything, and everything exceeds NaN.
    """
    return sum(
        1 << place
        for place, number in enumerate(A[row, column : column + GLANCE])
        if not number <= least
    )


def _above(typing: TypingContext, A: Type, row: Type, column: Type, least: Type) -> Intrinsic:
    def emit(context: BaseContext, builder: Builder, signature: Signature, args: Values) -> Value:
        A = Emit(context, builder, signature.args[0], args[0])
        first, least, bits = A.at(args[1], args[2]), A.spread(args[3]), INT(0)
        for vector in range(GLANCE // LANES):
            above = builder.fcmp_unordered(">", A.load(first, vector), least)
            some = builder.zext(builder.bitcast(above, ir.IntType(LANES)), INT)
            bits = builder.or_(bits, builder.shl(some, INT(vector * LANES)))
        return bits

    return types.int64(A, types.intp, types.intp, types.float32), emit


def _lowest_bit_plain(bits: int) -> int:
    """The position of the lowest set bit of a number that is not 0."""
    return (bits & -bits).bit_length() - 1


def _lowest_bit(typing: TypingContext, bits: Type) -> Intrinsic:
    def emit(context: BaseContext, builder: Builder, signature: Signature, args: Values) -> Value:
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
