"""Findings as the page shows them, each with its line, what else it points at, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from iptlint.benchmark.table import Judged
from iptlint.findings import Confidence, Finding
from iptlint.reports import benchmark
from iptlint.reports.html.sources import Place, Sources
from iptlint.reports.told import Told
from iptlint.reports.witness import describe
from iptlint.source import Span

_WIDEST = 240
_MOST_LABELS = 8


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A line, with the part that is meant."""

    place: Place
    before: str
    meant: str
    after: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class FindingView:
    """``number``: from 1, in the order of the report. ``fix``: how it can be carried out."""

    number: int
    severity: str
    possible: bool
    code: str
    name: str
    url: str
    group: str
    message: str
    help: str
    excerpt: Excerpt
    related: tuple[Excerpt, ...]
    more_related: int
    witness: str
    fix: str
    asked_by: str


def finding_views(
    told: Sequence[Told], items: Sequence[Judged], sources: Sources
) -> list[FindingView]:
    return [_view(number, each, items, sources) for number, each in enumerate(told, start=1)]


def _view(number: int, told: Told, items: Sequence[Judged], sources: Sources) -> FindingView:
    finding = told.finding
    labels = finding.related[:_MOST_LABELS]
    return FindingView(
        number,
        finding.severity.value,
        finding.confidence is Confidence.POSSIBLE,
        finding.code,
        told.rule.meta.name,
        told.rule.url,
        told.rule.meta.group.value,
        finding.message,
        finding.help,
        excerpt(finding.span, sources),
        tuple(excerpt(label.span, sources, label.message) for label in labels),
        len(finding.related) - len(labels),
        describe(finding.witness) if finding.witness else "",
        _fix(finding),
        benchmark.listed(benchmark.asked_by(items, finding.code)),
    )


def _fix(finding: Finding) -> str:
    if finding.fix is None:
        return ""
    return f"iptlint {'--fix' if finding.fix.safe else '--unsafe-fixes'} can do it"


def excerpt(span: Span, sources: Sources, message: str = "") -> Excerpt:
    """The first line of the span; of a long one what is around its beginning."""
    line = span.source.line_text(span.line)
    start = min(span.column - 1, len(line))
    end = min(span.end_column - 1 if span.end_line == span.line else len(line), len(line))
    first = 0 if end <= _WIDEST else max(0, start - _WIDEST // 2)
    last = min(len(line), first + _WIDEST)
    end = min(max(end, start), last)
    return Excerpt(
        sources.place(span),
        "…" * (first > 0) + line[first:start],
        line[start:end],
        line[end:last] + "…" * (last < len(line)),
        message,
    )
