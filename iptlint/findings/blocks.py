"""Lines one below the other that are refused at their first words: a piece of other text, and one
mistake. A line whose first word is right has a mistake of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from iptlint.findings.finding import Finding

_UNREAD = "IPT001"
_LINES = 3
"""Of fewer lines each may have a fault of its own."""


def as_blocks(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings about one source, those of a block alike."""
    unread: list[Finding] = []
    for finding in findings:
        if _is_of_a_block(finding):
            unread.append(finding)
        else:
            yield finding
    unread.sort(key=lambda each: each.span.start)
    for _, block in groupby(unread, _Counted()):
        yield from _alike([*block])


class _Counted:
    """Gives findings the number of their block, as they come in order."""

    def __init__(self) -> None:
        self._number, self._last = 0, ("", 0)

    def __call__(self, finding: Finding) -> int:
        place = finding.span.source.path, finding.span.line
        if place[0] != self._last[0] or place[1] > self._last[1] + 1:
            self._number += 1
        self._last = place
        return self._number


def _alike(block: list[Finding]) -> Iterator[Finding]:
    lines = {finding.span.line for finding in block}
    if len(lines) < _LINES:
        yield from block
    else:
        yield from (replace(finding, likeness=block[0].likeness) for finding in block)


def _is_of_a_block(finding: Finding) -> bool:
    if finding.code != _UNREAD or finding.fix is not None or not finding.likeness:
        return False
    source, line = finding.span.source, finding.span.line
    before = source.text[source.line_starts[line - 1] : finding.span.start]
    return not before.strip()
