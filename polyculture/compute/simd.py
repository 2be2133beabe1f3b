"""Machine operations on many bytes at once, for kernels: generic vectors that LLVM lowers to what the processor has."""

from functools import reduce
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from polyculture.compute.compiled import byte_pointer

_I8, _I64, _I128 = ir.IntType(8), ir.IntType(64), ir.IntType(128)
LANES = 32
# Marks of bytes: part of a word; first of a word even if the byte before belongs to one; of a letter, a number, a sign
# of ASCII. Signs that are none in some places have marks of their own: `-` and `/`; `!`, for which `=` counts.
IN_WORD_BYTE, STARTS_WORD, LETTER, NUMBER, SIGN, HYPHEN, BANG, EQUALS = 1, 2, 4, 8, 16, 32, 64, 128


def _all(value: int, lanes: int) -> ir.Constant:
    return ir.Constant(ir.VectorType(_I8, lanes), [value] * lanes)


def _load(builder: Any, pointer: Any, lanes: int) -> Any:
    value = builder.load(builder.bitcast(pointer, ir.VectorType(_I8, lanes).as_pointer()))
    value.align = 1
    return value


def _store(builder: Any, value: Any, pointer: Any) -> None:
    stored = builder.store(value, builder.bitcast(pointer, value.type.as_pointer()))
    stored.align = 1


def _equals(builder: Any, value: Any, wanted: int) -> Any:
    """Mark the bytes that have a value."""
    return builder.icmp_unsigned("==", value, _all(wanted, LANES))


def _if(builder: Any, flags: Any, value: int) -> Any:
    """The value for each marked byte, 0 for the others."""
    return builder.select(flags, _all(value, LANES), _all(0, LANES))


def _within(builder: Any, value: Any, first: int, last: int) -> Any:
    """Mark the bytes that lie in first..last."""
    return builder.icmp_unsigned("<=", builder.sub(value, _all(first, LANES)), _all(last - first, LANES))


def _as_bits(builder: Any, flags: Any, lanes: int) -> Any:
    """One bit of each flag, the first one lowest."""
    return builder.zext(builder.bitcast(flags, ir.IntType(lanes)), _I64) if lanes < 64 else builder.bitcast(flags, _I64)


def _marks(builder: Any, lower: Any) -> Any:
    """The mark of each of 32 bytes of ASCII in lower case."""

    def either(*flags: Any) -> Any:
        return reduce(builder.or_, flags)

    def within(first: str, last: str) -> Any:
        return _within(builder, lower, ord(first), ord(last))

    letter = either(within("a", "z"), _equals(builder, lower, ord("_")))
    hyphen = _equals(builder, builder.and_(lower, _all(0xFD, LANES)), ord("-"))
    bang, equals = (_equals(builder, lower, ord(sign)) for sign in "!=")
    raised = builder.or_(lower, _all(0x20, LANES))
    braces = _within(builder, raised, ord("{"), ord("~"))  # and those of [ to ^
    others = _equals(builder, raised, ord("`"))  # and @
    sign = either(hyphen, bang, within("#", "&"), within("(", "+"), within("<", ">"), braces, others)
    marks = (
        (letter, IN_WORD_BYTE | LETTER),
        (within("0", "9"), IN_WORD_BYTE | NUMBER),
        (sign, IN_WORD_BYTE | SIGN),
        (hyphen, HYPHEN),
        (bang, BANG),
        (equals, EQUALS),
    )
    return reduce(builder.or_, (_if(builder, flags, mark) for flags, mark in marks))


def _fold_ascii(typing_context: Any, data: Any, at: Any, room: Any, to: Any) -> Any:
    """Fold 32 ASCII bytes from data[at] to room[0][to], and write to room[1][to] the mark of each.

    Lower case, and a space for every character of white space. Returns a bit of each byte: in the high half whether
    it is beyond ASCII, in the low half whether it is white space. What follows such a byte in the room is the caller's
    to overwrite, who keeps within the arrays.
    """
    del typing_context, at, to

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        source, place, both, to_place = arguments
        target, flags = (builder.extract_value(both, i) for i in range(2))
        value = _load(builder, byte_pointer(context, builder, kinds[0], source, place), LANES)
        beyond = builder.icmp_unsigned(">=", value, _all(0x80, LANES))
        upper = _within(builder, value, 0x41, 0x5A)
        lower = builder.select(upper, builder.or_(value, _all(0x20, LANES)), value)
        blank = builder.or_(_within(builder, value, 0x09, 0x0D), _within(builder, value, 0x1C, 0x20))
        folded = builder.select(blank, _all(0x20, LANES), lower)
        _store(builder, folded, byte_pointer(context, builder, kinds[2][0], target, to_place))
        _store(builder, _marks(builder, lower), byte_pointer(context, builder, kinds[2][1], flags, to_place))
        high = builder.shl(_as_bits(builder, beyond, LANES), ir.Constant(_I64, 32))
        return builder.or_(high, _as_bits(builder, blank, LANES))

    return types.uint64(data, types.intp, room, types.intp), generate


def _load_and_spread(context: Any, builder: Any, signature: Any, arguments: Any) -> tuple[Any, Any]:
    """64 bytes from arguments[0][arguments[1]] on, and 64 times the byte arguments[2]."""
    array, place, wanted = arguments
    value = _load(builder, byte_pointer(context, builder, signature.args[0], array, place), 64)
    kind = ir.VectorType(_I8, 64)
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), wanted, ir.Constant(ir.IntType(32), 0))
    spread = builder.shuffle_vector(
        one, ir.Constant(kind, ir.Undefined), ir.Constant(ir.VectorType(ir.IntType(32), 64), [0] * 64)
    )
    return value, spread


def _marked64(typing_context: Any, marks: Any, at: Any, mask: Any) -> Any:
    """One bit of each of 64 bytes from marks[at] on, the first one lowest: whether it has a bit of the mask."""
    del typing_context, at, mask

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value, spread = _load_and_spread(context, builder, signature, arguments)
        return _as_bits(builder, builder.icmp_unsigned("!=", builder.and_(value, spread), _all(0, 64)), 64)

    return types.uint64(marks, types.intp, types.uint8), generate


def _equal64(typing_context: Any, data: Any, at: Any, wanted: Any) -> Any:
    """One bit of each of 64 bytes from data[at] on, the first one lowest: whether it is the one that is wanted."""
    del typing_context, at, wanted

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value, spread = _load_and_spread(context, builder, signature, arguments)
        return _as_bits(builder, builder.icmp_unsigned("==", value, spread), 64)

    return types.uint64(data, types.intp, types.uint8), generate


def _folded_product(typing_context: Any, left: Any, right: Any) -> Any:
    """High half of the 128-bit product of two 64-bit words, exclusive or its low half: two words mixed into one."""
    del typing_context, left, right

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del context, signature
        product = builder.mul(builder.zext(arguments[0], _I128), builder.zext(arguments[1], _I128))
        high = builder.trunc(builder.lshr(product, ir.Constant(_I128, 64)), _I64)
        return builder.xor(high, builder.trunc(product, _I64))

    return types.uint64(types.uint64, types.uint64), generate


fold_ascii: Any = intrinsic(_fold_ascii)
marked64: Any = intrinsic(_marked64)
equal64: Any = intrinsic(_equal64)
folded_product: Any = intrinsic(_folded_product)
