"""The right side of a test: values, ranges, prefixes and flags as a set of values."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.lowering.datatypes import (
    DataType,
    Name,
    NftValueError,
    Text,
    article,
)
from iptlint.model.matches import Ranges
from iptlint.model.numbers import c_number


@dataclass(frozen=True, slots=True)
class Values:
    """Any of them: numbers as closed ranges, sorted; texts; names without a number.

    The ranges are as written, so that each can be a test of its own.

    ``unread``: what could not be read as a value.
    """

    ranges: Ranges = ()
    texts: tuple[Text, ...] = ()
    names: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def numbers_only(self) -> bool:
        return not (self.texts or self.names or self.unread)

    @property
    def single(self) -> int | None:
        """The only value, if there is just one and it is a number."""
        if len(self.ranges) != 1 or not self.numbers_only:
            return None
        low, high = self.ranges[0]
        return low if low == high else None


def merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The same values as ranges that are sorted and apart."""
    result: list[tuple[int, int]] = []
    first, last = -1, -2
    for low, high in sorted(ranges):
        if low > last + 1:
            if first <= last:
                result.append((first, last))
            first, last = low, high
        elif high > last:
            last = high
    if first <= last:
        result.append((first, last))
    return tuple(result)


def union(several: Iterable[Values]) -> Values:
    several = tuple(several)
    if len(several) == 1:
        return several[0]
    return Values(
        tuple(sorted({r for values in several for r in values.ranges})),
        tuple(dict.fromkeys(text for values in several for text in values.texts)),
        tuple(dict.fromkeys(name for values in several for name in values.names)),
        tuple(dict.fromkeys(text for values in several for text in values.unread)),
    )


def without(values: Values, removed: Values) -> Values:
    """What is left once other values are taken out."""
    kept: list[tuple[int, int]] = []
    for low, high in values.ranges:
        at = low
        for first, last in removed.ranges:
            if last < at or first > high:
                continue
            if first > at:
                kept.append((at, first - 1))
            at = last + 1
        if at <= high:
            kept.append((at, high))
    return Values(
        tuple(kept),
        tuple(text for text in values.texts if text not in removed.texts),
        tuple(name for name in values.names if name not in removed.names),
        values.unread,
    )


# -- from syntax -------------------------------------------------------------------------


def read_values(expression: t.Node, type: DataType) -> Values:
    """NftValueError where nft would refuse it; ``node`` of the error says where."""
    match expression:
        case t.Value():
            return _scalar(expression, type)
        case t.Prefix(base, length):
            return _prefix(expression, base, length, type)
        case t.Range(low, high):
            return _range(expression, low, high, type)
        case t.Bitwise():
            number = constant(expression, type)
            return Values(unread=("bits",)) if number is None else Values(((number, number),))
        case t.Listing():
            return _listing(expression, type)
    return Values(unread=("expression",))


def _scalar(value: t.Value, type: DataType) -> Values:
    try:
        scalar = type.read(value)
    except NftValueError as error:
        error.node = error.node or value
        raise
    match scalar:
        case int():
            return Values(((scalar, scalar),))
        case Text():
            return Values(texts=(scalar,))
        case Name(name):
            return Values(names=(name,))


def _prefix(place: t.Prefix, base: t.Expression, length: t.Value, type: DataType) -> Values:
    bits = c_number(length.text)
    if bits is None or not type.width:
        return Values(unread=("prefix",))
    if bits > type.width:
        raise NftValueError(
            f"the prefix length {length.text} is too long for {article(type.what)}",
            f"write a length from 0 to {type.width}",
            place,
        )
    values = read_values(base, type)
    if values.single is None:
        return Values(names=tuple(f"{name}/{bits}" for name in values.names), unread=values.unread)
    hosts = (1 << (type.width - bits)) - 1
    first = values.single & ~hosts
    return Values(((first, first | hosts),))


def _range(place: t.Range, low: t.Expression, high: t.Expression, type: DataType) -> Values:
    ends = (read_values(low, type), read_values(high, type))
    first, last = (values.single for values in ends)
    if first is None or last is None:
        unread = tuple(text for values in ends for text in values.unread)
        return Values(unread=unread) if unread else Values(names=("-".join(map(_spelled, ends)),))
    if first > last:
        raise NftValueError("the range ends before it begins", "write the lower value first", place)
    return Values(((first, last),))


def _spelled(values: Values) -> str:
    if values.single is not None:
        return str(values.single)
    return "".join((*values.names, *(text.text for text in values.texts)))


def _listing(expression: t.Listing, type: DataType) -> Values:
    """``new,established`` are flags joined; only a type of flags takes that."""
    if not type.flags:
        raise NftValueError(
            f"a list joined by commas is for flags, and {article(type.what)} is none",
            "write several values in braces: { a, b }",
            expression,
        )
    bits = [constant(item, type) for item in expression.items]
    if any(bit is None for bit in bits):
        return Values(unread=("flags",))
    number = 0
    for bit in bits:
        number |= bit or 0
    return Values(((number, number),))


_OPERATIONS: dict[str, Callable[[int, int, int], int]] = {
    "&": lambda a, b, _: a & b,
    "|": lambda a, b, _: a | b,
    "^": lambda a, b, _: a ^ b,
    "<<": lambda a, b, maximum: (a << min(b, 256)) & maximum,
    ">>": lambda a, b, _: a >> min(b, 256),
}


def constant(expression: t.Node, type: DataType) -> int | None:
    """The number an expression of values comes to; None where a part of it is unknown."""
    if isinstance(expression, t.Bitwise) and not type.width:
        return None
    first, steps = unwound(expression)
    if not isinstance(first, t.Value | t.Listing):
        return None
    number = read_values(first, type).single
    for operator, right in steps:
        operand = constant(right, type)
        if number is None or operand is None:
            return None
        number = _OPERATIONS[operator](number, operand, type.maximum)
    return number


def unwound(expression: t.Node) -> tuple[t.Node, list[tuple[str, t.Expression]]]:
    """What ``a & b | c`` begins with, and what is done with it, in order."""
    steps: list[tuple[str, t.Expression]] = []
    while isinstance(expression, t.Bitwise):
        steps.append((expression.operator, expression.right))
        expression = expression.left
    return expression, steps[::-1]
