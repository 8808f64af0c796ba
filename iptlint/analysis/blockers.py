"""Who takes the packets that a dead rule was written for.

The packets that would match the rule are followed from the rule upwards: in each chain
the last rule that still took some of them is found by bisection (the sets that arrive
only shrink), so a hundred thousand rules cost seventeen steps, not a hundred thousand.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from iptlint.memo import memo
from iptlint.model import Rule
from iptlint.netfilter.table_analysis import TableAnalysis

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_DEEPEST = 64
"""How many calls down or up are followed; beyond, the call itself is named. The kernel's own
stack for nft holds 16 (NFT_JUMP_STACK_SIZE)."""


class Blocker(NamedTuple):
    """``packets``: what the rule takes away for certain, wherever they were to go."""

    rule: Rule
    packets: PacketSet


def blockers(
    analysis: TableAnalysis, rule: Rule, packets: PacketSet | None = None
) -> tuple[Rule, ...]:
    """A small set of rules that together take every packet the dead rule would match, in the
    order of the text. Each takes some of them first; rules of its own chain are named where some
    packet comes to one of them, whatever stands before the chain. ``packets``: those of a rule
    that is dead for them only."""
    place = analysis.place(rule)
    if packets is None:
        flow, entry = analysis.flows[place.chain], analysis.entries[place.chain]
        sole = flow.sole_taker(place.number, entry.reachable)
        if sole is not None:
            return (flow.chain.rules[sole],)
    else:
        number = _taker_of_all(analysis, place.chain, packets)
        if number is not None and number < place.number:
            return (analysis.flows[place.chain].chain.rules[number],)
    meant = analysis.intended(rule) if packets is None else packets
    blocking = _Search(analysis).above(place.chain, place.number, meant)
    if not any(_is_met(analysis, taker.rule, meant) for taker in blocking):
        blocking = _Search(analysis, coming=True).above(place.chain, place.number, meant)
    unique = dict.fromkeys(taker.rule for taker in blocking)
    return tuple(sorted(unique, key=lambda taker: taker.origin.span.start))


@memo
def _taker_of_all(analysis: TableAnalysis, chain: str, packets: PacketSet) -> int | None:
    """The rule of the chain that no packet gets past, where it takes them all by itself; None where
    the search has to tell. Elements of many lists are for the same packets."""
    flow = analysis.flows[chain]
    number = len(flow.chain.rules) if flow.is_long else flow.blocked_at(packets)
    if number == len(flow.chain.rules) or flow.chain.rules[number].verdict.chain is not None:
        return None
    if (packets & ~flow.taken_by(number)).satisfiable():
        return None
    return number if _is_met(analysis, flow.chain.rules[number], packets) else None


def _is_met(analysis: TableAnalysis, taker: Rule, packets: PacketSet) -> bool:
    """Whether it is a rule of the table, and some of the packets may come to it."""
    return taker in analysis.places and analysis.gets_some(taker, packets)


class _Search:
    """``coming``: what a rule takes are packets that may come to its chain, and no others."""

    def __init__(self, analysis: TableAnalysis, *, coming: bool = False) -> None:
        self.analysis = analysis
        self.coming = coming

    def above(self, chain: str, number: int, packets: PacketSet, depth: int = 0) -> list[Blocker]:
        """Takers of ``packets``, which none of gets through, before rule ``number`` of the chain
        or before the calls of the chain."""
        stopped = packets & ~self.analysis.flows[chain].arriving_at(number, packets)
        if self.coming:
            stopped = stopped & self.analysis.entries[chain].reachable
        blocking = needed(list(self._within(chain, number, stopped)), stopped)
        rest = packets & ~stopped
        if depth == _DEEPEST or not rest.satisfiable():
            return blocking
        for caller, call in self.analysis.calls.callers(chain):
            through = self._through(rest, caller, call)
            if through.satisfiable():
                blocking += self.above(caller, call, through, depth + 1)
        return blocking + list(self._at_earlier_stations(chain, rest))

    def _at_earlier_stations(self, chain: str, packets: PacketSet) -> Iterator[Blocker]:
        """Takers in the base chains that the packets enter before this one. What a policy takes
        has none."""
        for base_chain in self.analysis.before(self.analysis.table.chains[chain]):
            flow = base_chain.analysis.flows[base_chain.chain.name]
            surviving = base_chain.surviving(packets)
            lost, packets = flow.kept(packets & ~surviving, packets), surviving
            if lost.satisfiable():
                yield from _Search(base_chain.analysis)._within(
                    base_chain.chain.name, len(flow.chain.rules), lost
                )

    def _through(self, packets: PacketSet, caller: str, call: int) -> PacketSet:
        entry = self.analysis.entries.get(caller)
        tests = self.analysis.flows[caller].tests[call]
        return packets & tests.may & entry.intended if entry else self.analysis.space.false

    def _within(
        self, chain: str, end: int, packets: PacketSet, depth: int = 0
    ) -> Iterator[Blocker]:
        """Takers among the first ``end`` rules, which together took all of ``packets``."""
        flow = self.analysis.flows[chain]
        while packets.satisfiable():
            last = flow.blocked_at(packets, end)
            taken = flow.taken_by(last)
            yield from self._at(chain, last, packets & taken, depth)
            packets = packets & ~taken
            end = last

    def _at(self, chain: str, number: int, packets: PacketSet, depth: int) -> Iterator[Blocker]:
        """The rule itself, or the rules of the chain it calls."""
        flow = self.analysis.flows[chain]
        rule, sure = flow.chain.rules[number], flow.tests[number].sure
        called = self.analysis.flows.get(rule.verdict.chain) if rule.verdict.chain else None
        if called is None or depth == _DEEPEST:
            yield Blocker(rule, sure)
            return
        lost = called.kept(packets, packets)
        inside = self._within(called.chain.name, len(called.chain.rules), lost, depth + 1)
        for taker in inside:
            yield Blocker(taker.rule, called.kept(taker.packets & sure, taker.packets))
        if (packets & ~lost).satisfiable():
            yield Blocker(rule, sure & ~called.kept(sure, sure))


def needed(several: list[Blocker], packets: PacketSet) -> list[Blocker]:
    """Without the members that the others make unnecessary."""
    for taker in tuple(several):
        rest = packets
        for other in several:
            if other is not taker:
                rest = rest & ~other.packets
        if not rest.satisfiable():
            several.remove(taker)
    return several
