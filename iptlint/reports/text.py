"""Findings for people: the line, what of it is meant, why, and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import click

from iptlint.benchmark.answers import Verdict
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.linter.report import Report
from iptlint.reports import benchmark
from iptlint.reports.safe import cut, visible, width, wrapped
from iptlint.reports.witness import describe
from iptlint.rules.registry import names
from iptlint.source import Span

COLUMNS = 160
MOST_LABELS = 8
_GUTTER = 8
_VERDICTS = {Verdict.PASS: "green", Verdict.FAIL: "red", Verdict.CANNOT_TELL: "yellow"}
_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}

Paint = Callable[[str, Severity | None], str]
"""Colours a piece of text: a severity's colour, or that of a label."""


def _plain(text: str, severity: Severity | None) -> str:
    return text


def _coloured(text: str, severity: Severity | None) -> str:
    return click.style(text, fg=_COLOURS[severity] if severity else "blue", bold=bool(severity))


def text_report(report: Report, *, colour: bool = False) -> str:
    """Every finding and, last, one line that counts them; then the items of the benchmarks, where
    the profile asks for them. No line of a finding is over 160 columns."""
    paint = _coloured if colour else _plain
    blocks = ["\n".join(_block(finding, paint, report)) for finding in report.findings]
    blocks.append(_summary(report))
    if report.items is not None:
        verdicts = {"paint": _verdict} if colour else {}
        blocks.append(benchmark.table(report.items, **verdicts).rstrip())
    return "\n\n".join(blocks) + "\n"


def _verdict(verdict: Verdict, text: str) -> str:
    return click.style(text, fg=_VERDICTS[verdict], bold=verdict is Verdict.FAIL)


def _block(finding: Finding, paint: Paint, report: Report) -> Iterator[str]:
    yield from _head(finding, paint)
    yield from excerpt(finding.span, "^", "", lambda text: paint(text, finding.severity))
    for label in finding.related[:MOST_LABELS]:
        yield from _label(finding, label, paint)
    if len(finding.related) > MOST_LABELS:
        yield note(f"and {len(finding.related) - MOST_LABELS} more places")[0]
    if finding.witness:
        yield from note(f"witness: {describe(finding.witness)}")
    if finding.help:
        yield from note(f"help: {finding.help}")
    asked = benchmark.asked_by(report.items or (), finding.code)
    if asked:
        yield from note(f"asked for by: {benchmark.listed(asked)}")


def _head(finding: Finding, paint: Paint) -> Iterator[str]:
    span, word = finding.span, f"{finding.severity.value} {finding.code}"
    possible = " (possible)" if finding.confidence is Confidence.POSSIBLE else ""
    place = f"{span.source.path}:{span.line}:{span.column}: "
    name = names().get(finding.code, "")
    first, *rest = wrapped(f"{place}{word} {name}{possible}: {finding.message}", COLUMNS, " " * 6)
    yield first.replace(word, paint(word, finding.severity), 1)
    yield from rest


def _label(finding: Finding, label: Label, paint: Paint) -> Iterator[str]:
    if label.span.source is not finding.span.source:
        place = f"{label.span.source.path}:{label.span.line}:{label.span.column}"
        yield from wrapped(f"{' ' * (_GUTTER - 2)}--> {place}", COLUMNS)
    yield from excerpt(label.span, "-", label.message, lambda text: paint(text, None))


def excerpt(
    span: Span, mark: str, message: str = "", paint: Callable[[str], str] = str
) -> Iterator[str]:
    """The first line of the span, and its underline with the message beside or below it."""
    line = span.source.line_text(span.line)
    start = span.column - 1
    end = span.end_column - 1 if span.end_line == span.line else len(line)
    shown, left, right = cut(line, start, max(end, start), COLUMNS - _GUTTER)
    yield f"{span.line:5} | {shown}".rstrip()
    empty = " " * 5 + " | "
    yield empty + " " * left + paint(mark * (right - left) + _beside(message, right))
    if message and not _beside(message, right):
        yield from (empty + paint(text) for text in wrapped(message, COLUMNS - _GUTTER))


def _beside(message: str, right: int) -> str:
    text = " " + visible(message) if message else ""
    return text if width(text) + right <= COLUMNS - _GUTTER else ""


def note(text: str) -> list[str]:
    indent = " " * (_GUTTER - 2)
    first, *rest = wrapped(text, COLUMNS - _GUTTER - 2)
    return [f"{indent}= {first}", *(f"{indent}  {line}" for line in rest)]


def _summary(report: Report) -> str:
    counted = Counter(finding.severity for finding in report.findings)
    each = ", ".join(_count(counted[s], _NOUNS[s]) for s in Severity if counted[s])
    total = _count(len(report.findings), "finding") + (f" ({each})" if each else "")
    hidden = f", {report.suppressed} suppressed," if report.suppressed else ""
    return f"{total}{hidden} in {_count(len(report.files), 'file')}"


_NOUNS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "info"}


def _count(number: int, noun: str) -> str:
    plural = "" if number == 1 or noun == "info" else "s"
    return f"{number or 'no'} {noun}{plural}"
