"""What a test of a selector's value says of the packet, by the nature of the selector.

A target turns a set of values into alternatives: tuples of model tests, one of which has to
hold. No alternative: it never holds; an empty one: it always does.
"""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from iptlint.dialects.nft.lowering.bitwise import Bits
from iptlint.dialects.nft.lowering.values import Values, merged
from iptlint.dialects.thresholds import ranged
from iptlint.dialects.uninterpreted import uninterpreted
from iptlint.model import AnyOf, Family, Masked, Match, Uncertain
from iptlint.model.matches import Asked, Ranges

Alternatives = tuple[tuple[Match, ...], ...]

ALWAYS: Alternatives = ((),)
MOST_OPAQUE = 1000
"""Tests kept as one Boolean each; of more, all together are one."""


def any_of(alternatives: Alternatives) -> Match:
    """The alternatives as one test."""
    if len(alternatives) == 1 and len(alternatives[0]) == 1:
        return alternatives[0][0]
    return AnyOf(alternatives)


def all_of(alternatives: Alternatives) -> tuple[Match, ...]:
    """The alternatives as tests that all have to hold."""
    return alternatives[0] if len(alternatives) == 1 else (AnyOf(alternatives),)


def negate(match: Match) -> Match:
    match match:
        case Uncertain(key=key):
            plain = key.removeprefix("! ")
            return replace(match, key=plain if plain != key else f"! {key}")
        case AnyOf(((only,),), True):
            return only
        case Masked(field, mask, value) if mask & (mask - 1) == 0:
            return Masked(field, mask, value ^ mask, match.negated)
    return replace(match, negated=not match.negated)


def everything(ranges: Ranges, width: int) -> bool:
    return any(low <= 0 and high >= (1 << width) - 1 for low, high in ranges)


class Target(Protocol):
    def numbers(self, ranges: Ranges, bits: Bits | None, view: View) -> Alternatives:
        """For numbers; ``bits`` is given where a part of the value is looked at."""

    def text(self, text: str, wildcard: bool, view: View) -> Alternatives:
        """For a text."""


@dataclass(frozen=True, slots=True)
class View:
    """A selector in a rule: ``key`` spells it, ``width`` is that of its type.

    ``present``: what says that there is a value at all.
    """

    key: str
    width: int
    family: Family
    target: Target
    bits: Bits | None = None
    present: tuple[Match, ...] = ()

    def alternatives(self, values: Values) -> Alternatives:
        alternatives: list[tuple[Match, ...]] = []
        if values.ranges:
            alternatives += self.target.numbers(values.ranges, self.bits, self)
        for text in values.texts:
            alternatives += self.target.text(text.text, text.wildcard, self)
        for name in values.names:
            alternatives += self._named(name)
        alternatives += ((Uncertain("unread", f"{self.key} {text}"),) for text in values.unread)
        return (self.present,) if () in alternatives else tuple(dict.fromkeys(alternatives))

    def _named(self, name: str) -> Alternatives:
        if self.bits is None:
            return self.target.text(name, False, self)
        return ((uninterpreted(f"{self.spelled()} {name}"),),)

    def spelled(self) -> str:
        """The selector with the bits it looks at."""
        if self.bits is None:
            return self.key
        steps = (
            (">>", self.bits.shift),
            ("&", self.bits.mask),
            ("^", self.bits.flip),
        )
        return " ".join((self.key, *(f"{word} {hex(n)}" for word, n in steps if n)))


# -- opaque tests --------------------------------------------------------------------------


def plain(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"


def pair(low: int, high: int) -> str:
    return f"{low}:{high}"


def hexadecimal(low: int, high: int) -> str:
    return hex(low) if low == high else f"{hex(low)}-{hex(high)}"


def _networks(family: Family) -> Callable[[int, int], str]:
    width = family.address_bits
    version = socket.AF_INET if family is Family.IP else socket.AF_INET6

    def address(number: int) -> str:
        return socket.inet_ntop(version, number.to_bytes(width // 8, "big"))

    def show(low: int, high: int) -> str:
        """As a network where it is one, as iptables writes it."""
        size = high - low
        if low == high:
            return address(low)
        if size & (size + 1) == 0 and low & size == 0:
            return f"{address(low)}/{width - size.bit_length()}"
        return f"{address(low)}-{address(high)}"

    return show


NETWORKS: Mapping[str, Callable[[int, int], str]] = {
    family.value: _networks(family) for family in (Family.IP, Family.IP6)
}


def hardware(low: int, high: int) -> str:
    first, last = (number.to_bytes(6, "big").hex(":") for number in (low, high))
    return first if low == high else f"{first}-{last}"


def shown(text: str, wildcard: bool) -> str:
    return f"{text}*" if wildcard else text


def _nothing(*_: object) -> None:
    """Nobody has to know what is asked."""


@dataclass(frozen=True, slots=True)
class OpaqueTarget:
    """One Boolean for each value or range. ``key`` is what stands before it (the selector's
    own words if it is empty); ``instead`` are the tests of some values; ``beside`` are tests
    that hold whenever one of these does; ``asks`` and ``asks_name`` say what is asked of a range
    and of a text."""

    key: str = ""
    show: Callable[[int, int], str] = plain
    names: Mapping[int, str] = field(default_factory=dict, hash=False)
    after: str = ""
    instead: Mapping[int, tuple[Match, ...]] = field(default_factory=dict, hash=False)
    beside: tuple[Match, ...] = ()
    asks: Callable[[int, int], Asked | None] = _nothing
    asks_name: Callable[[str], Asked | None] = _nothing

    def numbers(self, ranges: Ranges, bits: Bits | None, view: View) -> Alternatives:
        if bits is not None:
            return self._masked(ranges, bits, view)
        ranges = _joined(ranges)
        if everything(ranges, view.width):
            return ALWAYS
        if len(ranges) > MOST_OPAQUE:
            return ((*self.beside, uninterpreted(f"{view.key} {digest(ranges)}")),)
        return tuple((*self.beside, *self._range(low, high, view)) for low, high in ranges)

    def _range(self, low: int, high: int, view: View) -> tuple[Match, ...]:
        if low == high and low in self.instead:
            return self.instead[low]
        return (uninterpreted(self._spell(low, high, view), asks=self.asks(low, high)),)

    def _spell(self, low: int, high: int, view: View) -> str:
        name = self.names.get(low) if low == high else None
        return f"{self.key or view.key} {name or self.show(low, high)}{self.after}"

    def _masked(self, ranges: Ranges, bits: Bits, view: View) -> Alternatives:
        tests = bits.tests(ranges)
        if tests is None:
            return ((*self.beside, uninterpreted(f"{view.spelled()} {digest(ranges)}")),)
        return tuple(
            (*self.beside, uninterpreted(f"{view.key} & {hex(mask)} == {hex(value)}"))
            if mask
            else ()
            for mask, value in tests
        )

    def text(self, text: str, wildcard: bool, view: View) -> Alternatives:
        key = f"{self.key or view.key} {shown(text, wildcard)}"
        return ((*self.beside, uninterpreted(key, asks=self.asks_name(text))),)


def _joined(ranges: Ranges) -> Ranges:
    """Ranges that meet are one, but a value that stands alone stays a test of its own."""
    wide = merged((low, high) for low, high in ranges if low < high)
    if not wide:
        return ranges
    alone = [(low, high) for low, high in ranges if low == high]
    outside = [each for each in alone if not any(a <= each[0] <= b for a, b in wide)]
    return tuple(sorted((*wide, *outside)))


def digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class UncertainTarget:
    """What depends on more than the packet."""

    kind: str

    def numbers(self, ranges: Ranges, bits: Bits | None, view: View) -> Alternatives:
        top = bits.mask if bits is not None else (1 << view.width) - 1
        if len(ranges) == 1:
            ((low, high),) = ranges
            test = ranged(self.kind, view.spelled(), low, min(high, top), top, negated=False)
            return ((test,),)
        return ((Uncertain(self.kind, f"{view.spelled()} {digest(ranges)}"),),)

    def text(self, text: str, wildcard: bool, view: View) -> Alternatives:
        return ((Uncertain(self.kind, f"{view.spelled()} {shown(text, wildcard)}"),),)


@dataclass(frozen=True, slots=True)
class PresenceTarget:
    """1 where something is there, which is when ``tests`` hold; 0 where it is missing, which
    can be said of packets only for which ``beside`` holds."""

    tests: tuple[Match, ...]
    beside: tuple[Match, ...] = ()

    def numbers(self, ranges: Ranges, bits: Bits | None, view: View) -> Alternatives:
        there = any(low <= 1 <= high for low, high in ranges)
        missing = any(low <= 0 <= high for low, high in ranges)
        if there and missing and not self.beside:
            return ALWAYS
        absent = (*self.beside, negate(any_of((self.tests,))))
        return (self.tests,) * there + (absent,) * missing

    def text(self, text: str, wildcard: bool, view: View) -> Alternatives:
        return ((uninterpreted(f"{view.key} {shown(text, wildcard)}"),),)


@dataclass(frozen=True, slots=True)
class FibTarget:
    """The interface a route leads to: 0, or missing, where there is none; ``tests`` hold
    where there is one."""

    tests: tuple[Match, ...]

    def numbers(self, ranges: Ranges, bits: Bits | None, view: View) -> Alternatives:
        absent = negate(any_of((self.tests,)))
        missing = ((absent,),) if ranges[0][0] == 0 else ()
        rest = tuple((max(low, 1), high) for low, high in ranges if high)
        if not rest:
            return missing
        return (*missing, *OpaqueTarget(beside=self.tests).numbers(rest, bits, view))

    def text(self, text: str, wildcard: bool, view: View) -> Alternatives:
        if text == "exists":
            return (self.tests,)
        if text == "missing":
            return ((negate(any_of((self.tests,))),),)
        return ((*self.tests, uninterpreted(f"{view.key} {shown(text, wildcard)}")),)


@dataclass(frozen=True, slots=True)
class ConstantTarget:
    """A part of a key that is the same for every packet: ``ip saddr . "lo"``."""

    constant: str

    def numbers(self, ranges: Ranges, bits: Bits | None, view: View) -> Alternatives:
        return ((uninterpreted(f"{self.constant} is {digest(ranges)}"),),)

    def text(self, text: str, wildcard: bool, view: View) -> Alternatives:
        same = self.constant.startswith(text) if wildcard else self.constant == text
        return ALWAYS if same else ()
