"""What iptables-restore does with a file: line by line, and each table when its COMMIT comes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iptlint.dialects import Diagnostic, Reading
from iptlint.loads.iptables.checks import REFUSED, UNREAD
from iptlint.loads.refusal import Load, Refusal
from iptlint.source import Span

_CHECKS = {"IPT001": UNREAD, "IPT006": REFUSED}


def judge(reading: Reading, before: Sequence[Reading]) -> Load:
    refusals = tuple(_refusals(reading))
    return Load(reading.ruleset.source, "iptables-restore", refusals, atomic=False)


def _refusals(reading: Reading) -> Iterator[Refusal]:
    for diagnostic in reading.diagnostics:
        check = _CHECKS.get(diagnostic.code)
        if check is not None and diagnostic.severity == "error":
            span = _span(reading, diagnostic)
            yield Refusal(span, check, diagnostic.message, diagnostic.help)


def _span(reading: Reading, diagnostic: Diagnostic) -> Span:
    source = diagnostic.source or reading.ruleset.source
    return Span(source, diagnostic.start, diagnostic.end)
