"""A code quality report of GitLab, which a merge request shows beside the lines.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

from iptlint.findings import Severity
from iptlint.linter.report import Report
from iptlint.reports.from_root import shown_from_root
from iptlint.reports.json_report import dumps
from iptlint.reports.safe import visible
from iptlint.reports.told import Told, told

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.INFO: "info"}


def gitlab_report(report: Report) -> str:
    return dumps([_issue(entry) for entry in told(report)])


def _issue(entry: Told) -> dict[str, object]:
    span = entry.finding.span
    return {
        "description": visible(f"{entry.title}: {'; '.join(entry.lines)}"),
        "check_name": entry.finding.code,
        "fingerprint": entry.fingerprint,
        "severity": _SEVERITIES[entry.finding.severity],
        "location": {
            "path": shown_from_root(span.source.path),
            "lines": {"begin": span.line, "end": span.end_line},
        },
    }
