"""Words of a shell script: what tree-sitter's grammar of bash makes of them, taken over."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from tree_sitter import Node as SyntaxNode

from iptlint.dialects.script import tree as t

Statements = Callable[[Iterable[SyntaxNode]], tuple[t.Statement, ...]]
"""Reads the commands in a substitution."""


def place_of(node: SyntaxNode) -> t.Place:
    return {"start": node.start_byte, "end": node.end_byte}


def literal(text: str, start: int, end: int) -> t.Word:
    return t.Word((t.Text(text, start=start, end=end),), start=start, end=end)


class WordParser:
    """``text``: that of the script, with a character for each byte that the grammar saw."""

    def __init__(self, text: str, statements: Statements) -> None:
        self.text = text
        self.statements = statements

    def text_of(self, node: SyntaxNode) -> str:
        return self.text[node.start_byte : node.end_byte]

    def _start(self, node: SyntaxNode) -> int:
        """Of an expansion. Between quotes the grammar counts blanks before it to it where nothing
        else stands between it and the expansion before: `"$a $b"`."""
        return node.end_byte - len(self.text_of(node).lstrip())

    def between(self, node: SyntaxNode) -> str:
        """The text between the brackets of a node."""
        opening, closing = node.children[0], node.children[-1]
        return self.text[opening.end_byte : closing.start_byte].strip()

    def word(self, node: SyntaxNode) -> t.Word:
        return t.Word(tuple(self._parts(node, quoted=False)), **place_of(node))

    def regex(self, node: SyntaxNode) -> t.Word:
        """Of a regular expression backslashes stay; one that is made of more than text is not
        read."""
        raw, place = self.text_of(node), place_of(node)
        plain = not node.children and not re.search(r"[$`'\"]", raw.removesuffix("$"))
        part = t.Text(raw, **place) if plain else t.Opaque(**place)
        return t.Word((part,), **place)

    def _parts(self, node: SyntaxNode, *, quoted: bool) -> Iterator[t.Part]:
        match node.type:
            case "string" | "translated_string":
                yield from self._string(node)
            case "concatenation" | "command_name":
                yield from self._spread(node)
            case "extglob_pattern" | "regex" if node.children:
                yield from self._spread(node)
            case "simple_expansion" if numbered := _NUMBERED.match(self.text_of(node).lstrip()):
                start, end = self._start(node), node.end_byte
                behind = start + 2
                yield t.Parameter(numbered[1], quoted, start=start, end=behind)
                yield t.Text(numbered[2], quoted, start=behind, end=end)
            case _:
                yield self._part(node, quoted)

    def _string(self, node: SyntaxNode) -> Iterator[t.Part]:
        """What stands between double quotes."""
        string = node if node.type == "string" else node.children[-1]
        start, end = string.start_byte + 1, string.end_byte - 1
        if start >= end:
            yield t.Text("", True, **place_of(node))
        children = [c for c in string.children if c.type not in ('"', "string_content")]
        yield from self.inside(children, start, end, _STRING_ESCAPES)

    def _part(self, node: SyntaxNode, quoted: bool) -> t.Part:
        place = place_of(node)
        if node.type in _EXPANSIONS:
            place["start"] = self._start(node)
        match node.type:
            case "raw_string":
                return t.Text(self.text_of(node)[1:-1], True, **place)
            case "ansi_c_string":
                return t.Text(_ansi(self.text_of(node)[2:-1]), True, **place)
            case "simple_expansion":
                return t.Parameter(self.text_of(node).lstrip()[1:], quoted, **place)
            case "expansion":
                return self._expansion(node, place, quoted)
            case "command_substitution":
                return self._substitution(node, place, quoted)
            case "arithmetic_expansion":
                return t.Arithmetic(self.between(node), quoted, **place)
            case "process_substitution" if node.children[0].type == "<(":
                return t.Printed(self.statements(node.children), quoted, **place)
            case "process_substitution" | "ERROR":
                return t.Opaque(quoted, **place)
            case _:
                return t.Text(_unescaped(_stripped(self.text_of(node))), **place)

    def _substitution(self, node: SyntaxNode, place: t.Place, quoted: bool) -> t.Part:
        if _is_sum(node):
            return t.Arithmetic(self.text_of(node).strip()[3:-2].strip(), quoted, **place)
        raw = self.text_of(node).lstrip()
        if raw.startswith("`") and "\\`" in raw:
            return t.Opaque(quoted, **place)  # backticks within backticks
        named = [child for child in node.children if child.is_named]
        if [child.type for child in named] == ["file_redirect"]:
            return t.Substitution((self._printed(named[0]),), quoted, **place)
        return t.Substitution(self.statements(node.children), quoted, **place)

    def _printed(self, redirect: SyntaxNode) -> t.Statement:
        """``$(< file)`` prints the file."""
        place = place_of(redirect)
        cat = literal("cat", place["start"], place["start"])
        names = [child for child in redirect.children if child.is_named]
        return t.Command((), (cat, *map(self.word, names)), **place)

    def _spread(self, node: SyntaxNode) -> Iterator[t.Part]:
        """The parts of children that stand close together, with the text between them."""
        at = node.start_byte
        for child in node.children:
            if child.start_byte > node.start_byte and child.start_byte > at:
                between = self.text[at : child.start_byte]
                yield t.Text(_unescaped(between), start=at, end=child.start_byte)
            yield from self._parts(child, quoted=False)
            at = child.end_byte
        if at < node.end_byte:
            yield t.Text(_unescaped(self.text[at : node.end_byte]), start=at, end=node.end_byte)

    def inside(
        self, children: Sequence[SyntaxNode], at: int, end: int, escapes: re.Pattern[str]
    ) -> Iterator[t.Part]:
        """What is between quotes or in a here document; the grammar leaves out some of it."""
        for child in children:
            if child.type not in _EXPANSIONS:
                continue
            start = self._start(child)
            yield from self._between(at, start, escapes)
            yield from self._parts(child, quoted=True)
            at = child.end_byte
        yield from self._between(at, end, escapes)

    def _between(self, at: int, end: int, escapes: re.Pattern[str]) -> Iterator[t.Part]:
        """In a here-document the grammar sees no backticks: what they stand for is not known."""
        ticks = _TICKS.finditer(self.text, at, end) if escapes is HEREDOC_ESCAPES else ()
        for found in ticks:
            if found.start() > at:
                yield self._quoted(at, found.start(), escapes)
            yield t.Opaque(True, start=found.start(), end=found.end())
            at = found.end()
        if at < end:
            yield self._quoted(at, end, escapes)

    def _quoted(self, start: int, end: int, escapes: re.Pattern[str]) -> t.Text:
        return t.Text(escapes.sub(_escaped, self.text[start:end]), True, start=start, end=end)

    def _expansion(self, node: SyntaxNode, place: t.Place, quoted: bool) -> t.Part:
        head = _PARAMETER.match(self.text_of(node).lstrip())
        if head is None:
            return t.Opaque(quoted, **place)
        start, end = place["start"] + head.end(), place["end"] - 1
        inner = [c for c in node.children if c.start_byte >= start and c.end_byte <= end]
        argument = None
        if head["operator"]:
            parts = tuple(self._argument(inner, start, end))
            argument = t.Word(parts, start=start, end=end)
        return t.Parameter(
            head["name"],
            quoted,
            head["index"],
            head["operator"] or "",
            argument,
            head["prefix"] or "",
            **place,
        )

    def _argument(self, children: Sequence[SyntaxNode], start: int, end: int) -> Iterator[t.Part]:
        at = start
        for child in _flat(children):
            if not child.is_named or child.start_byte < at:
                continue
            if child.type in _PLAIN:  # blanks before it count
                raw = self.text[at : child.end_byte]
                yield t.Text(_unescaped(raw), start=at, end=child.end_byte)
                at = child.end_byte
                continue
            start = self._start(child) if child.type in _EXPANSIONS else child.start_byte
            if start > at:
                yield self._quoted(at, start, HEREDOC_ESCAPES)
            yield from self._parts(child, quoted=False)
            at = child.end_byte
        if at < end:
            yield self._quoted(at, end, HEREDOC_ESCAPES)


def _stripped(raw: str) -> str:
    """Without the blanks around it; an escaped one at its end belongs to it."""
    plain = raw.strip()
    escaped = len(plain) - len(plain.rstrip("\\"))
    behind = raw.lstrip()[len(plain) :]
    return plain + behind[:1] if escaped % 2 else plain


def _is_sum(node: SyntaxNode) -> bool:
    """In a here-document the grammar takes `$((…))` for a subshell in a substitution."""
    inner = [child.type for child in node.children if child.is_named]
    raw = node.text or b""
    return inner == ["subshell"] and raw.strip().startswith(b"$((") and raw.endswith(b"))")


def _flat(nodes: Iterable[SyntaxNode]) -> Iterator[SyntaxNode]:
    for node in nodes:
        if node.type == "concatenation":
            yield from node.children
        else:
            yield node


_PLAIN = frozenset({"word", "regex", "number"})
_EXPANSIONS = frozenset(
    {"simple_expansion", "expansion", "command_substitution", "arithmetic_expansion"}
)
_PARAMETER = re.compile(
    r"\$\{(?P<prefix>[#!](?=[\w@*]))?(?P<name>\w+|[@*#?$!-])(?:\[(?P<index>[^\]]*)\])?"
    r"(?P<operator>:[-=+?]|[-=+?]|%%?|##?|//?|\^\^?|,,?|:)?"
)
_STRING_ESCAPES = re.compile(r"\\([$`\"\\\n])")
_NUMBERED = re.compile(r"\$([0-9])(\w+)", re.ASCII)
"""`$1_x` is `$1`, and text behind it."""
_TICKS = re.compile(r"(?<!\\)`[^`]*`")
HEREDOC_ESCAPES = re.compile(r"\\([$`\\\n])")


def _escaped(escape: re.Match[str]) -> str:
    return "" if escape[1] == "\n" else escape[1]


def _unescaped(raw: str) -> str:
    """Outside quotes a backslash makes any character plain, and takes a line's end away."""
    return re.sub(r"\\(.|\n)", _escaped, raw) if "\\" in raw else raw


_ANSI = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "e": "\x1b", "a": "\a"}


def _ansi(raw: str) -> str:
    return re.sub(r"\\(.)", lambda escape: _ANSI.get(escape[1], escape[0]), raw)
