"""XML of checkstyle, which many tools read."""

from __future__ import annotations

from itertools import groupby

from iptlint.linter.report import Report
from iptlint.reports.told import Told, told
from iptlint.reports.xml import Element, document


def checkstyle_report(report: Report) -> str:
    files = groupby(told(report), lambda entry: entry.finding.span.source.path)
    return document(
        Element(
            "checkstyle",
            {"version": "4.3"},
            tuple(Element("file", {"name": p}, tuple(map(_error, each))) for p, each in files),
        )
    )


def _error(entry: Told) -> Element:
    finding = entry.finding
    attributes = {
        "line": finding.span.line,
        "column": finding.span.column,
        "severity": finding.severity.value,
        "message": "; ".join(entry.lines),
        "source": f"iptlint.{finding.code}",
    }
    return Element("error", attributes)
