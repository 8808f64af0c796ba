"""What stays the same of a finding when lines move: its fingerprint."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import PurePath

from iptlint.findings.finding import Finding

LENGTH = 16
"""Hexadecimal digits: 64 bits, enough to tell the findings of one project apart."""

_COUNTERS = re.compile(r"\[\d+:\d+\]")


def fingerprints(findings: Sequence[Finding]) -> Iterator[str]:
    """One for each finding, in order.

    Made of the code, the file's base name, the statement without its counters and
    its number among equals; so neither a line added above nor a packet counted changes it.
    """
    seen: Counter[tuple[str, str, str]] = Counter()
    for finding in findings:
        key = subject(finding)
        yield sha256(
            "\0".join((*key, str(seen[key]))).encode("utf-8", "surrogatepass")
        ).hexdigest()[:LENGTH]
        seen[key] += 1


def subject(finding: Finding) -> tuple[str, str, str]:
    """What it is about, wherever that stands: code, base name of the file, statement."""
    return finding.code, PurePath(finding.span.source.path).name, _statement(finding)


def _statement(finding: Finding) -> str:
    span = finding.span
    lines = (span.source.line_text(line) for line in range(span.line, span.end_line + 1))
    return " ".join(_COUNTERS.sub("", " ".join(lines)).split())
