"""The page: its parts in their order, and what of a report each of them shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from iptlint import __version__
from iptlint.analysis.graph import Graph, graph
from iptlint.analysis.overview import Overview
from iptlint.findings import Finding, Severity
from iptlint.linter.report import Report
from iptlint.policy.matrix import Matrix
from iptlint.reports.graph.svg import inline_svg
from iptlint.reports.html.about_host import NOTHING, AboutHost
from iptlint.reports.html.asked import prefixed, questions
from iptlint.reports.html.environment import plain, rendered
from iptlint.reports.html.findings import FindingView, finding_views
from iptlint.reports.html.first_screen import HostView, host_name, host_view, unprotected
from iptlint.reports.html.reachability import matrix_of_host, matrix_view
from iptlint.reports.html.sources import Place, Sources
from iptlint.reports.summary import summary
from iptlint.reports.told import told, worst_first
from iptlint.rules.registry import rule_of

_FIRST_STEPS = 3
_MOST_NODES = 200
_DOCUMENTED = ("What it does", "Why it matters", "Fix", "When it is wrong")


@dataclass(frozen=True, slots=True)
class ItemView:
    """An item of a benchmark."""

    ids: str
    title: str
    verdict: str
    reason: str
    place: Place | None


@dataclass(frozen=True, slots=True)
class CodeView:
    """What a code of a finding means."""

    code: str
    name: str
    url: str
    sections: tuple[tuple[str, str], ...]


def html_report(report: Report, about: AboutHost = NOTHING) -> str:
    """One file that needs no other."""
    ranked = worst_first(told(report))
    findings = [each.finding for each in ranked]
    overviews = [overview for host in report.overviews for overview in host]
    sources = Sources(overviews, findings)
    matrices = [matrix_of_host(host_name(host), host) for host in report.overviews]
    hosts = [*_hosts(report, findings, sources, matrices)]
    first = hosts or ([unprotected(about.name)] if about.unprotected else [])
    views = finding_views(ranked, report.items or (), sources)
    pictures = [*map(_picture, report.overviews)]
    asked = questions(report.overviews, sources, pictures)
    items = [*_items(report, sources)]
    return rendered(
        "page.html",
        script="report.js",
        title=about.name or _title(report),
        version=__version__,
        summary=summary(report),
        hosts=first,
        first_steps=_first_steps(views),
        findings=views,
        counts=_counts(findings),
        groups=[*dict.fromkeys(view.group for view in views)],
        asked=plain(asked),
        has_answers=bool(asked["answers"]),
        pictures=[*_drawn([host.name for host in hosts], pictures)],
        matrices=[
            matrix_view(view.name, matrix)
            for view, matrix in zip(hosts, matrices, strict=True)
            if matrix is not None
        ],
        items=None if report.items is None else items,
        verdicts=Counter(item.verdict for item in items),
        codes=[*_codes(findings)],
        about=about,
        not_looked_at=[*_not_looked_at(report, first)],
        files=report.files,
        sources=sources.shown(),
    )


def _hosts(
    report: Report,
    findings: Sequence[Finding],
    sources: Sources,
    matrices: Sequence[Matrix | str | None],
) -> Iterator[HostView]:
    for host, matrix in zip(report.overviews, matrices, strict=True):
        yield host_view(host, _of(host, findings), sources, matrix)


def _picture(host: Sequence[Overview]) -> Graph | None:
    """None where there would be nothing to see, or nobody could read it."""
    drawn = graph([overview.ruleset for overview in host])
    return drawn if 1 < len(drawn.nodes) <= _MOST_NODES else None


def _drawn(names: Sequence[str], pictures: Sequence[Graph | None]) -> Iterator[tuple[str, Markup]]:
    """With the name of each host that has a picture."""
    for number, (name, picture) in enumerate(zip(names, pictures, strict=True)):
        if picture is not None:
            yield name, Markup(inline_svg(picture, prefixed(number), f"The chains of {name}"))


def _title(report: Report) -> str:
    paths = [file.path for file in report.files]
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return f"{paths[0]}{more}" if paths else "no file"


def _of(host: Sequence[Overview], findings: Sequence[Finding]) -> list[Finding]:
    paths = {overview.ruleset.source.path for overview in host}
    return [finding for finding in findings if finding.span.source.path in paths]


def _first_steps(views: Sequence[FindingView]) -> list[FindingView]:
    """The gravest, one for each code."""
    grave = [view for view in views if view.severity != Severity.INFO.value]
    first = {view.code: view for view in reversed(grave)}
    return [view for view in grave if first[view.code] is view][:_FIRST_STEPS]


def _counts(findings: Sequence[Finding]) -> list[tuple[str, int]]:
    counted = Counter(finding.severity for finding in findings)
    return [(severity.value, counted[severity]) for severity in Severity]


def _items(report: Report, sources: Sources) -> Iterator[ItemView]:
    for judged in report.items or ():
        span = judged.answer.span
        yield ItemView(
            "; ".join(str(asked) for asked in judged.ids),
            judged.item.title + " (left to people)" * judged.item.manual,
            judged.answer.verdict.value,
            judged.answer.reason,
            sources.place(span) if span is not None else None,
        )


def _codes(findings: Sequence[Finding]) -> Iterator[CodeView]:
    for code in sorted({finding.code for finding in findings}):
        rule = rule_of(code)
        known = rule.sections
        shown = tuple((head, known[head].strip()) for head in _DOCUMENTED if known.get(head))
        yield CodeView(code, rule.meta.name, rule.url, shown)


def _not_looked_at(report: Report, hosts: Sequence[HostView]) -> Iterator[str]:
    for file in report.files:
        yield from (f"{file.path}: {note}" for note in file.notes)
        if file.opaque:
            tests = "test is" if file.opaque == 1 else "tests are"
            yield (
                f"{file.path}: {file.opaque} {tests} of extensions that iptlint does not know; "
                "each may hold or not."
            )
    if report.suppressed:
        yield f"{report.suppressed} findings are suppressed by comments or a baseline."
    if report.crashed:
        yield "A part of iptlint failed (IPT009); what it looks at was not looked at."
    if not hosts:
        yield "Where packets go: this report is about findings alone."
    yield "Programs, routes, cables and other firewalls before this host: only rules were read."
