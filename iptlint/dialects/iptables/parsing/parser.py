"""iptables-save text to syntax tree.

The grammar defines a line. Large files repeat a few shapes of line many times over, so the
grammar and the resolver see the first line of each shape only. The others take over what was
found: those that are alike at once (``alike``), the rest once they are split into words
(``shape_keys``). ``fast=False`` sends every line through grammar and resolver, and a test holds
the ways to the same result.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from iptlint.dialects.diagnostics import Fate, SyntaxDiagnostic
from iptlint.dialects.iptables.lowering import line_checks
from iptlint.dialects.iptables.parsing.alike import outlines, settles_shape
from iptlint.dialects.iptables.parsing.diagnostics import ShapeDiagnostic
from iptlint.dialects.iptables.parsing.guess_family import Families
from iptlint.dialects.iptables.parsing.shape_keys import Keys, ShapeKey
from iptlint.dialects.iptables.parsing.shapes import resolve
from iptlint.dialects.iptables.parsing.tree import (
    ChainLine,
    Command,
    CommandLine,
    CommitLine,
    Counters,
    Line,
    SaveFile,
    Shape,
    TableLine,
    Words,
)
from iptlint.dialects.iptables.parsing.words import (
    GRAMMAR,
    pattern,
    span_of_words,
    split_words,
    unquoted,
)
from iptlint.dialects.template_conditions import text_to_read
from iptlint.grammar import parse_flat
from iptlint.maker import maker
from iptlint.model import Family
from iptlint.model.numbers import decimal
from iptlint.source import Edit, SourceFile, Span

if TYPE_CHECKING:
    from lark import Token


def parse(source: SourceFile, family: Family | None = None, *, fast: bool = True) -> SaveFile:
    """The tree of a text, and what in it is no iptables-save; without ``family`` it and the file's
    name say of which it is, table by table."""
    return _Reader(source, Families(source, family), fast).read()


_FIRST_COMMAND = re.compile(r"(?:[ \t\r]*(?:\n|#.*\n))*(?:\[[^:\]\n]+:[^\]\n]+\])?[ \t]*-")
_TABLE_LINE = re.compile(r"^\*", re.MULTILINE)


def is_bare(text: str) -> bool:
    """Whether a text is rules without tables, as ``iptables -S`` prints them."""
    return bool(_FIRST_COMMAND.match(text)) and not _TABLE_LINE.search(text)


@dataclass(slots=True)
class _Known:
    """What is known of the lines of a family. ``outlined``: the shapes of those that a shape is
    all there is to."""

    keys: Keys
    shapes: dict[ShapeKey, Shape | ShapeDiagnostic] = field(default_factory=dict)
    outlined: dict[str, Shape] = field(default_factory=dict)


@dataclass(slots=True)
class _Block:
    """The lines between ``*table`` and ``COMMIT``, or of a bare file."""

    known: _Known
    family: Family
    first: int  # of its lines in the tree
    doubtful: list[CommandLine] = field(default_factory=list)  # jumps to who knows what


_MOST_OUTLINES = 10_000
"""Where hardly two lines are alike, outlines are not worth keeping."""
_PIECE = 2**20
_CR_AT_END = re.compile(r"^(?!#)[^\n]*\r$", re.MULTILINE)

_command_line = maker(CommandLine)


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """A text in pieces of whole lines, and where each begins."""
    start = 0
    while start <= len(text):
        end = text.find("\n", start + _PIECE)
        end = len(text) if end < 0 else end
        yield start, text[start:end]
        start = end + 1


class _Reader:
    def __init__(self, source: SourceFile, families: Families, fast: bool) -> None:
        self._source = source
        self._families = families
        self._fast = fast
        self._lines: list[Line] = []
        self._diagnostics: list[SyntaxDiagnostic] = []
        self._known: dict[Family, _Known] = {}
        self._bare = is_bare(source.text)
        self._block = self._open_block(families.of_block(0)) if self._bare else None
        self._astray = False  # among lines outside a table, which are reported once

    # -- lines ----------------------------------------------------------------

    def read(self) -> SaveFile:
        text = text_to_read(self._source)
        crlf = _CR_AT_END.search(text) if "\r" in text else None
        read = self._alike if self._fast and "\r" not in text else self._one_by_one
        for start, piece in _pieces(text):
            read(piece, start)
        self._end()
        tables = (line.family for line in self._lines if isinstance(line, TableLine))
        family = next(tables, None) or self._families.of_block(0)
        parts = (tuple(self._lines), tuple(self._diagnostics))
        return SaveFile(self._source, *parts, family, self._bare, crlf.end() - 1 if crlf else None)

    def _one_by_one(self, piece: str, start: int) -> None:
        for line in piece.split("\n"):
            self._line(line.removesuffix("\r"), start)
            start += len(line) + 1

    def _alike(self, piece: str, start: int) -> None:
        """Take over the shapes of lines that are known by their outlines."""
        source, lines = self._source, self._lines
        known = self._outlined()
        for line, outline in zip(piece.split("\n"), outlines(piece).split("\n"), strict=True):
            end = start + len(line)
            shape = known.get(outline)
            if shape is not None and end - start <= line_checks.HARMLESS_LENGTH:
                counters = _counters(line) if outline[0] == "[" else None
                lines.append(_command_line(shape, source, counters, start, end))
            else:
                self._line(line, start)
                known = self._outlined()
                self._learn(outline, start)
            start = end + 1

    def _outlined(self) -> dict[str, Shape]:
        return self._block.known.outlined if self._block else {}

    def _learn(self, outline: str, start: int) -> None:
        """The line that begins at ``start`` is the first of its outline."""
        line = self._lines[-1] if self._lines else None
        if not isinstance(line, CommandLine) or line.start != start or self._block is None:
            return
        known = self._block.known
        worth_keeping = len(known.outlined) < _MOST_OUTLINES and not line.shape.valued
        if worth_keeping and settles_shape(outline, known.keys):
            known.outlined[outline] = line.shape

    def _line(self, line: str, start: int) -> None:
        if not line.strip(_BLANKS):
            self._blank(line, start)
        elif line[0] != "#" and not (self._fast and self._by_form(line, start)):
            self._by_grammar(line, start)

    def _blank(self, line: str, start: int) -> None:
        """To the tool a line of blanks is one without a command; a template's tag is no line."""
        end = start + len(line)
        if line and not self._bare and self._source.text[start:end] == line:
            self._report(start, end, "The line has blanks in it and nothing else", "no blanks")

    def _end(self) -> None:
        if self._block and not self._bare:
            end = len(self._source.text)
            self._uncommitted(end, end, "The last table has no end", "COMMIT")
        self._close_block()

    def _by_form(self, line: str, start: int) -> bool:
        """Take a line whose form says all; False where it is for the grammar to say what it is."""
        end = start + len(line)
        if line[0] == "*" and (table := pattern(r"\*(<NAME>)").fullmatch(line)):
            self._table(table[1], start, end)
        elif line == "COMMIT":
            self._commit(start, end)
        elif self._block is None or line[0] == "*":
            return False
        elif line[0] == ":":
            return self._chain_by_form(line, start)
        else:
            return self._command_by_form(self._block, line, start)
        return True

    def _chain_by_form(self, line: str, start: int) -> bool:
        form = pattern(r":(<NAME>)[ \t](<NAME>)(?:[ \t](\[[0-9]+:[0-9]+\]))?").fullmatch(line)
        if form is None or self._bare:
            return False
        self._add_chain(form[1], form[2], form[3], start, start + len(line))
        return True

    def _command_by_form(self, block: _Block, line: str, start: int) -> bool:
        """By the shape of a line with the same words that count for it, where there was one."""
        counters = pattern("<RULE_COUNTERS>").match(line) if line[0] == "[" else None
        words = split_words(line[counters.end() :] if counters else line)
        if not words or words == ["COMMIT"]:
            return False
        key = block.known.keys.key(words)
        shape = block.known.shapes.get(key)
        if shape is None:
            shape = block.known.shapes[key] = self._resolved(block, tuple(words))
        numbers = _counters(counters[0]) if counters else None
        self._add_command(shape, tuple(words), numbers, start, start + len(line))
        return True

    def _resolved(self, block: _Block, words: Words) -> Shape | ShapeDiagnostic:
        return resolve(words, block.family, in_table=not self._bare)

    def _by_grammar(self, line: str, start: int) -> None:
        end = start + len(line)
        parsed = parse_flat(*GRAMMAR, line)
        if parsed is None:
            if line[0] == "*" or self._may_stand(line, start):
                self._report(start, end, *_MALFORMED[line[0]])
                self._astray |= self._block is None
            return
        rule, tokens = parsed
        texts = [str(token) for token in tokens]
        match rule:
            case "table":
                self._table(texts[0], start, end)
            case "commit":
                self._commit(start, end)
            case "chain" if self._may_stand(line, start):
                self._add_chain(texts[0], texts[1], next(iter(texts[2:]), None), start, end)
            case "command" if self._may_stand(line, start):
                self._command(tokens, start, end)

    # -- tables ---------------------------------------------------------------

    def _open_block(self, family: Family) -> _Block:
        known = self._known.setdefault(family, _Known(Keys(family)))
        return _Block(known, family, len(self._lines))

    def _close_block(self) -> None:
        """A target that nobody knew may turn out to be a chain, which takes no options."""
        block, self._block = self._block, None
        if block is None or not block.doubtful:
            return
        chains = _declared(self._lines[block.first :])
        refused = set()
        for line in block.doubtful:
            diagnostic = line_checks.options_after_chain(line.shape, line.words, chains)
            if diagnostic:
                refused.add(line.start)
                self._diagnose(diagnostic, line.words, line.start, line.end)
        kept = [line for line in self._lines[block.first :] if line.start not in refused]
        self._lines[block.first :] = kept
        self._diagnostics.sort(key=lambda diagnostic: diagnostic.start)

    def _table(self, name: str, start: int, end: int) -> None:
        if self._block:
            self._uncommitted(start, end, "The table before this one has no end", "COMMIT first")
            self._close_block()
        family = self._families.of_block(start)
        self._lines.append(TableLine(name, family, start, end))
        self._block = self._open_block(family)
        self._astray = False

    def _commit(self, start: int, end: int) -> None:
        if self._bare:
            self._report(start, end, "COMMIT ends no table here", "a rule")
        elif self._block:
            self._lines.append(CommitLine(start, end))
            self._close_block()
        else:
            self._may_stand("COMMIT", start)

    def _may_stand(self, line: str, start: int) -> bool:
        """Whether a line is in a table, or needs none."""
        if self._block and not (self._bare and line[0] == ":"):
            return True
        if not self._astray:
            message = "The line stands outside a table"
            self._report(start, start + len(line), message, "a line such as `*filter` before it")
        self._astray = True
        return False

    # -- chains and commands --------------------------------------------------

    def _add_chain(
        self, name: str, policy: str, counters: str | None, start: int, end: int
    ) -> None:
        numbers = _counters(counters) if counters and policy != "-" else None
        self._lines.append(ChainLine(name, policy, numbers, start, end))

    def _command(self, tokens: Sequence[Token], start: int, end: int) -> None:
        assert self._block is not None
        last = tokens[-1]
        counters = _counters(tokens[0]) if tokens[0].type == "RULE_COUNTERS" else None
        words = tuple(unquoted(str(token)) for token in tokens if token.type == "WORD")
        if last.type == "UNCLOSED":
            words += (self._unclosed(last, start, end),)
        if words == ("COMMIT",) and not self._bare:
            self._report(start, end, "COMMIT has blanks beside it", "COMMIT alone on its line")
            self._commit(start, end)
            return
        self._add_command(self._resolved(self._block, words), words, counters, start, end, words)

    def _unclosed(self, quote: Token, start: int, end: int) -> str:
        """The tool takes all that follows, the end of the line too, for a part of the word."""
        message = "The quote is never closed, so the word has all of the line that follows"
        expected = '`"` before the end of the line'
        self._report(start + (quote.start_pos or 0), end, message, expected, Fate.CHANGED)
        return unquoted(f'{quote}"') + "\n"

    def _add_command(
        self,
        shape: Shape | ShapeDiagnostic,
        words: Words,
        counters: Counters | None,
        start: int,
        end: int,
        given: Words | None = None,
    ) -> None:
        """``given``: the words where they are kept, for they are not just those of the text."""
        if end - start > line_checks.HARMLESS_LENGTH:
            shape = line_checks.too_long(words, end - start) or shape
        if isinstance(shape, Shape) and shape.valued:
            shape = line_checks.bad_value(shape, words) or shape
        if isinstance(shape, ShapeDiagnostic):
            self._diagnose(shape, words, start, end)
            return
        if shape.valued:
            counters = line_checks.counters(shape, words) or counters
        line = _command_line(shape, self._source, counters, start, end, given)
        self._lines.append(line)
        if self._block and shape.valued and shape.target and shape.target.extension is None:
            self._block.doubtful.append(line)

    # -- diagnostics -------------------------------------------------------------

    def _diagnose(self, diagnostic: ShapeDiagnostic, words: Words, start: int, end: int) -> None:
        diagnostic, text = diagnostic.of(words), self._source.text[start:end]
        first, last = span_of_words(text, diagnostic.first, diagnostic.last)
        bounds = (start + first, start + last)
        message = diagnostic.sentence(words)
        self._diagnostics.append(
            SyntaxDiagnostic(
                self._source, *bounds, message, diagnostic.expected, hint=diagnostic.advice(words)
            )
        )

    def _uncommitted(self, start: int, end: int, message: str, expected: str) -> None:
        """What is missing has one place: before the next table, or the end."""
        begun = start > 0 and self._source.text[start - 1] != "\n"
        edit = Edit(Span(self._source, start, start), "\n" * begun + "COMMIT\n")
        sentence = f"{message}; expected {expected}."
        where = "at the end" if start == end else "before this line"
        diagnostic = SyntaxDiagnostic(
            self._source, start, end, sentence, expected, f"write COMMIT {where}", edits=(edit,)
        )
        self._diagnostics.append(diagnostic)

    def _report(
        self, start: int, end: int, message: str, expected: str, fate: Fate = Fate.REFUSED
    ) -> None:
        sentence = f"{message}; expected {expected}."
        place = (self._source, start, end)
        self._diagnostics.append(SyntaxDiagnostic(*place, sentence, expected, fate=fate))


_BLANKS = " \t"
_MALFORMED = {
    "*": ("The table has no name", "a name such as filter"),
    ":": ("The chain's line is incomplete", "a name, and a policy or `-`"),
    "[": ("There are counters and no rule", "a command such as -A"),
}
"""What the grammar can refuse, by the character a line begins with."""


def _counters(text: str) -> Counters | None:
    """Only ``iptables-restore -c`` reads the numbers; without it anything in brackets will do."""
    numbers = re.match(r"\[([0-9]+):([0-9]+)", text)
    return (decimal(numbers[1]) or 0, decimal(numbers[2]) or 0) if numbers else None


def _declared(lines: Sequence[Line]) -> set[str]:
    names = {line.name for line in lines if isinstance(line, ChainLine)}
    commands = (line for line in lines if isinstance(line, CommandLine))
    for line in commands:
        if line.shape.command is Command.NEW_CHAIN and line.shape.chain:
            names.add(line.shape.chain.text(line.words))
    return names
