"""Who takes the packets that a dead rule was written for.

The packets that would match the rule are followed from the rule upwards: in each chain
the last rule that still took some of them is found by bisection (the sets that arrive
only shrink), so a hundred thousand rules cost seventeen steps, not a hundred thousand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from iptlint.memo import memo
from iptlint.model import Rule
from iptlint.netfilter.passage import Passage
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
    packet comes to each of them, whatever stands before the chain. ``packets``: those of a rule
    that is dead for them only."""
    place = analysis.place(rule)
    if packets is None:
        flow, entry = analysis.flows[place.chain], analysis.entries[place.chain]
        sole = flow.sole_taker(place.number, entry.reachable)
        if sole is not None:
            return (flow.chain.rules[sole],)
        if entry.intended == entry.reachable:
            several = flow.stoppers(place.number, entry.reachable)
            if several is not None:
                return _in_order(flow.chain.rules[number] for number in several)
    else:
        number = _taker_of_all(analysis, place.chain, packets)
        if number is not None and number < place.number:
            return (analysis.flows[place.chain].chain.rules[number],)
    meant = analysis.intended(rule) if packets is None else packets
    blocking = _Search(analysis).above(place.chain, place.number, meant)
    if not _are_met(analysis, place.chain, blocking, meant):
        blocking = _Search(analysis, coming=True).above(place.chain, place.number, meant)
    return _in_order(taker.rule for taker in blocking)


def _in_order(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    return tuple(sorted(dict.fromkeys(rules), key=lambda rule: rule.origin.span.start))


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


def _are_met(
    analysis: TableAnalysis, chain: str, blocking: Sequence[Blocker], packets: PacketSet
) -> bool:
    """Whether some of the packets come to each of the table's own among them. One that gets none,
    as they are gone before, takes none away."""
    if not (packets & ~analysis.entries[chain].reachable).satisfiable():
        # Where all come to the chain, some come to each of its own rules that stop them.
        places = (analysis.places.get(taker.rule) for taker in blocking)
        if any(place is not None and place.chain == chain for place in places):
            return True
    own = [taker.rule for taker in blocking if taker.rule in analysis.places]
    return bool(own) and all(_is_met(analysis, rule, packets) for rule in own)


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
        passage = self.analysis.flows[chain].passage_to(number, packets)
        stopped = packets & ~passage.arriving
        if self.coming:
            stopped = stopped & self.analysis.entries[chain].reachable
        blocking = [*self._stopping(chain, passage, stopped)]
        if not all(self._is_of(chain, taker) for taker in blocking):
            blocking = needed(blocking, stopped)
        rest = packets & ~stopped
        if depth == _DEEPEST or not rest.satisfiable():
            return blocking
        for caller, call in self.analysis.calls.callers(chain):
            through = self._through(rest, caller, call)
            if through.satisfiable():
                blocking += self.above(caller, call, through, depth + 1)
        return blocking + list(self._at_earlier_stations(chain, rest))

    def _is_of(self, chain: str, taker: Blocker) -> bool:
        """Whether the rule itself takes what stops in the chain. Then each is needed: it takes a
        packet first that none of those behind it takes."""
        return taker.rule.verdict.chain is None and self.analysis.place(taker.rule).chain == chain

    def _at_earlier_stations(self, chain: str, packets: PacketSet) -> Iterator[Blocker]:
        """Takers in the base chains that the packets enter before this one. What a policy takes
        has none."""
        for base_chain in self.analysis.before(self.analysis.table.chains[chain]):
            flow = base_chain.analysis.flows[base_chain.chain.name]
            surviving = base_chain.surviving(packets)
            lost, packets = flow.kept(packets & ~surviving, packets), surviving
            if lost.satisfiable():
                yield from _Search(base_chain.analysis)._within(base_chain.chain.name, lost)

    def _through(self, packets: PacketSet, caller: str, call: int) -> PacketSet:
        entry = self.analysis.entries.get(caller)
        tests = self.analysis.flows[caller].tests[call]
        return packets & tests.may & entry.intended if entry else self.analysis.space.false

    def _within(self, chain: str, packets: PacketSet, depth: int = 0) -> Iterator[Blocker]:
        """Takers in the chain, which together took all of ``packets``."""
        flow = self.analysis.flows[chain]
        passage = Passage(flow, len(flow.chain.rules), packets)
        return self._stopping(chain, passage, packets, depth)

    def _stopping(
        self, chain: str, passage: Passage, packets: PacketSet, depth: int = 0
    ) -> Iterator[Blocker]:
        for number, taken in passage.stopping(packets):
            yield from self._at(chain, number, taken, depth)

    def _at(self, chain: str, number: int, packets: PacketSet, depth: int) -> Iterator[Blocker]:
        """The rule itself, or the rules of the chain it calls."""
        flow = self.analysis.flows[chain]
        rule, sure = flow.chain.rules[number], flow.tests[number].sure
        called = self.analysis.flows.get(rule.verdict.chain) if rule.verdict.chain else None
        if called is None or depth == _DEEPEST:
            yield Blocker(rule, sure)
            return
        lost = called.kept(packets, packets)
        inside = self._within(called.chain.name, lost, depth + 1)
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
