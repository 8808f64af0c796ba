"""What becomes of a rule's packets if the rule were not there.

Each chain is read from its end to its start: before rule i stand the packets that the rules
from i on decide for certain in a given way. Only rules with tests of their own count as
deciding, neither a policy nor a closing rule that takes everything; and a packet that would
meet something new on the way (a log, a mark, a counter, a limit) is not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Generator, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from iptlint.model import Chain, Rule, VerdictKind
from iptlint.netfilter.walk import Walk
from iptlint.packets.bits import union
from iptlint.packets.space import Tests

if TYPE_CHECKING:
    from iptlint.packets.bits import PacketSet

_BLOCK = 64
"""Rules that are skipped at once where none of them matches."""

_DECIDING = (VerdictKind.ACCEPT, VerdictKind.DROP, VerdictKind.REJECT)


class Decision(NamedTuple):
    """How packets end; ``options``: what a REJECT answers."""

    kind: VerdictKind
    options: str


def decision(rule: Rule) -> Decision | None:
    """What the rule decides; None where it is no plain ACCEPT, DROP or REJECT."""
    kind = rule.verdict.kind
    return Decision(kind, rule.verdict.options) if kind in _DECIDING else None


class Needless(NamedTuple):
    """A rule, and the later rules that decide the same for its packets."""

    rule: Rule
    later: tuple[Rule, ...]


def needless(
    walk: Walk, wanted: Callable[[Rule], bool], dead: Container[int]
) -> Iterator[Needless]:
    """The rules, of those ``wanted``, that packets reach and that change no decision.

    ``dead``: the ids of rules that no packet reaches; they may go too, so they do not stand
    in for another.
    """
    goals = [decision(rule) for _, rule in walk.table.rules()]
    forward, twice = _Forward(walk, dead), entered_twice(walk)
    for goal in dict.fromkeys(goals):
        if goal is not None:
            for rule in _Backward(walk, goal, dead, twice).covered():
                if wanted(rule):
                    yield Needless(rule, forward.deciding(rule))


class _Backward:
    """For one decision: the packets that get it for certain, from each rule on."""

    def __init__(
        self, walk: Walk, goal: Decision, dead: Container[int], twice: Container[str]
    ) -> None:
        self.walk = walk
        self.goal = goal
        self.twice = twice
        self.dead = dead
        self.inside: dict[str, PacketSet] = {}
        """Decided by a rule of the chain, or of one that it calls."""
        self.passing: dict[str, PacketSet] = {}
        """Come back to the caller, and nothing has happened to them."""
        self.back: dict[str, PacketSet] = {}
        """Decided by the callers once they have come back."""

    def covered(self) -> Iterator[Rule]:
        """The rules of the decision whose packets get it from later rules too."""
        for name in self.walk.order:
            if name in self.walk.callers:
                self._summarise(self.walk.table.chains[name])
        read: set[str] = set()
        for name in reversed(self.walk.order):
            chain = self.walk.table.chains[name]
            callers = self.walk.callers.get(name, ())
            # A packet that comes a second time would find the rule itself there.
            known = all(call.chain in read for call in callers) and name not in self.twice
            back = self.back.get(name, self.walk.space.false) if known else self.walk.space.false
            yield from self._covered_in(chain, back)
            read.add(name)

    def _summarise(self, chain: Chain) -> None:
        false, true = self.walk.space.false, self.walk.space.true
        inside, passing = false, true
        for rule, tests in self._reversed(chain):
            inside = self._before(rule, tests, inside, false)
            passed = self._passing_before(rule, tests, passing)
            passing = passing & passed if id(rule) in self.dead else passed
        self.inside[chain.name], self.passing[chain.name] = inside, passing

    def _covered_in(self, chain: Chain, back: PacketSet) -> Iterator[Rule]:
        later = back
        for rule, tests in self._reversed(chain):
            if decision(rule) == self.goal and not rule.effects and _certain(tests):
                if self._covers(rule, later):
                    yield rule
            elif rule.verdict.chain is not None:
                self._add_back(rule, later if rule.verdict.kind is VerdictKind.JUMP else back)
            later = self._before(rule, tests, later, back)

    def _covers(self, rule: Rule, later: PacketSet) -> bool:
        """Whether all that is sent to the rule, earlier rules or not, is decided later. So
        several rules may go together, one that stands in for another among them."""
        decided = not (self.walk.sent(rule) & ~later).satisfiable()
        return decided and self.walk.matched(rule).satisfiable()

    def _add_back(self, call: Rule, decided: PacketSet) -> None:
        callee = call.verdict.chain or ""
        known = self.back.get(callee, self.walk.space.true)
        self.back[callee] = known & ~(self.walk.sent(call) & ~decided)

    def _reversed(self, chain: Chain) -> Iterator[tuple[Rule, Tests]]:
        tests: Sequence[Tests] = self.walk.flows[chain.name].tests
        return zip(reversed(chain.rules), reversed(tests), strict=True)

    def _before(self, rule: Rule, tests: Tests, later: PacketSet, back: PacketSet) -> PacketSet:
        """Those that arrive at the rule and get the decision; ``later``: those behind it."""
        found = self._at(rule, tests, later, back)
        # A dead rule may take packets once others are gone, or may be gone itself.
        return later & found if id(rule) in self.dead else found

    def _at(self, rule: Rule, tests: Tests, later: PacketSet, back: PacketSet) -> PacketSet:
        if rule.effects or not _certain(tests):
            return later & ~tests.may
        kind, callee = rule.verdict.kind, rule.verdict.chain
        if decision(rule) == self.goal and rule.matches:
            return later | tests.may
        if kind is VerdictKind.RETURN:
            decided = back
        elif callee not in self.inside:
            return later & ~tests.may
        elif kind is VerdictKind.JUMP:
            # As below, but with few operations on ``later``, the largest of all these sets.
            lost = tests.may & ~self.passing[callee]
            return (later & ~lost) | (tests.may & self.inside[callee])
        else:
            decided = self.inside[callee] | (self.passing[callee] & back)
        return (later & ~tests.may) | (tests.may & decided)

    def _passing_before(self, rule: Rule, tests: Tests, later: PacketSet) -> PacketSet:
        """Those that arrive at the rule and come back to the caller with nothing done."""
        kind, callee = rule.verdict.kind, rule.verdict.chain
        if not rule.effects and _certain(tests):
            if kind is VerdictKind.RETURN:
                return later | tests.may
            if callee in self.passing:
                after = self.passing[callee]
                after = after & later if kind is VerdictKind.JUMP else after
                return (later & ~tests.may) | (tests.may & after)
        return later & ~tests.may


def entered_twice(walk: Walk) -> frozenset[str]:
    """The chains to which more than one way leads from one hook."""
    found: set[str] = set()
    for base in walk.table.base_chains():
        ways = {base.name: 1}
        for name in reversed(walk.order):
            for rule in walk.table.chains[name].rules if name in ways else ():
                if rule.verdict.chain is not None:
                    callee = rule.verdict.chain
                    ways[callee] = min(2, ways.get(callee, 0) + ways[name])
        found.update(name for name, number in ways.items() if number > 1)
    return frozenset(found)


def _certain(tests: Tests) -> bool:
    return tests.may is tests.sure or tests.may == tests.sure


class _Forward:
    """The later rules that decide the packets of a rule they cover."""

    def __init__(self, walk: Walk, dead: Container[int]) -> None:
        self.walk = walk
        self.dead = dead
        self._blocks: dict[str, list[PacketSet]] = {}

    def deciding(self, rule: Rule) -> tuple[Rule, ...]:
        """One that covers the rule alone if there is one in its chain; else all that do."""
        place, packets = self.walk.place(rule), self.walk.matched(rule)
        found = {id(o): o for o in self._from(place.chain, place.number + 1, packets)}
        for other in found.values():
            covers = not (packets & ~self.walk.tests(other).may).satisfiable()
            if covers and self.walk.place(other).chain == place.chain:
                return (other,)
        return tuple(found.values())

    def _from(self, chain: str, start: int, packets: PacketSet) -> Iterator[Rule]:
        """Who decides packets that go on with rule ``start``: in the chain, then in its callers."""
        coming_back = yield from self._ahead(chain, start, packets)
        for caller, call in self.walk.callers.get(chain, ()):
            rules = self.walk.table.chains[caller].rules
            through = coming_back & self.walk.matched(rules[call])
            if through.satisfiable():
                jumps = rules[call].verdict.kind is VerdictKind.JUMP
                yield from self._from(caller, call + 1 if jumps else len(rules), through)

    def _ahead(
        self, chain: str, start: int, packets: PacketSet
    ) -> Generator[Rule, None, PacketSet]:
        """The rules of the chain that decide; returns the packets that come back."""
        back = self.walk.space.false
        rules, tests = self.walk.table.chains[chain].rules, self.walk.flows[chain].tests
        for number in self._near(chain, start, packets):
            rule, taken = rules[number], packets & tests[number].may
            if id(rule) in self.dead or not taken.satisfiable():
                continue
            packets = packets & ~taken
            match rule.verdict.kind, rule.verdict.chain:
                case VerdictKind.JUMP, str(callee):
                    packets = packets | (yield from self._ahead(callee, 0, taken))
                case VerdictKind.GOTO, str(callee):
                    back = back | (yield from self._ahead(callee, 0, taken))
                case VerdictKind.RETURN, _:
                    back = back | taken
                case _:
                    yield rule
            if not packets.satisfiable():
                break
        return back | packets

    def _near(self, chain: str, start: int, packets: PacketSet) -> Iterator[int]:
        """Numbers of rules, from ``start`` on, of which some may match the packets."""
        tests = self.walk.flows[chain].tests
        if chain not in self._blocks:
            firsts = range(0, len(tests), _BLOCK)
            blocks = ([t.may for t in tests[first : first + _BLOCK]] for first in firsts)
            self._blocks[chain] = [union(block, self.walk.space.false) for block in blocks]
        for index in range(start // _BLOCK, len(self._blocks[chain])):
            if (packets & self._blocks[chain][index]).satisfiable():
                first = index * _BLOCK
                yield from range(max(start, first), min(first + _BLOCK, len(tests)))
