"""The findings of each file under its name."""

from __future__ import annotations

from collections.abc import Iterator

from iptlint.findings import Finding
from iptlint.linter.report import Report
from iptlint.reports.formats import PLAIN, Look
from iptlint.reports.safe import wrapped
from iptlint.reports.summary import closing
from iptlint.reports.text import Paint, painter
from iptlint.reports.told import Told, told


def grouped_report(report: Report, look: Look = PLAIN) -> str:
    """A block for each file that has findings, and the line that counts."""
    paint = painter(look)
    files: dict[str, list[Told]] = {}
    for entry in told(report):
        files.setdefault(entry.finding.span.source.path, []).append(entry)
    blocks = [
        "\n".join([*wrapped(f"{path}:", look.columns), *_rows(entries, paint, look.columns)])
        for path, entries in files.items()
    ]
    blocks += closing(report, look)
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _rows(several: list[Told], paint: Paint, columns: int) -> Iterator[str]:
    widest = max(len(_place(entry.finding)) for entry in several)
    for entry in several:
        finding = entry.finding
        word = f"{finding.severity.value} {finding.code}"
        start = f"  {_place(finding):>{widest}}  "
        text = f"{start}{word} {entry.rule.meta.name}: {entry.sentence}"
        first, *rest = wrapped(text, columns, " " * len(start))
        yield first.replace(word, paint(word, finding.severity), 1)
        yield from rest


def _place(finding: Finding) -> str:
    return f"{finding.span.line}:{finding.span.column}"
