"""Who takes the packets that a dead rule was written for.

The packets that would match the rule are followed from the rule upwards: in each chain
the last rule that still took some of them is found by bisection (the sets that arrive
only shrink), so a hundred thousand rules cost seventeen looks, not a hundred thousand.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from iptlint.model import Rule, VerdictKind
from iptlint.netfilter.flow import Flow
from iptlint.netfilter.walk import Walk
from iptlint.packets.bits import union

if TYPE_CHECKING:
    from iptlint.packets.bits import PacketSet

_DEEPEST = 64
"""How many calls down or up are followed; beyond, the call itself is named. The kernel's own
stack for nft holds 16 (NFT_JUMP_STACK_SIZE)."""


class Taker(NamedTuple):
    """``packets``: what the rule takes away for certain, wherever they were to go."""

    rule: Rule
    packets: PacketSet


def takers(walk: Walk, rule: Rule) -> tuple[Rule, ...]:
    """A small set of rules that together take every packet the dead rule would match, in the
    order of the text. Rules of the same verdict where they suffice; else at least one differs."""
    packets = walk.sent(rule)
    place = walk.place(rule)
    found = None
    if rule.verdict.kind.ends_walk:
        same = _Search(walk, lambda flow: _taken_with(walk, flow, rule.verdict.kind))
        found = same.above(*place, packets)
    if found is None:
        found = _Search(walk, lambda flow: _taken(walk, flow)).above(*place, packets) or []
    unique = {id(taker.rule): taker.rule for taker in found}
    return tuple(sorted(unique.values(), key=lambda taker: taker.origin.span.start))


class Taken(NamedTuple):
    """What the rules of one chain take away for certain.

    ``before[i]``: what rules before i took together; ``by(i)``: what rule i would take alone.
    """

    before: Sequence[PacketSet]
    by: Callable[[int], PacketSet]


def _taken(walk: Walk, flow: Flow) -> Taken:
    before = [~arriving for arriving in flow.arrives]
    return Taken(before, lambda number: _by(walk, flow, number))


def _by(walk: Walk, flow: Flow, number: int) -> PacketSet:
    verdict, sure = flow.chain.rules[number].verdict, flow.tests[number].sure
    match verdict.kind:
        case VerdictKind.CONTINUE | VerdictKind.UNKNOWN:
            return walk.space.false
        case VerdictKind.JUMP:
            called = walk.flows.get(verdict.chain or "")
            return sure & ~called.returns if called else walk.space.false
        case _:
            return sure


def _taken_with(walk: Walk, flow: Flow, kind: VerdictKind) -> Taken:
    """Only what is taken with the verdict ``kind`` counts."""
    by = [_by_with(walk, flow, number, kind) for number in range(len(flow.tests))]
    before = accumulate(by, lambda a, b: a | b, initial=walk.space.false)
    return Taken(tuple(before), by.__getitem__)


def _by_with(walk: Walk, flow: Flow, number: int, kind: VerdictKind) -> PacketSet:
    verdict, sure = flow.chain.rules[number].verdict, flow.tests[number].sure
    if verdict.kind is kind:
        return sure
    called = walk.flows.get(verdict.chain) if verdict.chain else None
    if called is None or kind not in called.outcomes:
        return walk.space.false
    others = [packets for other, packets in called.outcomes.items() if other is not kind]
    return sure & called.outcomes[kind] & ~union(others, walk.space.false)


class _Search:
    def __init__(self, walk: Walk, taken: Callable[[Flow], Taken]) -> None:
        self.walk = walk
        self._taken = taken
        self._known: dict[str, Taken] = {}

    def taken(self, chain: str) -> Taken:
        if chain not in self._known:
            self._known[chain] = self._taken(self.walk.flows[chain])
        return self._known[chain]

    def above(
        self, chain: str, number: int, packets: PacketSet, depth: int = 0
    ) -> list[Taker] | None:
        """Takers of ``packets`` before rule ``number`` of the chain, or before the calls of the
        chain; None where some of the packets come through."""
        here = packets & self.taken(chain).before[number]
        found = _needed(list(self._within(chain, number, here)), here)
        rest = packets & ~here
        if not rest.satisfiable():
            return found
        if self.walk.table.chains[chain].hook:
            return None
        if depth == _DEEPEST:
            return found
        for caller, call in self.walk.callers.get(chain, ()):
            through = self._through(rest, caller, call)
            if not through.satisfiable():
                continue
            above = self.above(caller, call, through, depth + 1)
            if above is None:
                return None
            found += above
        return found

    def _through(self, packets: PacketSet, caller: str, call: int) -> PacketSet:
        entry = self.walk.entries.get(caller)
        tests = self.walk.flows[caller].tests[call]
        return packets & tests.may & entry.sent if entry else self.walk.space.false

    def _within(self, chain: str, end: int, packets: PacketSet, depth: int = 0) -> Iterator[Taker]:
        """Takers among the first ``end`` rules, which together took all of ``packets``."""
        taken = self.taken(chain)
        while packets.satisfiable():
            last = _first(end, _included(packets, taken.before))
            yield from self._at(chain, last, packets & taken.by(last), depth)
            packets = packets & ~taken.by(last)
            end = last

    def _at(self, chain: str, number: int, packets: PacketSet, depth: int) -> Iterator[Taker]:
        """The rule itself, or the rules of the chain it calls."""
        flow = self.walk.flows[chain]
        rule, sure = flow.chain.rules[number], flow.tests[number].sure
        called = self.walk.flows.get(rule.verdict.chain) if rule.verdict.chain else None
        if called is None or depth == _DEEPEST:
            yield Taker(rule, sure)
            return
        lost = packets & ~called.returns
        inside = self._within(called.chain.name, len(called.tests), lost, depth + 1)
        for taker in inside:
            yield Taker(taker.rule, taker.packets & sure & ~called.returns)
        if (packets & called.returns).satisfiable():
            yield Taker(rule, sure & called.returns)


def _included(packets: PacketSet, before: Sequence[PacketSet]) -> Callable[[int], bool]:
    return lambda number: not (packets & ~before[number + 1]).satisfiable()


def _first(end: int, holds: Callable[[int], bool]) -> int:
    """The first number below ``end`` for which ``holds``, which stays true once it is."""
    return bisect_left(range(end), True, key=holds)


def _needed(found: list[Taker], packets: PacketSet) -> list[Taker]:
    """Without the members that the others make unnecessary."""
    for taker in tuple(found):
        rest = packets
        for other in found:
            if other is not taker:
                rest = rest & ~other.packets
        if not rest.satisfiable():
            found.remove(taker)
    return found
