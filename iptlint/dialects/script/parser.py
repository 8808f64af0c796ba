"""Shell text to syntax tree: tree-sitter's grammar of bash reads it, this takes over its nodes.

What the grammar has no place for becomes ``Unread``, and the statements around it are read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from tree_sitter import Node as SyntaxNode

from iptlint.dialects.diagnostics import SyntaxDiagnostic
from iptlint.dialects.script import tree as t
from iptlint.dialects.script.bash_grammar import LostError
from iptlint.dialects.script.grammar_text import as_grammar_reads
from iptlint.dialects.script.grammar_tree import parsed
from iptlint.dialects.script.here_documents import lifted
from iptlint.dialects.script.redirect_parser import (
    REDIRECTS,
    RedirectParser,
    into_nothing,
    with_redirects,
)
from iptlint.dialects.script.signs import end_of_read, left_unread
from iptlint.dialects.script.unreadable import as_judged, unread_length, unreadable
from iptlint.dialects.script.word_parser import WordParser, literal, place_of
from iptlint.source import SourceFile

MAX_DEPTH = 120
"""Blocks in blocks; no person writes more than a few."""


def parse(source: SourceFile) -> t.ScriptFile:
    """The tree of a text, and what in it is no shell."""
    end = end_of_read(source.text)
    while True:
        try:
            return _Reader(source, end).read()
        except LostError:
            # It goes on to the end of the text first: nobody knows in which line it went astray.
            end = source.text.rfind("\n", 0, end // 2) + 1


def _until(statements: tuple[t.Statement, ...], end: int) -> tuple[t.Statement, ...]:
    """What is carried out, and in one statement what is not, as the shell gives up."""
    sure = tuple(each for each in statements if each.end <= end)
    rest = statements[len(sure) :]
    return (*sure, t.Salvaged(rest, start=end, end=rest[-1].end)) if rest else sure


def _with_words(body: t.Statement, words: Sequence[t.Word]) -> t.Statement:
    if not words or not isinstance(body, t.Command):
        return body
    end = max(body.end, *(word.end for word in words))
    return replace(body, words=(*body.words, *words), end=end)


class _Reader:
    def __init__(self, source: SourceFile, end: int) -> None:
        self.source = source
        # The shell takes a carriage return for a part of the last word; it is told once.
        self.text = source.text[:end]
        self.text = self.text.replace("\\\r\n", " \\\n").replace("\r\n", " \n")
        self.diagnostics: list[SyntaxDiagnostic] = []
        self.words = WordParser(self.text, self.statements)
        self.redirects = RedirectParser(source, self.words, self.diagnostics)
        self.depth = 0

    def read(self) -> t.ScriptFile:
        # A character for a byte, so that offsets are the same.
        text = as_grammar_reads(self.text)
        text, root, nowhere = parsed(text)
        self.diagnostics += (into_nothing(self.source, *each) for each in nowhere)
        if root.has_error:
            without, here_documents = lifted(text)
            if unread_length(without) < unread_length(root):
                root = without
                self.redirects.here_documents = here_documents
        statements = self.statements(root.children)
        if len(self.text) < len(self.source.text):
            # Where it ends the grammar may miss what follows.
            self.diagnostics.append(left_unread(self.source, len(self.text)))
        else:
            self.diagnostics += unreadable(root, self.source, text)
            self.diagnostics, end = as_judged(self.diagnostics, self.source, self.text)
            statements = _until(statements, end)
        at = self.source.text.find("\r\n")
        if at >= 0:
            message = "the lines end in CR LF: the shell takes the CR for a part of the last word"
            self.diagnostics.append(SyntaxDiagnostic(self.source, at, at + 1, message))
        diagnostics = sorted(self.diagnostics, key=lambda diagnostic: diagnostic.start)
        return t.ScriptFile(self.source, statements, tuple(diagnostics))

    # -- statements -----------------------------------------------------------

    def statements(self, nodes: Iterable[SyntaxNode]) -> tuple[t.Statement, ...]:
        """What is carried out one behind the other."""
        statements: list[t.Statement] = []
        for node in nodes:
            if node.type == "&" and statements:
                last = statements.pop()
                statements.append(t.Background(last, start=last.start, end=node.end_byte))
            statements += self._members((node,))
        return tuple(statements)

    def _members(self, nodes: Iterable[SyntaxNode]) -> Iterator[t.Statement]:
        for node in nodes:
            if node.is_error:
                body = tuple(self._salvaged(node))
                yield t.Salvaged(body, **place_of(node))
            elif node.is_named and node.type not in _NO_STATEMENT:
                yield self.statement(node)

    def _salvaged(self, node: SyntaxNode) -> Iterator[t.Statement]:
        """Whole statements out of what could not be read as one."""
        for child in node.children:
            if child.is_error:
                yield from self._salvaged(child)
            elif child.type in _STATEMENTS:
                yield self.statement(child)
        yield t.Unread(start=node.start_byte, end=node.end_byte)

    def statement(self, node: SyntaxNode) -> t.Statement:
        make = _STATEMENTS.get(node.type)
        place = place_of(node)
        if make is None or node.is_missing:
            return t.Unread(**place)
        if self.depth >= MAX_DEPTH:
            return self._too_deep(place)
        self.depth += 1
        try:
            return make(self, node, place)
        except RecursionError:  # tests in tests, or defaults in defaults
            return self._too_deep(place)
        finally:
            self.depth -= 1

    def _too_deep(self, place: t.Place) -> t.Statement:
        message = "blocks are nested too deeply, so what is in here was not looked at"
        start, end = place["start"], place["end"]
        self.diagnostics.append(SyntaxDiagnostic(self.source, start, end, message, code="IPT010"))
        return t.Unread(**place)

    def _command(self, node: SyntaxNode, place: t.Place) -> t.Statement:
        assignments: list[t.Assignment] = []
        words: list[t.Word] = []
        redirects: list[t.Redirect] = []
        for child in node.children:
            if child.type == "variable_assignment":
                assignments.append(self.assignment(child))
            elif child.type in REDIRECTS:
                redirects.append(self.redirects.redirect(child))
            elif child.type == "command_name":
                words += map(self.words.word, child.children or [child])
            elif child.type == "ERROR":
                return t.Unread(**place)
            elif child.type in ("==", "=~") or (child.is_named and child.type != "comment"):
                words.append(self.words.word(child))
        return t.Command(tuple(assignments), tuple(words), tuple(redirects), **place)

    def _declaration(self, node: SyntaxNode, place: t.Place) -> t.Statement:
        assignments = [c for c in node.children if c.type == "variable_assignment"]
        words = [c for c in node.children[1:] if c.is_named and c.type != "variable_assignment"]
        return t.Command(
            tuple(map(self.assignment, assignments)),
            tuple(map(self.words.word, words)),
            keyword=node.children[0].type,
            **place,
        )

    def _assignment(self, node: SyntaxNode, place: t.Place) -> t.Statement:
        return t.Command((self.assignment(node),), (), **place)

    def _assignments(self, node: SyntaxNode, place: t.Place) -> t.Statement:
        named = [child for child in node.children if child.type == "variable_assignment"]
        return t.Command(tuple(map(self.assignment, named)), (), **place)

    def assignment(self, node: SyntaxNode) -> t.Assignment:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        assert name is not None
        written, _, index = self.words.text_of(name).partition("[")
        items = None
        word = None
        if value is not None and value.type == "array":
            nodes = (c for c in value.children if c.is_named and c.type != "comment")
            items = tuple(item for item in map(self.words.word, nodes) if item.parts)
        elif value is not None:
            word = self.words.word(value)
        return t.Assignment(
            written,
            word,
            items,
            any(child.type == "+=" for child in node.children),
            index.removesuffix("]") or None,
            start=node.start_byte,
            end=node.end_byte,
        )

    def _redirected(self, node: SyntaxNode, place: t.Place) -> t.Statement:
        body_node = node.child_by_field_name("body")
        redirections = [child for child in node.children if child.type in REDIRECTS]
        redirects = tuple(map(self.redirects.redirect, redirections))
        if body_node is None:
            return t.Command((), (), redirects, **place)
        body = self.statement(body_node)
        words = [*self._between_children(node.children)]
        words += (word for each in redirections for word in self.redirects.words_behind(each))
        body = with_redirects(_with_words(body, words), redirects)
        for child in redirections:
            if child.type == "heredoc_redirect":
                body = self._after_heredoc(child, body)
        return body

    def _between_children(self, children: Sequence[SyntaxNode]) -> tuple[t.Word, ...]:
        """The grammar passes over a `-` before ``<<``."""
        words = []
        for one, other in pairwise(children):
            start = one.end_byte
            for dash in re.finditer(r"(?<!\S)-(?!\S)", self.text[start : other.start_byte]):
                words.append(literal("-", start + dash.start(), start + dash.end()))
        return tuple(words)

    def _after_heredoc(self, node: SyntaxNode, body: t.Statement) -> t.Statement:
        """The grammar puts what follows ``<<EOF`` on its line under the redirection."""
        operator = ""
        for index, child in enumerate(node.children):
            place: t.Place = {"start": body.start, "end": max(body.end, child.end_byte)}
            field = node.field_name_for_child(index)
            if field == "operator":
                operator = child.type
            elif field == "right":
                body = t.Listing(body, ((operator, self.statement(child)),), **place)
            elif field == "argument" and isinstance(body, t.Command):
                body = replace(body, words=(*body.words, self.words.word(child)))
            elif child.type == "pipeline":
                body = t.Pipeline((body, *self._members(child.children)), **place)
            elif child.type in REDIRECTS:
                body = _with_words(body, [*self.redirects.words_behind(child)])
                body = with_redirects(body, (self.redirects.redirect(child),))
        return body

    def _test(self, node: SyntaxNode, place: t.Place) -> t.Statement:
        opening = node.children[0].type
        if opening == "((":
            return t.Calculation(self.words.between(node), **place)
        words = tuple(self._test_words(node.children[1:-1]))
        return t.Test(words, opening == "[[", **place)

    def _test_words(self, nodes: Iterable[SyntaxNode]) -> Iterator[t.Word]:
        for node in nodes:
            if node.type in _EXPRESSIONS:
                yield from self._test_words(node.children)
            elif node.type == "regex":
                yield self.words.regex(node)
            elif node.is_named and node.type != "test_operator":
                yield self.words.word(node)
            elif self.words.text_of(node).strip():
                yield literal(self.words.text_of(node), node.start_byte, node.end_byte)

    def _compound(self, node: SyntaxNode, place: t.Place) -> t.Statement:
        if node.children and node.children[0].type == "((":
            return t.Calculation(self.words.between(node), **place)
        return t.Group(self.statements(node.children), node.type == "subshell", **place)

    def _pipeline(self, node: SyntaxNode, place: t.Place) -> t.Statement:
        return t.Pipeline(tuple(self._members(node.children)), **place)

    def _negated(self, node: SyntaxNode, place: t.Place) -> t.Statement:
        body = next(self._members(node.children), None)
        return t.Negated(body, **place) if body else t.Unread(**place)

    def _list(self, node: SyntaxNode, place: t.Place) -> t.Statement:
        """``a && b && c`` leans to the left as deep as it is long."""
        rest: list[tuple[str, t.Statement]] = []
        while node.type == "list" and len(node.children) >= 3:
            operator = next((c.type for c in node.children if c.type in ("&&", "||")), "&&")
            rest.append((operator, self.statement(node.children[-1])))
            node = node.children[0]
        return t.Listing(self.statement(node), tuple(reversed(rest)), **place)

    # -- blocks ---------------------------------------------------------------

    def _if(self, node: SyntaxNode, place: t.Place) -> t.Statement:
        branches = [self._branch(node)]
        otherwise = None
        for child in node.children:
            if child.type == "elif_clause":
                branches.append(self._branch(child))
            elif child.type == "else_clause":
                otherwise = self.statements(child.children)
        return t.If(tuple(branches), otherwise, **place)

    def _branch(self, node: SyntaxNode) -> t.Branch:
        then = next((i for i, c in enumerate(node.children) if c.type == "then"), 0)
        body = [c for c in node.children[then + 1 :] if not c.type.endswith("_clause")]
        asked, done = self.statements(node.children[1:then]), self.statements(body)
        return t.Branch(asked, done, **place_of(node))

    def _case(self, node: SyntaxNode, place: t.Place) -> t.Statement:
        subject = node.child_by_field_name("value")
        if subject is None:
            return t.Unread(**place)
        items = [self._case_item(c) for c in node.children if c.type == "case_item"]
        return t.Case(self.words.word(subject), tuple(items), **place)

    def _case_item(self, node: SyntaxNode) -> t.CaseItem:
        closing = next((i for i, c in enumerate(node.children) if c.type == ")"), 0)
        patterns = [
            self.words.word(c)
            for i, c in enumerate(node.children[:closing])
            if node.field_name_for_child(i) == "value"
        ]
        body = self.statements(node.children[closing + 1 :])
        ends = {child.type for child in node.children}
        return t.CaseItem(tuple(patterns), body, ";&" in ends, ";;&" in ends, **place_of(node))

    def _for(self, node: SyntaxNode, place: t.Place) -> t.Statement:
        name, body = node.child_by_field_name("variable"), node.child_by_field_name("body")
        if name is None or body is None:
            return t.Unread(**place)
        words = None
        if any(child.type == "in" for child in node.children):
            words = tuple(map(self.words.word, node.children_by_field_name("value")))
        return t.For(self.words.text_of(name), words, self.statements(body.children), **place)

    def _counting(self, node: SyntaxNode, place: t.Place) -> t.Statement:
        head = re.match(r"for\s*\(\((.*?);(.*?);(.*?)\)\)", self.words.text_of(node), re.DOTALL)
        body = node.child_by_field_name("body")
        if head is None or body is None:
            return t.Unread(**place)
        return t.CountingFor(head[1], head[2], head[3], self.statements(body.children), **place)

    def _while(self, node: SyntaxNode, place: t.Place) -> t.Statement:
        body = node.child_by_field_name("body")
        if body is None:
            return t.Unread(**place)
        condition = [c for c in node.children[1:] if c.type != "do_group"]
        until = node.children[0].type == "until"
        return t.While(self.statements(condition), self.statements(body.children), until, **place)

    def _function(self, node: SyntaxNode, place: t.Place) -> t.Statement:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name is None or body is None:
            return t.Unread(**place)
        return t.Function(self.words.text_of(name), self.statement(body), **place)


_Make = Callable[[_Reader, SyntaxNode, t.Place], t.Statement]

_STATEMENTS: dict[str, _Make] = {
    "command": _Reader._command,
    "declaration_command": _Reader._declaration,
    "unset_command": _Reader._declaration,
    "variable_assignment": _Reader._assignment,
    "variable_assignments": _Reader._assignments,
    "redirected_statement": _Reader._redirected,
    "test_command": _Reader._test,
    "compound_statement": _Reader._compound,
    "subshell": _Reader._compound,
    "pipeline": _Reader._pipeline,
    "negated_command": _Reader._negated,
    "list": _Reader._list,
    "if_statement": _Reader._if,
    "case_statement": _Reader._case,
    "for_statement": _Reader._for,
    "c_style_for_statement": _Reader._counting,
    "while_statement": _Reader._while,
    "function_definition": _Reader._function,
}
_NO_STATEMENT = frozenset({"comment", "heredoc_body", "word", "heredoc_start", "heredoc_end"})
_EXPRESSIONS = {f"{a}_expression" for a in ("binary", "unary", "parenthesized", "negation")}
