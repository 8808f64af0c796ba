"""Findings, as an editor shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from lsprotocol import types as lsp

from iptlint.dialects.detect import SCRIPT
from iptlint.editor.desk import Seen
from iptlint.findings import Confidence, Finding, Severity
from iptlint.linter.report import Report
from iptlint.packets.describe.lists import listed
from iptlint.policy.tests import PolicyError
from iptlint.reports.safe import visible
from iptlint.reports.witness import describe

SOURCE = "iptlint"

_SEVERITIES = {
    Severity.ERROR: lsp.DiagnosticSeverity.Error,
    Severity.WARNING: lsp.DiagnosticSeverity.Warning,
    Severity.INFO: lsp.DiagnosticSeverity.Information,
}
_WITHOUT_EFFECT = ("IPT101", "IPT102", "IPT103", "IPT104", "IPT105", "IPT106", "IPT109", "IPT902")
"""What these find does nothing: editors show it grey."""
_NO_FIREWALL = "IPT008"


def first_look(seen: Seen) -> list[lsp.Diagnostic]:
    """What reading and loading alone tell of the document."""
    if seen.document.is_policy:
        return [*_problems(seen)]
    return [*_shown(seen, seen.host.first_look(seen.state))]


def full_look(seen: Seen) -> list[lsp.Diagnostic]:
    """What all rules find in the document; of policy tests, those that fail."""
    if seen.document.is_policy:
        problems = [*_problems(seen)]
        return problems or [diagnostic(seen, each) for each in seen.failures()]
    return [*_shown(seen, seen.report)]


def refusal(message: str) -> lsp.Diagnostic:
    """Why nothing was looked at."""
    start = lsp.Position(0, 0)
    severity = lsp.DiagnosticSeverity.Error
    return lsp.Diagnostic(lsp.Range(start, start), visible(message), severity, source=SOURCE)


def _problems(seen: Seen) -> Iterator[lsp.Diagnostic]:
    """What is wrong with a file of policy tests."""
    try:
        _ = seen.policy
    except PolicyError as error:
        for problem in error.problems:
            text = refusal(problem.message)
            text.range = seen.lines.of(problem.span)
            yield text


def _shown(seen: Seen, report: Report) -> Iterator[lsp.Diagnostic]:
    for finding in report.findings:
        if seen.is_here(finding.span) and not _is_plain_script(report, finding):
            yield diagnostic(seen, finding)
    yield from _elsewhere(seen, report.findings)


def _is_plain_script(report: Report, finding: Finding) -> bool:
    """Nobody wants to hear of each shell script that it is no firewall."""
    return finding.code == _NO_FIREWALL and report.files[0].dialect == SCRIPT


def diagnostic(seen: Seen, finding: Finding) -> lsp.Diagnostic:
    sentences = [finding.message]
    if finding.confidence is Confidence.POSSIBLE:
        sentences.append("possible, not certain")
    if finding.witness is not None:
        sentences.append(f"witness: {describe(finding.witness)}")
    sentences += finding.to_do
    faded = finding.code in _WITHOUT_EFFECT
    return lsp.Diagnostic(
        seen.lines.of(finding.span),
        "\n".join(map(visible, sentences)),
        _SEVERITIES[finding.severity],
        finding.code,
        lsp.CodeDescription(finding.url),
        SOURCE,
        [lsp.DiagnosticTag.Unnecessary] if faded else None,
        [*_related(seen, finding)],
    )


def _related(seen: Seen, finding: Finding) -> Iterator[lsp.DiagnosticRelatedInformation]:
    for label in finding.related:
        source = label.span.source
        lines = seen.lines if seen.is_here(label.span) else seen.lines_of(source)
        place = lsp.Location(seen.uri(source.path), lines.of(label.span))
        yield lsp.DiagnosticRelatedInformation(place, visible(label.message))


def _elsewhere(seen: Seen, findings: Sequence[Finding]) -> Iterator[lsp.Diagnostic]:
    """That there is more to tell of files that this one includes; those that are judged with it
    tell of themselves."""
    named = {source.path for source in seen.host.sources}
    paths = Counter(each.span.source.path for each in findings)
    for path, number in paths.items():
        if path in named:
            continue
        codes = listed(sorted({f.code for f in findings if f.span.source.path == path}))
        noun = "finding is" if number == 1 else "findings are"
        text = refusal(f"{number} {noun} in {path}, which this file leads to: {codes}")
        text.severity = lsp.DiagnosticSeverity.Information
        yield text
