"""Findings for people: the line, what of it is meant, why, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from iptlint.findings import Finding, Label, Severity
from iptlint.linter.report import Report
from iptlint.reports.formats import PLAIN, Look
from iptlint.reports.headline import head
from iptlint.reports.safe import cut, visible, width, wrapped
from iptlint.reports.summary import closing
from iptlint.reports.witness import describe
from iptlint.source import Span

if TYPE_CHECKING:
    from iptlint.benchmark.answers import Verdict
    from iptlint.benchmark.table import Judged

COLUMNS = PLAIN.columns
MOST_LABELS = 8
_GUTTER = 8
_VERDICTS = {"pass": "green", "fail": "red", "cannot tell": "yellow"}
_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}

Paint = Callable[[str, Severity | None], str]
"""Colours a piece of text: a severity's colour, or that of a label."""


def _plain(text: str, severity: Severity | None) -> str:
    return text


def _coloured(text: str, severity: Severity | None) -> str:
    return click.style(text, fg=_COLOURS[severity] if severity else "blue", bold=bool(severity))


def painter(look: Look) -> Paint:
    return _coloured if look.colour else _plain


def text_report(report: Report, look: Look = PLAIN) -> str:
    """Every finding and, last, one line that counts them, and what no rule follows; then the items
    of the benchmarks, where the profile asks for them. No line of a finding is wider than asked
    for."""
    blocks = ["\n".join(_block(finding, look, report)) for finding in report.findings]
    blocks += closing(report, look)
    if report.items is not None:
        blocks.append(_table(report.items, look))
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _table(items: Sequence[Judged], look: Look) -> str:
    from iptlint.reports import benchmark

    verdicts = {"paint": _verdict} if look.colour else {}
    return benchmark.table(items, **verdicts).rstrip()


def _verdict(verdict: Verdict, text: str) -> str:
    return click.style(text, fg=_VERDICTS[verdict.value], bold=verdict.value == "fail")


def _block(finding: Finding, look: Look, report: Report) -> Iterator[str]:
    paint, columns = painter(look), look.columns
    yield from _head(finding, look)
    yield from excerpt(finding.span, "^", "", lambda text: paint(text, finding.severity), columns)
    for label in finding.related[:MOST_LABELS]:
        yield from _label(finding, label, paint, columns)
    if len(finding.related) > MOST_LABELS:
        yield from note(f"and {len(finding.related) - MOST_LABELS} more places", columns)
    for text in _notes(finding, report):
        yield from note(text, columns)


def _notes(finding: Finding, report: Report) -> Iterator[str]:
    if finding.witness:
        yield f"for example: {describe(finding.witness)}"
    yield from finding.to_do
    if report.items and (asked := _asked_by(report.items, finding.code)):
        yield f"asked for by: {asked}"


def _asked_by(items: Sequence[Judged], code: str) -> str:
    """The items of the benchmarks, as a list in words."""
    from iptlint.reports import benchmark

    return benchmark.listed(benchmark.asked_by(items, code))


def _head(finding: Finding, look: Look) -> Iterator[str]:
    word = f"{finding.severity.value} {finding.code}"
    shown = painter(look)(word, finding.severity)
    if look.links:
        shown = shown.replace(finding.code, _LINK.format(finding.url, finding.code))
    first, *rest = wrapped(head(finding), look.columns, " " * 6)
    yield first.replace(word, shown, 1)
    yield from rest


_LINK = "\x1b]8;;{}\x1b\\{}\x1b]8;;\x1b\\"
"""OSC 8: an address, and the text that leads there."""


def _label(finding: Finding, label: Label, paint: Paint, columns: int) -> Iterator[str]:
    if label.span.source is not finding.span.source:
        place = f"{label.span.source.path}:{label.span.line}:{label.span.column}"
        yield from wrapped(f"{' ' * (_GUTTER - 2)}--> {place}", columns)
    yield from excerpt(label.span, "-", label.message, lambda text: paint(text, None), columns)


def excerpt(
    span: Span,
    mark: str,
    message: str = "",
    paint: Callable[[str], str] = str,
    columns: int = COLUMNS,
) -> Iterator[str]:
    """The first line of the span, and its underline with the message beside or below it."""
    line = span.source.line_text(span.line)
    start = span.column - 1
    end = span.end_column - 1 if span.end_line == span.line else len(line)
    shown, left, right = cut(line, start, max(end, start), columns - _GUTTER)
    yield f"{span.line:5} | {shown}".rstrip()
    empty = " " * 5 + " | "
    beside = _beside(message, columns - _GUTTER - right)
    yield empty + " " * left + paint(mark * (right - left) + beside)
    if message and not beside:
        yield from (empty + paint(text) for text in wrapped(message, columns - _GUTTER))


def _beside(message: str, room: int) -> str:
    text = " " + visible(message) if message else ""
    return text if width(text) <= room else ""


def note(text: str, columns: int = COLUMNS) -> list[str]:
    indent = " " * (_GUTTER - 2)
    first, *rest = wrapped(text, columns - _GUTTER - 2)
    return [f"{indent}= {first}", *(f"{indent}  {line}" for line in rest)]
