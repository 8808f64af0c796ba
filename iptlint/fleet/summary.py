"""What the rows of a fleet say together. It does not grow with the number of hosts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from iptlint.fleet.answers import Answers, Drift, Match
from iptlint.fleet.rows import Row

_MOST_KINDS = 50
"""Different ways to differ that are told; what more there are is counted."""
_MOST_NAMES = 5
_MOST_CELLS = 400
"""Of the matrix; each host may name zones of its own."""

ACCESSES = ("yes", "limited", "some", "no")
"""What one family of a host lets in is told of the host: the most first."""


@dataclass(slots=True)
class Code:
    """A lint rule in the fleet: ``hosts`` that have a finding of it, and ``findings`` of all."""

    name: str
    severity: str
    hosts: int = 0
    findings: int = 0


@dataclass(slots=True)
class Kind:
    """One way to differ: ``names``, the first hosts of so many that do."""

    drift: Drift
    hosts: int = 0
    names: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ItemCount:
    """``verdicts``: how many hosts have which."""

    ids: tuple[str, ...]
    verdicts: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class TestCount:
    """A policy test: ``hosts`` that it is for, ``names`` of the first of the ``failing``, and the
    ``message`` of the very first."""

    hosts: int = 0
    failing: int = 0
    message: str = ""
    names: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Summary:
    """``unknown``: hosts whose running rules could not all be read; ``missed``: those that could
    not be looked at; ``gone``: those of an earlier day that are not there now."""

    hosts: int = 0
    missed: int = 0
    unknown: int = 0
    unfinished: int = 0
    different: int = 0
    gone: tuple[str, ...] = ()
    severities: Counter[str] = field(default_factory=Counter)
    codes: dict[str, Code] = field(default_factory=dict)
    items: dict[str, ItemCount] = field(default_factory=dict)
    matches: dict[str, Counter[str]] = field(default_factory=dict)
    tests: dict[str, TestCount] = field(default_factory=dict)
    matrix: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    kinds: dict[tuple[str, Drift], Kind] = field(default_factory=dict)
    more_kinds: int = 0

    def add(self, row: Row) -> None:
        self.hosts += 1
        if row.answers is None:
            self.missed += 1
            return
        answers = row.answers
        self.unknown += not answers.known
        self.unfinished += answers.unfinished
        self._add_findings(answers)
        for item in answers.items or ():
            counted = self.items.setdefault(item.title, ItemCount(item.ids))
            counted.verdicts[item.verdict] += 1
        self._add_policy(row.name, answers)
        for title, drift in drifts(answers):
            self.matches.setdefault(title, Counter())[drift.match.value] += 1
            if drift.match is not Match.SAME:
                self._add_kind(title, drift, row.name)

    def _add_findings(self, answers: Answers) -> None:
        for code, number in Counter(finding.code for finding in answers.findings).items():
            first = next(finding for finding in answers.findings if finding.code == code)
            counted = self.codes.setdefault(code, Code(first.name, first.severity))
            counted.hosts += 1
            counted.findings += number
        self.severities.update(finding.severity for finding in answers.findings)

    def _add_policy(self, name: str, answers: Answers) -> None:
        tests = answers.tests or ()
        failing = {tested.test: tested.message for tested in reversed(tests) if not tested.passes}
        for test in dict.fromkeys(tested.test for tested in tests):
            counted = self.tests.setdefault(test, TestCount())
            counted.hosts += 1
            if test in failing:
                counted.failing += 1
                counted.message = counted.message or failing[test]
                if len(counted.names) < _MOST_NAMES:
                    counted.names.append(name)
        most = dict[tuple[str, str], str]()
        for reached in answers.matrix or ():
            key = reached.zone, reached.service
            most[key] = min(reached.access, most.get(key, "no"), key=ACCESSES.index)
        for key, access in most.items():
            if key in self.matrix or len(self.matrix) < _MOST_CELLS:
                self.matrix.setdefault(key, Counter())[access] += 1

    def _add_kind(self, title: str, drift: Drift, name: str) -> None:
        key = title, drift
        if key not in self.kinds and len(self.kinds) >= _MOST_KINDS:
            self.more_kinds += 1
            return
        kind = self.kinds.setdefault(key, Kind(drift))
        kind.hosts += 1
        if len(kind.names) < _MOST_NAMES:
            kind.names.append(name)

    @property
    def differing(self) -> int:
        """How often rules surely or perhaps differ from what they were compared with."""
        words = (Match.DIFFERENT.value, Match.MAYBE.value)
        return sum(counted[word] for counted in self.matches.values() for word in words)

    @property
    def failing_tests(self) -> int:
        """How many tests fail on some host."""
        return sum(test.failing > 0 for test in self.tests.values())

    @property
    def failing_items(self) -> int:
        return sum(item.verdicts["fail"] > 0 for item in self.items.values())


def drifts(answers: Answers) -> Iterator[tuple[str, Drift]]:
    """What the host was compared with, in a word, and how it came out."""
    for title, drift in (("golden", answers.golden), ("since", answers.since)):
        if drift is not None:
            yield title, drift
