"""nft text to syntax tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lark.exceptions import UnexpectedInput

from iptlint.dialects.nft import blocks
from iptlint.dialects.nft.build_definitions import ROWS as _ROWS
from iptlint.dialects.nft.building import Builder
from iptlint.dialects.nft.bulk import PlainElements, split_set
from iptlint.dialects.nft.complaints import fault_of
from iptlint.dialects.nft.faults import Fault, TooDeepFault
from iptlint.dialects.nft.includes import DEFAULT_DIRECTORIES, Includes
from iptlint.dialects.nft.language import STARTS, parse_statement
from iptlint.dialects.nft.shapes import Shape, Shapes, shape_of
from iptlint.dialects.nft.tree import Command, Include, IncludedFile, Item, NftFile, Rule, SyntaxProblem
from iptlint.source import SourceFile

assert _ROWS


HELD = "\0"
"""Stands for elements that were read already; see the grammar's terminal of this name."""


def parse(
    source: SourceFile,
    include_directories: Sequence[Path] = DEFAULT_DIRECTORIES,
    *,
    fast: bool = True,
) -> NftFile:
    """The tree of a text and of what it includes, and what in them is no nft.

    ``fast=False`` sends every statement through the grammar.
    """
    problems: list[SyntaxProblem] = []
    includes = Includes(tuple(include_directories)).inside(source)
    reader = _Reader(source, includes, problems, fast)
    items = reader.read("top")
    return NftFile(source, items, tuple(problems))


def parse_rule(text: str) -> Rule | None:
    """A rule that stands alone; None where the text is none."""
    problems: list[SyntaxProblem] = []
    items = _Reader(SourceFile("-", text), Includes(()), problems, fast=False).read("chain")
    if problems or len(items) != 1 or not isinstance(items[0], Rule):
        return None
    return items[0]


class _Reader:
    def __init__(
        self, source: SourceFile, includes: Includes, problems: list[SyntaxProblem], fast: bool
    ) -> None:
        self._source = source
        self._text = source.text
        self._includes = includes
        self._problems = problems
        self._fast = fast
        self._at = 0
        self._shapes = Shapes()

    def read(self, context: str, level: int = 0) -> tuple[Item, ...]:
        """The items from here to the end of the block, or of the text at level 0."""
        items: list[Item] = []
        while True:
            self._skip(blocks.SPACE)
            if self._at >= len(self._text):
                return tuple(items)
            if self._text[self._at] != "}":
                items += self._statement(context, level)
            elif level:
                return tuple(items)
            else:
                self._report(Fault("The brace closes nothing", start=self._at, end=self._at + 1))
                self._at += 1

    def _skip(self, pattern: Any) -> None:
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found else self._at

    # -- one statement --------------------------------------------------------

    def _statement(self, context: str, level: int) -> tuple[Item, ...]:
        statement = _Statement(self._at)
        shape, known = self._known_line(context)
        if shape and known is not None:
            self._at += len(shape)
            return known
        try:
            opened = self._find_end(statement, context, level)
            if opened:
                return self._block(statement, context, opened, level)
            items = self._parse(statement, context)
        except Fault as fault:
            self._report(fault)
            self._at = max(self._at, statement.end)
            return ()
        self._separated(context)
        whole = shape and self._at == statement.start + len(shape)
        if whole and not statement.holes and all(isinstance(item, Rule) for item in items):
            self._shapes.learn(shape, items, statement.start)
        return tuple(self._included(item, context) for item in items)

    def _find_end(self, statement: _Statement, context: str, level: int) -> str | None:
        """Go on to the statement's end; what block it opens, if it ends with a brace."""
        text, start = self._text, self._at
        brackets: list[int] = []
        braces = 0
        while True:
            found = blocks.STOP.search(text, self._at)
            statement.end = self._at = found.start() if found else len(text)
            if found is None:
                if braces:
                    raise _unclosed(brackets[-1])
                return None
            stop = found[0]
            if stop[0] == '"':
                self._at = found.end()
                if stop[-1] != '"' or len(stop) == 1:
                    statement.end = self._at
                    raise Fault("The quote is never closed", '`"`', start=found.start(), end=self._at)
            elif stop == "#":
                line_end = text.find("\n", self._at)
                self._at = len(text) if line_end < 0 else line_end
                if not braces:
                    return None
            elif stop == "{":
                kind = None if braces else blocks.block_kind(context, text[start : self._at])
                if kind:
                    return kind
                self._at = found.end()
                if not braces and blocks.JUMP.search(text, start, found.start()):
                    self._jump_block(statement, found.start(), level)
                    continue
                if not braces and self._fast and self._long_set(statement, found.start()):
                    continue
                brackets.append(found.start())
                braces += 1
            elif stop == "(":
                self._at = found.end()
                brackets.append(found.start())
            elif stop in ")}":
                if stop == "}" and not braces:
                    return None
                self._at = found.end()
                braces -= stop == "}"
                if brackets:
                    brackets.pop()
            elif stop == "\n" and braces:
                self._at = found.end()
                if blocks.BLOCK_LINE.match(text, self._at):
                    raise _unclosed(brackets[-1])
            elif stop[0] == "\\" or braces:
                self._at = found.end()
            else:
                return None
            if len(brackets) > blocks.MAX_BRACKETS:
                self._leave_line()
                statement.end = self._at
                raise TooDeepFault(
                    "Braces and parentheses are nested too deeply",
                    start=brackets[0],
                    end=brackets[0] + 1,
                )

    def _leave_line(self) -> None:
        end = self._text.find("\n", self._at)
        self._at = len(self._text) if end < 0 else end

    def _parse(self, statement: _Statement, context: str) -> tuple[Item, ...]:
        builder = Builder(statement.start, statement.blocks, statement.sets)
        return _built(builder, statement.text(self._text), context)

    # -- what repeats -----------------------------------------------------------

    def _known_line(self, context: str) -> tuple[Shape | None, tuple[Item, ...] | None]:
        """The shape of the line that begins here, and its items if it was read before."""
        if not self._fast or context != "chain":
            return None, None
        end = self._text.find("\n", self._at)
        shape = shape_of(self._text[self._at : end if end >= 0 else len(self._text)], context)
        return shape, self._shapes.read(shape, self._at)

    def _long_set(self, statement: _Statement, brace: int) -> bool:
        """Read a long set element by element; False where it has to go with its statement."""
        plain = PlainElements.at(self._text, brace)
        if plain is not None:
            self._hold(statement, brace, plain.end, plain)
            return True
        split = split_set(self._text, brace)
        if split is None:
            return False
        bounds, close = split
        elements = [element for start, end in bounds for element in self._element(start, end)]
        self._hold(statement, brace, close, tuple(elements))
        return True

    def _element(self, start: int, end: int) -> tuple[Any, ...]:
        text = self._text[start:end]
        shape = shape_of(text, "elements")
        known = self._shapes.read(shape, start)
        if known is None:
            known = _built(Builder(start), text, "elements")
            self._shapes.learn(shape, known, start)
        return known

    def _hold(self, statement: _Statement, brace: int, close: int, elements: Any) -> None:
        statement.sets[close] = elements
        statement.holes.append((brace + 1, close))
        self._at = close + 1

    def _separated(self, context: str) -> None:
        """A statement ends with its line or a semicolon; the closing brace is no end."""
        if context not in blocks.STRICT:
            return
        self._skip(blocks.BLANKS)
        if self._at < len(self._text) and self._text[self._at] not in "\n;#":
            place = {"start": self._at, "end": self._at + 1}
            found = self._text[self._at]
            message = f"The statement before `{found}` is not ended"
            self._report(Fault(message, "`;` or a new line", **place))

    # -- blocks ----------------------------------------------------------------

    def _block(
        self, statement: _Statement, context: str, kind: str, level: int
    ) -> tuple[Item, ...]:
        header: tuple[Item, ...] = ()
        opened = self._at
        try:
            header = self._parse(statement, context)
        except Fault as fault:
            self._report(fault)
        self._at = opened + 1
        body = self._body(kind, opened, level)
        self._separated(context)
        return tuple(
            replace(item, body=body, end=self._at)
            for item in header
            if isinstance(item, Command)
        )

    def _body(self, kind: str, opened: int, level: int) -> tuple[Item, ...]:
        """From behind an opening brace to behind the closing one."""
        if level >= blocks.MAX_BLOCKS:
            self._at = len(self._text)
            raise TooDeepFault("Blocks are nested too deeply", start=opened, end=opened + 1)
        items = self.read(kind, level + 1)
        if self._at >= len(self._text):
            self._report(_unclosed(opened))
        self._at += 1
        return items

    def _jump_block(self, statement: _Statement, opened: int, level: int) -> None:
        statement.blocks[opened] = self._body("chain", opened, level)
        statement.holes.append((opened + 1, self._at - 1))
        statement.blocks[self._at - 1] = statement.blocks.pop(opened)

    # -- includes ----------------------------------------------------------------

    def _included(self, item: Item, context: str) -> Item:
        """An include with what is in its files, which stands for it in the same block."""
        if not isinstance(item, Include):
            return item
        files: list[IncludedFile] = []
        try:
            for source in self._includes.sources(item.path):
                inner = _Reader(source, self._includes.inside(source), self._problems, self._fast)
                files.append(IncludedFile(source, inner.read(context)))
        except Fault as fault:
            self._report(fault)
        return replace(item, files=tuple(files))

    def _report(self, fault: Fault) -> None:
        self._problems.append(
            SyntaxProblem(
                self._source,
                fault.start,
                fault.end,
                fault.message,
                fault.expected,
                fault.hint,
                fault.code,
            )
        )


def _built(builder: Builder, text: str, context: str) -> tuple[Any, ...]:
    try:
        built = builder.build(parse_statement(text, STARTS[context]))
    except UnexpectedInput as error:
        raise fault_of(error, text, builder.base) from None
    return built if isinstance(built, tuple) else (built,)


class _Statement:
    """One statement's bounds, and what stands in its braces that was read already."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.end = start
        self.holes: list[tuple[int, int]] = []
        self.blocks: dict[int, tuple[Item, ...]] = {}
        self.sets: dict[int, Any] = {}

    def text(self, source: str) -> str:
        """The statement's characters, blanks for those that were read."""
        parts = []
        at = self.start
        for start, end in self.holes:
            mark = HELD if end in self.sets else ""
            parts += [source[at:start], mark.ljust(end - start)]
            at = end
        return "".join((*parts, source[at : self.end]))


def _unclosed(brace: int) -> Fault:
    return Fault("The brace is never closed", "`}`", start=brace, end=brace + 1)
