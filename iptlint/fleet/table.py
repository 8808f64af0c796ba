"""The columns of a fleet's table, the same in every format, and the sentences below it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from iptlint.fleet.answers import Answers, Drift, Match
from iptlint.fleet.rows import Row
from iptlint.fleet.summary import ACCESSES, Kind, Summary
from iptlint.reports.summary import count


@dataclass(frozen=True, slots=True)
class Column:
    """``width`` on a terminal; a number stands to the right."""

    title: str
    width: int
    of: Callable[[Answers], str]
    number: bool = True


@dataclass(frozen=True, slots=True)
class AskedColumns:
    """What was asked of each host: which columns there are."""

    golden: str = ""
    since: str = ""
    tests: str = ""
    items: bool = False

    def columns(self) -> tuple[Column, ...]:
        compared = bool(self.golden), bool(self.since)
        asked = (*_ALWAYS, *compared, bool(self.tests), self.items)
        return tuple(c for c, wanted in zip(_COLUMNS, asked, strict=True) if wanted)


def _drift(drift: Drift | None) -> str:
    return "" if drift is None else drift.match.value


_ALWAYS = (True, True, True, True)
_COLUMNS = (
    Column("rules", 6, lambda a: str(a.rules)),
    Column("err", 4, lambda a: str(a.count("error"))),
    Column("warn", 5, lambda a: str(a.count("warning"))),
    Column("info", 5, lambda a: str(a.count("info"))),
    Column("golden", 8, lambda a: _drift(a.golden), number=False),
    Column("since", 8, lambda a: _drift(a.since), number=False),
    Column("failed", 7, lambda a: str(a.failing)),
    Column("CIS fail", 8, lambda a: str(a.verdicts("fail"))),
)


def notes(row: Row) -> str:
    """What else is to be said of a host in its row."""
    if row.answers is None:
        return f"not looked at: {row.why}"
    said = [f"as {row.like}"] if row.like else []
    if not row.answers.known:
        said.append("its rules could not all be read")
    elif not row.answers.rules:
        said.append("it has no rules: all is let in that no policy drops")
    if row.answers.unfinished:
        said.append("not everything was looked at (IPT009, IPT010)")
    return "; ".join(said)


def closing(summary: Summary) -> str:
    """``1000 hosts looked at, 988 of them like another one; 3 errors, 2 warnings, no info; …``"""
    each = [count(summary.severities[s], s) for s in ("error", "warning", "info")]
    looked = summary.hosts - summary.missed
    alike = looked - summary.different
    like = f", {alike} of them like another one" if alike else ""
    parts = [f"{count(looked, 'host')} looked at{like}"]
    parts.append(", ".join(each))
    if summary.missed:
        parts.append(f"{count(summary.missed, 'host')} not looked at")
    if summary.unknown:
        parts.append(f"of {summary.unknown} the rules could not all be read")
    if summary.unfinished:
        parts.append(f"of {summary.unfinished} not everything was looked at (IPT009, IPT010)")
    return "; ".join(parts)


def tests(summary: Summary) -> Iterator[tuple[str, str, str, str]]:
    """Each policy test: hosts that fail, hosts that it is for, the test, and who fails, with the
    reason of the first one."""
    for test, each in summary.tests.items():
        why = f": {each.message}" if each.message else ""
        where = f"{_few(each.names, each.failing)}{why}" if each.failing else ""
        yield str(each.failing), str(each.hosts), test, where


def matrix(summary: Summary) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Each zone and service: of how many hosts yes, limited, some, no."""
    for (zone, service), counted in summary.matrix.items():
        yield zone, service, tuple(str(counted[access]) for access in ACCESSES)


def gone(summary: Summary) -> Iterator[str]:
    if summary.gone:
        yield f"there before, and not now: {_few(summary.gone, len(summary.gone))}"


def kinds(summary: Summary, asked: AskedColumns) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each way to differ: who does, and the lines that say how. The commonest first."""
    for (title, _), kind in sorted(summary.kinds.items(), key=lambda each: -each[1].hosts):
        what = f"the golden host {asked.golden}" if title == "golden" else asked.since
        yield f"{_HOW[kind.drift.match]} {what}: {_few(kind.names, kind.hosts)}", _lines(kind)
    if summary.more_kinds:
        yield f"{count(summary.more_kinds, 'host')} more differ in other ways", ()


_HOW = {
    Match.DIFFERENT: "differ from",
    Match.MAYBE: "perhaps differ from",
    Match.UNKNOWN: "not compared with",
    Match.NEW: "not in",
}


def _lines(kind: Kind) -> tuple[str, ...]:
    drift = kind.drift
    if drift.why:
        return (drift.why,)
    left = drift.number - len(drift.changes)
    return (*drift.changes, *([f"and {count(left, 'more change')}"] if left > 0 else []))


def _few(names: Sequence[str], number: int) -> str:
    shown = names[:5]
    left = number - len(shown)
    return ", ".join((*shown, *([f"{left} more"] if left > 0 else [])))
