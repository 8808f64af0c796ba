"""SARIF 2.1.0, as code scanning of GitHub takes it.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html, and what is made of it:
https://docs.github.com/code-security/reference/code-scanning/sarif-support-for-code-scanning
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from iptlint import __version__
from iptlint.findings import Confidence, Label, Severity
from iptlint.findings.fix import Fix
from iptlint.linter.report import Report
from iptlint.reports.from_root import uri_of
from iptlint.reports.json_report import dumps
from iptlint.reports.rule_docs import document
from iptlint.reports.safe import visible
from iptlint.reports.told import Told, told
from iptlint.reports.witness import as_json, describe
from iptlint.rules.meta import Group
from iptlint.rules.registry import RuleModule
from iptlint.source import Span

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
HOME = "https://iptlint.readthedocs.io/"

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_PRECISION = {Confidence.CERTAIN: "very-high", Confidence.POSSIBLE: "medium"}
_SECURITY = {
    Group.REACHABILITY: {Severity.ERROR: "7.5", Severity.WARNING: "5.0"},
    Group.STATE: {Severity.ERROR: "5.0", Severity.WARNING: "5.0"},
    Group.PERSISTENCE: {Severity.ERROR: "6.0", Severity.WARNING: "4.0"},
    Group.EXPOSURE: {Severity.ERROR: "8.0", Severity.WARNING: "6.0", Severity.INFO: "2.0"},
    Group.IPV6: {Severity.ERROR: "8.0", Severity.WARNING: "5.0"},
    Group.NAT: {Severity.ERROR: "8.0", Severity.WARNING: "5.0"},
}
"""``security-severity`` of a rule, a score from 0 to 10 like that of CVSS: from 7 on it is high,
from 4 on medium. A rule without one is about quality, not security."""

_BRACKETS = re.compile(r"([\\\[\]])")


def sarif_report(report: Report) -> str:
    """One run. Paths are relative to the root of the checkout, columns count characters."""
    findings = told(report)
    codes = sorted({entry.finding.code for entry in findings})
    rules = {entry.finding.code: entry.rule for entry in findings}
    driver = {
        "name": "iptlint",
        "semanticVersion": __version__,
        "informationUri": HOME,
        "rules": [_rule(rules[code]) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": "iptlint/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": not report.crashed}],
        "results": [_result(entry, codes) for entry in findings],
    }
    return dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(rule: RuleModule) -> dict[str, object]:
    meta = rule.meta
    score = _SECURITY.get(meta.group, {}).get(meta.severity)
    tags = ["security"] if score else ["maintainability"]
    properties: dict[str, object] = {
        "tags": [*tags, meta.group.value],
        "precision": _PRECISION[meta.confidence],
        "problem.severity": meta.severity.value.replace("info", "recommendation"),
    }
    return {
        "id": meta.code,
        "name": "".join(word.capitalize() for word in meta.name.split("-")),
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.sections["What it does"]},
        "help": {"text": document(rule), "markdown": document(rule)},
        "helpUri": rule.url,
        "defaultConfiguration": {"level": _LEVELS[meta.severity]},
        "properties": properties | ({"security-severity": score} if score else {}),
    }


def _result(entry: Told, codes: Sequence[str]) -> dict[str, object]:
    finding = entry.finding
    result: dict[str, object] = {
        "ruleId": finding.code,
        "ruleIndex": codes.index(finding.code),
        "level": _LEVELS[finding.severity],
        "message": {"text": _text("\n".join(_told(entry)))},
        "locations": [{"physicalLocation": _place(finding.span)}],
        "partialFingerprints": {
            "primaryLocationLineHash": f"{entry.fingerprint}:1",
            "iptlint/v1": entry.fingerprint,
        },
        "properties": {
            "confidence": finding.confidence.value,
            "witness": as_json(finding.witness),
        },
    }
    if finding.related:
        result["relatedLocations"] = [_related(*each) for each in enumerate(finding.related, 1)]
    if finding.fix is not None and finding.fix.safe:
        result["fixes"] = [_fix(finding.fix)]
    return result


def _told(entry: Told) -> list[str]:
    packet = entry.finding.witness
    sentence, *advice = map(visible, entry.lines)
    return [sentence, *([f"for example: {visible(describe(packet))}"] if packet else []), *advice]


def _text(text: str) -> str:
    """What is in brackets would be a link (3.11.6 of the standard)."""
    return _BRACKETS.sub(r"\\\1", text)


def _related(number: int, label: Label) -> dict[str, object]:
    return {
        "id": number,
        "physicalLocation": _place(label.span),
        "message": {"text": _text(visible(label.message))},
    }


def _fix(fix: Fix) -> dict[str, object]:
    """Of each file, what is written in the place of what."""
    changes: dict[str, list[dict[str, object]]] = {}
    for edit in fix.edits:
        replacement = {"deletedRegion": _deleted(edit.span), "insertedContent": {"text": edit.text}}
        changes.setdefault(uri_of(edit.span.source.path), []).append(replacement)
    return {
        "description": {"text": _text(visible(fix.says))},
        "artifactChanges": [
            {"artifactLocation": {"uri": uri}, "replacements": each}
            for uri, each in changes.items()
        ],
    }


def _deleted(span: Span) -> dict[str, object]:
    """Where the end of a line goes as well, the region ends at the beginning of the next one."""
    end = span.source.line_of(span.end)
    column = span.end - span.source.line_starts[end - 1] + 1
    return {**_region(span), "endLine": end, "endColumn": column}


def _region(span: Span) -> dict[str, object]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": max(span.end_column, 1),
    }


def _place(span: Span) -> dict[str, object]:
    region = {**_region(span), "snippet": {"text": span.text}}
    return {"artifactLocation": {"uri": uri_of(span.source.path)}, "region": region}
