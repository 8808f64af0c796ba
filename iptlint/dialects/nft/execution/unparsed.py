"""Statements that could not be read, put back where they stand between those that could.

The parser leaves such a statement out and reports it. What it would have done is not known,
so something has to stand in its place, else claims are made as if it were not there.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from iptlint.dialects.diagnostics import SyntaxDiagnostic
from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.parsing.blocks import SPACE
from iptlint.dialects.nft.tables import PlacedRule
from iptlint.source import SourceFile

AnyItem = TypeVar("AnyItem")

_NOTHING_LOST = {"}", "\r"}
"""What is reported beside a statement that was read."""


@dataclass(frozen=True, slots=True)
class UnparsedFragment:
    """Text from the first statement that was not read to the end of the last one's line."""

    source: SourceFile
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]


class Unparsed:
    """Where in each source something could not be read."""

    def __init__(self, diagnostics: Sequence[SyntaxDiagnostic]) -> None:
        self._places: dict[SourceFile, list[tuple[int, int]]] = {}
        for diagnostic in diagnostics:
            if diagnostic.source.text[diagnostic.start : diagnostic.end] not in _NOTHING_LOST:
                places = self._places.setdefault(diagnostic.source, [])
                places.append((diagnostic.start, diagnostic.end))
        for places in self._places.values():
            places.sort()

    def within(self, source: SourceFile, start: int, end: int) -> Sequence[tuple[int, int]]:
        """The places that begin from ``start`` on and before ``end``."""
        places = self._places.get(source)
        if not places:
            return ()
        return places[bisect_left(places, (start, 0)) : bisect_left(places, (end, 0))]

    def merged(
        self, items: Sequence[AnyItem], source: SourceFile, start: int, end: int
    ) -> Iterator[AnyItem | UnparsedFragment]:
        """The items of a block from ``start`` to ``end``, with the lost pieces between them."""
        if source not in self._places:
            yield from items
            return
        at = start
        for item in items:
            begins = getattr(item, "start", at)
            yield from self._between(source, at, begins)
            yield item
            at = max(at, getattr(item, "end", at))
        yield from self._between(source, at, end)

    def _between(self, source: SourceFile, start: int, end: int) -> Iterator[UnparsedFragment]:
        for first, last in self.within(source, start, end):
            if last <= start:
                continue
            blank = SPACE.match(source.text, start, first)
            begins = blank.end() if blank else start
            line_end = source.text.find("\n", max(last - 1, first))
            start = min(end, line_end) if line_end >= 0 else end
            start = max(start, last)
            yield UnparsedFragment(source, begins, start)


def unread_rule(source: SourceFile, start: int, end: int, handle: int | None = None) -> PlacedRule:
    """What may match any packet and do anything with it."""
    text = source.text[start:end].strip()
    foreign = t.Foreign("unread", text, start=start, end=end)
    return PlacedRule(source, t.Rule((foreign,), start=start, end=end), handle)


_FAMILY = r"(?:(?P<family>ip6|ip|inet|arp|bridge|netdev)\s+)?"
_NAME = r"[A-Za-z_.][A-Za-z0-9_./\-]*"
_COMMAND = re.compile(
    rf"(?:(?P<verb>add|create|insert|replace|delete|destroy)\s+)?"
    rf"(?P<kind>rule|element|chain|set|map)\s+{_FAMILY}(?P<table>{_NAME})\s+(?P<name>{_NAME})"
)
_BARE_RULE = re.compile(rf"(?:add\s+)?{_FAMILY}(?P<table>{_NAME})\s+(?P<name>{_NAME})\s")
_DEFINE = re.compile(rf"(?:re)?define\s+(?P<name>{_NAME})")
_HEADER = re.compile(rf"(?P<kind>chain|set|map)\s+(?P<name>{_NAME})")
_HOOK = re.compile(
    r"type\s+(?P<type>\w+)\s+hook\s+(?P<hook>\w+)(?:.{0,99}?priority\s+(?P<priority>[\w \t+-]+))?"
)
_REFERENCE = re.compile(rf"(?P<mark>[@$])(?P<name>{_NAME})")


def command(fragment: UnparsedFragment) -> re.Match[str] | None:
    """What the piece would have done to which thing of which table, if that can be told."""
    return _COMMAND.match(fragment.text)


def bare_rule(fragment: UnparsedFragment) -> re.Match[str] | None:
    """The table and the chain if it is a rule without the word; any two words may be."""
    return _BARE_RULE.match(fragment.text)


def define(fragment: UnparsedFragment) -> str | None:
    match = _DEFINE.match(fragment.text)
    return match["name"] if match else None


def header(fragment: UnparsedFragment) -> tuple[str, str] | None:
    """The kind and the name of a thing whose block begins here."""
    match = _HEADER.match(fragment.text)
    return (match["kind"], match["name"]) if match else None


def hook(fragment: UnparsedFragment) -> t.Hook | None:
    """As much as can be made out of one that was not read."""
    match = _HOOK.search(fragment.text)
    if match is None:
        return None
    kind, name = (t.Value(match[word], t.Kind.SYMBOL) for word in ("type", "hook"))
    written = (match["priority"] or "").strip()
    priority = t.Priority(t.Value(written, t.Kind.SYMBOL)) if written else None
    return t.Hook(kind, name, None, priority)


def references(text: str, mark: str) -> set[str]:
    """The names behind ``@`` or ``$``."""
    return {match["name"] for match in _REFERENCE.finditer(text) if match["mark"] == mark}
