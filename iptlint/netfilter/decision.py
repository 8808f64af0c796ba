"""Who decides these packets: the rules, through called chains, or the policy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from iptlint.model import Chain, Hook, Rule, VerdictKind
from iptlint.netfilter.base_chain import BaseChain
from iptlint.netfilter.chain_flow import ChainFlow
from iptlint.netfilter.hooks import Hooks
from iptlint.netfilter.table_analysis import TableAnalysis
from iptlint.source import Span

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

ACCEPTING = (VerdictKind.ACCEPT, VerdictKind.NAT)
_GOES_ON = (VerdictKind.CONTINUE, VerdictKind.RETURN)


class Share(NamedTuple):
    """``rule`` is None for the policy of ``chain``; ``packets``: those it may decide."""

    walk: TableAnalysis
    chain: Chain
    rule: Rule | None
    kind: VerdictKind
    packets: PacketSet

    @property
    def name(self) -> str:
        """What to call it in a sentence, with its line."""
        if self.rule is None:
            return f"the policy of {self.chain.name}"
        return f"line {self.rule.origin.span.line}"

    @property
    def does(self) -> str:
        return _DOES.get(self.kind, "takes")

    @property
    def first(self) -> str:
        """That it gets packets which nothing before it accepts; the object is to follow."""
        if self.rule is None:
            return f"no rule accepts them, and {self.name} {self.does}"
        return f"before any rule accepts them, {self.name} {self.does}"

    @property
    def span(self) -> Span:
        if self.rule is not None:
            return self.rule.origin.span
        return declared(self.walk, self.chain)


_DOES = {
    VerdictKind.ACCEPT: "accepts",
    VerdictKind.DROP: "drops",
    VerdictKind.REJECT: "rejects",
}


def declared(walk: TableAnalysis, chain: Chain) -> Span:
    """Where the chain is declared; else its first rule, its table, the first line."""
    if chain.origin is not None:
        return chain.origin.span
    if chain.rules:
        return chain.rules[0].origin.span
    origin = walk.table.origin
    return origin.span if origin else walk.ruleset.source.line_span(1)


def packet_count(packets: PacketSet) -> float:
    """A number in proportion to how many packets these are; 512 keeps it far from the ends of
    what a float can hold, however many variables there are."""
    return packets.sat_count_float(512)


def shares(path: Hooks, hook: Hook, packets: PacketSet) -> list[Share]:
    """Who may decide ``packets`` at the hook, the largest share first; of equal shares the
    last in the text, which is the one that leaves nothing to luck. Empty without a base chain.

    Every base chain has its say on who dies. Who accepts is told by the main one.
    """
    main = path.main(hook)
    here = packets & path.hook_packets(hook)
    accepted = here & path.may_pass(hook)
    found: list[Share] = []
    for station in path.stations(hook):
        for decider in at_station(station, here & station.seen):
            if decider.kind not in ACCEPTING:
                found.append(decider)
            elif station is main and (decider.packets & accepted).satisfiable():
                found.append(decider._replace(packets=decider.packets & accepted))
        here = station.afterwards(here & station.passing)
    return largest_first(found)


def largest_first(found: Iterable[Share]) -> list[Share]:
    """The largest share of packets first; of equal shares the last."""
    found = list(found)
    shares = [packet_count(decider.packets) for decider in found]
    order = sorted(range(len(found)), key=lambda number: (-shares[number], -number))
    return [found[number] for number in order]


def at_station(station: BaseChain, packets: PacketSet) -> Iterator[Share]:
    """Who may decide the packets in one base chain: in the order of calls, the policy last."""
    walk, base = station.walk, station.chain
    entering = {base.name: packets}
    for name in reversed(walk.order):
        inside = entering.get(name)
        if inside is not None and inside.satisfiable():
            yield from _in_chain(walk, walk.flows[name], inside, entering)
    left = packets & walk.flows[base.name].returns
    if base.policy is not None and left.satisfiable():
        yield Share(walk, base, None, base.policy.kind, left)


def _in_chain(
    walk: TableAnalysis, flow: ChainFlow, inside: PacketSet, entering: dict[str, PacketSet]
) -> Iterator[Share]:
    """The rules of one chain that decide; what it calls is added to ``entering``."""
    for rule, tests, arriving in zip(flow.chain.rules, flow.tests, flow.arrives, strict=False):
        kind, callee = rule.verdict.kind, rule.verdict.chain
        if kind in _GOES_ON:
            continue
        # In this order: what arrives is by far the largest of the three.
        taken = inside & tests.may
        if not taken.satisfiable() or not (taken := taken & arriving).satisfiable():
            continue
        if callee is None or callee not in walk.flows:
            yield Share(walk, flow.chain, rule, kind, taken)
        else:
            entering[callee] = entering.get(callee, walk.space.false) | taken
