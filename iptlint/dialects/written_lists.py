"""The elements of a list of addresses or ports, as they are written in either language."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Sequence

from iptlint.memo import memo
from iptlint.model import Ruleset
from iptlint.model.numbers import decimal
from iptlint.model.prefixes import host_bits, number
from iptlint.model.syntax import PORT_BITS, ListElement, WrittenList
from iptlint.source import SourceFile, Span

_QUOTED = re.compile(r'"[^"\n]*"|\'[^\'\n]*\'|#[^\n]*')


@memo
def statements(ruleset: Ruleset) -> tuple[Span, ...]:
    """Each rule as it is written, once."""
    seen: dict[tuple[SourceFile, int], Span] = {}
    for _, _, rule in ruleset.rules():
        if rule.read:
            span = rule.statement.span
            seen.setdefault((span.source, span.start), span)
    return tuple(seen.values())


def bare(text: str) -> str:
    """The text with blanks in the place of what is quoted or a remark."""
    if '"' not in text and "'" not in text and "#" not in text:
        return text
    return _QUOTED.sub(lambda quoted: " " * len(quoted[0]), text)


_ITEM = re.compile(
    r"\s*(?P<low>[0-9a-fA-F.:]+)(?:/(?P<mask>[0-9a-fA-F.:]+)|\s*-\s*(?P<high>[0-9a-fA-F.:]+))?"
    r"(?P<extras>\s+(?:timeout|expires|counter|comment)\b[^,]*)?\s*(?:,\s*|$)"
)
_PORT = re.compile(r"\s*(?P<low>[0-9]{1,5})(?:\s*[-:]\s*(?P<high>[0-9]{1,5}))?\s*(?:,\s*|$)")


def elements(place: WrittenList) -> list[ListElement]:
    """Those of a list; none where something in it is not understood."""
    text, listed, position = bare(place.span.text), list[ListElement](), 0
    pattern, read = (_PORT, _port) if place.bits == PORT_BITS else (_ITEM, _address)
    while position < len(text):
        item = pattern.match(text, position)
        element = read(item, place.span) if item else None
        if item is None or element is None:
            return []
        listed.append(element)
        position = item.end()
    return listed if len({element.bits for element in listed}) == 1 else []


def hosts(place: WrittenList) -> Sequence[int] | None:
    """The elements of a list of nothing but single IPv4 addresses; None of any other."""
    *words, last = place.span.text.split(",")
    if last.strip():
        words.append(last)
    try:
        numbers = b"".join([socket.inet_pton(socket.AF_INET, word.strip()) for word in words])
    except (OSError, ValueError):  # ValueError: a NUL stands in it
        return None
    return struct.unpack(f">{len(words)}I", numbers) if words else None


def _port(item: re.Match[str], whole: Span) -> ListElement | None:
    low = decimal(item["low"]) or 0
    high = decimal(item["high"] or item["low"]) or 0
    end = item.end("high" if item["high"] else "low")
    fits = low <= high < 1 << PORT_BITS
    span = _inner(whole, item.start("low"), end)
    return ListElement(low, high, PORT_BITS, span) if fits else None


def _address(item: re.Match[str], whole: Span) -> ListElement | None:
    """A host, a network or a range."""
    first, mask, last, extras = item.groups()
    address = number(first)
    if address is None:
        return None
    low, bits = address
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
    span = _inner(whole, item.start("low"), stop)
    return ListElement(low, high, bits, span, extras is None)


def _inner(whole: Span, start: int, end: int) -> Span:
    return Span(whole.source, whole.start + start, whole.start + end)
