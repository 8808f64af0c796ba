"""Where a text of nft lists addresses or ports: between braces in rules, sets and defines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from iptlint.dialects.written_lists import bare
from iptlint.model import Named, Ruleset
from iptlint.model.syntax import PORT_BITS, WrittenList
from iptlint.source import Span

_OPENING = re.compile(r"\b(?P<before>[a-z0-9_]+)\s*(?:(?:==|!=|=)\s*)?\{")
_NO_LISTS = ("vmap", "map", "jump", "goto", "update", "add", "delete", "typeof", "type")
_OF_PORTS = ("dport", "sport")
_ELEMENTS = re.compile(r"\belements\s*=\s*\{")
_BRACE = re.compile(r"[{}]")
_BEHIND = re.compile(r"\s*\{")
_PORTS = re.compile(r"\binet_service\b|\b[sd]port\b")
_CHANGING = ("dynamic", "timeout", "counter")


def in_braces(span: Span) -> Iterator[WrittenList]:
    """The lists of a rule."""
    if "{" not in span.text:
        return
    text = bare(span.text)
    for opening in _OPENING.finditer(text):
        inside = _inside(Span(span.source, span.start + opening.end(), span.end))
        if inside is not None and opening["before"] not in _NO_LISTS:
            yield WrittenList(inside, PORT_BITS if opening["before"] in _OF_PORTS else None)


def with_names(ruleset: Ruleset) -> Iterator[WrittenList]:
    """Those of named sets and of defines."""
    for table in ruleset.tables:
        yield from (place for named in table.sets for place in _of_set(named))
    yield from (place for named in ruleset.defines for place in _of_define(named))


def _of_set(named: Named) -> Iterator[WrittenList]:
    if named.kind != "set":
        return
    span = named.origin.span
    block = _block(span)
    assigned = _ELEMENTS.search(block.source.text, block.start, block.end) if block else None
    if block is None or assigned is None:
        return
    inside = _inside(Span(span.source, assigned.end(), block.end))
    if inside is not None:
        text = block.source.text
        head = bare(text[block.start : assigned.start()] + " " + text[inside.end : block.end])
        yield WrittenList(
            inside,
            PORT_BITS if _PORTS.search(head) else None,
            named,
            changing=any(word in head for word in _CHANGING),
            refuses_overlap="interval" in head and "auto-merge" not in head,
        )


def _of_define(named: Named) -> Iterator[WrittenList]:
    block = _block(named.origin.span)
    if block is not None:
        yield WrittenList(block, None, named)


def _block(span: Span) -> Span | None:
    """What is in the first braces from the start of the span on."""
    text = span.source.text
    opening = text.find("{", span.start, span.end) + 1
    if not opening and (behind := _BEHIND.match(text, span.end)):
        opening = behind.end()
    return _inside(Span(span.source, opening, len(text))) if opening else None


def with_block(declared: Span) -> Span:
    """With the braces behind it, where there are any."""
    inside = _block(declared)
    end = declared.end if inside is None else max(declared.end, inside.end + 1)
    return Span(declared.source, declared.start, end)


def _inside(span: Span) -> Span | None:
    """Up to the brace that closes what is open at its start."""
    depth, position, source = 1, span.start, span.source
    while depth:
        brace = _BRACE.search(source.text, position, span.end)
        if brace is None:
            return None
        line = source.text.rfind("\n", span.start, brace.start()) + 1 or span.start
        remark = bare(source.text[line : brace.end()])[-1] == " "
        depth += 0 if remark else (1 if brace[0] == "{" else -1)
        position = brace.end()
    return Span(source, span.start, position - 1)
