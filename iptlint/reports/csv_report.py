"""A table for a spreadsheet, in which no cell is a formula."""

from __future__ import annotations

import csv
import io
from unicodedata import normalize

from iptlint.linter.report import Report
from iptlint.reports.safe import visible
from iptlint.reports.told import Told, told

HEADERS = (
    *("path", "line", "column", "end_line", "end_column", "severity", "confidence"),
    *("code", "name", "message", "help", "url", "fingerprint"),
)

_FORMULA = ("=", "+", "-", "@")
"""A cell that begins so, or with their wide forms, is worked out
(https://owasp.org/www-community/attacks/CSV_Injection)."""


def csv_report(report: Report) -> str:
    """As RFC 4180 has it; a cell that would be a formula begins with an apostrophe."""
    written = io.StringIO()
    table = csv.writer(written, quoting=csv.QUOTE_ALL)
    table.writerow(HEADERS)
    table.writerows([*map(cell, _row(entry))] for entry in told(report))
    return written.getvalue()


def _row(entry: Told) -> tuple[str | int, ...]:
    finding = entry.finding
    span = finding.span
    return (
        *(span.source.path, span.line, span.column, span.end_line, span.end_column),
        *(finding.severity.value, finding.confidence.value, finding.code, entry.rule.meta.name),
        *(finding.message, finding.help, entry.rule.url, entry.fingerprint),
    )


def cell(value: str | int) -> str:
    text = visible(str(value))
    is_formula = normalize("NFKC", text).lstrip().startswith(_FORMULA)
    return f"'{text}" if is_formula else text
