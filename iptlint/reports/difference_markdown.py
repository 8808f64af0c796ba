"""What ``diff`` answers as a comment on a pull request: what is newly allowed comes first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from iptlint.analysis.diff import Difference
from iptlint.analysis.divergence import Divergence
from iptlint.findings.phrases import counted
from iptlint.reports import markup
from iptlint.reports.difference import assumptions, change_lines, verdict_on

MARK = "<!-- iptlint diff -->"
"""By which who posts a comment finds the last one."""

_MOST = 20

_SECTIONS: Mapping[str, Callable[[bool, bool], bool]] = {
    "Newly allowed": lambda was, becomes: becomes and not was,
    "No longer allowed": lambda was, becomes: was and not becomes,
    "Allowed or denied as before, in another way": lambda was, becomes: was == becomes,
}
"""Of whether packets were allowed, and whether they are."""


def diff_markdown(difference: Difference, *, everything: bool = False) -> str:
    """``everything``: not the largest differences of a kind only."""
    families = " and ".join(family.value for family in difference.families)
    heading = f"### iptlint diff: {verdict_on(difference)} (compared: {families})"
    sections = [
        _section(title, [c for c in difference.changes if belongs(*_allowed(c))], difference, most)
        for title, belongs in _SECTIONS.items()
        for most in [None if everything else _MOST]
    ]
    assumed = [markup.text(line) for line in assumptions(difference)]
    return "\n\n".join([MARK, heading, *filter(None, sections), *assumed]) + "\n"


def _allowed(change: Divergence) -> tuple[bool, bool]:
    return not change.old.kind.denies, not change.new.kind.denies


def _section(
    title: str, changes: list[Divergence], difference: Difference, most: int | None
) -> str:
    if not changes:
        return ""
    shown = changes[:most]
    points = [f"- {'<br>'.join(_parts(difference, change))}" for change in shown]
    if left := len(changes) - len(shown):
        points.append(f"\n+{counted(left, 'smaller difference')}")
    return "\n".join([f"#### {title}", "", *points])


def _parts(difference: Difference, change: Divergence) -> Iterator[str]:
    what, *more = change_lines(difference, change)
    yield f"**{markup.text(what)}**"
    yield from (markup.text(line.strip()) for line in more)
