"""Each finding as it is in the JSON contract, on a line of its own."""

from __future__ import annotations

from iptlint.linter.report import Report
from iptlint.reports.json_report import dumps, finding_json
from iptlint.reports.told import told


def json_lines_report(report: Report) -> str:
    return "".join(dumps(finding_json(report, entry), indent=None) for entry in told(report))
