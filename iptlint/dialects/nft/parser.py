"""nft text to syntax tree.

``blocks`` and ``ends`` find the statements of a text, the grammar reads them one by one. A
statement that is none is left out and reported, and the next one is read.
"""

from __future__ import annotations

import re
from dataclasses import replace

from iptlint.dialects.diagnostics import SyntaxDiagnostic
from iptlint.dialects.files import Files, LocalFiles, NoFiles
from iptlint.dialects.nft.parsing import blocks
from iptlint.dialects.nft.parsing.ends import Ends, unclosed
from iptlint.dialects.nft.parsing.errors import AlreadyReportedError, NftSyntaxError, TooDeepError
from iptlint.dialects.nft.parsing.includes import IncludeError, Includes
from iptlint.dialects.nft.parsing.repeats import Repeats
from iptlint.dialects.nft.parsing.statement import Statement
from iptlint.dialects.nft.tree import Command, Include, IncludedFile, Item, NftFile, Rule
from iptlint.dialects.placeholders import is_template
from iptlint.dialects.template_conditions import text_to_read
from iptlint.source import SourceFile

_CARRIAGE_RETURN = re.compile(r"^[^#\n]*\r\n", re.MULTILINE)
"""At the end of a line; a comment may have one in it."""


def parse(source: SourceFile, files: Files | None = None, *, fast: bool = True) -> NftFile:
    """The tree of a text and of what it includes, and what in them is no nft.

    ``files`` are those that it may include; any of this machine's where it is None.
    ``fast=False`` sends every statement through the grammar; a test holds the two ways to
    the same result.
    """
    diagnostics: list[SyntaxDiagnostic] = []
    includes = Includes(files or LocalFiles()).inside(source)
    items = _Reader(source, includes, diagnostics, fast).read("top")
    carriage_return = _CARRIAGE_RETURN.search(source.text)
    if carriage_return is not None and not is_template(source):
        diagnostics.append(_carriage_return(source, carriage_return.end() - 2))
    return NftFile(source, items, tuple(diagnostics))


def parse_rule(text: str) -> Rule | None:
    """A rule that stands alone; None where the text is none."""
    diagnostics: list[SyntaxDiagnostic] = []
    items = _Reader(SourceFile("-", text), Includes(NoFiles()), diagnostics, fast=False).read(
        "chain"
    )
    if diagnostics or len(items) != 1 or not isinstance(items[0], Rule):
        return None
    return items[0]


class _Reader:
    def __init__(
        self,
        source: SourceFile,
        includes: Includes,
        diagnostics: list[SyntaxDiagnostic],
        fast: bool,
    ) -> None:
        self._source = source
        self._text = text_to_read(source)
        self._includes = includes
        self._diagnostics = diagnostics
        self._repeats = Repeats(self._text) if fast else None
        self._at = 0
        self._gave_up = False

    def read(self, context: str, level: int = 0) -> tuple[Item, ...]:
        """The items from here to the end of the block, or of the text at level 0."""
        items: list[Item] = []
        while True:
            self._skip(blocks.SPACE)
            if self._at >= len(self._text) or self._is_beyond(context):
                return tuple(items)
            if self._text[self._at] != "}":
                items += self._statement(context, level)
            elif level:
                return tuple(items)
            else:
                self._report(
                    NftSyntaxError("The brace closes nothing", start=self._at, end=self._at + 1)
                )
                self._at += 1

    def _is_beyond(self, context: str) -> bool:
        """Whether the line opens a block that cannot be in this one, which was not closed."""
        if context in ("top", "table"):
            return False
        return bool(blocks.BLOCK_LINE.match(self._text, self._at))

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._text, self._at)
        self._at = match.end() if match else self._at

    # -- statements -----------------------------------------------------------------

    def _statement(self, context: str, level: int) -> tuple[Item, ...]:
        statement = Statement(self._at)
        shape, known = self._repeats.line(self._at, context) if self._repeats else (None, None)
        if shape and known is not None:
            self._at += shape.length
            return known
        try:
            kind = self._find_end(statement, context, level)
            if kind:
                return self._block(statement, context, kind, level)
            items = statement.items(self._text, context)
        except NftSyntaxError as error:
            self._report(error)
            self._leave(statement)
            return ()
        self._must_be_separated(context)
        if self._repeats:
            self._repeats.learn(shape, statement, items, self._at)
        return tuple(self._included(item, context) for item in items)

    def _find_end(self, statement: Statement, context: str, level: int) -> str | None:
        """Go on to the statement's end; the kind of block if it ends with the brace of one."""
        ends = Ends(self._text, self._at)
        try:
            while (brace := ends.next_brace()) is not None:
                kind = blocks.block_kind(context, self._text, statement.start, brace)
                if kind:
                    return kind
                if blocks.opens_chain(self._text, statement.start, brace):
                    ends.at = self._jump_block(statement, brace, level)
                elif after := self._repeats and self._repeats.long_set(statement, brace):
                    ends.at = after
                else:
                    ends.enter()
        finally:
            self._at = statement.end = max(self._at, ends.at)
        return None

    def _leave(self, statement: Statement) -> None:
        """Go on to the end of a statement that could not be read."""
        ends = Ends(self._text, self._at)
        try:
            while ends.next_brace() is not None:
                ends.enter()
        except NftSyntaxError:
            ends.at = max(ends.at, statement.start + 1)
        self._at = ends.at

    def _must_be_separated(self, context: str) -> None:
        """A statement ends with its line or a semicolon; the closing brace is no end."""
        if context not in blocks.STRICT:
            return
        self._skip(blocks.BLANKS)
        following = self._text[self._at : self._at + 1]
        if following and following not in "\n;#":
            message = f"The statement before `{following}` is not ended"
            self._report(
                NftSyntaxError(message, "`;` or a new line", start=self._at, end=self._at + 1)
            )

    # -- blocks ---------------------------------------------------------------------

    def _block(self, statement: Statement, context: str, kind: str, level: int) -> tuple[Item, ...]:
        header: tuple[Item, ...] = ()
        opened = self._at
        try:
            header = statement.items(self._text, context)
        except NftSyntaxError as error:
            self._report(error)
        body, closed = self._body(kind, opened, level)
        if closed:
            self._must_be_separated(context)
        commands = (item for item in header if isinstance(item, Command))
        return tuple(replace(command, body=body, end=self._at) for command in commands)

    def _body(self, kind: str, opened: int, level: int) -> tuple[tuple[Item, ...], bool]:
        """What is between braces, and whether there is a closing one; goes on behind it."""
        if level >= blocks.MAX_BLOCKS:
            self._at = len(self._text)
            self._gave_up = True
            raise TooDeepError("Blocks are nested too deeply", start=opened, end=opened + 1)
        self._at = opened + 1
        items = self.read(kind, level + 1)
        closed = self._text.startswith("}", self._at)
        self._at += closed
        if not closed and not self._gave_up:
            self._report(unclosed(opened))
        return items, closed

    def _jump_block(self, statement: Statement, brace: int, level: int) -> int:
        """Where the statement goes on behind ``jump { … }``."""
        items, closed = self._body("chain", brace, level)
        if not closed:
            raise AlreadyReportedError(start=brace, end=brace + 1)
        statement.hold_block(brace, self._at - 1, items)
        return self._at

    # -- includes and diagnostics --------------------------------------------------------

    def _included(self, item: Item, context: str) -> Item:
        """An include with what is in its files, which stands for it in the same block."""
        if not isinstance(item, Include):
            return item
        files: list[IncludedFile] = []
        try:
            for source in self._includes.sources(item.path):
                files.append(self._included_file(source, item, context))
        except NftSyntaxError as error:
            self._report(error)
        return replace(item, files=tuple(files))

    def _included_file(self, source: SourceFile, item: Include, context: str) -> IncludedFile:
        """IncludeError where it is not all nft: it may be any file, and none of its text may be
        shown to whoever wrote the include."""
        diagnostics: list[SyntaxDiagnostic] = []
        fast = self._repeats is not None
        reader = _Reader(source, self._includes.inside(source), diagnostics, fast)
        included = IncludedFile(source, reader.read(context))
        wrong = next((diagnostic for diagnostic in diagnostics if not diagnostic.hides_text), None)
        if wrong is not None:
            raise IncludeError(
                f"{source.path} is no nft at line {source.line_of(wrong.start)}, so nothing of it"
                " is read",
                hint="check the included file by itself, which says what is wrong there",
                start=item.path.start,
                end=item.path.end,
            )
        self._diagnostics += diagnostics
        return included

    def _report(self, error: NftSyntaxError) -> None:
        if isinstance(error, AlreadyReportedError):
            return
        what = (error.message, error.expected, error.hint, error.code, error.hides_text, error.fate)
        diagnostic = SyntaxDiagnostic(self._source, error.start, error.end, *what)
        self._diagnostics.append(diagnostic)


def _carriage_return(source: SourceFile, at: int) -> SyntaxDiagnostic:
    message = "The line ends with a carriage return, and nft takes none"
    return SyntaxDiagnostic(source, at, at + 1, message, "line ends of a line feed alone")
