"""What an expression is of, and the values that are written in elements and tests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

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
from iptlint.dialects.nft.lowering.symbols import PRESENCE, PROTOCOL_WORDS
from iptlint.dialects.nft.lowering.times import fault
from iptlint.dialects.nft.walking import everything
from iptlint.model import Family
from iptlint.model.numbers import c_number, decimal

_CLOSED = {"integer", "time"}
"""Types that read nothing but numbers, wherever they are loaded."""

OTHER_TYPES = frozenset(
    (
        "verdict",
        "bitmask",
        "integer",
        "string",
        "ll_addr",
        "hour",
        "day",
        "date",
        "time",
        "symbol",
        "invalid",
    )
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


def is_reckoned_number(expression: t.Node) -> bool:
    """Whether it is made of bits that have no type; as they are, they have any."""
    if not isinstance(expression, t.Bitwise):
        return False
    return isinstance(expression.left, t.RawPayload) or is_reckoned_number(expression.left)


def integer_length(expression: t.Node, type: DataType | None) -> int | None:
    """The bits of a field that is a number and nothing else; None of what is not."""
    if isinstance(expression, t.RawPayload):
        return expression.length
    is_number = isinstance(expression, t.Payload) and type is not None and type.name == "integer"
    return type.width if is_number and type is not None else None


def types_of(
    expression: t.Node, family: Family, network: str | None
) -> tuple[DataType | None, ...]:
    return tuple(type_of(part, family, network) for part in parts_of(expression))


LONGEST_KEY, _LONGEST_TEXT = 64, 16
"""Octets of a key, and of the data of a map (NFT_DATA_VALUE_MAXLEN); and of a text (IFNAMSIZ)."""


def octets(types: Iterable[DataType | None]) -> int:
    """What they take together: each begins at a multiple of four octets."""
    known = filter(None, types)
    return sum(-(-kind.width // 32) * 4 if kind.width else _LONGEST_TEXT for kind in known)


# -- names of types ------------------------------------------------------------------------


def alike(names: tuple[str, ...], key: tuple[str, ...], loose: frozenset[str]) -> bool:
    """Types that nft has one number for, or that are not told apart here."""
    return len(names) == len(key) and all(
        one == other or {one, other} & loose for one, other in zip(names, key, strict=True)
    )


LOOSE = frozenset(("string", "bitmask", "boolean", "fib_result", "unknown", "symbol"))


# -- values --------------------------------------------------------------------------------

Interval = tuple[int, int]


def scalar(value: t.Value, type: DataType) -> int | Text | Name | Bad:
    wrong = fault(value.text) if value.kind is t.Kind.TIME else None
    if wrong is not None:
        return Bad(value, wrong, "write one such as 1h30m")
    try:
        made = type.read(value)
    except NftValueError as error:
        return Bad(value, error.message, error.help)
    words = PROTOCOL_WORDS.keys() | PRESENCE.keys()
    if isinstance(made, Name) and type.name in _CLOSED and value.text not in words:
        return Bad(value, f"`{value.text}` is no {type.what}", "write a number")
    if isinstance(made, Name) and _address(value.text) is not None:
        return Bad(value, f"`{value.text}` is an address, and no {type.what}", "write a number")
    return made


def single(node: t.Node, type: DataType) -> Interval | Text | Bad | None:
    """The same for a value that stands alone: there the name of a protocol is nothing else."""
    if isinstance(node, t.Value) and _is_protocol(node) and type.name != "inet_proto":
        cause = f"`{node.text}` is the name of a protocol, and this is {article(type.what)}"
        return Bad(node, cause, "write a number")
    return interval(node, type)


def presence(left: t.Node, value: t.Node, type: DataType) -> Bad | None:
    """What is there or not: an option, an extension header, a route. Everything else has values."""
    if not isinstance(value, t.Value) or value.text not in PRESENCE:
        return None
    if type is d.BOOLEAN or isinstance(left, t.Fib) or value.kind is not t.Kind.SYMBOL:
        return None
    return Bad(value, f"`{value.text}` is no {type.what}", f"write {article(type.what)}")


def too_large(reckoned: t.Bitwise, types: Iterable[DataType | None]) -> Bad | None:
    """A number of more bits than all that it is reckoned with; how far is shifted is no such."""
    widest = max((kind.width for kind in types if kind is not None), default=0)
    for number in _reckoned_with(reckoned):
        value = c_number(number.text)
        if widest and value is not None and value >> widest:
            return Bad(number, f"`{number.text}` has more than {widest} bits", "write fewer")
    return None


def _reckoned_with(node: t.Node) -> Iterator[t.Value]:
    match node:
        case t.Value():
            yield node
        case t.Bitwise(left, operator, right):
            yield from _reckoned_with(left)
            if operator in "&|^":
                yield from _reckoned_with(right)


_YES_OR_NO = {"socket": ("transparent", "wildcard"), "meta": ("nftrace",)}


def yes_or_no(left: t.Node, value: t.Node) -> Bad | None:
    """What a socket is, or is not, in one bit; of other tests nft takes any octet."""
    word = "socket" if isinstance(left, t.Socket) else "meta"
    if not isinstance(left, t.Socket | t.Meta) or left.key not in _YES_OR_NO[word]:
        return None
    number = c_number(value.text) if isinstance(value, t.Value) else None
    if number is None or number <= 1:
        return None
    return Bad(value, f"{word} {left.key} is 0 or 1", "write 0 or 1")


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
        case t.Range() if not type.width:
            return Bad(node, "there are no ranges of names", "write one name after the other")
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


_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


def wrong_day(node: t.Node) -> Bad | None:
    """The manual takes the beginning of a day's name, too, which nft 1.0.6 does not."""
    for part in everything(node):
        if isinstance(part, t.Value):
            number, word = c_number(part.text), part.text.lower()
            if number is None and not any(day.startswith(word) for day in _DAYS):
                return Bad(
                    part, f"`{part.text}` is no day", "write Sunday, or 0, to Saturday, or 6"
                )
            if number is not None and number >= len(_DAYS):
                cause = f"a week has no day {number}: 0 is Sunday, and 6 Saturday"
                return Bad(part, cause, "write 0 for Sunday" if number == 7 else "write 0 to 6")
    return None


_TIME_OF_DAY = re.compile(r"[ \t]*([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2}))?")
_ANY_DIGIT = re.compile(r"[0-9]")


def wrong_hour(node: t.Node) -> Bad | None:
    """Neither ``%T`` nor ``%R`` of strptime(3), nor a time such as 1h30m."""
    for part in everything(node):
        if not isinstance(part, t.Value) or c_number(part.text) or fault(part.text) is None:
            continue
        match = _TIME_OF_DAY.fullmatch(part.text)
        parts = [decimal(each) or 0 for each in match.groups("0")] if match else [24, 60, 61]
        if not all(one <= most for one, most in zip(parts, (23, 59, 61), strict=True)):
            cause = f"`{part.text}` is no time of day: 00:00 is the first, and 23:59:59 the last"
            return Bad(part, cause, 'write "HH:MM" or "HH:MM:SS"')
    return None


def wrong_date(node: t.Node) -> Bad | None:
    for part in everything(node):
        if isinstance(part, t.Value) and not _ANY_DIGIT.search(part.text):
            cause = f"`{part.text}` is no point in time"
            return Bad(part, cause, 'write "YYYY-MM-DD HH:MM:SS", or seconds since 1970')
    return None


WRONG = {"day": wrong_day, "hour": wrong_hour, "time": wrong_date}
"""By the key of meta, what a value of it is not."""


def differ(one: t.Node | None, other: t.Node | None) -> bool:
    """Whether it is certain that two data do: a value may be written in two ways."""
    match one, other:
        case (t.Verdict(), t.Verdict()):
            return one != other
        case (t.Concat(parts), t.Concat(others)):
            return any(map(differ, parts, others))
        case (t.Value(text, kind), t.Value(another, same)) if kind is same:
            if kind is t.Kind.STRING:
                return text != another
            number, second = _known(text), _known(another)
            return number is not None and second is not None and number != second
    return False


def _known(text: str) -> object:
    """A number or an address; None of words."""
    number = c_number(text)
    return _address(text) if number is None else number


def _address(text: str) -> object:
    try:
        return ip_address(text)
    except ValueError:
        return None
