"""What became of policy tests, for people and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import click

from iptlint.findings.finding import place_of
from iptlint.findings.fingerprint import fingerprints
from iptlint.findings.phrases import counted
from iptlint.model import IP_VERSIONS
from iptlint.policy.findings import findings
from iptlint.policy.results import Result, Status
from iptlint.policy.tests import PolicyTest
from iptlint.reports.formats import PLAIN, Look
from iptlint.reports.json_report import VERSION, dumps
from iptlint.reports.places import place
from iptlint.reports.safe import visible, wrapped
from iptlint.reports.witness import as_json, describe
from iptlint.reports.xml import Element, document

_GUTTER = 8
_WORDS = {
    Status.HOLDS: ("ok", "green"),
    Status.FAILS: ("FAILED", "red"),
    Status.POSSIBLE: ("DEPENDS", "yellow"),
    Status.UNPROVED: ("UNKNOWN", "yellow"),
}
_GRAVITY = (Status.FAILS, Status.UNPROVED, Status.POSSIBLE, Status.HOLDS)


@dataclass(frozen=True, slots=True)
class Told:
    """The results of one test on one host, one for each family. ``known``: what does not pass is
    in a baseline."""

    test: PolicyTest
    host: str
    results: tuple[Result, ...]
    known: bool = False

    @property
    def passes(self) -> bool:
        return all(result.passes for result in self.results)

    @property
    def worst(self) -> Result:
        return min(self.results, key=lambda r: (r.passes, _GRAVITY.index(r.status)))


def told(results: Sequence[Result], hidden: Sequence[str] = ()) -> list[Told]:
    """``hidden``: the fingerprints of failures that a baseline hides."""
    hosts = {result.host for result in results}
    marks = fingerprints([*findings(results, several_hosts=len(hosts) > 1)])
    mark_of = dict(zip((r for r in results if not r.passes), marks, strict=True))
    lines = []
    for (host, test), several in groupby(results, key=lambda r: (r.host, r.test)):
        each = tuple(several)
        open_ = [r for r in each if not r.passes and mark_of[r] not in hidden]
        lines.append(Told(test, host, each, not open_ and not all(r.passes for r in each)))
    return lines


# -- for people -------------------------------------------------------------------------------


def policy_text(each: Sequence[Told], look: Look = PLAIN, notes: Sequence[str] = ()) -> str:
    """A line for each test, what is behind a failure below it, and a line that counts."""
    several = len({one.host for one in each}) > 1
    lines: list[str] = []
    for host, tests in groupby(each, key=lambda one: one.host):
        if several:
            lines += [*([""] if lines else []), *wrapped(f"{host}:", look.columns)]
        for one in tests:
            if not (look.quiet and (one.passes or one.known)):
                lines += _block(one, look)
    if not look.quiet:
        lines += ["", *wrapped(_count(each), look.columns)]
        lines += (line for note in notes for line in wrapped(note, look.columns))
    return "".join(f"{line}\n" for line in lines)


def _block(one: Told, look: Look) -> Iterator[str]:
    word, colour = _word(one)
    indent = " " * _GUTTER
    first, *rest = wrapped(one.test.sentence, look.columns - _GUTTER)
    painted = click.style(word, fg=colour, bold=colour == "red") if look.colour else word
    yield f"{painted}{' ' * (_GUTTER - len(word))}{first}"
    yield from (f"{indent}{line}" for line in rest)
    for text in _notes(one):
        first, *rest = wrapped(text, look.columns - _GUTTER, "  ")
        yield f"{indent}{first}"
        yield from (f"{indent}{line}" for line in rest)


def _word(one: Told) -> tuple[str, str]:
    if one.known:
        return "known", "yellow"
    return ("ok", "green") if one.passes else _WORDS[one.worst.status]


def _notes(one: Told) -> Iterator[str]:
    if one.test.note and not one.passes:
        yield one.test.note
    if one.known:
        return
    told_before: set[str] = set()
    for result in one.results:
        version = IP_VERSIONS[result.family] if result.family else ""
        if result.passes:
            said = f"over {version}: {result.message}" if version else result.message
            if result.message:
                yield result.message if result.message.startswith("over ") else said
            continue
        yield result.message
        yield from _evidence(result, told_before)


def _evidence(result: Result, told_before: set[str]) -> Iterator[str]:
    if result.witness is not None:
        yield f"for example: {describe(result.witness)}"
    if result.decision is not None and result.decision.rule is not None:
        yield f"  {' '.join(result.decision.span.text.split())}"
    if result.change is not None:
        yield f"least change: {result.change.says}"
        yield from (f"  but then fails: {broken}" for broken in result.change.breaks)
    if result.help and result.help not in told_before:
        told_before.add(result.help)
        yield f"help: {result.help}"


def _count(each: Sequence[Told]) -> str:
    hosts = len({one.host for one in each})
    on = f" on {counted(hosts, 'host')}" if hosts > 1 else ""
    failing = sum(not one.passes and not one.known for one in each)
    known = sum(one.known for one in each)
    hidden = f", {known} known" if known else ""
    holding = len(each) - failing - known
    return f"{counted(len(each), 'test')}{on}: {holding} hold{hidden}, {failing} fail"


# -- for programs -----------------------------------------------------------------------------


def policy_json(each: Sequence[Told], notes: Sequence[str] = ()) -> str:
    """A result for each test, host and family."""
    results = [(one, result) for one in each for result in one.results]
    counts = Counter(result.status for _, result in results)
    return dumps(
        {
            "version": VERSION,
            "results": [_result_json(one, result) for one, result in results],
            "notes": [*notes],
            "summary": {
                **{status.value: counts[status] for status in Status},
                "passed": sum(one.passes for one in each),
                "failed": sum(not one.passes and not one.known for one in each),
                "known": sum(one.known for one in each),
            },
        }
    )


def _result_json(one: Told, result: Result) -> dict[str, object]:
    change = result.change
    return {
        "test": one.test.sentence,
        "note": one.test.note or None,
        **place_of(one.test.span),
        "host": one.host,
        "family": result.family.value if result.family else None,
        "status": result.status.value,
        "passes": result.passes,
        "known": one.known,
        "message": result.message or None,
        "way": result.way.value if result.way else None,
        "witness": as_json(result.witness),
        "decided_by": place(result.decision),
        "change": {"says": change.says, "breaks": [*change.breaks]} if change else None,
        "help": result.help or None,
    }


def policy_junit(each: Sequence[Told]) -> str:
    """A suite for each host, a case for each test."""
    suites = [_suite(host, [*tests]) for host, tests in groupby(each, key=lambda one: one.host)]
    failing = sum(map(_is_failure, each))
    counts = {"tests": len(each), "failures": failing, "errors": 0}
    return document(Element("testsuites", {"name": "iptlint test", **counts}, tuple(suites)))


def _is_failure(one: Told) -> bool:
    return not one.passes and not one.known


def _suite(host: str, each: Sequence[Told]) -> Element:
    failing = sum(map(_is_failure, each))
    counts = {"tests": len(each), "failures": failing, "errors": 0, "skipped": 0}
    return Element("testsuite", {"name": host, **counts}, tuple(map(_case, each)))


def _case(one: Told) -> Element:
    span = one.test.span
    attributes: dict[str, str | int] = {
        "name": one.test.sentence,
        "classname": span.source.path,
        "file": span.source.path,
        "line": span.line,
        "time": 0,
    }
    text = "\n".join(visible(note) for note in _notes(one))
    if not _is_failure(one):
        return Element("testcase", attributes, (Element("system-out", text=text),) if text else ())
    failure = {"message": visible(one.worst.message), "type": one.worst.status.value}
    return Element("testcase", attributes, (Element("failure", failure, text=text),))
