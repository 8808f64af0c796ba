"""Shell text to syntax tree: tree-sitter's grammar of bash reads it, this takes over its nodes.

What the grammar has no place for becomes ``Unread``, and the statements around it are read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise

import tree_sitter_bash
from tree_sitter import Language, Parser
from tree_sitter import Node as Found

from iptlint.dialects.diagnostics import SyntaxDiagnostic
from iptlint.dialects.script import tree as t
from iptlint.source import SourceFile

_OTHER = re.compile(r"[^\x00-\x7f]")
_WORD = ","
"""Stands for what is not ASCII while the text is parsed: to the shell it is a part of words, and
the grammar's scanner asks C's tables of letters about it, beyond their end."""

MAX_DEPTH = 120
"""Blocks in blocks; no person writes more than a few."""


def parse(source: SourceFile) -> t.ScriptFile:
    """The tree of a text, and what in it is no shell."""
    return _Reader(source).read()


@cache
def _language() -> Language:
    return Language(tree_sitter_bash.language())


class _Reader:
    def __init__(self, source: SourceFile) -> None:
        self.source = source
        # The shell takes a carriage return for a part of the last word; it is told once.
        self.text = source.text.replace("\r\n", " \n")
        self.diagnostics: list[SyntaxDiagnostic] = []
        self.depth = 0

    def read(self) -> t.ScriptFile:
        # A character for a byte, so that offsets are the same.
        found = Parser(_language()).parse(_OTHER.sub(_WORD, self.text).encode())
        statements = self.statements(found.root_node.children)
        if found.root_node.has_error:
            self._report_errors(found.root_node)
        at = self.source.text.find("\r\n")
        if at >= 0:
            message = "the lines end in CR LF: the shell takes the CR for a part of the last word"
            self.diagnostics.append(SyntaxDiagnostic(self.source, at, at + 1, message))
        diagnostics = sorted(self.diagnostics, key=lambda diagnostic: diagnostic.start)
        return t.ScriptFile(self.source, statements, tuple(diagnostics))

    # -- places ---------------------------------------------------------------

    def start(self, node: Found) -> int:
        return node.start_byte

    def end(self, node: Found) -> int:
        return node.end_byte

    def text_of(self, node: Found) -> str:
        return self.text[self.start(node) : self.end(node)]

    def _report_errors(self, root: Found) -> None:
        """The first place of each stretch that could not be read, not those within it."""
        todo = [root]
        while todo:
            node = todo.pop()
            if node.is_error or node.is_missing:
                start = self.start(node)
                line = self.source.line_span(self.source.line_of(start))
                end = max(start, min(max(self.end(node), start + 1), line.end))
                missing = f"; `{node.type}` is missing" if node.is_missing else ""
                message = f"the shell's grammar has no place for this{missing}"
                self.diagnostics.append(SyntaxDiagnostic(self.source, start, end, message))
            elif node.has_error:
                todo += node.children

    # -- statements -----------------------------------------------------------

    def statements(self, nodes: Iterable[Found]) -> tuple[t.Statement, ...]:
        made: list[t.Statement] = []
        for node in nodes:
            if node.type == "&" and made:
                last = made.pop()
                made.append(t.Background(last, start=last.start, end=self.end(node)))
            elif node.is_error:
                made += self._salvaged(node)
            elif node.is_named and node.type not in _NO_STATEMENT:
                made.append(self.statement(node))
        return tuple(made)

    def _salvaged(self, node: Found) -> Iterator[t.Statement]:
        """Whole statements out of what could not be read as one."""
        for child in node.children:
            if child.is_error:
                yield from self._salvaged(child)
            elif child.type in _STATEMENTS:
                yield self.statement(child)
        yield t.Unread(start=self.start(node), end=self.end(node))

    def statement(self, node: Found) -> t.Statement:
        make = _STATEMENTS.get(node.type)
        place = self._place(node)
        if make is None or node.is_missing:
            return t.Unread(**place)
        if self.depth >= MAX_DEPTH:
            message = "blocks are nested too deeply, so what is in here was not looked at"
            self.diagnostics.append(
                SyntaxDiagnostic(self.source, place["start"], place["end"], message, code="IPT010")
            )
            return t.Unread(**place)
        self.depth += 1
        try:
            return make(self, node, place)
        finally:
            self.depth -= 1

    def _command(self, node: Found, place: t.Place) -> t.Statement:
        assignments: list[t.Assignment] = []
        words: list[t.Word] = []
        redirects: list[t.Redirect] = []
        for child in node.children:
            if child.type == "variable_assignment":
                assignments.append(self.assignment(child))
            elif child.type in _REDIRECTS:
                redirects.append(self.redirect(child))
            elif child.type == "command_name":
                words += map(self.word, child.children or [child])
            elif child.type == "ERROR":
                return t.Unread(**place)
            elif child.is_named and child.type != "comment":
                words.append(self.word(child))
        return t.Command(tuple(assignments), tuple(words), tuple(redirects), **place)

    def _declaration(self, node: Found, place: t.Place) -> t.Statement:
        assignments = [c for c in node.children if c.type == "variable_assignment"]
        words = [c for c in node.children[1:] if c.is_named and c.type != "variable_assignment"]
        return t.Command(
            tuple(map(self.assignment, assignments)),
            tuple(map(self.word, words)),
            keyword=node.children[0].type,
            **place,
        )

    def _assignment(self, node: Found, place: t.Place) -> t.Statement:
        return t.Command((self.assignment(node),), (), **place)

    def _assignments(self, node: Found, place: t.Place) -> t.Statement:
        named = [child for child in node.children if child.type == "variable_assignment"]
        return t.Command(tuple(map(self.assignment, named)), (), **place)

    def assignment(self, node: Found) -> t.Assignment:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        assert name is not None
        written, _, index = self.text_of(name).partition("[")
        items = None
        word = None
        if value is not None and value.type == "array":
            items = tuple(self.word(c) for c in value.children if c.is_named)
            items = tuple(item for item in items if item.parts)
        elif value is not None:
            word = self.word(value)
        return t.Assignment(
            written,
            word,
            items,
            any(child.type == "+=" for child in node.children),
            index.removesuffix("]") or None,
            start=self.start(node),
            end=self.end(node),
        )

    def _redirected(self, node: Found, place: t.Place) -> t.Statement:
        body_node = node.child_by_field_name("body")
        found = [child for child in node.children if child.type in _REDIRECTS]
        redirects = tuple(map(self.redirect, found))
        if body_node is None:
            return t.Command((), (), redirects, **place)
        body = self.statement(body_node)
        between = self._between_children(node.children)
        if isinstance(body, t.Command) and between:
            body = replace(body, words=(*body.words, *between))
        body = _with_redirects(body, redirects)
        for child in found:
            if child.type == "heredoc_redirect":
                body = self._after_heredoc(child, body)
        return body

    def _between_children(self, children: Sequence[Found]) -> tuple[t.Word, ...]:
        """The grammar passes over a `-` before ``<<``."""
        found = []
        for one, other in pairwise(children):
            start = self.end(one)
            for dash in re.finditer(r"(?<!\S)-(?!\S)", self.text[start : self.start(other)]):
                found.append(_literal("-", start + dash.start(), start + dash.end()))
        return tuple(found)

    def _after_heredoc(self, node: Found, body: t.Statement) -> t.Statement:
        """The grammar puts what follows ``<<EOF`` on its line under the redirection."""
        operator = ""
        for index, child in enumerate(node.children):
            place: t.Place = {"start": body.start, "end": max(body.end, self.end(child))}
            field = node.field_name_for_child(index)
            if field == "operator":
                operator = child.type
            elif field == "right":
                body = t.Listing(body, ((operator, self.statement(child)),), **place)
            elif field == "argument" and isinstance(body, t.Command):
                body = replace(body, words=(*body.words, self.word(child)))
            elif child.type == "pipeline":
                members = self.statements(child.children)
                body = t.Pipeline((body, *members), **place)
            elif child.type in _REDIRECTS:
                body = _with_redirects(body, (self.redirect(child),))
        return body

    def redirect(self, node: Found) -> t.Redirect:
        place = self._place(node)
        if node.type == "heredoc_redirect":
            return t.Redirect("<<", self._heredoc(node), **place)
        descriptor = node.child_by_field_name("descriptor")
        named = [c for c in node.children if c.is_named and c is not descriptor]
        named = [child for child in named if child.type != "file_descriptor"]
        operator = next((c.type for c in node.children if not c.is_named), ">")
        return t.Redirect(
            operator,
            self.word(named[-1]) if named else None,
            "" if descriptor is None else self.text_of(descriptor),
            **place,
        )

    def _heredoc(self, node: Found) -> t.Word | None:
        begin = next((c for c in node.children if c.type == "heredoc_start"), None)
        body = next((c for c in node.children if c.type == "heredoc_body"), None)
        if body is None:
            return None
        end = next((c for c in node.children if c.type == "heredoc_end"), None)
        start, stop = self.start(body), self.end(body)
        if end is not None:
            stop = max(start, self.text.rfind("\n", 0, self.start(end)) + 1)
            self._check_end(self.text[stop : self.start(end)], end, node)
        quoted = begin is not None and bool(re.search(r"[\\'\"]", self.text_of(begin)))
        parts: tuple[t.Part, ...]
        if quoted:
            parts = (t.Text(self.text[start:stop], True, start=start, end=stop),)
        else:
            parts = tuple(self._inside(body.children, start, stop, _HEREDOC_ESCAPES))
        if any(child.type == "<<-" for child in node.children):
            parts = tuple(map(_without_tabs, parts))
        return t.Word(parts, start=start, end=stop)

    def _check_end(self, before: str, end: Found, node: Found) -> None:
        """The grammar takes an indented end, and the shell does not."""
        tabs = "\t" if any(child.type == "<<-" for child in node.children) else ""
        if before.strip(tabs):
            at, word = self.start(end), self.text_of(end)
            message = (
                f"blanks before `{word}`: the shell does not take it for the end of the here "
                "document, which goes on to the end of the file"
            )
            self.diagnostics.append(SyntaxDiagnostic(self.source, at, self.end(end), message))

    def _test(self, node: Found, place: t.Place) -> t.Statement:
        opening = node.children[0].type
        if opening == "((":
            return t.Calculation(self._between(node), **place)
        words = tuple(self._test_words(node.children[1:-1]))
        return t.Test(words, opening == "[[", **place)

    def _test_words(self, nodes: Iterable[Found]) -> Iterator[t.Word]:
        for node in nodes:
            if node.type in _EXPRESSIONS:
                yield from self._test_words(node.children)
            elif node.type == "regex":
                yield t.Word((t.Opaque(**self._place(node)),), **self._place(node))
            elif node.is_named and node.type != "test_operator":
                yield self.word(node)
            elif self.text_of(node).strip():
                yield _literal(self.text_of(node), self.start(node), self.end(node))

    def _place(self, node: Found) -> t.Place:
        return {"start": self.start(node), "end": self.end(node)}

    def _between(self, node: Found) -> str:
        """The text between the brackets of a node."""
        return self.text[self.end(node.children[0]) : self.start(node.children[-1])].strip()

    def _compound(self, node: Found, place: t.Place) -> t.Statement:
        if node.children and node.children[0].type == "((":
            return t.Calculation(self._between(node), **place)
        return t.Group(self.statements(node.children), node.type == "subshell", **place)

    def _pipeline(self, node: Found, place: t.Place) -> t.Statement:
        return t.Pipeline(self.statements(node.children), **place)

    def _negated(self, node: Found, place: t.Place) -> t.Statement:
        body = self.statements(node.children)
        return t.Negated(body[0], **place) if body else t.Unread(**place)

    def _list(self, node: Found, place: t.Place) -> t.Statement:
        """``a && b && c`` leans to the left as deep as it is long."""
        rest: list[tuple[str, t.Statement]] = []
        while node.type == "list" and len(node.children) >= 3:
            operator = next((c.type for c in node.children if c.type in ("&&", "||")), "&&")
            rest.append((operator, self.statement(node.children[-1])))
            node = node.children[0]
        return t.Listing(self.statement(node), tuple(reversed(rest)), **place)

    # -- blocks ---------------------------------------------------------------

    def _if(self, node: Found, place: t.Place) -> t.Statement:
        branches = [self._branch(node)]
        otherwise = None
        for child in node.children:
            if child.type == "elif_clause":
                branches.append(self._branch(child))
            elif child.type == "else_clause":
                otherwise = self.statements(child.children)
        return t.If(tuple(branches), otherwise, **place)

    def _branch(self, node: Found) -> t.Branch:
        then = next((i for i, c in enumerate(node.children) if c.type == "then"), 0)
        clauses = ("elif_clause", "else_clause")
        body = [child for child in node.children[then + 1 :] if child.type not in clauses]
        condition = self.statements(node.children[1:then])
        return t.Branch(condition, self.statements(body), **self._place(node))

    def _case(self, node: Found, place: t.Place) -> t.Statement:
        subject = node.child_by_field_name("value")
        if subject is None:
            return t.Unread(**place)
        items = [self._case_item(c) for c in node.children if c.type == "case_item"]
        return t.Case(self.word(subject), tuple(items), **place)

    def _case_item(self, node: Found) -> t.CaseItem:
        closing = next((i for i, c in enumerate(node.children) if c.type == ")"), 0)
        patterns = [
            self.word(c)
            for i, c in enumerate(node.children[:closing])
            if node.field_name_for_child(i) == "value"
        ]
        body = self.statements(node.children[closing + 1 :])
        falls = any(child.type in (";&", ";;&") for child in node.children)
        return t.CaseItem(tuple(patterns), body, falls, **self._place(node))

    def _for(self, node: Found, place: t.Place) -> t.Statement:
        name, body = node.child_by_field_name("variable"), node.child_by_field_name("body")
        if name is None or body is None:
            return t.Unread(**place)
        words = None
        if any(child.type == "in" for child in node.children):
            words = tuple(map(self.word, node.children_by_field_name("value")))
        return t.For(self.text_of(name), words, self.statements(body.children), **place)

    def _counting(self, node: Found, place: t.Place) -> t.Statement:
        head = re.match(r"for\s*\(\((.*?);(.*?);(.*?)\)\)", self.text_of(node), re.DOTALL)
        body = node.child_by_field_name("body")
        if head is None or body is None:
            return t.Unread(**place)
        return t.CountingFor(head[1], head[2], head[3], self.statements(body.children), **place)

    def _while(self, node: Found, place: t.Place) -> t.Statement:
        body = node.child_by_field_name("body")
        if body is None:
            return t.Unread(**place)
        condition = [c for c in node.children[1:] if c.type != "do_group"]
        until = node.children[0].type == "until"
        return t.While(self.statements(condition), self.statements(body.children), until, **place)

    def _function(self, node: Found, place: t.Place) -> t.Statement:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name is None or body is None:
            return t.Unread(**place)
        return t.Function(self.text_of(name), self.statement(body), **place)

    # -- words ----------------------------------------------------------------

    def word(self, node: Found) -> t.Word:
        return t.Word(tuple(self._parts(node, quoted=False)), **self._place(node))

    def _parts(self, node: Found, *, quoted: bool) -> Iterator[t.Part]:
        place = self._place(node)
        match node.type:
            case "string" | "translated_string":
                inside = node if node.type == "string" else node.children[-1]
                start, end = self.start(inside) + 1, self.end(inside) - 1
                if start >= end:
                    yield t.Text("", True, **place)
                children = [c for c in inside.children if c.type not in ('"', "string_content")]
                yield from self._inside(children, start, end, _STRING_ESCAPES)
            case "raw_string":
                yield t.Text(self.text_of(node)[1:-1], True, **place)
            case "ansi_c_string":
                yield t.Text(_ansi(self.text_of(node)[2:-1]), True, **place)
            case "concatenation" | "command_name":
                yield from self._spread(node)
            case "simple_expansion":
                yield t.Parameter(self.text_of(node)[1:], quoted, **place)
            case "expansion":
                yield self._expansion(node, quoted)
            case "command_substitution":
                yield t.Substitution(self.statements(node.children), quoted, **place)
            case "arithmetic_expansion":
                yield t.Arithmetic(self._between(node), quoted, **place)
            case "process_substitution":
                yield t.Opaque(quoted, **place)
            case _ if node.is_error:
                yield t.Opaque(quoted, **place)
            case "extglob_pattern" | "regex" if node.children:
                yield from self._spread(node)
            case _:
                yield t.Text(_unescaped(self.text_of(node).strip()), **place)

    def _spread(self, node: Found) -> Iterator[t.Part]:
        """The parts of children that stand close together, with the text between them."""
        at = self.start(node)
        for child in node.children:
            if child.start_byte > node.start_byte and self.start(child) > at:
                between = self.text[at : self.start(child)]
                yield t.Text(_unescaped(between), start=at, end=self.start(child))
            yield from self._parts(child, quoted=False)
            at = self.end(child)
        if at < self.end(node):
            yield t.Text(_unescaped(self.text[at : self.end(node)]), start=at, end=self.end(node))

    def _inside(
        self, children: Sequence[Found], start: int, end: int, escapes: re.Pattern[str]
    ) -> Iterator[t.Part]:
        """What is between quotes or in a here document; the grammar leaves out some of it."""
        at = start
        for child in children:
            if child.type not in _EXPANSIONS:
                continue
            if self.start(child) > at:
                yield self._quoted(at, self.start(child), escapes)
            yield from self._parts(child, quoted=True)
            at = self.end(child)
        if at < end:
            yield self._quoted(at, end, escapes)

    def _quoted(self, start: int, end: int, escapes: re.Pattern[str]) -> t.Text:
        return t.Text(escapes.sub(_escaped, self.text[start:end]), True, start=start, end=end)

    def _expansion(self, node: Found, quoted: bool) -> t.Part:
        place = self._place(node)
        head = _PARAMETER.match(self.text_of(node))
        if head is None:
            return t.Opaque(quoted, **place)
        start, end = place["start"] + head.end(), place["end"] - 1
        inner = [c for c in node.children if self.start(c) >= start and self.end(c) <= end]
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

    def _argument(self, children: Sequence[Found], start: int, end: int) -> Iterator[t.Part]:
        at = start
        for child in children:
            if not child.is_named or self.start(child) < at:
                continue
            if self.start(child) > at:
                yield self._quoted(at, self.start(child), _HEREDOC_ESCAPES)
            yield from self._parts(child, quoted=False)
            at = self.end(child)
        if at < end:
            yield self._quoted(at, end, _HEREDOC_ESCAPES)


_Make = Callable[[_Reader, Found, t.Place], t.Statement]

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
_REDIRECTS = frozenset({"file_redirect", "heredoc_redirect", "herestring_redirect"})
_EXPRESSIONS = frozenset(
    {"binary_expression", "unary_expression", "parenthesized_expression", "negation_expression"}
)
_EXPANSIONS = frozenset(
    {"simple_expansion", "expansion", "command_substitution", "arithmetic_expansion"}
)
_PARAMETER = re.compile(
    r"\$\{(?P<prefix>[#!](?=[\w@*]))?(?P<name>\w+|[@*#?$!-])(?:\[(?P<index>[^\]]*)\])?"
    r"(?P<operator>:[-=+?]|[-=+?]|%%?|##?|//?|\^\^?|,,?|:)?"
)
_STRING_ESCAPES = re.compile(r"\\([$`\"\\\n])")
_HEREDOC_ESCAPES = re.compile(r"\\([$`\\\n])")


def _escaped(found: re.Match[str]) -> str:
    return "" if found[1] == "\n" else found[1]


def _unescaped(raw: str) -> str:
    """Outside quotes a backslash makes any character plain, and takes a line's end away."""
    return re.sub(r"\\(.|\n)", _escaped, raw) if "\\" in raw else raw


_ANSI = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "e": "\x1b", "a": "\a"}


def _ansi(raw: str) -> str:
    return re.sub(r"\\(.)", lambda found: _ANSI.get(found[1], found[0]), raw)


def _literal(text: str, start: int, end: int) -> t.Word:
    return t.Word((t.Text(text, start=start, end=end),), start=start, end=end)


def _without_tabs(part: t.Part) -> t.Part:
    if not isinstance(part, t.Text):
        return part
    return replace(part, text=re.sub(r"(^|\n)\t+", r"\1", part.text))


def _with_redirects(body: t.Statement, redirects: tuple[t.Redirect, ...]) -> t.Statement:
    """They are those of the last command, to which the grammar does not give them."""
    if not redirects:
        return body
    match body:
        case t.Command(redirects=own):
            return replace(body, redirects=(*own, *redirects))
        case t.Pipeline(members):
            return replace(body, members=(*members[:-1], _with_redirects(members[-1], redirects)))
        case t.Negated(inner):
            return replace(body, body=_with_redirects(inner, redirects))
        case t.Listing(_, rest):
            operator, last = rest[-1]
            return replace(body, rest=(*rest[:-1], (operator, _with_redirects(last, redirects))))
        case _:
            return t.Redirected(body, redirects, start=body.start, end=body.end)
