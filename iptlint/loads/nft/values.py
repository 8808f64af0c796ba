"""What an expression is of, and the values that are written in elements and tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.lowering import datatypes as d
from iptlint.dialects.nft.lowering.datatypes import (
    DataType,
    Name,
    NftValueError,
    Text,
    article,
)
from iptlint.dialects.nft.lowering.dependencies import Context
from iptlint.dialects.nft.lowering.selector import row_of
from iptlint.dialects.nft.lowering.symbols import PROTOCOL_WORDS
from iptlint.dialects.nft.walking import everything
from iptlint.model import Family
from iptlint.model.numbers import c_number

_CLOSED = {"integer", "time"}
"""Types that read nothing but numbers, wherever they are loaded."""

OTHER_TYPES = frozenset(
    ("verdict", "bitmask", "integer", "string", "ll_addr", "hour", "day", "date", "time", "symbol")
)
"""Words of nft for data types beside those that selectors here have."""


@dataclass(frozen=True, slots=True)
class Bad:
    """A value that nft does not take at this place."""

    node: t.Node
    cause: str
    mend: str = ""


def parts_of(expression: t.Node) -> tuple[t.Node, ...]:
    return expression.parts if isinstance(expression, t.Concat) else (expression,)


@lru_cache(maxsize=4096)
def type_of(expression: t.Node, family: Family, network: str | None) -> DataType | None:
    """None where nothing is known of it."""
    match expression:
        case t.Bitwise(left):
            return type_of(left, family, network)
        case t.RawPayload() | t.RawOption() | t.Value() | t.Numgen() | t.Hash():
            return None
        case t.Payload(_, _, tunnel) if tunnel is not None:
            return None
    row = row_of(expression, Context(family, network))
    return None if row is None or row.type is d.ANYTHING else row.type


def types_of(
    expression: t.Node, family: Family, network: str | None
) -> tuple[DataType | None, ...]:
    return tuple(type_of(part, family, network) for part in parts_of(expression))


# -- values --------------------------------------------------------------------------------

Interval = tuple[int, int]


def scalar(value: t.Value, type: DataType) -> int | Text | Name | Bad:
    try:
        made = type.read(value)
    except NftValueError as error:
        if type is d.ETHER and "." in value.text:
            return Name(value.text)  # nft reads an address of IPv4 there, whatever it makes of it
        return Bad(value, error.message, error.help)
    if isinstance(made, Name) and type.name in _CLOSED and value.text not in PROTOCOL_WORDS:
        return Bad(value, f"`{value.text}` is no {type.what}", "write a number")
    return made


def single(node: t.Node, type: DataType) -> Interval | Text | Bad | None:
    """The same for a value that stands alone: there the name of a protocol is nothing else."""
    if isinstance(node, t.Value) and _is_protocol(node) and type.name != "inet_proto":
        cause = f"`{node.text}` is the name of a protocol, and this is {article(type.what)}"
        return Bad(node, cause, "write a number")
    return interval(node, type)


def _is_protocol(value: t.Value) -> bool:
    return value.kind is t.Kind.SYMBOL and value.text in PROTOCOL_WORDS


def interval(node: t.Node, type: DataType) -> Interval | Text | Bad | None:
    """The values that one part of an element stands for; None where they are not known here."""
    match node:
        case t.Value() if _is_protocol(node) and type.name != "inet_proto":
            return None
        case t.Value():
            made = scalar(node, type)
            if isinstance(made, int):
                return made, made
            return None if isinstance(made, Name) else made
        case t.Prefix(t.Value() as base, length):
            return _prefix(node, base, length, type)
        case t.Range(t.Value() as low, t.Value() as high):
            return _range(node, low, high, type)
        case t.Bitwise() | t.Listing():
            return next((bad for bad in _leaves(node, type) if isinstance(bad, Bad)), None)
    return None


def _leaves(node: t.Node, type: DataType) -> Iterator[object]:
    for part in everything(node):
        if isinstance(part, t.Value) and part.kind is t.Kind.SYMBOL and not _is_protocol(part):
            yield scalar(part, type)


def _prefix(
    node: t.Prefix, base: t.Value, length: t.Value, type: DataType
) -> Interval | Text | Bad | None:
    made = scalar(base, type)
    bits = c_number(length.text)
    if isinstance(made, Bad):
        return made
    if not isinstance(made, int) or bits is None or not type.width:
        return None
    if bits > type.width:
        cause = f"/{bits} is longer than {type.width} bits, which {type.what} has"
        return Bad(node, cause, f"write /{type.width} or less")
    host = (1 << (type.width - bits)) - 1
    return made & ~host, made | host


def _range(
    node: t.Range, low: t.Value, high: t.Value, type: DataType
) -> Interval | Text | Bad | None:
    first, last = scalar(low, type), scalar(high, type)
    for each in (first, last):
        if isinstance(each, Bad):
            return each
    if not isinstance(first, int) or not isinstance(last, int):
        return None
    if first > last:
        return Bad(node, "the range ends before it begins", f"write {high.text}-{low.text}")
    return first, last


def is_range(node: t.Node) -> bool:
    """Whether one part of an element is more than a single value."""
    return isinstance(node, t.Prefix | t.Range)


def ranges_in(node: t.Node) -> Iterator[t.Node]:
    return (part for part in parts_of(node) if is_range(part))
