"""The syntax tree of an ipset file: one node a command, its words and nothing else.

Where a word stands is not kept but worked out from its line when asked for, which is what
makes lists of a hundred thousand addresses cheap.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from iptlint.dialects.diagnostics import SyntaxDiagnostic
from iptlint.dialects.ipset.words import plain_words
from iptlint.source import SourceFile, Span


class Command(Enum):
    CREATE = "create"
    ADD = "add"
    DEL = "del"
    TEST = "test"
    DESTROY = "destroy"
    SAVE = "save"
    FLUSH = "flush"
    RENAME = "rename"
    SWAP = "swap"


@dataclass(frozen=True, slots=True)
class CommandLine:
    """``words``: the command as written and what follows it, without quotes and without the
    options that may stand anywhere; ``exist``: with -exist."""

    command: Command
    words: tuple[str, ...]
    exist: bool
    start: int
    end: int

    def word_span(self, source: SourceFile, index: int) -> Span:
        """Where a word is written, quotes included; the end of the line where there is none."""
        written = plain_words(source.text[self.start : self.end]).written
        if index >= len(written):
            return Span(source, self.end, self.end)
        word = written[index]
        return Span(source, self.start + word.start(), self.start + word.end())


@dataclass(frozen=True, slots=True, eq=False)
class IpsetFile:
    source: SourceFile
    lines: tuple[CommandLine, ...]
    diagnostics: tuple[SyntaxDiagnostic, ...]
