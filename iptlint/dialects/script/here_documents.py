"""Here-documents with more behind them on their first line than the grammar has a place for.

To the grammar, what follows ``<<EOF`` belongs to the redirection. So they are lifted out of what it
reads, where a redirection of a file stays in their place, and each is read by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tree_sitter import Node as SyntaxNode
from tree_sitter import Point, Range

from iptlint.dialects.script.bash_grammar import syntax_tree

_LETTER = ","
"""The name of the file that stands in the place is made of it."""

_TOKEN = re.compile(
    r"(?P<comment>(?:^|(?<=[\s;&|()]))#[^\n]*)|(?P<quoted>'[^']*')"
    r"|<<(?P<tabs>-?)[ \t]*(?P<word>\w+|'\w+'|\"\w+\"|\\\w+)"
    r"|(?P<opens>\$?\(\(|\$?\(|\$?\{)"
    r"|(?:\\.|<<<|[\w \t,./:@%+=*-]+)|(?P<sign>.)",
    re.DOTALL | re.MULTILINE,
)
_ENDS = {"((": "))", "(": ")", "{": "}", "${": "}", '"': '"', "`": "`"}
_IS_TEXT = ('"', "${")
"""Within what quotes, comments and ``<<`` are nothing but letters."""


@dataclass(frozen=True, slots=True)
class _HereDocument:
    """From ``start`` to ``behind`` is ``<<`` with its word. ``body`` is the end of the line before
    the text, and ``end`` where the line that ends it ends."""

    start: int
    behind: int
    body: int
    end: int


def lifted(text: str) -> tuple[SyntaxNode, Mapping[int, SyntaxNode]]:
    """The tree of the text without them, and that of each, by where its ``<<`` stands."""
    found = tuple(_Lexer(text).found())
    pieces, at = [], 0
    for start, end, instead in sorted(_left(text, found)):
        pieces += [text[at:start], instead]
        at = end
    left = "".join((*pieces, text[at:])).encode()
    return syntax_tree(left), _alone(text, found)


def bodies(text: str) -> Iterator[tuple[int, int]]:
    """From where to where the texts of the here-documents are, one behind the other."""
    return ((each.body, each.end) for each in sorted(_Lexer(text).found(), key=_body))


def _body(of: _HereDocument) -> int:
    return of.body


def _left(text: str, found: Sequence[_HereDocument]) -> Iterator[tuple[int, int, str]]:
    """From where to where is what instead."""
    for each in found:
        yield each.start, each.behind, f"<{_LETTER * (each.behind - each.start - 1)}"
        yield each.body, each.end, re.sub(r"[^\n]", " ", text[each.body : each.end])


def _alone(text: str, found: Sequence[_HereDocument]) -> Mapping[int, SyntaxNode]:
    octets = bytearray(text.encode())
    for each in found:
        octets[each.start - 1] = ord(":")  # the grammar wants a command before it
    whole = bytes(octets)
    return {each.start: node for each in found for node in _redirections(whole, each)}


def _redirections(octets: bytes, of: _HereDocument) -> Iterator[SyntaxNode]:
    nowhere = Point(0, 0)
    pieces = ((of.start - 1, of.behind), (of.body, of.end))
    ranges = [Range(nowhere, nowhere, start, end) for start, end in pieces]
    for statement in syntax_tree(octets, ranges).children:
        yield from (child for child in statement.children if child.type == "heredoc_redirect")


@dataclass(slots=True)
class _Lexer:
    """``within``: what is open; ``begun``: the words of this line that are to end a text."""

    text: str
    within: list[str] = field(default_factory=list)
    begun: list[re.Match[str]] = field(default_factory=list)

    def found(self) -> Iterator[_HereDocument]:
        at = 0
        while at < len(self.text):
            token = _TOKEN.match(self.text, at)
            assert token is not None  # whatever it is, it is a sign
            top = self.within[-1] if self.within else ""
            if top in _IS_TEXT and token.lastgroup in ("comment", "quoted", "word"):
                at += 1
            elif token["word"] and top != "((" and at > 0:
                self.begun.append(token)
                at = token.end()
            elif token["sign"] == "\n" and self.begun and top != '"':
                bodies = tuple(self._bodies(at))
                yield from bodies
                if len(bodies) < len(self.begun):
                    return  # the last one goes on to the end of the file
                at = bodies[-1].end
                self.begun.clear()
            else:
                at = self._step(top, token)

    def _step(self, top: str, token: re.Match[str]) -> int:
        """Opens and closes; where what follows begins."""
        opens, sign = token["opens"], token["sign"]
        if opens and not (top == '"' and not opens.startswith("$")):
            self.within.append(opens if opens == "${" else opens.removeprefix("$"))
        elif sign and top and self.text.startswith(_ENDS[top], token.start()):
            self.within.pop()
            return token.start() + len(_ENDS[top])
        elif sign in ('"', "`"):
            self.within.append(sign)
        return token.end()

    def _bodies(self, at: int) -> Iterator[_HereDocument]:
        """Those behind the line that ends there, up to one that has no end."""
        for begun in self.begun:
            tabs = "\t*" if begun["tabs"] else ""
            word = begun["word"].strip("\\\"'")
            end = re.compile(rf"\n{tabs}{word}(?=\n|\Z)").search(self.text, at)
            if end is None:
                return
            yield _HereDocument(begun.start(), begun.end(), at, end.end())
            at = end.end()
