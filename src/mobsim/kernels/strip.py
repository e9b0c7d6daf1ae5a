"""A strip: 16 neighbouring slots, worked on at once in vector registers.

The rules of the week are the same arithmetic for every resident and lane. Written with strips they read as
they would for one resident, `v = v - threshold`, and become one vector instruction each on every machine,
whatever the compiler makes of loops. Every slot goes through the same operations as a single number would
(IEEE 754, nothing fused), so results are those of plain loops, to the last bit.

There are five kinds of strip: singles (float32), doubles (float64), words (uint32), longs (uint64) and masks,
which say yes or no.
+ - * / & | ^ ~ << >> and comparisons work slot by slot; a single number may stand on either side. This file
is the only one that tells numba about them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numba
from llvmlite import ir
from numba import extending
from numba.core import cgutils
from numba.core.imputils import lower_builtin

STRIP = 16
"""Number of slots of a strip."""

_numba: Any = extending
_lower: Any = lower_builtin

_BIT = ir.IntType(1)
_WORD = ir.IntType(32)
_LONG = ir.IntType(64)
_SINGLE = ir.FloatType()
_DOUBLE = ir.DoubleType()


def _intrinsic(function: Callable[..., Any]) -> Any:
    """Let numba write out a function in LLVM's own operations; callers do not pass the first parameter."""
    return _numba.intrinsic(function)


class Strip(numba.types.Type):
    """Numba's type of a strip.

    Parameters
    ----------
    kind : name of the kind.
    scalar : numba's type of one slot.
    element : LLVM's type of one slot.
    """

    def __init__(self, kind: str, scalar: Any, element: Any) -> None:
        super().__init__(name=f"Strip({kind})")
        self.scalar = scalar
        self.element = element

    @property
    def vector(self) -> Any:
        """LLVM's type of the strip."""
        return ir.VectorType(self.element, STRIP)


SINGLES = Strip("singles", numba.types.float32, _SINGLE)
DOUBLES = Strip("doubles", numba.types.float64, _DOUBLE)
WORDS = Strip("words", numba.types.uint32, _WORD)
LONGS = Strip("longs", numba.types.uint64, _LONG)
MASK = Strip("mask", numba.types.boolean, _BIT)
_KIND_OF = {kind.scalar: kind for kind in (SINGLES, DOUBLES, WORDS, LONGS, MASK)}


@_numba.register_model(Strip)
class _StripModel(_numba.models.PrimitiveModel):  # type: ignore[misc]
    """Strips live in vector registers."""

    def __init__(self, manager: Any, kind: Strip) -> None:
        super().__init__(manager, kind, kind.vector)


def _kind(given: Any) -> Strip | None:
    """The kind of strip that a strip or a single number stands for."""
    return given if isinstance(given, Strip) else _KIND_OF.get(given)


def _spread(builder: Any, given: Any, value: Any) -> Any:
    """A strip from a strip or a single number."""
    if isinstance(given, Strip):
        return value
    if given == numba.types.boolean and value.type != _BIT:
        value = builder.trunc(value, _BIT)
    kind = _KIND_OF[given]
    undefined = ir.Constant(kind.vector, ir.Undefined)
    first = builder.insert_element(undefined, value, ir.Constant(_WORD, 0))
    zeros = ir.Constant(ir.VectorType(_WORD, STRIP), [0] * STRIP)
    return builder.shuffle_vector(first, undefined, zeros)


def _constant(kind: Strip, value: int) -> Any:
    return ir.Constant(kind.vector, [value] * STRIP)


def _teach(symbol: Any, kind: Strip, result: Strip, lower: Callable[[Any, Any, Any], Any]) -> None:
    """Let numba use an operator on strips of a kind, or on a strip and a single number."""

    def typer(_context: Any) -> Any:
        def typed(a: Any, b: Any) -> Any:
            strips = isinstance(a, Strip) or isinstance(b, Strip)
            return result(a, b) if strips and _kind(a) is kind and _kind(b) is kind else None

        return typed

    _numba.type_callable(symbol)(typer)

    def lowered(_context: Any, builder: Any, signature: Any, values: Any) -> Any:
        a, b = (_spread(builder, *pair) for pair in zip(signature.args, values, strict=True))
        return lower(builder, a, b)

    for pair in ((kind, kind), (kind, kind.scalar), (kind.scalar, kind)):
        _lower(symbol, *pair)(lowered)


def _compare(method: str, sign: str) -> Callable[[Any, Any, Any], Any]:
    return lambda builder, a, b: getattr(builder, method)(sign, a, b)


_ARITHMETIC = {operator.add: "add", operator.sub: "sub", operator.mul: "mul"}
_LOGIC = {operator.and_: "and_", operator.or_: "or_", operator.xor: "xor"}
_SHIFTS = {operator.lshift: "shl", operator.rshift: "lshr"}
_ORDER = {operator.lt: "<", operator.le: "<=", operator.gt: ">", operator.ge: ">=", operator.eq: "=="}


def _by_name(name: str) -> Callable[[Any, Any, Any], Any]:
    return lambda builder, a, b: getattr(builder, name)(a, b)


for _symbol, _name in _ARITHMETIC.items():
    for _whole in (WORDS, LONGS):
        _teach(_symbol, _whole, _whole, _by_name(_name))
    for _reals in (SINGLES, DOUBLES):
        _teach(_symbol, _reals, _reals, _by_name("f" + _name))
for _reals in (SINGLES, DOUBLES):
    _teach(operator.truediv, _reals, _reals, _by_name("fdiv"))
for _symbol, _name in _LOGIC.items():
    for _kind_of_bits in (WORDS, LONGS, MASK):
        _teach(_symbol, _kind_of_bits, _kind_of_bits, _by_name(_name))
for _symbol, _name in _SHIFTS.items():
    for _whole in (WORDS, LONGS):
        _teach(_symbol, _whole, _whole, _by_name(_name))
for _symbol, _name in _ORDER.items():
    _teach(_symbol, WORDS, MASK, _compare("icmp_unsigned", _name))
    for _reals in (SINGLES, DOUBLES):
        _teach(_symbol, _reals, MASK, _compare("fcmp_ordered", _name))


def _type_invert(_context: Any) -> Any:
    return lambda a: MASK if a is MASK else None


def _lower_invert(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
    return builder.xor(values[0], _constant(MASK, 1))


_numba.type_callable(operator.invert)(_type_invert)
_lower(operator.invert, MASK)(_lower_invert)


def _place(context: Any, builder: Any, array: Any, values: Any, index: Any) -> Any:
    """Pointer to an element of a C-contiguous array, and its alignment."""
    data = context.make_array(array)(context, builder, value=values[0]).data
    position = context.cast(builder, values[1], index, numba.types.intp)
    return builder.gep(data, [position]), context.get_abi_sizeof(context.get_data_type(array.dtype))


_HELD_AS = {
    numba.types.float32: SINGLES,
    numba.types.float64: DOUBLES,
    numba.types.uint32: WORDS,
    numba.types.uint64: LONGS,
    numba.types.int32: WORDS,
    numba.types.uint8: WORDS,
}


@_intrinsic
def load(_typing: Any, array: Any, index: Any) -> Any:
    """Read 16 elements from a place on; bytes become whole numbers.

    Parameters
    ----------
    array : (n,) float32, float64, uint32, int32 or uint8, C-contiguous.
    index : the first element; nothing checks that all 16 lie inside.
    """
    kind = _HELD_AS[array.dtype]

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        pointer, size = _place(context, builder, array, values, signature.args[1])
        vector = ir.VectorType(context.get_data_type(array.dtype), STRIP)
        found = builder.load(builder.bitcast(pointer, vector.as_pointer()), align=size)
        return builder.zext(found, kind.vector) if size == 1 else found

    return kind(array, index), generate


@_intrinsic
def prefetch(_typing: Any, array: Any, index: Any) -> Any:
    """Ask for the line of the cache that holds an element, which will be needed soon; changes no result.

    Parameters
    ----------
    array : (n,) float32, float64, uint32, int32 or uint8, C-contiguous.
    index : the element; it may lie outside.
    """

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        pointer, _ = _place(context, builder, array, values, signature.args[1])
        byte = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [byte, _WORD, _WORD, _WORD])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        read, soon, data = (ir.Constant(_WORD, number) for number in (0, 3, 1))
        builder.call(function, [builder.bitcast(pointer, byte), read, soon, data])
        return context.get_dummy_value()

    return numba.types.void(array, index), generate


@_intrinsic
def store(_typing: Any, array: Any, index: Any, strip: Any) -> Any:
    """Write a strip to 16 elements from a place on.

    Parameters
    ----------
    array : (n,) float32, float64, uint32, int32 or uint8, C-contiguous.
    index : the first element; nothing checks that all 16 lie inside.
    strip : what to write; of whole numbers that go to bytes the lower 8 bits.
    """
    if _HELD_AS[array.dtype] is not strip:
        return None

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        pointer, size = _place(context, builder, array, values, signature.args[1])
        vector = ir.VectorType(context.get_data_type(array.dtype), STRIP)
        written = builder.trunc(values[2], vector) if size == 1 else values[2]
        builder.store(written, builder.bitcast(pointer, vector.as_pointer()), align=size)
        return context.get_dummy_value()

    return numba.types.void(array, index, strip), generate


@_intrinsic
def spread(_typing: Any, value: Any) -> Any:
    """A strip with the same number in all slots.

    Parameters
    ----------
    value : float32, float64, uint32 or bool.
    """

    def generate(_context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return _spread(builder, signature.args[0], values[0])

    return _KIND_OF[value](value), generate


@_intrinsic
def pick(_typing: Any, condition: Any, yes: Any, no: Any) -> Any:
    """Slot by slot, `yes` where the condition holds and `no` elsewhere.

    Parameters
    ----------
    condition : yes-or-no.
    yes, no : strips of one kind, or single numbers.
    """
    kind = _kind(yes)
    if condition is not MASK or kind is None or kind is not _kind(no):
        return None

    def generate(_context: Any, builder: Any, signature: Any, values: Any) -> Any:
        chosen = [_spread(builder, signature.args[i], values[i]) for i in (1, 2)]
        return builder.select(values[0], *chosen)

    return kind(condition, yes, no), generate


@_intrinsic
def slots_of(_typing: Any, condition: Any) -> Any:
    """A number (uint64) whose bit k says whether the condition holds in slot k.

    Parameters
    ----------
    condition : yes-or-no.
    """

    def generate(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.zext(builder.bitcast(values[0], ir.IntType(STRIP)), _LONG)

    return numba.types.uint64(condition), generate


@_intrinsic
def from_slot(_typing: Any, first: Any) -> Any:
    """Yes in the slots from `first` on.

    Parameters
    ----------
    first : number of a slot, uint32.
    """

    def generate(_context: Any, builder: Any, signature: Any, values: Any) -> Any:
        numbers = ir.Constant(WORDS.vector, list(range(STRIP)))
        return builder.icmp_unsigned(">=", numbers, _spread(builder, signature.args[0], values[0]))

    return MASK(first), generate


def _converter(
    name: str, given: Strip, result: Strip, method: str | Callable[[Any, Any], Any], description: str
) -> Any:
    """A function of one strip that is one conversion."""

    def convert(_typing: Any, strip: Any) -> Any:
        if strip is not given:
            return None

        def generate(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
            if isinstance(method, str):
                return getattr(builder, method)(values[0], result.vector)
            return method(builder, values[0])

        return result(strip), generate

    convert.__name__ = convert.__qualname__ = name
    convert.__doc__ = description
    return _intrinsic(convert)


as_single = _converter("as_single", WORDS, SINGLES, "sitofp", "Whole numbers (as int32) in float32.")
as_double = _converter("as_double", WORDS, DOUBLES, "sitofp", "Whole numbers (as int32) in float64.")
rounded = _converter("rounded", DOUBLES, SINGLES, "fptrunc", "Doubles, rounded to float32.")
widened = _converter("widened", WORDS, LONGS, "zext", "Words in 64 bits.")
lower_half = _converter("lower_half", LONGS, WORDS, "trunc", "The lower 32 bits.")
upper_half = _converter(
    "upper_half",
    LONGS,
    WORDS,
    lambda builder, value: builder.trunc(builder.lshr(value, _constant(LONGS, 32)), WORDS.vector),
    "The upper 32 bits.",
)
bits_of = _converter("bits_of", SINGLES, WORDS, "bitcast", "The bits of float32 numbers.")
of_bits = _converter("of_bits", WORDS, SINGLES, "bitcast", "float32 numbers from their bits.")


@_intrinsic
def lowest_bit(_typing: Any, bits: Any) -> Any:
    """Number of the lowest bit that is set (int64), of a number (uint64) that is not 0."""

    def generate(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.cttz(values[0], ir.Constant(_BIT, 1))

    return numba.types.int64(bits), generate
