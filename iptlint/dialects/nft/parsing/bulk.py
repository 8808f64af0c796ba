"""Sets with very many elements, which are not read token by token."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import overload

from iptlint.dialects.nft.tree import Expression, Kind, Prefix, Range, Value

LONG = 400
"""Characters from which on a set is worth a look of its own."""

_GROUP = "[0-9a-fA-F]{1,4}"
_V4 = r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}"
_V6 = (
    rf"(?:{_GROUP}:){{7}}{_GROUP}"
    rf"|(?:{_GROUP}(?::{_GROUP}){{0,6}})?::(?:{_GROUP}(?::{_GROUP}){{0,6}}(?:[.][0-9]{{1,3}}){{0,3}})?"
)
_MAC = "(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}"
_ADDRESS = f"(?:{_V4}|{_MAC}|{_V6})"
_NUMBER = "(?:0[xX][0-9a-fA-F]+|[0-9]+)"
_PLAIN_SET = re.compile(r"\{[\s0-9a-fA-FxX:.,/\-]*\}")
_ELEMENT = re.compile(
    rf"\s*(?:({_ADDRESS})(?:(/)([0-9]+)|(-)({_ADDRESS}))?|({_NUMBER})(?:(-)({_NUMBER}))?)"
    r"\s*(?:,\s*|\Z)"
)


@dataclass(frozen=True, slots=True, eq=False)
class PlainElements(Sequence[Expression]):
    """Addresses, prefixes, numbers and ranges, made each time they are looked at.

    A node for each of a million elements would take more room than all the rest.
    """

    text: str
    start: int
    end: int
    size: int

    @classmethod
    def at(cls, text: str, brace: int) -> PlainElements | None:
        """Those behind an opening brace; None where the set is short or not so plain."""
        match = _PLAIN_SET.match(text, brace)
        if match is None or match.end() - brace < LONG:
            return None
        start, end = brace + 1, match.end() - 1
        at, count = start, 0
        for element in _ELEMENT.finditer(text, start, end):
            if element.start() != at:
                return None
            at = element.end()
            count += 1
        return cls(text, start, end, count) if at == end else None

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[Expression]:
        return map(_node, _ELEMENT.finditer(self.text, self.start, self.end))

    def addresses(self) -> Iterator[tuple[str | None, str | None, str | None]]:
        """The texts of each address, of its prefix length and of its range's end; where an
        element is a number, there is no address."""
        match = _ELEMENT.finditer(self.text, self.start, self.end)
        return ((each[1], each[3], each[5]) for each in match)

    def dotted(self) -> Sequence[int] | None:
        """The elements as numbers where each is one IPv4 address of four parts; else None. All at
        once, as lists of a million have mostly nothing else."""
        text = self.text[self.start : self.end]
        words = text.replace(",", " ").split()
        if len(words) != self.size or text.count(".") != 3 * self.size:
            return None
        try:  # no address has more than three dots, so each of these has three
            numbers = b"".join(map(socket.inet_aton, words))
        except OSError:
            return None
        return struct.unpack(f">{self.size}I", numbers)

    @overload
    def __getitem__(self, index: int) -> Expression: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Expression]: ...
    def __getitem__(self, index: int | slice) -> Expression | Sequence[Expression]:
        if isinstance(index, slice):
            return tuple(self)[index]
        at = index + self.size if index < 0 else index
        if not 0 <= at < self.size:
            raise IndexError(index)
        return next(islice(self, at, None))

    def __eq__(self, other: object) -> bool:
        same = isinstance(other, Sequence) and len(other) == self.size
        return same and all(map(lambda a, b: a == b, self, other))  # type: ignore[call-overload]

    def __hash__(self) -> int:
        return hash((self.size, self.text[self.start : self.end]))


_IN_SET = re.compile(r'"[^"\n]*"|#[^\n]*|[{},"\\]')
_SPACE = " \t\r\n"
_NO_ELEMENT = re.compile(r"(?:#[^\n]*\s*)*")
"""What may stand behind the last comma."""


def split_set(text: str, brace: int) -> tuple[list[tuple[int, int]], int] | None:
    """The bounds of each element behind an opening brace, and where the closing one is.

    None where the set is short, holds other braces, or is not well made.
    """
    bounds: list[tuple[int, int]] = []
    at = brace + 1
    for match in _IN_SET.finditer(text, at):
        stop = match[0]
        if stop in ",}":
            bounds.append(_trimmed(text, at, match.start()))
            at = match.end()
        if stop == "}":
            break
        if stop in '{"\\':
            return None
    else:
        return None
    if _NO_ELEMENT.fullmatch(text, *bounds[-1]):
        del bounds[-1]
    whole = all(start < end for start, end in bounds)
    return (bounds, at - 1) if whole and bounds and at - brace > LONG else None


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start] in _SPACE:
        start += 1
    while end > start and text[end - 1] in _SPACE:
        end -= 1
    return start, end


def _node(element: re.Match[str]) -> Expression:
    address, slash, dash, to = element.group(1, 2, 4, 7)
    if address:
        low = _value(element, 1, Kind.ADDRESS)
        if slash:
            return Prefix(low, _value(element, 3, Kind.NUMBER), start=low.start, end=element.end(3))
        if dash:
            return Range(low, _value(element, 5, Kind.ADDRESS), start=low.start, end=element.end(5))
        return low
    low = _value(element, 6, Kind.NUMBER)
    if to:
        return Range(low, _value(element, 8, Kind.NUMBER), start=low.start, end=element.end(8))
    return low


def _value(element: re.Match[str], group: int, kind: Kind) -> Value:
    return Value(element[group], kind, start=element.start(group), end=element.end(group))
