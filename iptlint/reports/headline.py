"""A finding in one line."""

from __future__ import annotations

from iptlint.findings import Confidence, Finding
from iptlint.rules.registry import names


def head(finding: Finding) -> str:
    """``rules.v4:19:1: error IPT101 shadowed-rule: this DROP never happens …``"""
    span, name = finding.span, names().get(finding.code, "")
    possible = " (possible)" if finding.confidence is Confidence.POSSIBLE else ""
    place = f"{span.source.path}:{span.line}:{span.column}"
    what = f"{finding.severity.value} {finding.code} {name}{possible}"
    return f"{place}: {what}: {finding.message}"
