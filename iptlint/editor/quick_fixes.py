"""The edits that findings propose. Each is proved when it is asked for, on the text as it is."""

from __future__ import annotations

from dataclasses import dataclass

from lsprotocol import types as lsp

from iptlint.editor.desk import Seen
from iptlint.editor.diagnostics import diagnostic
from iptlint.findings import Finding
from iptlint.fixes.engine import prove
from iptlint.model.quotes import one_line
from iptlint.reports.safe import visible


@dataclass(frozen=True, slots=True)
class Offer:
    """``number``: of the finding in the report. ``safe``: no packet fares otherwise."""

    number: int
    title: str
    safe: bool
    diagnostic: lsp.Diagnostic


def offers(seen: Seen, place: lsp.Range) -> list[Offer]:
    """What may be done about the findings that touch these lines, by edits of open texts: a file
    of sets is not made here."""
    return [
        Offer(
            number,
            visible(one_line(finding.fix.says)),
            finding.fix.safe,
            diagnostic(seen, finding.told()),
        )
        for number, finding in enumerate(seen.report.each)
        if finding.fix is not None
        and not finding.fix.sets
        and seen.is_here(finding.span)
        and _touches(seen.lines.of(finding.span), place)
    ]


def _touches(mine: lsp.Range, place: lsp.Range) -> bool:
    return mine.start.line <= place.end.line and place.start.line <= mine.end.line


def proved(seen: Seen, number: int) -> lsp.WorkspaceEdit | str:
    """The edits; or why they are not made, in a sentence."""
    if number >= len(seen.report.each):
        return "the file has changed since"
    finding = seen.report.each[number]
    if finding.fix is None:
        return "the file has changed since"
    every = _in_full(seen, finding)
    if every is None:
        return "the finding is not there when all rules are asked"
    host = seen.host
    done = prove(seen.state, host.lint_every, seen.every, every, host.budget)
    if done.refused:
        return f"this could not be proved: {done.refused[0].why}"
    changes: dict[str, list[lsp.TextEdit]] = {}
    for edit in finding.fix.edits:
        source = edit.span.source
        changes.setdefault(seen.uri(source.path), []).append(seen.lines_of(source).edit(edit))
    return lsp.WorkspaceEdit(changes)


def _in_full(seen: Seen, finding: Finding) -> Finding | None:
    """The same finding among those of all rules."""
    of_it = finding.code, finding.span, finding.fix
    same = (each for each in seen.every.each if (each.code, each.span, each.fix) == of_it)
    return next(same, None)
