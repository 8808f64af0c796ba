"""The syntax tree of an iptables-save file.

A line is a handful of words and a ``Shape`` that says what each word is. Lines that
differ in their values only share one shape, which is what makes large files cheap: where
a word stands in the text is not kept but worked out from its line when asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from iptlint.dialects.diagnostics import SyntaxDiagnostic
from iptlint.dialects.iptables.extensions.row import Extension, Option
from iptlint.dialects.iptables.parsing.words import (
    raw_offset,
    raw_words,
    span_of_words,
    words_of,
)
from iptlint.model import Family
from iptlint.source import SourceFile, Span

Words = tuple[str, ...]
Counters = tuple[int, int]
"""Packets, bytes."""


@dataclass(frozen=True, slots=True)
class WordPlace:
    """A word, or the part of it from ``offset`` on (``--dport=22``, ``-jDROP``)."""

    word: int
    offset: int = 0

    def text(self, words: Words) -> str:
        return words[self.word][self.offset :]


@dataclass(frozen=True, slots=True)
class Use:
    """One option as given: it covers the words ``start <= i < end``, its ``!`` included."""

    option: Option
    negated: bool
    arguments: tuple[WordPlace, ...]
    start: int
    end: int

    def texts(self, words: Words) -> tuple[str, ...]:
        return tuple(place.text(words) for place in self.arguments)


@dataclass(frozen=True, slots=True)
class LoadedExtension:
    """A match or target that the line loads, and what it gives it.

    ``extension`` is None for one that nobody knows: its words are then kept in ``rest``.
    ``implicit``: loaded by ``-p`` alone. ``start`` and ``end`` are the words from where it
    is named to the last that follows on without another's words between.
    """

    extension: Extension | None
    name: WordPlace
    uses: tuple[Use, ...]
    rest: tuple[int, ...]
    start: int
    end: int
    target: bool = False
    implicit: bool = False


class Command(Enum):
    APPEND = "append"
    CHECK = "check"
    DELETE = "delete"
    FLUSH = "flush"
    INSERT = "insert"
    LIST = "list"
    LIST_RULES = "list-rules"
    NEW_CHAIN = "new-chain"
    POLICY = "policy"
    RENAME_CHAIN = "rename-chain"
    REPLACE = "replace"
    DELETE_CHAIN = "delete-chain"
    ZERO = "zero"

    __hash__ = object.__hash__  # as that of Field


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """What the words of a command line are, whatever their values.

    ``core`` holds the options every rule has; ``loads`` the matches in the order they were
    loaded and, where its extension is known or it has options, the target. ``jump`` is the
    word after ``-j`` or ``-g``; it names a chain where no target is loaded. ``valued``: a line
    may still be wrong for a value, so each one is looked at.
    """

    command: Command
    chain: WordPlace | None = None
    number: WordPlace | None = None
    new_name: WordPlace | None = None
    policy: WordPlace | None = None
    table: WordPlace | None = None
    counters: tuple[WordPlace, ...] = ()
    core: tuple[Use, ...] = ()
    loads: tuple[LoadedExtension, ...] = ()
    jump: WordPlace | None = None
    jump_start: int = 0
    goto: bool = False
    valued: bool = False

    @property
    def target(self) -> LoadedExtension | None:
        return next((load for load in self.loads if load.target), None)

    @property
    def matches(self) -> tuple[LoadedExtension, ...]:
        return tuple(load for load in self.loads if not load.target)


@dataclass(frozen=True, slots=True)
class TableLine:
    """``*filter``; the family is that of the block it opens."""

    name: str
    family: Family
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ChainLine:
    """``:INPUT DROP [0:0]``; a user chain's policy is ``-``."""

    name: str
    policy: str
    counters: Counters | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class CommitLine:
    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class CommandLine:
    """``-A INPUT -j DROP`` and the like; ``counters`` stand before it or after ``-c``.

    ``given``: its words, where they are not those that its text splits into.
    """

    shape: Shape
    source: SourceFile
    counters: Counters | None
    start: int
    end: int
    given: Words | None = None

    @property
    def words(self) -> Words:
        """Not kept, for most are asked for once."""
        return self.given or words_of(self.source.text[self.start : self.end])

    def word_span(self, source: SourceFile, index: int) -> Span:
        """Where a word is written, quotes included."""
        return self.place_span(source, WordPlace(index))

    def place_span(self, source: SourceFile, place: WordPlace) -> Span:
        raw = list(raw_words(source.text[self.start : self.end]))[place.word]
        skipped = raw_offset(raw[0], place.offset) if place.offset else 0
        return Span(source, self.start + raw.start() + skipped, self.start + raw.end())

    def words_span(self, source: SourceFile, start: int, end: int) -> Span:
        """From the word ``start`` to the last before ``end``."""
        first, last = span_of_words(source.text[self.start : self.end], start, end)
        return Span(source, self.start + first, self.start + last)


Line = TableLine | ChainLine | CommitLine | CommandLine


@dataclass(frozen=True, slots=True, eq=False)
class SaveFile:
    """``bare``: no table lines, as ``iptables -S`` prints; ``family`` is then that of all
    its lines. ``crlf`` is the offset of the first carriage return that ends a line,
    other than a remark."""

    source: SourceFile
    lines: tuple[Line, ...]
    diagnostics: tuple[SyntaxDiagnostic, ...]
    family: Family
    bare: bool = False
    crlf: int | None = None
