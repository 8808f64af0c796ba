"""A line for each finding, never wrapped: for problem matchers, errorformat and reviewdog."""

from __future__ import annotations

from iptlint.linter.report import Report
from iptlint.reports.formats import PLAIN, Look
from iptlint.reports.headline import head
from iptlint.reports.safe import visible
from iptlint.reports.text import painter


def concise_report(report: Report, look: Look = PLAIN) -> str:
    """``rules.v4:19:1: error IPT101 shadowed-rule: this DROP never happens …``"""
    paint = painter(look)
    lines = []
    for finding in report.findings:
        line, word = visible(head(finding)), f"{finding.severity.value} {finding.code}"
        lines.append(f"{line.replace(word, paint(word, finding.severity), 1)}\n")
    return "".join(lines)
