"""A text of nft laid out as `nft list ruleset` lays out what it prints: tabs, a statement a line,
one blank between words. No word, comment, variable or include is changed or moved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from iptlint.dialects.nft.parsing import blocks

_TOKEN = re.compile(
    r"""(?P<space>(?:[ \t\r]|\\\r?\n)+)
    | (?P<newline>\n)
    | (?P<comment>\#[^\n]*)
    | (?P<word>"[^"]*" | [{};,] | << | >> | [=!<>]=? | (?:[^\s{};,=!<>"\#\\]|\\(?!\r?\n))+ | .)""",
    re.VERBOSE,
)
_OPERATOR = re.compile(r"<<|>>|[=!<>]=?")


class Token(NamedTuple):
    """``spaced``: blanks stand before it."""

    kind: str
    text: str
    start: int
    spaced: bool


def tokens(text: str) -> Iterator[Token]:
    spaced = False
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "word"
        if kind == "space":
            spaced = True
            continue
        yield Token(kind, match[0], match.start(), spaced)
        spaced = False


@dataclass(slots=True)
class _Block:
    """``resumes``: behind its brace the statement that it is part of goes on. ``filled``: whether
    there is a line in it."""

    context: str
    resumes: bool = False
    filled: bool = False


def laid_out(text: str) -> str:
    """The text in its layout; the text has to be one that the parser takes."""
    layout = _Layout(text)
    for token in tokens(text):
        layout.take(token)
    return layout.finished()


_BESIDE = " " * 5
"""What is left of `elements = { ` behind a tab."""


def _depth(line: str) -> int:
    """How many more braces it opens than it closes."""
    bare = re.sub(r'"[^"]*"|#.*', "", line)
    return bare.count("{") - bare.count("}")


@dataclass(slots=True)
class _Layout:
    text: str
    lines: list[str] = field(default_factory=list)
    blocks: list[_Block] = field(default_factory=lambda: [_Block("top")])
    statement: str = ""
    start: int | None = None
    sets: int = 0  # braces of sets that are open in the statement
    newlines: int = 0  # since the last line was written
    closed: bool = False  # the last line closes a block

    def take(self, token: Token) -> None:
        match token.kind, token.text:
            case "newline", _:
                self._newline()
            case "comment", _:
                self._comment(token.text.rstrip())
            case _, ";" if not self.sets:
                self._end()
            case _, "{" if not self.sets and self._opens(token):
                pass
            case _, "}" if not self.sets:
                self._close()
            case _:
                self._word(token)

    def finished(self) -> str:
        self._end()
        while self.lines and not self.lines[-1]:
            self.lines.pop()
        return "".join(f"{line}\n" for line in self.lines)

    # -- lines --------------------------------------------------------------------------------

    @property
    def _indent(self) -> str:
        return "\t" * (len(self.blocks) - 1)

    def _newline(self) -> None:
        if self.sets:
            self.statement = self.statement.rstrip(" ")
            if not self.statement.endswith("\n"):
                self.statement += "\n"
            return
        self._end()
        self.newlines += 1

    def _end(self) -> None:
        """The statement ends."""
        if not self.statement:
            return
        statement, self.statement, self.start = self.statement, "", None
        context = self.blocks[-1].context
        if context == "chain" and re.match(r"type\b.*\bhook\b", statement, re.DOTALL):
            statement += ";"
        elif context == "chain" and statement.startswith("policy ") and self._follows_hook():
            self.lines[-1] += f" {statement};"
            return
        self._write(statement)

    def _follows_hook(self) -> bool:
        return bool(self.lines) and bool(
            re.fullmatch(r"\t+type\b[^#]*\bhook\b[^;#]*;", self.lines[-1])
        )

    def _write(self, text: str) -> None:
        block = self.blocks[-1]
        wanted = self.newlines > 1 or (self.closed and block.context == "table")
        if wanted and block.filled and self.lines and self.lines[-1]:
            self.lines.append("")
        self.lines += self._broken(text)
        block.filled, self.closed, self.newlines = True, False, 0

    def _broken(self, text: str) -> Iterator[str]:
        """Lines of a statement that its author has broken within braces: one step further in, or,
        where an element stands beside the first brace, below it as a listing has them."""
        first, *rest = text.split("\n")
        yield f"{self._indent}{first.rstrip()}"
        beside = rest and re.match(r"elements = \{ [^#]*[^{\s]", first)
        depth = _depth(first)
        for line in rest:
            bare = line.strip()
            steps = depth - bare.startswith("}")
            before = "\t" * max(steps, 0)
            if beside:
                before = "" if bare.startswith("}") else f"\t{_BESIDE}"
            yield f"{self._indent}{before}{bare}" if bare else ""
            depth += _depth(bare)

    def _comment(self, text: str) -> None:
        if self.sets:
            before = self.statement.rstrip(" ")
            self.statement = f"{before}{text}" if before.endswith("\n") else f"{before} {text}"
            return
        self._end()
        if self.lines and not self.newlines:
            self.lines[-1] += f" {text}"
        else:
            self._write(text)

    # -- blocks -------------------------------------------------------------------------------

    def _opens(self, token: Token) -> bool:
        """Whether the brace opens a block; then the block is open."""
        context, start = self.blocks[-1].context, self.start
        if start is None:
            return False
        kind = blocks.block_kind(context, self.text, start, token.start)
        resumes = kind is None and blocks.opens_chain(self.text, start, token.start)
        if kind is None and not resumes:
            return False
        header, self.statement, self.start = self.statement, "", None
        self._write(f"{header} {{")
        self.blocks.append(_Block("chain" if resumes else kind or "", resumes))
        return True

    def _close(self) -> None:
        self._end()
        if len(self.blocks) == 1:
            return
        block = self.blocks.pop()
        self.newlines, self.closed = 0, False
        while self.lines and not self.lines[-1]:
            self.lines.pop()
        if block.resumes:
            self.statement, self.start = "}", 0
            return
        self._write("}")
        self.closed = True

    # -- words --------------------------------------------------------------------------------

    def _word(self, token: Token) -> None:
        if self.start is None:
            self.start = token.start
        text = token.text
        at_line = not self.statement or self.statement.endswith("\n")
        if text == "{":
            self.sets += 1
        if text == "}":
            self.sets -= 1
        if not at_line and self._is_apart(token):
            self.statement += " "
        self.statement += text

    def _is_apart(self, token: Token) -> bool:
        """Whether a blank stands before the token."""
        last = self.statement[-1]
        if token.text == ",":
            return False
        if last == ",":
            return self.sets > 0
        if token.text in "{}" or last in "{}":
            return True
        if _OPERATOR.fullmatch(token.text) or _OPERATOR.fullmatch(last):
            return True
        return token.spaced
