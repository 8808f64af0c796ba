"""What a template has in the place of a value, until something fills it in.

No tool knows of templates: it reads the marks as text of its own language, and what it says of them
is of that.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from operator import itemgetter

from iptlint.dialects.detect import NFT, SCRIPT
from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.reading import Reading
from iptlint.source import SourceFile, Span

_MARKS = r"\{\{[^{}\n]*\}\}|\{%[^%\n]*%\}|<%[^%\n]*%>|@[A-Za-z]\w*@|<[A-Za-z][\w. -]*>"
_PLACEHOLDER = re.compile(_MARKS + r"|\$\{\w+\}")
_IN_A_SCRIPT = re.compile(_MARKS)
_NAME_IN_BRACES = re.compile(
    r"#.*|(?:comment|prefix)\s+\"[^\"\n]*\"|\"[^\"{\n]*\"|(\{\{\s*[A-Za-z_][^{},\n]*\}\})"
)
_READ_AS_VALUES = frozenset({"IPT001", "IPT006"})
"""What is said of a placeholder that is taken for a word, or for a value."""
_TEMPLATE = re.compile(
    r".*\.(?:j2|jinja2?|erb|epp|tmpl|tpl|tftpl|mustache|gotmpl)|(?:.*/)?templates/.*"
)
"""How a file is called, or kept, that something fills in before any tool reads it."""
_FILLED_IN = re.compile(r"\{[{%]")
_TEMPLATE_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
_NOT_A_BREAK = re.compile(r"[^\n]")
_PROTOCOL = re.compile(rf"(?:-p|--proto(?:col)?)\s+({_MARKS})")
_IN_BRACES = re.compile(r"\{\{[^{}]*+\}\}")
_LINES = re.compile(rf"\s*(?:{_MARKS})\s*")
_TAG = re.compile(
    r"\{\{(?:[^{}]|\{(?!\{)|\}(?!\}))*\}\}|\{%(?:[^%{]|%(?!\})|\{(?!%))*%\}"
    r"|<%(?:[^%<]|%(?!>)|<(?!%))*%>"
)
_DEFINED = r"^[ \t]*(?:re)?define[ \t]+%s[ \t]*=[^\n]*\{\{"
_LONGEST = 80


def with_placeholders(reading: Reading) -> Reading:
    """Says of each placeholder that it is one, instead of what its signs are in the language."""
    dialect, source = reading.ruleset.dialect, reading.ruleset.source
    pattern = _IN_A_SCRIPT if dialect == SCRIPT else _PLACEHOLDER
    told: dict[tuple[int, str], Diagnostic] = {}
    tags = _tags(source) if is_template(source) else []
    for diagnostic in reading.diagnostics:
        is_of_value = diagnostic.code in _READ_AS_VALUES
        span = _placeholder_at(diagnostic, source, pattern) if is_of_value else None
        if span is None and is_of_value:
            span = _tag_in_line(diagnostic, source, tags)
        each = diagnostic if span is None else _diagnostic(span, dialect)
        if span is None and told and is_of_value and _is_brace(diagnostic, source):
            continue
        told.setdefault((each.start, each.message), each)
    if dialect == NFT:
        for span in _in_braces(source):
            each = _diagnostic(span, dialect)
            told.setdefault((each.start, each.message), each)
    return replace(reading, diagnostics=tuple(told.values()))


def is_template(source: SourceFile) -> bool:
    """Whether something fills in the file, by its name, before any tool reads it: what does so ends
    each line with a line feed, as Jinja."""
    return _TEMPLATE.fullmatch(source.path) is not None


def _is_brace(diagnostic: Diagnostic, source: SourceFile) -> bool:
    """Of a block of a template that a placeholder begins, or ends."""
    where = diagnostic.source or source
    return is_template(where) and where.text[diagnostic.start : diagnostic.end] in ("{", "}")


def holds_placeholder(text: str) -> bool:
    return _TAG.search(text) is not None


def is_filled_in(source: SourceFile) -> bool:
    """Whether it is a template that has something to be filled in."""
    return is_template(source) and _PLACEHOLDER.search(source.text) is not None


def without_template_comments(source: SourceFile) -> str:
    """The text of a template with blanks for its comments (`{# … #}`), which to nft would open a
    block that nothing closes."""
    text = source.text
    if "#}" not in text or not (is_template(source) or _FILLED_IN.search(text)):
        return text
    end = text.rfind("#}") + 2  # behind the last one no begin is looked through to the end
    blank = _TEMPLATE_COMMENT.sub(lambda comment: _NOT_A_BREAK.sub(" ", comment[0]), text[:end])
    return blank + text[end:]


def brings_lines(line: str) -> bool:
    """Whether a line of rules is a placeholder and nothing else, which may become any lines."""
    return _LINES.fullmatch(line) is not None


def is_placeholder(word: str) -> bool:
    """Whether a word is one, or begins one."""
    return word.startswith(("{{", "{%", "<%"))


def is_in_braces(span: Span) -> bool:
    """Whether it is, or is in, what stands in `{{ name }}`, or a variable that has such a value."""
    line = span.source.line_span(span.line)
    if span.start > 0 and span.source.text[span.start - 1] == "$":
        defined = re.compile(_DEFINED % re.escape(span.text), re.MULTILINE)
        return defined.search(span.source.text) is not None
    braces = _IN_BRACES.finditer(span.source.text, line.start, line.end)
    return any(each.start() < span.start and span.end < each.end() for each in braces)


def _placeholder_at(
    diagnostic: Diagnostic, source: SourceFile, pattern: re.Pattern[str]
) -> Span | None:
    """The first that has something of what could not be read, or a protocol before it, of which
    its words are. Text that goes on for long before it is none."""
    source = diagnostic.source or source
    start, end = diagnostic.start, min(diagnostic.end, diagnostic.start + _LONGEST)
    line = source.line_span(source.line_of(start))
    first = max(line.start, start - _LONGEST)
    matches = pattern.finditer(source.text, first, min(max(line.end, end), end + _LONGEST))
    spans = (Span(source, match.start(), match.end()) for match in matches)
    of_it = (span for span in spans if span.end > start and span.start <= end)
    protocol = _PROTOCOL.search(source.text, line.start, start)
    return next(of_it, None) or (protocol and Span(source, *protocol.span(1)))


def _tags(source: SourceFile) -> list[tuple[int, int]]:
    """Where those of a template are, also of several lines."""
    return [match.span() for match in _TAG.finditer(source.text)]


def _tag_in_line(
    diagnostic: Diagnostic, source: SourceFile, tags: Sequence[tuple[int, int]]
) -> Span | None:
    """Any that has something of the line: what is beside it is put together with what it
    becomes."""
    if diagnostic.source is not None and diagnostic.source is not source:
        return None
    line = source.line_span(source.line_of(diagnostic.start))
    number = bisect_right(tags, line.start, key=itemgetter(1))
    if number == len(tags) or tags[number][0] >= line.end:
        return None
    return Span(source, *tags[number])


def _in_braces(source: SourceFile) -> Iterator[Span]:
    """To nft these are a set in a set: it may read it, and fails where it is used."""
    if "{{" in source.text:
        for match in _NAME_IN_BRACES.finditer(source.text):
            if match[1]:
                yield Span(source, match.start(), match.end())


def _diagnostic(span: Span, dialect: str) -> Diagnostic:
    if is_template(span.source):
        written = " ".join(span.text.split())
        return Diagnostic(
            "IPT002",
            "info",
            span.start,
            span.end,
            f"`{written}` is a placeholder of this template: what it becomes is not known here",
            "fill in the template, and check what comes of it, too",
            span.source,
        )
    tool = _TOOLS.get(dialect, "iptables-restore")
    return Diagnostic(
        "IPT001",
        "error",
        span.start,
        span.end,
        f"`{span.text}` is a placeholder of a template, and {tool} reads it as it stands",
        "fill in the template, and check what comes of it",
        span.source,
    )


_TOOLS = {NFT: "nft", SCRIPT: "the shell"}
"""Who reads a text of the language."""
