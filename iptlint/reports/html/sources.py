"""The files as the page shows them: what is told of each line beside it, and nothing of a long file
but what is around such lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import PurePath

from iptlint.analysis.overview import Overview
from iptlint.findings import Finding
from iptlint.model import Rule
from iptlint.source import SourceFile, Span

WHOLE = 400
"""Lines of a file that is shown whole."""
MOST = 2500
"""Lines that are shown of all files together."""
_AROUND = 2
_WIDEST = 300


@dataclass(frozen=True, slots=True)
class Place:
    """``name``: of the file, without its folders where that is enough. ``anchor``: None where the
    line is not shown."""

    name: str
    line: int
    anchor: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """``marks``: of the findings there, their number, severity and code."""

    number: int
    anchor: str
    text: str
    dead: bool
    decides: str
    marks: tuple[tuple[int, str, str], ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Lines that follow each other. ``folded``: nothing is told of them. ``left_out``: they are too
    many to be shown."""

    first: int
    last: int
    lines: tuple[Line, ...]
    folded: bool = False
    left_out: bool = False


@dataclass(frozen=True, slots=True)
class ShownFile:
    path: str
    stretches: tuple[Stretch, ...]


@dataclass(slots=True)
class _Told:
    """What is told of the lines of one file."""

    number: int
    source: SourceFile
    dead: set[int] = field(default_factory=set)
    decides: dict[int, str] = field(default_factory=dict)
    marks: dict[int, list[tuple[int, str, str]]] = field(default_factory=dict)
    named: set[int] = field(default_factory=set)

    @property
    def told(self) -> set[int]:
        return {*self.decides, *self.marks, *self.named}


class Sources:
    """Collects which lines a page speaks of; then shows those, and what is around them."""

    def __init__(self, overviews: Iterable[Overview], findings: Iterable[Finding]) -> None:
        overviews, findings = [*overviews], [*findings]
        self._files: dict[str, _Told] = {}
        self._room = MOST
        paths = {o.ruleset.source.path for o in overviews} | {f.span.source.path for f in findings}
        self._short = Counter(PurePath(path).name for path in paths)
        for overview in overviews:
            self._file(overview.ruleset.source)
            self._bury(overview)
        for number, finding in enumerate(findings, start=1):
            mark = number, finding.severity.value, finding.code
            shown = self._file(finding.span.source)
            shown.marks.setdefault(finding.span.line, []).append(mark)

    def _file(self, source: SourceFile) -> _Told:
        if source.path not in self._files:
            self._files[source.path] = _Told(len(self._files), source)
        return self._files[source.path]

    def _bury(self, overview: Overview) -> None:
        """A line is dead where all that it makes is."""
        if not overview.dead:
            return
        alive: set[tuple[str, int]] = set()
        dead: list[Span] = []
        for _, _, rule in overview.ruleset.rules():
            if rule in overview.dead:
                dead.append(rule.statement.span)
            else:
                alive.add(_line(rule))
        for span in dead:
            if (span.source.path, span.line) not in alive:
                self._file(span.source).dead.add(span.line)

    def place(self, span: Span, decides: str = "") -> Place:
        """The place of a line that is then shown. ``decides``: what it does with packets that the
        page speaks of."""
        shown, line = self._file(span.source), span.line
        known = line in shown.told or len(shown.source.line_starts) <= WHOLE
        if not known and self._room <= 0:
            return Place(self.name(span.source.path), line, None)
        self._room -= 0 if known else 2 * _AROUND + 1
        shown.named.add(line)
        if decides:
            shown.decides.setdefault(line, decides)
        return Place(self.name(span.source.path), line, _anchor(shown.number, line))

    def name(self, path: str) -> str:
        """What the file is called on the page: no other has that name."""
        short = PurePath(path).name
        return short if self._short[short] == 1 else path

    def shown(self) -> tuple[ShownFile, ...]:
        """The files in their order."""
        return tuple(
            ShownFile(shown.source.path, tuple(_stretches(shown))) for shown in self._files.values()
        )


def _line(rule: Rule) -> tuple[str, int]:
    span = rule.statement.span
    return span.source.path, span.line


def _anchor(number: int, line: int) -> str:
    return f"s{number}-{line}"


def _stretches(told: _Told) -> Iterator[Stretch]:
    last = len(told.source.line_starts)
    if last > 1 and not told.source.line_text(last):
        last -= 1  # behind the last newline
    whole = last <= WHOLE
    near = {n for line in told.told for n in range(line - _AROUND, line + _AROUND + 1)}
    if whole:
        near |= told.dead
    for is_near, numbers in groupby(range(1, last + 1), near.__contains__):
        run = [*numbers]
        shown = is_near or whole
        lines = tuple(_shown(told, number) for number in run) if shown else ()
        folded = whole and not is_near and len(run) > 2 * _AROUND and bool(near)
        yield Stretch(run[0], run[-1], lines, folded, left_out=not shown)


def _shown(told: _Told, number: int) -> Line:
    text = told.source.line_text(number)
    return Line(
        number,
        _anchor(told.number, number),
        text[:_WIDEST] + "…" * (len(text) > _WIDEST),
        number in told.dead,
        told.decides.get(number, ""),
        tuple(told.marks.get(number, ())),
    )
