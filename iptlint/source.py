"""A text and where it came from.

Offsets are half-open and count characters of the decoded text; lines and
columns, which people and the JSON contract use, count from 1 and are derived.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, eq=False)
class SourceFile:
    """One input: ``path`` is what the user named it (``-`` is standard input)."""

    path: str
    text: str
    marked: bool = False
    """A byte order mark, which is not in ``text``, stands before it."""
    line_starts: tuple[int, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        starts = (0, *(newline.end() for newline in re.finditer("\n", self.text)))
        object.__setattr__(self, "line_starts", starts)

    def line_of(self, offset: int) -> int:
        return bisect_right(self.line_starts, offset)

    def line_text(self, line: int) -> str:
        """The text of line ``line`` (from 1) without its line ending."""
        start = self.line_starts[line - 1]
        end = self.text.find("\n", start)
        return self.text[start : len(self.text) if end < 0 else end].rstrip("\r")

    def line_span(self, line: int) -> Span:
        start = self.line_starts[line - 1]
        return Span(self, start, start + len(self.line_text(line)))


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a source: the characters ``start <= i < end``."""

    source: SourceFile
    start: int
    end: int

    @property
    def line(self) -> int:
        return self.source.line_of(self.start)

    @property
    def column(self) -> int:
        return self.start - self.source.line_starts[self.line - 1] + 1

    @property
    def end_line(self) -> int:
        return self.source.line_of(max(self.start, self.end - 1))

    @property
    def end_column(self) -> int:
        """One past the last character, on ``end_line``."""
        return self.end - self.source.line_starts[self.end_line - 1] + 1

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    def overlaps(self, other: Span) -> bool:
        """Whether the two share a character, or touch."""
        same = self.source.path == other.source.path
        return same and self.start <= other.end and other.start <= self.end


@dataclass(frozen=True, slots=True)
class Edit:
    """A piece of a text, and what is to stand in its place. An empty span is a place between two
    characters."""

    span: Span
    text: str


def edited(source: SourceFile, edits: Iterable[Edit]) -> SourceFile:
    """The source with the edits, which share no character; those of one place in their order."""
    pieces: list[str] = []
    position = 0
    for edit in sorted(edits, key=lambda edit: edit.span.start):
        pieces += (source.text[position : edit.span.start], edit.text)
        position = edit.span.end
    text = "".join((*pieces, source.text[position:]))
    return SourceFile(source.path, text, source.marked)


class Spans:
    """Many spans, of which it is asked whether one of them overlaps another."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._starts: dict[str, list[int]] = {}
        self._ends: dict[str, list[int]] = {}  # the furthest of those that start no later
        for span in sorted(spans, key=lambda span: span.start):
            path = span.source.path
            ends = self._ends.setdefault(path, [])
            ends.append(max(span.end, ends[-1]) if ends else span.end)
            self._starts.setdefault(path, []).append(span.start)

    def overlap(self, span: Span) -> bool:
        """Whether one of them shares a character with it, or touches it."""
        starts = self._starts.get(span.source.path, [])
        before = bisect_right(starts, span.end)
        return before > 0 and self._ends[span.source.path][before - 1] >= span.start

    def cross(self, span: Span) -> bool:
        """Whether one of them shares a character with it, or is a place within it."""
        starts = self._starts.get(span.source.path, [])
        before = bisect_left(starts, span.end)
        return before > 0 and self._ends[span.source.path][before - 1] > span.start


class Origin(Protocol):
    """Where a model object was written; spans are worked out only when asked for."""

    @property
    def span(self) -> Span:
        """The whole statement."""

    def part(self, index: int) -> Span:
        """The test with this index in ``Rule.matches``; ``-1`` is the verdict."""


@dataclass(frozen=True, slots=True, eq=False)
class WholeOrigin:
    """A piece of a text, all of which is one part."""

    source: SourceFile
    start: int
    end: int

    @property
    def span(self) -> Span:
        return Span(self.source, self.start, self.end)

    def part(self, index: int) -> Span:
        return self.span
