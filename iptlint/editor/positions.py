"""Where an editor says a character is, and where a text has it.

An editor counts lines from 0, and ends them at a carriage return alone, too; columns count the
units of an encoding, which is UTF-16 unless both sides agreed on another one. A text counts
characters.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from lsprotocol import types as lsp

from iptlint.source import Edit, SourceFile, Span

_LINE_END = re.compile(r"\r\n|\r|\n")
_UTF_16, _UTF_8, _UTF_32 = "utf-16", "utf-8", "utf-32"
DEFAULT_ENCODING = _UTF_16


class Lines:
    """Of one text. ``encoding``: whose units columns count."""

    def __init__(self, source: SourceFile, encoding: str = DEFAULT_ENCODING) -> None:
        self._text = source.text
        self._encoding = encoding
        self._starts = [0, *(end.end() for end in _LINE_END.finditer(source.text))]

    def position(self, offset: int) -> lsp.Position:
        line = bisect_right(self._starts, offset) - 1
        return lsp.Position(line, self._units(self._text[self._starts[line] : offset]))

    def offset(self, position: lsp.Position) -> int:
        """What is past the end of a line, or of the text, is its end."""
        if position.line >= len(self._starts):
            return len(self._text)
        start = self._starts[position.line]
        line = _LINE_END.split(self._text[start : self._end(position.line)], maxsplit=1)[0]
        units = 0
        for number, character in enumerate(line):
            if units >= position.character:
                return start + number
            units += self._units(character)
        return start + len(line)

    def range(self, start: int, end: int) -> lsp.Range:
        return lsp.Range(self.position(start), self.position(end))

    def of(self, span: Span) -> lsp.Range:
        return self.range(span.start, span.end)

    def edit(self, edit: Edit) -> lsp.TextEdit:
        return lsp.TextEdit(self.of(edit.span), edit.text)

    def _end(self, line: int) -> int:
        return self._starts[line + 1] if line + 1 < len(self._starts) else len(self._text)

    def _units(self, text: str) -> int:
        if text.isascii() or self._encoding == _UTF_32:
            return len(text)
        if self._encoding == _UTF_8:
            return len(text.encode("utf-8", "surrogatepass"))
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
