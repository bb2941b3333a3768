"""Vector instructions that ``tiles`` is written in: loads, products and loops, as LLVM has them."""

from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar, cast

from llvmlite import binding, ir
from numba import config
from numba.core import cgutils, types
from numba.core.base import BaseContext
from numba.core.typing.templates import Signature
from numba.extending import intrinsic

# The types of numba and LLVM by short names. A value is what an instruction makes at run time.
Builder: TypeAlias = ir.IRBuilder
Type: TypeAlias = types.Type
Value: TypeAlias = ir.Value
Values: TypeAlias = Sequence[Value]
Emitter: TypeAlias = Callable[[BaseContext, Builder, Signature, Values], Value]
Intrinsic: TypeAlias = tuple[Signature, Emitter]  # signature of a function, and its instructions
Plain = TypeVar("Plain", bound=Callable[..., object])


def has_feature(name: str) -> bool:
    """Whether compiled code may use a feature of the processor, such as ``avx512f``.

    ``NUMBA_CPU_FEATURES``, and ``NUMBA_CPU_NAME=generic``, hold the code to less than the host has.
    """
    features = getattr(config, "CPU_FEATURES", None)
    if features is not None:
        return f"+{name}" in features.split(",")
    return bool(binding.get_host_cpu_features().get(name))


WIDE = has_feature("avx512f")
LANES = 16 if WIDE else 8  # float32 numbers in a vector; half as many float64 ones
ROWS = LANES // 2  # so that ROWS float64 numbers are one vector
GLANCE = 64  # numbers compared at once: as many as there are bits in an INT
INT = ir.IntType(64)


def compiled(typed: Callable[..., Intrinsic], plain: Plain) -> Plain:
    """The function for kernels to call: ``typed``'s instructions, or ``plain`` without compilation.

    Both compute the same; the docstring of ``plain`` says what.
    """
    return plain if getattr(config, "DISABLE_JIT", False) else cast(Plain, intrinsic(typed))


class Emit:
    """Vector instructions on one array, appended to the function being compiled."""

    def __init__(
        self, context: BaseContext, builder: Builder, kind: types.Array, value: Value
    ) -> None:
        self.builder = builder
        self.array = context.make_array(kind)(context, builder, value)
        self.number = context.get_value_type(kind.dtype)
        self.bits = cast(types.Float, kind.dtype).bitwidth
        self.lanes = LANES * 32 // self.bits
        self.vector = ir.VectorType(self.number, self.lanes)
        self.width = cgutils.unpack_tuple(builder, self.array.shape)[1]  # rows are contiguous
        self.zero = ir.Constant(self.vector, [0.0] * self.lanes)

    def at(self, row: Value, column: Value) -> Value:
        """Pointer to array[row, column]."""
        place = self.builder.add(self.builder.mul(row, self.width), column)
        return self.builder.gep(self.array.data, [place])

    def number_at(self, pointer: Value, place: int) -> Value:
        """The number so many places behind a pointer."""
        return self.builder.load(self.builder.gep(pointer, [INT(place)]))

    def load(self, pointer: Value, vector: int = 0, lanes: int = 0) -> Value:
        """The ``vector``-th vector behind a pointer, of ``lanes`` numbers or of a register's."""
        kind = ir.VectorType(self.number, lanes or self.lanes)
        place = self.builder.gep(pointer, [INT(vector * self.lanes)])
        return self.builder.load(
            self.builder.bitcast(place, kind.as_pointer()), align=self.bits // 8
        )

    def store(self, value: Value, pointer: Value) -> None:
        """Write a vector to memory."""
        place = self.builder.bitcast(pointer, value.type.as_pointer())
        self.builder.store(value, place, align=self.bits // 8)

    def spread(self, number: Value) -> Value:
        """A vector with the same number in each lane."""
        undefined = ir.Constant(self.vector, ir.Undefined)
        first = self.builder.insert_element(undefined, number, ir.IntType(32)(0))
        return self.spread_lane(first, 0)

    def spread_lane(self, vector: Value, lane: int) -> Value:
        """A vector with the number of one lane in each lane."""
        mask = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), [lane] * self.lanes)
        return self.builder.shuffle_vector(vector, ir.Constant(self.vector, ir.Undefined), mask)

    def fused(self, a: Value, b: Value, c: Value) -> Value:
        """a * b + c"""
        kind = ir.FunctionType(self.vector, [self.vector] * 3)
        name = f"llvm.fmuladd.v{self.lanes}f{self.bits}"
        function = cgutils.get_or_insert_function(self.builder.module, kind, name)
        return self.builder.call(function, [a, b, c])

    def sum_lanes(self, vector: Value) -> Value:
        """The sum of a vector's lanes, halves first."""
        lanes = self.lanes
        while lanes > 1:
            lanes //= 2
            halves = [
                ir.Constant(ir.VectorType(ir.IntType(32), lanes), list(range(a, a + lanes)))
                for a in (0, lanes)
            ]
            low, high = (self.builder.shuffle_vector(vector, vector, half) for half in halves)
            vector = self.builder.fadd(low, high)
        return self.builder.extract_element(vector, ir.IntType(32)(0))

    def root(self, number: Value) -> Value:
        """The square root."""
        kind = ir.FunctionType(self.number, [self.number])
        name = f"llvm.sqrt.f{self.bits}"
        function = cgutils.get_or_insert_function(self.builder.module, kind, name)
        return self.builder.call(function, [number])


def sum_over(
    builder: Builder,
    first: Value,
    end: Value,
    step: int,
    begin: Values,
    body: Callable[[Value, list[Value]], list[Value]],
) -> list[Value]:
    """Emit a loop of g from first to end that keeps sums in registers; they begin as ``begin``.

    ``body(g, sums)`` emits one iteration and returns the new sums. Returns the final sums.
    """
    before = builder.block
    loop, after = (builder.append_basic_block(name) for name in ("sum", "summed"))
    builder.cbranch(builder.icmp_signed("<", first, end), loop, after)
    builder.position_at_end(loop)
    g = builder.phi(INT)
    sums = [builder.phi(start.type) for start in begin]
    new = body(g, sums)
    following = builder.add(g, INT(step))
    builder.cbranch(builder.icmp_signed("<", following, end), loop, after)
    builder.position_at_end(after)
    totals = [builder.phi(start.type) for start in begin]
    for phi, start, value in [
        (g, first, following),
        *(
            (phi, start, value)
            for many in (sums, totals)
            for phi, start, value in zip(many, begin, new, strict=True)
        ),
    ]:
        phi.add_incoming(start, before)
        phi.add_incoming(value, loop)
    return totals
