"""Failures of policy tests as findings, so that every format, and a baseline, can hold them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.policy.results import Result, Status
from iptlint.rules.registry import rule_of

CODE = "IPT609"


def findings(results: Iterable[Result], *, several_hosts: bool) -> Iterator[Finding]:
    """One for each result that is not what its test wants, at the sentence; the line that decides
    is beside it."""
    for result in results:
        if not result.passes:
            yield _finding(result, several_hosts=several_hosts)


def _finding(result: Result, *, several_hosts: bool) -> Finding:
    test = result.test
    host = f"{result.host}: " if several_hosts else ""
    decides = (Label(result.decision.span, "decides here"),) if result.decision is not None else ()
    certain = result.status is Status.FAILS
    return rule_of(CODE).meta.finding(
        test.span,
        f"{host}{test.sentence}: {result.message}",
        advice(result),
        related=decides,
        witness=result.witness,
        severity=Severity.ERROR if certain else Severity.WARNING,
        confidence=Confidence.CERTAIN if certain else Confidence.POSSIBLE,
    )


def advice(result: Result) -> str:
    """What to do, in a sentence; empty where nothing is known that would help."""
    said = [result.help] if result.help else []
    if result.change is not None:
        breaks = result.change.breaks
        broken = f" (but then this fails: {'; '.join(breaks)})" if breaks else ""
        said.append(f"the least change: {result.change.says}{broken}")
    return "; or, ".join(said)
