"""Where keys and strings of a TOML document are written: tomllib tells what they are, not where.

The document has been read by tomllib before, so whatever stands here is TOML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from iptlint.source import SourceFile, Span

Path = tuple[str | int, ...]
"""Keys from the top; a number is the place in an array, of tables too."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SAME_LINE = re.compile(r"[ \t]*")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'', re.DOTALL
)
_BARE = re.compile(r"[^\s=\[\]{},#.\"']+")
_SCALAR = re.compile(r"[^,\]}\n#]+")


@dataclass(frozen=True, slots=True)
class Places:
    """``values``: where each value is written, a string without its quotes; ``keys``: its key."""

    source: SourceFile
    values: dict[Path, Span] = field(default_factory=dict)
    keys: dict[Path, Span] = field(default_factory=dict)

    def key(self, path: Path) -> Span:
        """Where the key is, or the nearest thing that it is in."""
        while path and path not in self.keys and path not in self.values:
            path = path[:-1]
        return self.keys.get(path) or self.values.get(path) or self.source.line_span(1)

    def value(self, path: Path) -> Span:
        return self.values.get(path) or self.key(path)


def places(source: SourceFile) -> Places:
    """Of a document that tomllib has read."""
    return _Scanner(source).scan()


class _Scanner:
    def __init__(self, source: SourceFile) -> None:
        self.text = source.text
        self.at = 0
        self.found = Places(source)
        self._tables: dict[Path, int] = {}

    def scan(self) -> Places:
        table: Path = ()
        while self._skip(_BLANK) < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
        return self.found

    def _skip(self, blank: re.Pattern[str]) -> int:
        match = blank.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.at

    def _next(self, blank: re.Pattern[str]) -> str:
        """The sign behind the blanks; empty at the end."""
        start = self._skip(blank)
        return self.text[start : start + 1]

    def _header(self) -> Path:
        start, several = self.at, self.text.startswith("[[", self.at)
        self.at += 1 + several
        path = self._in_arrays(tuple(key for key, _ in self._key()))
        self._skip(_SAME_LINE)
        self.at += 1 + several
        if several:
            number = self._tables.get(path, -1) + 1
            self._tables[path] = number
            path = (*path, number)
        self.found.keys[path] = Span(self.found.source, start, self.at)
        return path

    def _in_arrays(self, keys: Path) -> Path:
        """With the number of the last table where a key names an array of them."""
        path: Path = ()
        for place, key in enumerate(keys):
            path = (*path, key)
            if path in self._tables and place < len(keys) - 1:
                path = (*path, self._tables[path])
        return path

    def _key(self) -> list[tuple[str, Span]]:
        """The parts of a key with dots."""
        return [*self._parts()]

    def _parts(self) -> Iterator[tuple[str, Span]]:
        while True:
            self._skip(_SAME_LINE)
            quoted = _STRING.match(self.text, self.at)
            part = quoted or _BARE.match(self.text, self.at)
            if part is None:
                self.at += 1  # tomllib has read it, so this is never so
                return
            self.at = part.end()
            span = Span(self.found.source, part.start(), part.end())
            yield part[0][1:-1] if quoted else part[0], span
            if self._next(_SAME_LINE) != ".":
                return
            self.at += 1

    def _pair(self, table: Path) -> None:
        path = table
        for key, span in self._key():
            path = (*path, key)
            self.found.keys[path] = span
        self._skip(_SAME_LINE)
        self.at += 1  # =
        self._value(path)

    def _value(self, path: Path) -> None:
        start = self._skip(_BLANK)
        sign, source = self.text[start : start + 1], self.found.source
        if sign == "[":
            self._array(path)
            self.found.values[path] = Span(source, start, self.at)
        elif sign == "{":
            self._inline_table(path)
            self.found.values[path] = Span(source, start, self.at)
        elif string := _STRING.match(self.text, start):
            self.at = string.end()
            quotes = 3 if string[0][:3] in ('"""', "'''") else 1
            self.found.values[path] = Span(source, start + quotes, self.at - quotes)
        else:
            scalar = _SCALAR.match(self.text, start)
            self.at = scalar.end() if scalar else start + 1
            end = start + len(self.text[start : self.at].rstrip())
            self.found.values[path] = Span(source, start, end)

    def _array(self, path: Path) -> None:
        self.at += 1
        number = 0
        while self._next(_BLANK) not in ("]", ""):
            self._value((*path, number))
            number += 1
            if self._next(_BLANK) == ",":
                self.at += 1
        self.at += 1

    def _inline_table(self, path: Path) -> None:
        self.at += 1
        while self._next(_BLANK) not in ("}", ""):
            self._pair(path)
            if self._next(_BLANK) == ",":
                self.at += 1
        self.at += 1
