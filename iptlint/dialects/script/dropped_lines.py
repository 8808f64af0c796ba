"""Lines that the shell does not take: whatever a tool would say of them, it is never asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.script import tree as t


def asked_of_tools(file: t.ScriptFile, diagnostics: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """Of such a line only the first claim of the shell: bash reads a line whole before it carries
    out any of it, and gives up there (parse.y, ``yyerror``)."""
    dropped: dict[int, int] = {}
    for each in file.diagnostics:
        if each.drops_line:
            dropped.setdefault(file.source.line_of(each.start), each.start)
    for told in diagnostics:
        wrong = told.code == "IPT001" and told.source in (None, file.source)
        line = file.source.line_of(told.start) if wrong else 0
        if told.start == dropped.get(line, told.start):
            yield told
