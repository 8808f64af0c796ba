"""Looks at one host, with everything that was asked about a fleet."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256

from iptlint.analysis.diff import difference
from iptlint.analysis.drift import as_written, comparable
from iptlint.fleet import answers
from iptlint.fleet.answers import Answers, Drift, Found, Item, Match
from iptlint.fleet.likeness import Capture
from iptlint.fleet.policy import Policy
from iptlint.host.examine import Examined, examine
from iptlint.host.gathered import Gathered
from iptlint.host.linted import Wanted, lint_examined
from iptlint.linter.budget import OverBudgetError, Watch
from iptlint.linter.report import Report
from iptlint.model import Ruleset
from iptlint.model.host_addresses import known_of
from iptlint.reports.difference import change_line
from iptlint.rules.registry import names
from iptlint.workers import DiedError

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Task:
    """A host, and how it was before, where that is asked for and known; ``unreadable``: why it is
    not, though it was there. ``name``: what the host is called among the others."""

    name: str
    host: Gathered
    before: Gathered | None = None
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class Judge:
    """``golden``: the host that the others are compared with; ``since``: whether they are compared
    with themselves, before."""

    wanted: Wanted
    golden: Capture | None = None
    since: bool = False
    policy: Policy = field(default_factory=Policy)
    _known: dict[str, Ruleset | None] = field(default_factory=dict, compare=False, repr=False)

    def key(self, name: str, host: Capture, before: Capture | None, unreadable: str = "") -> str:
        """The same for hosts of which the same is found."""
        golden = self.golden.key if self.golden else ""
        earlier = before.key if before else unreadable
        policy = self.policy.key(name)
        parts = (self.wanted, self.since, policy, host.key, golden, earlier)
        return sha256(repr(parts).encode()).hexdigest()

    def work(self, task: bytes) -> bytes:
        """The same for another process: a ``Task`` that was pickled, and answers as written."""
        return answers.written(self.judge(pickle.loads(task)))

    def judge(self, task: Task) -> Answers:
        budget = self.wanted.budget
        try:
            with Watch(budget, 1) as watch, watch.over("reading", whole=True):
                examined = examine(task.host)
        except OverBudgetError as error:
            raise DiedError(f"{error} was not enough to read it") from None
        report = lint_examined(examined, self.wanted)
        rules = _rules(examined)
        return Answers(
            sum(file.rules for file in report.files[: len(examined.host.sources)]),
            rules is not None,
            tuple(_found(report)),
            report.suppressed,
            None if report.items is None else tuple(_items(report)),
            self._compared(examined, self._golden_rules) if self.golden is not None else None,
            self._since(examined, task) if self.since else None,
            self.policy.tests(task.name, rules, examined.host, budget),
            self.policy.reached(task.name, rules, examined.host, budget),
            tuple(f"{each.what}: {each.why}" for each in examined.host.unread),
            report.unfinished or report.crashed,
        )

    def _since(self, examined: Examined, task: Task) -> Drift:
        if task.unreadable:
            return Drift(Match.UNKNOWN, why=task.unreadable)
        if task.before is None:
            return Drift(Match.NEW)
        return self._compared(examined, lambda: _rules_of(task.before))

    def _golden_rules(self) -> Ruleset | None:
        assert self.golden is not None
        if self.golden.key not in self._known:
            self._known[self.golden.key] = _rules_of(self.golden.gathered)
        return self._known[self.golden.key]

    def _compared(self, now: Examined, before: Callable[[], Ruleset | None]) -> Drift:
        rules = _rules(now)
        if rules is None:
            return Drift(Match.UNKNOWN, why="its rules could not all be read")
        try:
            with Watch(self.wanted.budget, 1) as watch, watch.over("comparing", whole=True):
                then = before()
                if then is None:
                    return Drift(Match.UNKNOWN, why="the other's rules could not all be read")
                return _drift(then, rules, now)
        except OverBudgetError as error:
            return Drift(Match.UNKNOWN, why=f"{error} was not enough to compare")
        except MemoryError:
            return Drift(Match.UNKNOWN, why="the memory was not enough to compare")


def _drift(old: Ruleset, new: Ruleset, host: Examined) -> Drift:
    then, now = comparable(old, new)
    if as_written(then) == as_written(now):
        return Drift(Match.SAME)
    compared = difference(then, now, addresses=known_of(host.host.facts))
    if compared.equivalent and compared.certain:
        return Drift(Match.SAME)
    lines = [
        _of_itself(change_line(compared, change), host) for change in compared.changes[:_SHOWN]
    ]
    sure = any(change.certain for change in compared.changes)
    match = Match.DIFFERENT if sure else Match.MAYBE
    return Drift(match, len(compared.changes), tuple(lines))


def _of_itself(line: str, host: Examined) -> str:
    """With words in the place of the host's own addresses: hosts that differ in the same way say
    so in the same words."""
    own = {str(a.address.ip): a.interface for a in host.host.facts.addresses or ()}
    return answers.renamed(
        line,
        [address for address, name in own.items() if name != "lo"],
        [f"its address on {name}" for name in own.values() if name != "lo"],
    )


def _rules(examined: Examined) -> Ruleset | None:
    """All rules of the host: those that run, or, of a root file system, those it loads."""
    host = examined.host
    return host.running if host.live else host.saved


def _rules_of(gathered: Gathered | None) -> Ruleset | None:
    return None if gathered is None else _rules(examine(gathered))


def _found(report: Report) -> Iterator[Found]:
    for finding in report.findings:
        yield Found(
            finding.code,
            names()[finding.code],
            finding.severity.value,
            finding.confidence.value,
            finding.span.source.path,
            finding.span.line,
            finding.message,
        )


def _items(report: Report) -> Iterator[Item]:
    for judged in report.items or ():
        yield Item(
            tuple(map(str, judged.ids)),
            judged.item.title,
            judged.tool.value,
            judged.answer.verdict.value,
            judged.answer.reason,
        )
