"""The JSON contract of ``check``, version 1: keys are never renamed or dropped."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, replace

from iptlint.findings import Finding, Severity
from iptlint.findings.finding import place_of
from iptlint.linter.report import Report
from iptlint.reports import benchmark
from iptlint.reports.safe import is_hidden
from iptlint.reports.told import Told, told

__all__ = ["VERSION", "dumps", "finding_json", "json_report", "place_of"]

VERSION = 1

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_NOT_PLAIN = re.compile(r"[^\n -~]")


def dumps(value: object, indent: int | None = 2) -> str:
    """JSON in UTF-8, with an escape for whatever a terminal or an editor would act upon (C1
    controls, direction marks); a byte that was no UTF-8 in its file is U+FFFD, as RFC 8259
    asks."""
    text = _LONE_SURROGATE.sub("\ufffd", json.dumps(value, indent=indent, ensure_ascii=False))
    return _NOT_PLAIN.sub(_escaped, text) + "\n"


def _escaped(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1] if is_hidden(match[0]) else match[0]


def json_report(report: Report, more: Mapping[str, object] | None = None) -> str:
    """Where the profile asks for the benchmarks, ``benchmark`` holds their items, and each
    finding has the ``references`` to them. ``hidden``: what is suppressed, where the report has
    that. ``more``: what else there is to tell, by its key."""
    counted = Counter(finding.severity for finding in report.findings)
    answer: dict[str, object] = {
        "version": VERSION,
        "files": [asdict(file) for file in report.files],
        "findings": [finding_json(report, entry) for entry in told(report)],
        "summary": {
            **{severity.value: counted[severity] for severity in Severity},
            "suppressed": report.suppressed,
        },
    }
    if report.hidden:
        hidden = told(replace(report, findings=report.hidden))
        answer["hidden"] = [finding_json(report, entry) for entry in hidden]
    if report.items is not None:
        answer["benchmark"] = benchmark.as_json(report.items)
    return dumps(answer | dict(more or {}))


def finding_json(report: Report, entry: Told) -> dict[str, object]:
    """A finding as the contract has it."""
    named = replace(entry.finding, name=entry.rule.meta.name, fingerprint=entry.fingerprint)
    return named.to_dict() | _references(report, entry.finding)


def _references(report: Report, finding: Finding) -> dict[str, object]:
    if report.items is None:
        return {}
    return {"references": benchmark.asked_by(report.items, finding.code)}
