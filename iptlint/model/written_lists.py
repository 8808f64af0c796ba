"""The addresses and ports that a text lists, as they are written; and the fewest prefixes for them.

The model keeps what a list means. What is written twice, or is part of something else in the
list, can only be seen in the text.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Iterator
from functools import cache
from ipaddress import IPv4Network, IPv6Network
from typing import NamedTuple

from iptlint.model import Family, Named, Ruleset
from iptlint.source import Span

PORT_BITS = 16


class ListElement(NamedTuple):
    """``bits``: 32 or 128 of an address, 16 of a port. ``start``, ``end``: where it is written.
    ``plain``: it has no timeout, counter or comment of its own."""

    low: int
    high: int
    bits: int
    start: int
    end: int
    plain: bool = True


class WrittenList(NamedTuple):
    """Where a list is written. ``bits``: 16 where it is one of ports. ``named``: the set or
    define; None where it stands in a rule. ``block``: what else a set says of itself."""

    span: Span
    bits: int | None = None
    named: Named | None = None
    block: str = ""

    def text(self, element: ListElement) -> str:
        return self.span.source.text[element.start : element.end]

    def part(self, element: ListElement) -> Span:
        return Span(self.span.source, element.start, element.end)


# -- where lists are ------------------------------------------------------------------------

_QUOTED = re.compile(r'"[^"\n]*"|\'[^\'\n]*\'|#[^\n]*')
_ADDRESS_OPTION = re.compile(r"(?<!\S)(?:-[sd]|--src|--dst|--source|--destination)[ =]+(\S+)")
_PORT_OPTION = re.compile(r"(?<!\S)--(?:[sd]|source-|destination-)?ports?[ =]+(\S+)")
_OPENING = re.compile(r"\b(?P<before>[a-z0-9_]+)\s*(?:(?:==|!=|=)\s*)?\{")
_NO_LISTS = ("vmap", "map", "jump", "goto", "update", "add", "delete", "typeof", "type")
_OF_PORTS = ("dport", "sport")
_ELEMENTS = re.compile(r"\belements\s*=\s*\{")
_BRACE = re.compile(r"[{}]")


def is_text(ruleset: Ruleset) -> bool:
    """Whether it is written in words that can be read again here; JSON is not."""
    return ruleset.dialect == "nft" or not ruleset.is_nft


def places(ruleset: Ruleset) -> Iterator[WrittenList]:
    """All lists of the text: in rules, in named sets, in defines."""
    if not is_text(ruleset):
        return
    for span in statements(ruleset):
        yield from _in_braces(span) if ruleset.is_nft else _in_options(span)
    for table in ruleset.tables:
        yield from (found for named in table.sets for found in _of_set(named))
    yield from (found for named in ruleset.defines for found in _of_define(named))


def statements(ruleset: Ruleset) -> Iterator[Span]:
    """Each rule as it is written, once."""
    seen: set[tuple[int, int]] = set()
    for _, _, rule in ruleset.rules():
        span = rule.statement.span
        key = id(span.source), span.start
        if rule.read and key not in seen:
            seen.add(key)
            yield span


def bare(text: str) -> str:
    """The text with blanks in the place of what is quoted or a remark."""
    if '"' not in text and "'" not in text and "#" not in text:
        return text
    return _QUOTED.sub(lambda found: " " * len(found[0]), text)


def _in_options(span: Span) -> Iterator[WrittenList]:
    text = bare(span.text)
    for pattern, bits in ((_ADDRESS_OPTION, None), (_PORT_OPTION, PORT_BITS)):
        for found in pattern.finditer(text):
            if "," in found[1]:
                place = Span(span.source, span.start + found.start(1), span.start + found.end(1))
                yield WrittenList(place, bits)


def _in_braces(span: Span) -> Iterator[WrittenList]:
    if "{" not in span.text:
        return
    text = bare(span.text)
    for found in _OPENING.finditer(text):
        inside = _inside(Span(span.source, span.start + found.end(), span.end))
        if inside is not None and found["before"] not in _NO_LISTS:
            yield WrittenList(inside, PORT_BITS if found["before"] in _OF_PORTS else None)


def _of_set(named: Named) -> Iterator[WrittenList]:
    if named.kind != "set":
        return
    span = named.origin.span
    block = _block(span)
    found = _ELEMENTS.search(block.source.text, block.start, block.end) if block else None
    if block is None or found is None:
        return
    inside = _inside(Span(span.source, found.end(), block.end))
    if inside is not None:
        text = block.source.text
        head = bare(text[block.start : found.start()] + " " + text[inside.end : block.end])
        bits = PORT_BITS if re.search(r"\binet_service\b|\b[sd]port\b", head) else None
        yield WrittenList(inside, bits, named, head)


def _of_define(named: Named) -> Iterator[WrittenList]:
    block = _block(named.origin.span)
    if block is not None:
        yield WrittenList(block, None, named)


def _block(span: Span) -> Span | None:
    """What is in the first braces from the start of the span on."""
    opening = span.source.text.find("{", span.start)
    between = span.source.text[span.end : opening] if opening >= span.end else ""
    if opening < 0 or between.strip():
        return None
    return _inside(Span(span.source, opening + 1, len(span.source.text)))


def _inside(span: Span) -> Span | None:
    """Up to the brace that closes what is open at its start."""
    depth, position, source = 1, span.start, span.source
    while depth:
        found = _BRACE.search(source.text, position, span.end)
        if found is None:
            return None
        line = source.text.rfind("\n", span.start, found.start()) + 1 or span.start
        remark = bare(source.text[line : found.end()])[-1] == " "
        depth += 0 if remark else (1 if found[0] == "{" else -1)
        position = found.end()
    return Span(source, span.start, position - 1)


# -- elements -----------------------------------------------------------------------------

_ITEM = re.compile(
    r"\s*(?P<low>[\da-fA-F.:]+)(?:/(?P<mask>[\da-fA-F.:]+)|\s*-\s*(?P<high>[\da-fA-F.:]+))?"
    r"(?P<extras>\s+(?:timeout|expires|counter|comment)\b[^,]*)?\s*(?:,\s*|$)"
)
_PORT = re.compile(r"\s*(?P<low>\d{1,5})(?:\s*[-:]\s*(?P<high>\d{1,5}))?\s*(?:,\s*|$)")


def elements(place: WrittenList) -> list[ListElement]:
    """Those of a list; none where something in it is not understood."""
    text, found, position = bare(place.span.text), list[ListElement](), 0
    pattern, read = (_PORT, _port) if place.bits == PORT_BITS else (_ITEM, _address)
    while position < len(text):
        item = pattern.match(text, position)
        element = read(item, place.span.start) if item else None
        if item is None or element is None:
            return []
        found.append(element)
        position = item.end()
    return found if len({element.bits for element in found}) == 1 else []


def _port(item: re.Match[str], base: int) -> ListElement | None:
    low, high = int(item["low"]), int(item["high"] or item["low"])
    end = base + item.end("high" if item["high"] else "low")
    fits = low <= high < 1 << PORT_BITS
    return ListElement(low, high, PORT_BITS, base + item.start("low"), end) if fits else None


def _address(item: re.Match[str], base: int) -> ListElement | None:
    """A host, a network or a range."""
    first, mask, last, extras = item.groups()
    found = number(first)
    if found is None:
        return None
    low, bits = found
    high = low
    if mask is not None:
        hosts = host_bits(mask, bits)
        if hosts is None:
            return None
        low, high = low & ~hosts, low | hosts
    elif last is not None:
        end = number(last)
        if end is None or end[1] != bits or end[0] < low:
            return None
        high = end[0]
    stop = item.end("mask" if mask else "high" if last else "low")
    return ListElement(low, high, bits, base + item.start("low"), base + stop, extras is None)


@cache
def host_bits(mask: str, bits: int) -> int | None:
    """The mask's zeros, as a number; None where they are not the last bits."""
    everything = (1 << bits) - 1
    if mask.isdecimal():
        return everything >> int(mask) if int(mask) <= bits else None
    found = number(mask)
    hosts = everything & ~found[0] if found and found[1] == bits else None
    return hosts if hosts is not None and hosts & (hosts + 1) == 0 else None


def number(text: str) -> tuple[int, int] | None:
    """An address as a number, and how many bits it has."""
    family, bits = (socket.AF_INET6, 128) if ":" in text else (socket.AF_INET, 32)
    try:
        return int.from_bytes(socket.inet_pton(family, text), "big"), bits
    except OSError:
        return None


# -- the fewest prefixes --------------------------------------------------------------------


def fewest(ranges: Iterable[tuple[int, int]], family: Family) -> list[IPv4Network | IPv6Network]:
    """The fewest prefixes that hold the same addresses."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            first, last = merged.pop()
            low, high = first, max(high, last)
        merged.append((low, high))
    return [prefix for low, high in merged for prefix in _prefixes(low, high, family)]


def _prefixes(low: int, high: int, family: Family) -> Iterator[IPv4Network | IPv6Network]:
    bits = family.address_bits
    make = IPv4Network if family is Family.IP else IPv6Network
    while low <= high:
        # No wider than the alignment of its start and what is left; /0 is in no set.
        aligned = (low & -low).bit_length() - 1 if low else bits - 1
        size = min(aligned, (high - low + 1).bit_length() - 1, bits - 1)
        yield make((low, bits - size))
        low += 1 << size
