"""A comment on a pull request: the worst first, and no longer than a forge takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from iptlint.linter.report import Report
from iptlint.reports import markup
from iptlint.reports.from_root import from_root
from iptlint.reports.summary import count, summary
from iptlint.reports.told import Told, told, worst_first
from iptlint.reports.witness import describe

MARK = "<!-- iptlint -->"
"""By which who posts a comment finds the last one."""

MOST = 60_000
"""Characters: GitHub takes 65,536."""
_STATEMENT = 300


def markdown_report(report: Report) -> str:
    ranked = worst_first(told(report))
    points, left = _fitting(map(_point, ranked))
    more = [f"+{count(left, 'more finding')}"] if left else []
    listed = ["".join(points)] if points else []
    return "\n".join([MARK, f"### iptlint: {summary(report)}", "", *listed, *more]).rstrip() + "\n"


def _fitting(points: Iterable[str]) -> tuple[list[str], int]:
    """Those that there is room for, and how many are left."""
    shown: list[str] = []
    left, room = 0, MOST
    for point in points:
        room -= len(point)
        if room < 0:
            left += 1
        else:
            shown.append(point)
    return shown, left


def _point(entry: Told) -> str:
    return f"- {'<br>'.join(_parts(entry))}\n"


def _parts(entry: Told) -> Iterator[str]:
    finding = entry.finding
    span = finding.span
    place = markup.code(f"{from_root(span.source.path)}:{span.line}")
    link = f"[{finding.code}]({entry.rule.url})"
    yield (
        f"**{finding.severity.value}** {link} {entry.rule.meta.name} at {place}: "
        f"{markup.text(entry.sentence)}"
    )
    if statement := span.source.line_text(span.line).strip():
        yield markup.code(statement[:_STATEMENT] + ("…" if len(statement) > _STATEMENT else ""))
    if finding.witness:
        yield f"for example: {markup.code(describe(finding.witness))}"
    yield from map(markup.text, finding.to_do)
