"""How many findings there are of each code."""

from __future__ import annotations

from collections import Counter

from tabulate import tabulate

from iptlint.linter.report import Report
from iptlint.reports.formats import PLAIN, Look
from iptlint.reports.summary import closing
from iptlint.rules.registry import names


def statistics_report(report: Report, look: Look = PLAIN) -> str:
    """A row for each code that has findings, the most frequent first."""
    counted = Counter(finding.code for finding in report.findings)
    ranked = sorted(counted.items(), key=lambda row: (-row[1], row[0]))
    rows = [(number, code, names().get(code, "")) for code, number in ranked]
    table = [tabulate(rows, tablefmt="plain")] if rows else []
    blocks = [*table, *closing(report, look)]
    return "\n\n".join(blocks) + "\n" if blocks else ""
