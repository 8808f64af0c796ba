"""What rulesets leave open, as variables: limits, rates, what a translation chooses.

An uncertain test that two rulesets make, each for the same time in its rules, has one
variable: whatever it says, it says it of both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from iptlint.model import (
    AnyOf,
    Decided,
    Effect,
    EffectKind,
    Family,
    Match,
    Opaque,
    Rule,
    Uncertain,
    VerdictKind,
)
from iptlint.model.writes import Writes, looks_into
from iptlint.packets.bdd import cube, union
from iptlint.packets.match import Matcher, anybodys
from iptlint.packets.rewrite import Rewrite
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


DECIDED = -1
_FEW, _MOST = 1_000, 40_000
"""Variables in one diagram: it is worked through as deep as it has such, on the stack of the
thread, of which each takes some hundred bytes."""


class Unknown(NamedTuple):
    """``text``: what is left open; ``kind``: that of the test that leaves it open, or the name of
    the field that a rule gives a value nobody knows.
    ``ordinal``: how many rules leave the same open before; of what was decided once for all rules,
    ``DECIDED``. ``visit``: how often the same packet has met the rule before. ``bit``: of a
    number."""

    text: str
    ordinal: int
    visit: int = 0
    bit: int | None = None
    kind: str = ""


OF_HOST = "host"
"""The kind of what is left open of a host, not of a packet."""
OF_CONNECTION = "connection"
"""The kind of what is left open of a connection that ``ct_state`` is not about: packets differ in
it as they do in that."""
SENT_TO_OWN = Unknown("where it is sent is an address of this host", 0, kind=OF_HOST)
"""Of packets that are not all sent to the same address."""


def own_address(family: Family, address: int) -> Unknown:
    """Whether the host has it."""
    text = f"{address_text(family, address)} is an address of this host"
    return Unknown(text, DECIDED, kind=OF_HOST)


def known_in(zone: str) -> Unknown:
    """Whether conntrack has the packet's connection in the zone."""
    return Unknown(zone, 0, kind=OF_CONNECTION)


def connection_said(key: Unknown, holds: bool) -> str:
    return f"{key.text} {'has its' if holds else 'has no such'} connection"


def address_text(family: Family, address: int) -> str:
    return str(IPv4Address(address) if family is Family.IP else IPv6Address(address))


class _Arrival(NamedTuple):
    """Packets that have come to a rule, with what has been changed of them."""

    rule: Rule
    rewrite: Rewrite
    packets: PacketSet


class Unknowns:
    """The variables of one space."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.variables: dict[Unknown, int] = {}
        self._spare: list[int] = []
        self._at_once = 1
        self._numbers: dict[object, int] = {}
        self._cube, self._in_cube = space.true, 0

    def expect(self, count: int) -> None:
        """Rules leave so much open. What a later rule leaves open is to stand above that of the
        rules before, where it is much: packets that came past them are as they were beneath it, and
        need not be looked through again at each rule."""
        if count > _FEW:
            self._at_once = max(self._at_once, min(count, _MOST))

    def variable(self, key: Unknown) -> PacketSet:
        if key not in self.variables:
            if len(self.variables) == _MOST:
                raise MemoryError
            if not self._spare:
                self._spare.extend(self.space.manager.add_vars(self._at_once))
            self.variables[key] = self._spare.pop()
        return self.space.manager.var(self.variables[key])

    def number(self, thing: object) -> int:
        """One for each thing that is not the same."""
        return self._numbers.setdefault(thing, len(self._numbers))

    def together(self) -> dict[Unknown, list[int]]:
        """The variables of each, those of a number together under its first bit."""
        numbers: dict[Unknown, list[int]] = {}
        for key, number in self.variables.items():
            first = key if key.bit is None else key._replace(bit=0)
            numbers.setdefault(first, []).append(number)
        return numbers

    @property
    def cube(self) -> PacketSet:
        """All of them. It is asked for between one new variable and the next, so it grows; many
        new ones are joined by themselves first, as ``cube_of`` does it."""
        if self._in_cube < len(self.variables):
            new = islice(self.variables.values(), self._in_cube, None)
            self._cube = self._cube & cube(self.space.manager, sorted(new))
            self._in_cube = len(self.variables)
        return self._cube

    @property
    def luck(self) -> PacketSet:
        """Those that say nothing of what packets are."""
        return self.cube_of(key for key in self.variables if key.kind != OF_CONNECTION)

    def other_connections(self, point: PacketSet) -> tuple[str, ...]:
        """What is so of the one packet, which no field says."""
        return tuple(
            connection_said(key, (point & self.variable(key)).satisfiable())
            for key in self.variables
            if key.kind == OF_CONNECTION
        )

    def cube_of(self, keys: Iterable[Unknown]) -> PacketSet:
        """The variables of some."""
        return cube(self.space.manager, sorted(self.variables[key] for key in keys))


class LeftOpen:
    """What rules leave open, and how many leave the same open before. ``sets``: those that rules
    change."""

    def __init__(self, rules: Iterable[Rule], sets: frozenset[str]) -> None:
        self.sets = sets
        self.ordinals: dict[tuple[Rule, str], int] = {}
        self._rules: dict[tuple[str, int], Rule] = {}
        counts: Counter[str] = Counter()
        for rule in rules:
            for text in dict.fromkeys(left_open_by(rule, sets)):
                self.ordinals[rule, text] = counts[text]
                self._rules[text, counts[text]] = rule
                counts[text] += 1

    def rule_of(self, key: Unknown) -> Rule | None:
        """The rule that leaves it open; None where no rule does, or several together."""
        return self._rules.get((key.text, key.ordinal))


def left_open_by(rule: Rule, sets: frozenset[str]) -> Iterator[str]:
    """What the rule leaves open, where rules change these sets."""
    for match in rule.matches:
        yield from _texts(match, sets)
    if rule.verdict.kind is VerdictKind.UNKNOWN:
        yield rule.verdict.meaning
    if rule.verdict.kind is VerdictKind.QUEUE:
        yield _let_on(rule)
    for effect in rule.effects:
        if effect.kind is EffectKind.WRITE and effect.field and effect.value is None:
            yield written_text(rule, effect)


class ExactMatcher:
    """Whether an uncertain test holds is one more thing about a packet, so what a rule takes
    is exact. ``asked``: the packets whose fate the variable may change."""

    def __init__(self, unknowns: Unknowns, left_open: LeftOpen) -> None:
        self.unknowns = unknowns
        self.space = unknowns.space
        self.left_open = left_open
        self.asked: dict[Unknown, PacketSet] = {}
        unknowns.expect(len(left_open.ordinals))
        self._plain = Matcher(unknowns.space, Writes())
        self._met: dict[Rule, list[PacketSet]] = {}

    def lucky(self, rule: Rule, rewrite: Rewrite, packets: PacketSet) -> PacketSet:
        """Of ``packets``, which pass the rule's other tests, those that pass the ones that are left
        open; ``rewrite`` is what has been changed of them."""
        tests = [match for match in rule.matches if any(_texts(match, self.left_open.sets))]
        if not tests:
            return packets
        passing = packets
        for match in tests:
            passing = passing & self._test(_Arrival(rule, rewrite, packets), match)
        self._meet(rule, packets)
        return passing

    def _meet(self, rule: Rule, packets: PacketSet) -> None:
        """Counts how often each packet has met the rule: the sets are those that have once,
        twice …"""
        on_visit = self._met.setdefault(rule, [])
        for times, before in enumerate(on_visit):
            on_visit[times] = before | packets
            packets = packets & before
        if packets.satisfiable():
            on_visit.append(packets)

    def _test(self, arrival: _Arrival, match: Match) -> PacketSet:
        match match:
            case Uncertain(kind, text) as uncertain:
                holds = self.open(arrival.rule, text, arrival.packets, kind)
                return holds & ~anybodys(self.space) if uncertain.names_senders else holds
            case Decided(text, negated):
                holds = self._decided(text, arrival.packets)
                return ~holds if negated else holds
            case Opaque(text, negated, kind=kind) if looks_into(match, self.left_open.sets):
                holds = self.open(arrival.rule, text, arrival.packets, kind)
                return ~holds if negated else holds
            case AnyOf(alternatives, negated):
                each = [self._all(arrival, tests) for tests in alternatives]
                holds = union(each, self.space.false)
                return ~holds if negated else holds
            case _:
                return arrival.rewrite.now(self._plain.test(match).may)

    def _all(self, arrival: _Arrival, tests: Iterable[Match]) -> PacketSet:
        passing = self.space.true
        for test in tests:
            passing = passing & self._test(arrival, test)
        return passing

    def open(self, rule: Rule, text: str, packets: PacketSet, kind: str = "") -> PacketSet:
        """What may hold or not for ``packets``; anew for those that come a second time."""
        holds, left = self.space.false, packets
        for visit, on_visit in enumerate((*self._met.get(rule, ()), self.space.false)):
            coming = left & ~on_visit
            left = left & on_visit
            if coming.satisfiable():
                key = Unknown(text, self.left_open.ordinals[rule, text], visit, kind=kind)
                self.asked[key] = self.asked.get(key, self.space.false) | coming
                holds = holds | (coming & self.unknowns.variable(key))
        return holds

    def _decided(self, text: str, packets: PacketSet) -> PacketSet:
        """One truth, for all rules and all packets."""
        key = Unknown(text, DECIDED)
        self.asked[key] = self.asked.get(key, self.space.false) | packets
        return self.unknowns.variable(key)

    def queued(self, rule: Rule, packets: PacketSet) -> PacketSet:
        """Of the packets that a program gets from the rule, those that it lets go on: they come
        to the next base chain, as accepted ones do (nf_reinject)."""
        return packets & self.open(rule, _let_on(rule), packets)

    def number(self, rule: Rule, text: str, width: int, kind: str = "") -> list[PacketSet]:
        """A number that nobody knows, the most significant bit first. What a translation chooses
        it chooses by the packet: another rule that says the same chooses the same."""
        translates = rule.verdict.kind is VerdictKind.NAT
        key = Unknown(text, 0 if translates else self.left_open.ordinals[rule, text], kind=kind)
        return [self.unknowns.variable(key._replace(bit=bit)) for bit in range(width)]


def plain_tests(rule: Rule, sets: frozenset[str]) -> Iterator[Match]:
    """The tests of the rule that are not left open; ``sets`` as for ``LeftOpen``."""
    return (match for match in rule.matches if not any(_texts(match, sets)))


def _texts(match: Match, sets: frozenset[str]) -> Iterator[str]:
    match match:
        case Uncertain(_, key) | Decided(key):
            yield key
        case Opaque(key) if looks_into(match, sets):
            yield key
        case AnyOf(alternatives):
            for alternative in alternatives:
                for test in alternative:
                    yield from _texts(test, sets)


def written_text(rule: Rule, effect: Effect) -> str:
    """What to call the value that the rule writes and nobody knows."""
    assert effect.field is not None
    name, meaning = rule.verdict.name, rule.verdict.meaning
    said = meaning.removeprefix(f"{name} ") if meaning.startswith(f"{name} {name}") else meaning
    return f"{effect.field.value} after {said}"


def _let_on(rule: Rule) -> str:
    return f"that {rule.verdict.meaning} lets it go on"
