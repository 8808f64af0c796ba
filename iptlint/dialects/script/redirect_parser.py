"""Redirections of a shell script, and the here documents among them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from tree_sitter import Node as SyntaxNode

from iptlint.dialects.diagnostics import SyntaxDiagnostic
from iptlint.dialects.script import tree as t
from iptlint.dialects.script.word_parser import HEREDOC_ESCAPES, WordParser, place_of
from iptlint.source import SourceFile

REDIRECTS = frozenset({"file_redirect", "heredoc_redirect", "herestring_redirect"})
"""What the grammar calls them."""


class RedirectParser:
    """``diagnostics``: where what is wrong is added."""

    def __init__(
        self, source: SourceFile, words: WordParser, diagnostics: list[SyntaxDiagnostic]
    ) -> None:
        self.source = source
        self.words = words
        self.diagnostics = diagnostics
        self.here_documents: Mapping[int, SyntaxNode] = {}

    def redirect(self, node: SyntaxNode) -> t.Redirect:
        place = place_of(node)
        if node.type == "heredoc_redirect":
            return t.Redirect("<<", self._heredoc(node), **place)
        descriptor = node.child_by_field_name("descriptor")
        sign = next((child for child in node.children if not child.is_named), None)
        if sign is not None and sign.start_byte in self.here_documents:
            here_document = self.here_documents[sign.start_byte]
            return t.Redirect("<<", self._heredoc(here_document), **place)
        named = _words(node)
        return t.Redirect(
            sign.type if sign is not None else ">",
            self.words.word(named[0]) if named else None,
            "" if descriptor is None else self.words.text_of(descriptor),
            **place,
        )

    def words_behind(self, node: SyntaxNode) -> Iterator[t.Word]:
        """What the command gets (`iptables 2>log -L`): the grammar takes it for further files."""
        yield from map(self.words.word, _words(node)[1:] if node.type == "file_redirect" else ())

    def _heredoc(self, node: SyntaxNode) -> t.Word | None:
        begin = next((c for c in node.children if c.type == "heredoc_start"), None)
        body = next((c for c in node.children if c.type == "heredoc_body"), None)
        if body is None:
            return None
        end = next((c for c in node.children if c.type == "heredoc_end"), None)
        start, stop = body.start_byte, body.end_byte
        if end is not None:
            stop = max(start, self.words.text.rfind("\n", 0, end.start_byte) + 1)
            self._check_end(self.words.text[stop : end.start_byte], end, node)
        quoted = begin is not None and bool(re.search(r"[\\'\"]", self.words.text_of(begin)))
        parts: tuple[t.Part, ...]
        if quoted:
            parts = (t.Text(self.words.text[start:stop], True, start=start, end=stop),)
        else:
            parts = tuple(self.words.inside(body.children, start, stop, HEREDOC_ESCAPES))
        if any(child.type == "<<-" for child in node.children):
            parts = tuple(map(_without_tabs, parts))
        return t.Word(parts, start=start, end=stop)

    def _check_end(self, before: str, end: SyntaxNode, node: SyntaxNode) -> None:
        """The grammar takes an indented end, and the shell does not."""
        tabs = "\t" if any(child.type == "<<-" for child in node.children) else ""
        if before.strip(tabs):
            at, word = end.start_byte, self.words.text_of(end)
            message = (
                f"blanks before `{word}`: the shell does not take it for the end of the here "
                "document, which goes on to the end of the file"
            )
            self.diagnostics.append(SyntaxDiagnostic(self.source, at, end.end_byte, message))


def into_nothing(source: SourceFile, start: int, end: int) -> SyntaxDiagnostic:
    sign = source.text[start:end]
    message = f"a file's name is missing behind `{sign}`, and the shell gives up here"
    return SyntaxDiagnostic(source, start, end, message, drops_line=True)


def _words(node: SyntaxNode) -> list[SyntaxNode]:
    return [c for c in node.children if c.is_named and c.type != "file_descriptor"]


def _without_tabs(part: t.Part) -> t.Part:
    if not isinstance(part, t.Text):
        return part
    return replace(part, text=re.sub(r"(^|\n)\t+", r"\1", part.text))


def with_redirects(body: t.Statement, redirects: tuple[t.Redirect, ...]) -> t.Statement:
    """They are those of the last command, to which the grammar does not give them."""
    if not redirects:
        return body
    match body:
        case t.Command(redirects=own):
            return replace(body, redirects=(*own, *redirects))
        case t.Pipeline(members):
            return replace(body, members=(*members[:-1], with_redirects(members[-1], redirects)))
        case t.Negated(inner):
            return replace(body, body=with_redirects(inner, redirects))
        case t.Listing(_, rest):
            operator, last = rest[-1]
            return replace(body, rest=(*rest[:-1], (operator, with_redirects(last, redirects))))
        case _:
            return t.Redirected(body, redirects, start=body.start, end=body.end)
