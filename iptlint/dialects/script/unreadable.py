"""What of a text is no shell, what of it is only not read here, and up to where the shell carries
it out all the same."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from tree_sitter import Node as SyntaxNode

from iptlint.dialects.diagnostics import SyntaxDiagnostic
from iptlint.dialects.script.blocks import misfit
from iptlint.dialects.script.shell_judge import Judgement, judged
from iptlint.source import SourceFile

_ENDS = re.compile(r"(?:\bdone|\bfi|\besac|[})])[ \t]*$")


def unreadable(root: SyntaxNode, source: SourceFile, text: str) -> list[SyntaxDiagnostic]:
    """What the grammar says. ``text`` is what it read, character for character that of the
    source."""
    wrong = misfit(root, text)
    end = len(text) if wrong is None else wrong.within
    diagnostics = _errors(root, source, text, end) if root.has_error else []
    if wrong is not None:
        message = f"{wrong.message}, and the shell gives up here"
        told = SyntaxDiagnostic(source, wrong.start, wrong.end, message, drops_line=True)
        diagnostics.append(told)
    return diagnostics


def as_judged(
    diagnostics: Sequence[SyntaxDiagnostic], source: SourceFile, text: str
) -> tuple[list[SyntaxDiagnostic], int]:
    """What the shell says itself, and up to where it carries the text out. Where it takes what the
    grammar does not, that is not read, and no mistake."""
    judgement = judged(text)
    if not judgement.sure and not diagnostics:
        return [], len(text)
    told = [each if _is_so(each, judgement) else _not_read(each) for each in diagnostics]
    place = judgement.place
    if place is not None and not any(each.code == "IPT001" and each.drops_line for each in told):
        message = "the shell has no place for this, and gives up here"
        told.append(SyntaxDiagnostic(source, place, place + 1, message, drops_line=True))
    return told, judgement.within


def _is_so(diagnostic: SyntaxDiagnostic, judgement: Judgement) -> bool:
    if not diagnostic.drops_line:
        end = diagnostic.source.text[diagnostic.start : diagnostic.end]
        return diagnostic.code != "IPT001" or end in judgement.unended
    return judgement.place is not None and diagnostic.end > judgement.within


_NOT_READ = "iptlint does not read this part of the script: what it does is not known"


def _not_read(diagnostic: SyntaxDiagnostic) -> SyntaxDiagnostic:
    return replace(diagnostic, code="IPT002", message=_NOT_READ, drops_line=False)


def unread_length(root: SyntaxNode) -> int:
    """How much of the text the grammar has no place for; a sign that is missing counts as one."""
    length = 0
    todo = [root]
    while todo:
        node = todo.pop()
        if node.is_error or node.is_missing:
            length += max(1, node.end_byte - node.start_byte)
        elif node.has_error:
            todo += node.children
    return length


def _errors(root: SyntaxNode, source: SourceFile, text: str, before: int) -> list[SyntaxDiagnostic]:
    """The first place of each stretch that could not be read, not those within it."""
    found: list[SyntaxDiagnostic] = []
    todo = [root]
    while todo:
        node = todo.pop()
        if node.type == ";" and _ENDS.search(text, max(0, node.start_byte - 20), node.start_byte):
            continue  # `{ …; done }`: the shell needs none there
        if node.is_error or node.is_missing:
            if node.end_byte <= before:
                found.append(_error(node, source))
        elif node.has_error:
            todo += node.children
    return found


def _error(node: SyntaxNode, source: SourceFile) -> SyntaxDiagnostic:
    start = node.start_byte
    if node.is_missing and node.type == '"' and node.parent is not None:
        start = node.parent.start_byte  # the text in quotes
    line = source.line_span(source.line_of(start))
    end = max(start, min(max(node.end_byte, start + 1), line.end))
    missing = f"; `{node.type}` is missing" if node.is_missing else ""
    message = f"the shell's grammar has no place for this{missing}"
    return SyntaxDiagnostic(source, start, end, message, drops_line=True)
