"""What of a text is no shell, and up to where the shell carries it out all the same."""

from __future__ import annotations

import re

from tree_sitter import Node as SyntaxNode

from iptlint.dialects.diagnostics import SyntaxDiagnostic
from iptlint.dialects.script.blocks import misfit
from iptlint.source import SourceFile

_ENDS = re.compile(r"(?:\bdone|\bfi|\besac|[})])[ \t]*$")


def unreadable(
    root: SyntaxNode, source: SourceFile, text: str
) -> tuple[list[SyntaxDiagnostic], int]:
    """``text`` is what the grammar read, character for character that of the source."""
    wrong = misfit(root, text)
    end = len(text) if wrong is None else wrong.within
    diagnostics = _errors(root, source, text, end) if root.has_error else []
    if wrong is not None:
        message = f"{wrong.message}, and the shell gives up here"
        drops = wrong.start < wrong.end  # at the end of the text it is in no line
        told = SyntaxDiagnostic(source, wrong.start, wrong.end, message, drops_line=drops)
        diagnostics.append(told)
    return diagnostics, end


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
