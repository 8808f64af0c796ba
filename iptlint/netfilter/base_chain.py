"""A base chain as one stop of the packets at its hook."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from iptlint.model import Chain, EffectKind, Rule, Table, VerdictKind
from iptlint.model.call_graph import calls_in
from iptlint.model.kinds import numbers_where, rules_testing
from iptlint.model.writes import Writes, writes_of
from iptlint.netfilter.chain_flow import ChainFlow
from iptlint.netfilter.routes import base_packets, shown_to
from iptlint.netfilter.table_analysis import TableAnalysis
from iptlint.packets.bdd import union
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_CHANGING = (EffectKind.WRITE, EffectKind.NOTRACK)


class BaseChain:
    """``analyse`` gives the analysis of the table, which costs much and is asked for only where
    the chain has to tell what it does with all packets."""

    def __init__(
        self, space: Space, table: Table, chain: Chain, analyse: Callable[[Table], TableAnalysis]
    ) -> None:
        self.space = space
        self.table = table
        self.chain = chain
        self._analyse = analyse

    @classmethod
    def of(cls, analysis: TableAnalysis, chain: Chain) -> BaseChain:
        """That of a table which has been analysed."""
        return cls(analysis.space, analysis.table, chain, lambda _: analysis)

    @cached_property
    def analysis(self) -> TableAnalysis:
        return self._analyse(self.table)

    @property
    def title(self) -> str:
        """``the chain input of table inet filter``."""
        table = self.table
        return f"the chain {self.chain.name} of table {table.family.value} {table.name}"

    @property
    def is_open(self) -> bool:
        """Whether it holds nothing up: without rules, and with a policy that accepts."""
        policy = self.chain.policy
        return not self.chain.rules and (policy is None or policy.kind is VerdictKind.ACCEPT)

    @cached_property
    def seen(self) -> PacketSet:
        """The packets that stop here; the others go by."""
        return base_packets(self.space, self.table, self.chain)

    @cached_property
    def shown(self) -> PacketSet:
        """The packets that the kernel shows to it, of those at its hook."""
        return shown_to(self.space, self.table, self.chain)

    @cached_property
    def rewrites(self) -> bool:
        """Whether a rule of it, or of the chains that it calls, changes packets."""
        return any(
            rule.verdict.kind is VerdictKind.NAT or _is_changing(rule)
            for rule in calls_in(self.table).examples_from(self.chain.name)
        )

    @cached_property
    def may_survive(self) -> PacketSet:
        """The packets that go by, or may leave the chain alive (queue and unknown targets among
        them)."""
        if self.is_open:
            return self.space.true
        return ~self.seen | self._ends(kind for kind in VerdictKind if kind.may_pass)

    @property
    def may_drop(self) -> PacketSet:
        """The packets that may not leave the chain alive."""
        return self._ends(kind for kind in VerdictKind if kind.may_deny)

    @cached_property
    def denied(self) -> PacketSet:
        """The packets that it may drop or reject itself."""
        return self._ends(kind for kind in VerdictKind if kind.denies)

    def _ends(self, kinds: Iterable[VerdictKind]) -> PacketSet:
        return union([self.end(kind) for kind in kinds], self.space.false)

    def end(self, kind: VerdictKind) -> PacketSet:
        """The packets that may end their walk through the chain so, by its policy included."""
        flow = self.analysis.flows[self.chain.name]
        packets = flow.outcomes.get(kind, self.space.false)
        if self.chain.policy is not None and self.chain.policy.kind is kind:
            packets = packets | flow.returns
        return packets & self.seen

    @cached_property
    def is_long(self) -> bool:
        """Whether it is dear to tell what becomes of all packets: then ask about some."""
        flow = self.analysis.flows[self.chain.name]
        return not self.is_open and (
            flow.is_branching or any(flow.is_long for flow in self._flows())
        )

    def ends_of(self, packets: PacketSet) -> Mapping[VerdictKind, PacketSet]:
        """By verdict those of the packets that may end their walk through the chain so."""
        if not self.is_long:
            return {kind: packets & ending for kind, ending in self._all_ends.items()}
        outcomes = self.analysis.flows[self.chain.name].outcomes_of(packets & self.seen)
        ends = dict(outcomes)
        if self.chain.policy is not None:
            kind = self.chain.policy.kind
            ends[kind] = ends.get(kind, self.space.false) | outcomes[VerdictKind.RETURN]
        return ends

    @cached_property
    def _all_ends(self) -> Mapping[VerdictKind, PacketSet]:
        return {kind: self.end(kind) for kind in VerdictKind}

    def surely_accepted(self, packets: PacketSet) -> PacketSet:
        """Those of the packets that it accepts whatever is uncertain."""
        ends = self.ends_of(packets)
        denied = [ending for kind, ending in ends.items() if kind.may_deny]
        accepted = ends.get(VerdictKind.ACCEPT, self.space.false)
        return accepted & ~union(denied, self.space.false)

    def accepts_some(self, packets: PacketSet) -> bool:
        """Whether it accepts some of the packets, whatever is uncertain."""
        if self.analysis.flows[self.chain.name].decides_at_sight:
            return self.some_end((VerdictKind.ACCEPT,), packets)
        return self.surely_accepted(packets).satisfiable()

    def surviving(self, packets: PacketSet) -> PacketSet:
        """Those of the packets that go by, or may leave the chain alive."""
        if self.is_open:
            return packets
        if not self.is_long:
            return packets & self.may_survive
        ends = self.ends_of(packets).items()
        passing = [ending for kind, ending in ends if kind.may_pass]
        return union([packets & ~self.seen, *passing], self.space.false)

    def some_survive(self, packets: PacketSet) -> bool:
        """Whether some of the packets go by, or may leave the chain alive."""
        if self.is_open or not self.is_long or (packets & ~self.seen).satisfiable():
            return self.surviving(packets).satisfiable()
        return self.some_end([kind for kind in VerdictKind if kind.may_pass], packets)

    def some_end(self, kinds: Sequence[VerdictKind], packets: PacketSet) -> bool:
        """Whether some of the packets may end their walk through the chain so."""
        if self.chain.policy is not None and self.chain.policy.kind in kinds:
            kinds = [*kinds, VerdictKind.RETURN]
        return self.analysis.flows[self.chain.name].some_end(kinds, packets & self.seen)

    def some_end_otherwise(self, kinds: Collection[VerdictKind], packets: PacketSet) -> bool:
        """Whether some of the packets, which all stop here, end their walk through the chain for
        certain in none of these ways."""
        flow, policy = self.analysis.flows[self.chain.name], self.chain.policy
        if policy is not None and flow.decides_at_sight:
            others = {kind for kind in VerdictKind if kind not in kinds} - {VerdictKind.RETURN}
            return self.some_end(tuple(others), packets)
        ends = self.ends_of(packets)
        alike = [ends[kind] for kind in kinds if kind in ends]
        return (packets & ~union(alike, self.space.false)).satisfiable()

    def afterwards(self, packets: PacketSet) -> PacketSet:
        """What the packets may be once they have left the chain."""
        return packets | self._free(packets & self._touched)

    def beforehand(self, packets: PacketSet) -> PacketSet:
        """What packets may have been that are ``packets`` once they have left the chain."""
        return packets | (self._free(packets) & self._touched)

    def _free(self, packets: PacketSet) -> PacketSet:
        return self.space.forget(packets, self._changes.fields)

    @cached_property
    def _changes(self) -> Writes:
        return writes_of(rule for rule, _ in self._changing)

    @cached_property
    def _touched(self) -> PacketSet:
        """The packets that the chain may change."""
        return union([packets for _, packets in self._changing], self.space.false)

    @cached_property
    def _changing(self) -> tuple[tuple[Rule, PacketSet], ...]:
        """The rules that change packets, and those they may change."""
        changing: list[tuple[Rule, PacketSet]] = []
        for flow in self._flows():
            rules = flow.chain.rules
            numbers = numbers_where(flow.chain, _is_changing)
            matched = dict(flow.matched_of(numbers, self.space.universe))
            changing += [(rules[n], matched.get(n, self.space.false)) for n in numbers]
        return tuple(changing)

    def rules_where(self, holds: Callable[[Rule], bool]) -> Iterator[tuple[Chain, Rule]]:
        """Those of the chain and of the chains that it calls for which it holds, whatever addresses
        and ports they name."""
        return self.analysis.calls.rules_where(self.chain.name, holds)

    def rules_testing(self, holds: Callable[[Rule], bool]) -> Iterator[tuple[Chain, Rule]]:
        """The same, as ``rules_testing`` has them."""
        called = self.analysis.calls.reachable_from(self.chain.name)
        return (each for each in rules_testing(self.table, holds) if each[0].name in called)

    def examples(self) -> Iterator[Rule]:
        """One of each kind of these rules."""
        return self.analysis.calls.examples_from(self.chain.name)

    def _flows(self) -> Iterator[ChainFlow]:
        """Those of the chain and of the chains that it calls."""
        called = self.analysis.calls.reachable_from(self.chain.name)
        return (self.analysis.flows[name] for name in called)


def _is_changing(rule: Rule) -> bool:
    return any(effect.kind in _CHANGING for effect in rule.effects)
