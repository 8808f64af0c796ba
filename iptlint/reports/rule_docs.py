"""The lint rules' documentation, generated from the rules themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tabulate import tabulate

from iptlint.benchmark.table import references
from iptlint.packets.describe.lists import listed
from iptlint.reports import benchmark
from iptlint.reports.json_report import dumps
from iptlint.rules.registry import SECTIONS, RuleModule

PEDANTIC = "pedantic"
"""Said of rules that are off unless they are selected."""


def document(rule: RuleModule) -> str:
    """One rule, in Markdown."""
    meta = rule.meta
    facts = [meta.severity.value, meta.confidence.value, f"group {meta.group.value}"]
    facts += [f"since {meta.since}", *(["fixable"] if meta.fixable else [])]
    facts += [PEDANTIC] if meta.pedantic else []
    parts = [f"# {meta.code} {meta.name}", rule.summary, f"*{', '.join(facts)}*"]
    if items := references(meta.code):
        parts.append(f"Benchmarks ask for the same: {benchmark.listed(items)}.")
    if others := (*meta.yields_to, *meta.leaves_to):
        parts.append(f"Silent where {listed(sorted(others), 'or')} reports the same.")
    parts += [f"## {title}\n\n{rule.sections[title]}" for title in SECTIONS]
    return "\n\n".join((*parts, rule.url)) + "\n"


def table(rules: Iterable[RuleModule]) -> str:
    """All rules, a line each."""
    return tabulate(_rows(rules), ("code", "name", "severity", "what it reports"), "simple") + "\n"


def markdown_table(rules: Iterable[RuleModule]) -> str:
    """The table of the README."""
    return tabulate(_rows(rules), ("Code", "Name", "Severity", "What it reports"), "pipe") + "\n"


def precedence_table(rules: Iterable[RuleModule]) -> str:
    """The table of docs/precedence.md: which rule is silent where another reports the same."""
    rows = [row for rule in rules for row in sorted(_precedence(rule))]
    return tabulate(rows, ("Silent is", "where there is", "how"), "pipe") + "\n"


_DROPPED = "dropped: both findings would have one cause"


def _precedence(rule: RuleModule) -> Iterator[tuple[str, str, str]]:
    meta = rule.meta
    for other in meta.yields_to:
        yield meta.code, other, _DROPPED
    for other, why in meta.leaves_to.items():
        yield meta.code, other, f"left out: {why}"


def _rows(rules: Iterable[RuleModule]) -> list[tuple[str, str, str, str]]:
    return [
        (
            rule.meta.code,
            rule.meta.name,
            PEDANTIC if rule.meta.pedantic else rule.meta.severity.value,
            rule.summary,
        )
        for rule in rules
    ]


def as_json(rules: Iterable[RuleModule]) -> str:
    return dumps([_json(rule) for rule in rules])


def _json(rule: RuleModule) -> dict[str, object]:
    meta = rule.meta
    return {
        "code": meta.code,
        "name": meta.name,
        "severity": meta.severity.value,
        "confidence": meta.confidence.value,
        "group": meta.group.value,
        "since": meta.since,
        "fixable": meta.fixable,
        "pedantic": meta.pedantic,
        "summary": rule.summary,
        "url": rule.url,
        "references": list(references(rule.meta.code)),
    }
