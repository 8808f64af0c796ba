"""A chain from which calls lead to many rules. It gives the answers of ``ChainFlow``: what becomes
of a few packets is told by those chains alone that these may come to, all the others aside."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from heapq import heappop, heappush
from typing import TYPE_CHECKING, NamedTuple

from iptlint.memo import recent
from iptlint.model import Chain, VerdictKind
from iptlint.netfilter.chain_flow import ChainFlow
from iptlint.netfilter.walker import Called, Outcomes, Walker
from iptlint.packets.match import Matcher

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_PART = 8
"""Where no fewer than one in so many rules are to be looked at, all packets are told of at once."""
_OFTEN = 500
"""So is who was asked as often as this."""
_SHORT = 64
_MOST_CHAINS = 100_000
"""Nor are more chains looked at for one packet or another, where each calls the next."""


class _Way(NamedTuple):
    """Some packets on their way through a chain: from which rule on which of them come to the
    rules, and what becomes of them."""

    starts: Sequence[int]
    arriving: Sequence[PacketSet]
    outcomes: Outcomes

    def arriving_at(self, number: int) -> PacketSet:
        return self.arriving[bisect_right(self.starts, number) - 1]


class _Sent(NamedTuple):
    """What comes to a chain, and the numbers of the rules that may take some of it, as far as that
    is known."""

    packets: PacketSet
    numbers: list[int]


class _Seen:
    """How many chains were looked at, for packets of any of the chains that share it."""

    chains = 0


class BranchingChain(ChainFlow):
    def __init__(self, matcher: Matcher, chain: Chain, callees: Mapping[str, ChainFlow]) -> None:
        super().__init__(matcher, chain, callees)
        self._asked = 0
        below = (flow for flow in self.callees.values() if isinstance(flow, BranchingChain))
        self._seen: _Seen = next((flow._seen for flow in below), None) or _Seen()

    @property
    def is_branching(self) -> bool:
        return True

    def outcomes_of(self, packets: PacketSet) -> Outcomes:
        way = self._way_of(packets)
        return super().outcomes_of(packets) if way is None else way.outcomes

    def kept(self, called: PacketSet, arriving: PacketSet) -> PacketSet:
        way = self._way_of(called & arriving)
        if way is None:
            return super().kept(called, arriving)
        return called & arriving & ~way.outcomes[VerdictKind.RETURN]

    def arriving_at(self, number: int, packets: PacketSet) -> PacketSet:
        way = self._way_of(packets) if len(self.chain.rules) <= _SHORT else None
        return super().arriving_at(number, packets) if way is None else way.arriving_at(number)

    def met(self, number: int, entering: PacketSet) -> PacketSet:
        if self._is_told or len(self.chain.rules) > _SHORT:
            return super().met(number, entering)
        return self.arriving_at(number, self._anyones[number].may & entering)

    def matched_of(
        self, numbers: Sequence[int], packets: PacketSet
    ) -> Iterator[tuple[int, PacketSet]]:
        way = self._way_of(packets) if numbers else None
        if way is None:
            yield from super().matched_of(numbers, packets)
            return
        for number in numbers:
            matched = way.arriving_at(number) & self._anyones[number].may
            if matched.satisfiable():
                yield number, matched

    @property
    def _is_told(self) -> bool:
        """Whether it is known of all packets."""
        often = self._asked >= _OFTEN or self._seen.chains >= _MOST_CHAINS
        return often or "_walked" in vars(self)

    def _way_of(self, packets: PacketSet) -> _Way | None:
        """None where all packets are told of, or as well can be."""
        return None if self._is_told else self._way(packets)

    @recent
    def _way(self, packets: PacketSet) -> _Way | None:
        self._asked += 1
        packets = packets & self.space.universe
        entering = _entering(self, packets, self._seen)
        if entering is None:
            return None
        known: dict[str, _Told] = {}
        way = None
        for flow in sorted(entering, key=_depth_of):
            callees: dict[str, Called] = {
                name: known.get(name, _Told(self.space.false, {})) for name in flow.callees
            }
            callees |= {name: each for name, each in flow.callees.items() if each.is_long}
            way = _way_through(flow, callees, entering[flow])
            known[flow.chain.name] = _Told(self.space.false, way.outcomes)
        return way


def _depth_of(flow: ChainFlow) -> int:
    return flow.depth


def _entering(first: ChainFlow, packets: PacketSet, seen: _Seen) -> dict[ChainFlow, _Sent] | None:
    """What of the packets may enter each of the chains, if all came back from those that are called
    before; those aside that none enters. None where they are many."""
    entering = {first: _Sent(packets, [])}
    waiting = [(-first.depth, 0, first)]
    rules, most = 0, first.size // _PART
    while waiting:
        flow = heappop(waiting)[-1]
        seen.chains += 1
        rules += len(flow.chain.rules)
        if rules > most:
            return None
        for callee, sent in _calls(flow, entering[flow]):
            if callee in entering:
                sent = entering[callee].packets | sent
            elif not callee.is_long:
                heappush(waiting, (-callee.depth, len(entering), callee))
            entering[callee] = _Sent(sent, [])
    return {flow: sent for flow, sent in entering.items() if not flow.is_long}


def _calls(flow: ChainFlow, sent: _Sent) -> Iterator[tuple[ChainFlow, PacketSet]]:
    """What may be sent to other chains; the rules that may take something are noted."""
    packets = sent.packets
    for number, rule in enumerate(flow.chain.rules):
        kind = rule.verdict.kind
        if kind is VerdictKind.CONTINUE:
            continue
        tests = flow.tests_of_anyone(number)
        taken = packets & tests.may
        if not taken.satisfiable():
            continue
        sent.numbers.append(number)
        callee = flow.callees.get(rule.verdict.chain or "")
        if callee is not None:
            yield callee, taken
        calls = rule.verdict.chain is not None
        ends = kind is VerdictKind.GOTO and callee is not None
        if ends or not (calls or kind is VerdictKind.UNKNOWN):
            packets = packets & ~tests.sure


def _way_through(flow: ChainFlow, callees: Mapping[str, Called], sent: _Sent) -> _Way:
    walker = Walker(flow.space, callees, sent.packets, anyones=True)
    starts, arriving = [0], [sent.packets]
    for number in sent.numbers:
        verdict = flow.chain.rules[number].verdict
        walker.step(verdict.kind, verdict.chain, flow.tests_of_anyone(number))
        starts.append(number + 1)
        arriving.append(walker.arriving)
    walker.add(VerdictKind.RETURN, walker.arriving)
    return _Way(starts, arriving, walker.outcomes)


class _Told(NamedTuple):
    """A chain of which it is known what becomes of those that are sent to it."""

    nothing: PacketSet
    outcomes: Outcomes

    @property
    def gives_all_back(self) -> bool:
        return False

    def outcomes_of(self, packets: PacketSet) -> Outcomes:
        returned = {VerdictKind.RETURN: self.nothing}
        return returned | {kind: packets & those for kind, those in self.outcomes.items()}

    def outcomes_of_anyones(self, packets: PacketSet) -> Outcomes:
        return self.outcomes_of(packets)

    def kept(self, called: PacketSet, arriving: PacketSet) -> PacketSet:
        return called & arriving & ~self.outcomes.get(VerdictKind.RETURN, self.nothing)

    def kept_of_anyones(self, called: PacketSet, arriving: PacketSet) -> PacketSet:
        return self.kept(called, arriving)
