"""The JSON contract of ``check``, version 1: keys are never renamed or dropped."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import asdict

from iptlint.findings import Finding, Severity
from iptlint.findings.fingerprint import fingerprints
from iptlint.linter.report import Report
from iptlint.reports import benchmark
from iptlint.reports.safe import is_hidden
from iptlint.reports.witness import as_json
from iptlint.rules.registry import rule_of
from iptlint.source import Span

VERSION = 1

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_NOT_PLAIN = re.compile(r"[^\n -~]")


def dumps(value: object) -> str:
    """JSON in UTF-8, with an escape for whatever a terminal or an editor would act upon (C1
    controls, direction marks); a byte that was no UTF-8 in its file is U+FFFD, as RFC 8259
    asks."""
    text = _LONE_SURROGATE.sub("\ufffd", json.dumps(value, indent=2, ensure_ascii=False))
    return _NOT_PLAIN.sub(_escaped, text) + "\n"


def _escaped(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1] if is_hidden(match[0]) else match[0]


def json_report(report: Report) -> str:
    """Where the profile asks for the benchmarks, ``benchmark`` holds their items, and each
    finding has the ``references`` to them."""
    counted = Counter(finding.severity for finding in report.findings)
    findings = zip(report.findings, fingerprints(report.findings), strict=True)
    answer: dict[str, object] = {
        "version": VERSION,
        "files": [asdict(file) for file in report.files],
        "findings": [
            _finding(finding, fingerprint) | _references(report, finding)
            for finding, fingerprint in findings
        ],
        "summary": {
            **{severity.value: counted[severity] for severity in Severity},
            "suppressed": report.suppressed,
        },
    }
    if report.items is not None:
        answer["benchmark"] = benchmark.as_json(report.items)
    return dumps(answer)


def _references(report: Report, finding: Finding) -> dict[str, object]:
    if report.items is None:
        return {}
    return {"references": benchmark.asked_by(report.items, finding.code)}


def _finding(finding: Finding, fingerprint: str) -> dict[str, object]:
    rule = rule_of(finding.code)
    return {
        "code": finding.code,
        "name": rule.meta.name,
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        **place_of(finding.span),
        "message": finding.message,
        "help": finding.help or None,
        "url": rule.url,
        "related": [{**place_of(r.span), "message": r.message} for r in finding.related],
        "witness": as_json(finding.witness),
        "fixable": finding.fixable,
        "fingerprint": fingerprint,
    }


def place_of(span: Span) -> dict[str, object]:
    """Where a span is, as the contract has it."""
    return {
        "path": span.source.path,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }
