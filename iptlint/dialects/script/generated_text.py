"""Texts that a script makes and hands to a tool, and where in the script they were written."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.script.truths import all_of, opposite
from iptlint.model import Match
from iptlint.source import Origin, SourceFile, Span


@dataclass(frozen=True, slots=True)
class Condition:
    """What has to hold, when the script runs, for a command to be carried out. ``truth``: the
    test that stands for it in rules. ``of_rules``: chains are there without it."""

    text: str
    span: Span
    truth: Match
    of_rules: bool = False

    def opposite(self) -> Condition:
        """That it does not hold."""
        word = "if " if self.text.startswith("unless ") else "unless "
        bare = self.text.removeprefix("if ").removeprefix("unless ")
        return Condition(word + bare, self.span, opposite(self.truth))


Conditions = tuple[Condition, ...]


def together(conditions: Iterable[Condition]) -> Match | None:
    """The test for all of them; None where there is none."""
    return all_of(condition.truth for condition in conditions)


class TextPart(NamedTuple):
    """Text, where it was written, and whether it stands there as it is. ``conditions``: what has to
    hold for it to be printed at all."""

    text: str
    span: Span
    exact: bool = False
    conditions: Conditions = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """The characters ``start <= i < end`` of a generated text come from ``span``. ``exact``: they
    are the very characters that stand there."""

    start: int
    end: int
    span: Span
    exact: bool = False
    conditions: Conditions = ()


@dataclass(frozen=True, slots=True, eq=False)
class GeneratedText:
    """``pieces`` in their order; there may be gaps between them."""

    source: SourceFile
    pieces: tuple[Piece, ...]

    def span(self, start: int, end: int) -> Span:
        first = self._piece(start)
        last = self._piece(max(start, end - 1))
        source = first.span.source
        begin = first.span.start + (start - first.start if first.exact else 0)
        begin = min(begin, first.span.end)
        if last.span.source is not source:
            return Span(source, begin, first.span.end)
        stop = last.span.start + end - last.start if last.exact else last.span.end
        return Span(source, begin, max(begin, min(stop, last.span.end)))

    def in_script(self, diagnostic: Diagnostic) -> Diagnostic:
        """The diagnostic of this text, at the place in the script that the text comes from."""
        span = self.span(diagnostic.start, diagnostic.end)
        return replace(diagnostic, start=span.start, end=span.end, source=span.source)

    def empty(self, start: int, end: int) -> list[Span]:
        """What stands in the script for nothing there."""
        return [p.span for p in self.pieces if p.start == p.end and start <= p.start <= end]

    def conditions(self, offset: int) -> Conditions:
        return self._piece(offset).conditions

    def all_conditions(self, start: int, end: int) -> frozenset[Conditions]:
        """The conditions of each piece of that text."""
        first = bisect_right(self.pieces, start, key=_start) - 1
        behind = bisect_right(self.pieces, max(start, end - 1), key=_start)
        return frozenset(piece.conditions for piece in self.pieces[max(0, first) : behind])

    def _piece(self, offset: int) -> Piece:
        index = bisect_right(self.pieces, offset, key=_start) - 1
        return self.pieces[max(0, index)]


def _start(piece: Piece) -> int:
    return piece.start


def text_of_words(path: str, words: Sequence[str], spans: Sequence[Span]) -> GeneratedText:
    """A command's words on one line, with quotes where iptables-restore would need them."""
    pieces = []
    text = ""
    for word, span in zip(words, spans, strict=True):
        written = quoted(word)
        pieces.append(Piece(len(text), len(text) + len(written), span))
        text += written + " "
    return GeneratedText(SourceFile(path, text[:-1]), tuple(pieces))


def quoted(word: str) -> str:
    if word and not any(character in word for character in " \t\n\"'\\"):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'


def text_of_parts(path: str, parts: Iterable[TextPart]) -> GeneratedText:
    """The texts one behind the other."""
    pieces = []
    texts = []
    at = 0
    for text, span, exact, conditions in parts:
        pieces.append(Piece(at, at + len(text), span, exact, conditions))
        texts.append(text)
        at += len(text)
    return GeneratedText(SourceFile(path, "".join(texts)), tuple(pieces))


@dataclass(frozen=True, slots=True, eq=False)
class GeneratedOrigin:
    """Where in the script something was written that was read from a generated text.

    ``whole``: the command, where the text is its words.
    """

    generated: GeneratedText
    inner: Origin
    whole: Span | None = None

    @property
    def span(self) -> Span:
        return self.whole or self._written(self.inner.span)

    def part(self, index: int) -> Span:
        return self._written(self.inner.part(index))

    def _written(self, span: Span) -> Span:
        """A file that the text includes is no generated text."""
        return (
            self.generated.span(span.start, span.end)
            if span.source is self.generated.source
            else span
        )
