"""Walks every packet through a filter table: which rules can match, which decide.

Must not import iptlint. It is a plain interpreter. The values of a field are cut to *atoms*:
values that no test of the ruleset tells apart, of which one stands for all. A packet is at
first known only up to "any atom of each field"; when a rule's test has to be known, the
packet is split in those that pass it and those that do not, and each is walked anew. A walk
that needs no more splits is the same for all its packets. Uncertain tests go both ways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from tests.oracle import conntrack
from tests.oracle.generate import (
    BASE_CHAINS,
    FLAGS,
    STATES,
    Family,
    Icmp,
    Masked,
    Name,
    Opaque,
    Ports,
    RandomRuleset,
    Rule,
    State,
    Test,
    Unsure,
    Within,
)

Value = object
"""An int, a string, a Boolean, or a pair (ports; icmp type and code)."""

# --- one test on one value -------------------------------------------------------------------


def holds(test: Test, value: Value) -> bool:
    """Whether a pure test holds for the value of its field."""
    match test, value:
        case Within(), int():
            return _inside(value, test.ranges) != test.negated
        case Masked(), int():
            return (value & test.mask == test.wanted) != test.negated
        case Ports(), (int() as source, int() as destination):
            return _ports_hold(test, source, destination) != test.negated
        case Name(), str():
            return _name_holds(test.name, value) != test.negated
        case State(), str():
            return (value in test.names) != test.negated
        case Icmp(), (type_, code):
            return (type_ == test.type and test.code in (None, code)) != test.negated
        case Opaque(), bool():
            return value != test.negated
    raise TypeError(f"{test} on {value!r}")


def _inside(value: int, ranges: Iterable[tuple[int, int]]) -> bool:
    return any(low <= value <= high for low, high in ranges)


def _ports_hold(test: Ports, source: int, destination: int) -> bool:
    match test.side:
        case "source":
            return _inside(source, test.ranges)
        case "destination":
            return _inside(destination, test.ranges)
    return _inside(source, test.ranges) or _inside(destination, test.ranges)


def _name_holds(pattern: str, name: str) -> bool:
    """The absent interface has the empty name: only ``+`` holds for it."""
    if pattern.endswith("+"):
        return name.startswith(pattern[:-1])
    return name == pattern


# --- atoms -----------------------------------------------------------------------------------


def atoms_of(ruleset: RandomRuleset, hook: str) -> dict[str, list[Value]]:
    """For every field that a test reads, one value for each region the tests tell apart."""
    tests = [test for rule in ruleset.rules() for test in rule.tests if not is_unsure(test)]
    found: dict[str, list[Value]] = {}
    for name in dict.fromkeys(_field(test) for test in tests):
        mine = [test for test in tests if _field(test) == name]
        found[name] = _one_of_each(mine, _candidates(name, mine, hook, ruleset.family))
        if name in conntrack.KIND:
            kind = conntrack.KIND[name]
            found[name] = _one_of_each(mine, _tracked_candidates(name, mine), kind)
    return found


def _tracked_candidates(name: str, tests: list[Test]) -> Iterable[Value]:
    """All there is: conntrack tells more values apart than the tests do."""
    if name == "state":
        return STATES
    if name == "flags":
        return range(1 << len(FLAGS))
    return product(range(256), _types_and_codes(tests)[1])


def is_unsure(test: Test) -> bool:
    return isinstance(test, Unsure)


def _field(test: Test) -> str:
    assert not isinstance(test, Unsure)
    return test.field


def _one_of_each(
    tests: list[Test], candidates: Iterable[Value], kind: Callable[[Any], object] = lambda _: None
) -> list[Value]:
    """Of the candidates of one kind that all tests answer alike, only the first."""
    first: dict[object, Value] = {}
    for value in candidates:
        first.setdefault((kind(value), *(holds(test, value) for test in tests)), value)
    return list(first.values())


def _candidates(name: str, tests: list[Test], hook: str, family: Family) -> Iterable[Value]:
    match name:
        case "saddr" | "daddr":
            return _edges(tests, (1 << (32 if family == "ip" else 128)) - 1)
        case "proto":
            return _edges(tests, 255)
        case "ports":
            return product(_edges(tests, 65535, "source"), _edges(tests, 65535, "destination"))
        case "iif":
            return [""] if hook == "OUTPUT" else _names(tests)
        case "oif":
            return [""] if hook == "INPUT" else _names(tests)
        case "state":
            return STATES
        case "flags":
            return _bits(tests, len(FLAGS))
        case "mark":
            return _bits(tests, 32)
        case "icmp":
            return product(*_types_and_codes(tests))
    return [True, False]  # opaque


def _edges(tests: list[Test], last: int, side: str = "") -> list[int]:
    """Where some test may change its answer: the first value of each range, and one past it."""
    edges = {0}
    for test in tests:
        for low, high in _ranges(test, side):
            edges |= {low, high + 1}
    return sorted(edge for edge in edges if edge <= last)


def _ranges(test: Test, side: str) -> Iterator[tuple[int, int]]:
    match test:
        case Within():
            yield from test.ranges
        case Ports() if test.side in (side, "either"):
            yield from test.ranges
        case Masked():
            yield from _ranges_of_mask(test.mask, test.wanted, 32)


def _ranges_of_mask(mask: int, wanted: int, width: int) -> Iterator[tuple[int, int]]:
    """A mask with holes is one range for each way to fill the holes above its last one-bit."""
    tail = 0
    while not mask >> tail & 1:
        tail += 1
    holes = [1 << bit for bit in range(tail, width) if not mask >> bit & 1]
    for filling in product((0, 1), repeat=len(holes)):
        low = wanted + sum(hole for hole, on in zip(holes, filling, strict=True) if on)
        yield low, low + (1 << tail) - 1


def _names(tests: list[Test]) -> list[str]:
    """Each exact name, a name for each wildcard that is no exact one, and one other name."""
    patterns = [test.name for test in tests if isinstance(test, Name)]
    return ["?", *(pattern.replace("+", "?") for pattern in patterns)]


def _bits(tests: list[Test], width: int) -> list[int]:
    """All values of the bits that a test wants or masks; without and with one other bit.

    A full mask asks for nothing but the wanted bits, and no other bit set.
    """
    used = 0
    for test in tests:
        assert isinstance(test, Masked)
        used |= test.wanted | (test.mask if test.mask != 0xFFFFFFFF else 0)
    bits = [1 << bit for bit in range(width) if used >> bit & 1]
    other = next((1 << bit for bit in range(width) if not used >> bit & 1), 0)
    values = [sum(chosen) for chosen in product(*((0, bit) for bit in bits))]
    return [value | extra for extra in (0, other) for value in values]


def _types_and_codes(tests: list[Test]) -> tuple[list[int], list[int]]:
    """Those that occur, and one other (200) of each."""
    mine = [test for test in tests if isinstance(test, Icmp)]
    return [200, *(test.type for test in mine)], [200, *(test.code or 0 for test in mine)]


# --- packets ---------------------------------------------------------------------------------

Packet = dict[str, int]
"""For every field, which of its atoms the packet may have: bit n is atom n."""


@dataclass(frozen=True)
class Asked:
    """A pure test as the atoms that pass it."""

    field: str
    passing: int


@dataclass
class UndecidedError(Exception):
    """A rule's tests hold for some of the packets only: ``test`` is to be known first."""

    test: Asked


@dataclass(frozen=True)
class Fate:
    """What becomes of a packet from a place on, over all outcomes of uncertain tests.

    ``some``, ``always``: rules (bit n is rule n) whose certain tests hold and where the packet
    arrives with some outcomes, with all outcomes.
    """

    some: int
    always: int
    decisions: frozenset[str]

    def after(self, seen: int) -> Fate:
        return Fate(self.some | seen, self.always | seen, self.decisions)

    def or_else(self, other: Fate) -> Fate:
        return Fate(
            self.some | other.some,
            self.always & other.always,
            self.decisions | other.decisions,
        )


Place = tuple[tuple[str, int], ...]
"""Chain and index of the next rule; below it, where each jump's caller goes on."""


class Walk:
    """One packet's ways through one hook. ``known``: rules already decided for the packet."""

    def __init__(self, table: Table, hook: str, packet: Packet, known: dict[int, bool]) -> None:
        self.table = table
        self.policy = table.ruleset.policies[hook]
        self.packet = packet
        self.known = known
        self.fates: dict[Place, Fate] = {}

    def fate(self, place: Place) -> Fate:
        if place not in self.fates:
            self.fates[place] = self._follow(place)
        return self.fates[place]

    def _follow(self, place: Place) -> Fate:
        """Rule by rule to a decision; at the first uncertain rule that matters, both ways."""
        seen = 0
        while place:
            chain, index = place[-1]
            if index == len(self.table.ruleset.chains[chain]):
                place = place[:-1]
                continue
            number = self.table.first[chain] + index
            onward = (*place[:-1], (chain, index + 1))
            if not self._matches(number):
                place = onward
                continue
            seen |= 1 << number
            taken = _next_place(self.table.rules[number], place, onward)
            if self.table.uncertain[number] and taken != onward:
                return self._take(taken).or_else(self.fate(onward)).after(seen)
            if isinstance(taken, str):
                return self._take(taken).after(seen)
            place = taken
        return self._take(self.policy).after(seen)

    def _take(self, taken: Place | str) -> Fate:
        return Fate(0, 0, frozenset({taken})) if isinstance(taken, str) else self.fate(taken)

    def _matches(self, number: int) -> bool:
        """Whether the rule's certain tests hold."""
        if number not in self.known:
            self.known[number] = self._decide(self.table.asked[number])
        return self.known[number]

    def _decide(self, tests: list[Asked]) -> bool:
        if any(not self.packet[test.field] & test.passing for test in tests):
            return False
        for test in tests:
            if self.packet[test.field] & ~test.passing:
                raise UndecidedError(test)
        return True


def _next_place(rule: Rule, place: Place, onward: Place) -> Place | str:
    """Where a packet goes that the rule takes: a place, or a decision."""
    match rule.target:
        case "ACCEPT" | "DROP" | "REJECT":
            return rule.target
        case "RETURN":
            return place[:-1]
        case "JUMP":
            return (*onward, (rule.to, 0))
        case "GOTO":
            return (*place[:-1], (rule.to, 0))
    return onward


class Table:
    """A ruleset ready to be walked at one hook: the rules numbered, the tests as atoms."""

    def __init__(self, ruleset: RandomRuleset, hook: str) -> None:
        self.ruleset = ruleset
        self.hook = hook
        self.rules = ruleset.rules()
        self.atoms = atoms_of(ruleset, hook)
        self.first: dict[str, int] = {}
        for chain, rules in ruleset.chains.items():
            self.first[chain] = sum(len(ruleset.chains[name]) for name in self.first)
            assert self.rules[self.first[chain] :][: len(rules)] == rules
        self.asked = [self._asked(rule) for rule in self.rules]
        self.uncertain = [any(map(is_unsure, rule.tests)) for rule in self.rules]

    def _asked(self, rule: Rule) -> list[Asked]:
        """The rule's pure tests, the protocol first (what else there is depends on it)."""
        pure = [test for test in rule.tests if not is_unsure(test)]
        pure.sort(key=lambda test: _field(test) != "proto")
        return [Asked(_field(test), self._passing(test)) for test in pure]

    def _passing(self, test: Test) -> int:
        values = self.atoms[_field(test)]
        return sum(1 << n for n, value in enumerate(values) if holds(test, value))

    def fates(self) -> Iterator[tuple[Packet, Fate]]:
        """Every packet of the hook, in groups of one fate."""
        every = {name: (1 << len(values)) - 1 for name, values in self.atoms.items()}
        todo: list[tuple[Packet, dict[int, bool]]] = [(every, {})]
        while todo:
            packet, known = todo.pop()
            try:
                fate = Walk(self, self.hook, packet, known).fate(((self.hook, 0),))
                there_is = conntrack.possible(packet, self.atoms)
                if there_is is not None:
                    yield there_is, fate
            except UndecidedError as undecided:
                test = undecided.test
                mine = packet[test.field]
                todo.append(({**packet, test.field: mine & test.passing}, dict(known)))
                todo.append(({**packet, test.field: mine & ~test.passing}, dict(known)))

    def show(self, packet: Packet) -> dict[str, Value]:
        """One concrete packet of the group."""
        first = {name: (bits & -bits).bit_length() - 1 for name, bits in packet.items()}
        return {name: self.atoms[name][index] for name, index in first.items()}


# --- the judgement ---------------------------------------------------------------------------


@dataclass
class Judgement:
    """What can become of one rule, over every packet at every hook.

    ``witness``: a packet that can arrive and match; ``sure_witness``: one that arriving
    whatever the uncertain tests do. Fields that no test of the ruleset reads are left out.
    """

    arrives_and_matches_possible: bool = False
    arrives_for_sure: bool = False
    witness: dict[str, Value] = field(default_factory=dict)
    sure_witness: dict[str, Value] = field(default_factory=dict)

    @property
    def status(self) -> str:
        if not self.arrives_and_matches_possible:
            return "dead"
        return "reachable" if self.arrives_for_sure else "conditional"


@dataclass
class Report:
    """``decisions``: for each base chain, groups of packets (one shown of each) and what may
    be decided for them: a set of ACCEPT, DROP, REJECT."""

    rules: dict[Rule, Judgement]
    decisions: dict[str, list[tuple[dict[str, Value], frozenset[str]]]]

    def status(self, rule: Rule) -> str:
        return self.rules[rule].status


def judge(ruleset: RandomRuleset) -> Report:
    report = Report({rule: Judgement() for rule in ruleset.rules()}, {})
    for hook in BASE_CHAINS:
        table = Table(ruleset, hook)
        groups = report.decisions[hook] = []
        for packet, fate in table.fates():
            shown = {"hook": hook, **table.show(packet)}
            groups.append((shown, fate.decisions))
            _note(report, table, shown, fate)
    return report


def _note(report: Report, table: Table, packet: dict[str, Value], fate: Fate) -> None:
    for number, rule in enumerate(table.rules):
        judgement = report.rules[rule]
        if fate.some >> number & 1 and not judgement.arrives_and_matches_possible:
            judgement.arrives_and_matches_possible = True
            judgement.witness = packet
        if fate.always >> number & 1 and not judgement.arrives_for_sure:
            judgement.arrives_for_sure = True
            judgement.sure_witness = packet
