"""Which packets get to a rule whatever the uncertain tests say.

Only ``reach`` asks, to tell a rule that is reachable from one that needs luck; so it is
worked out when asked, beside the walk.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from iptlint.model import Chain, Rule, VerdictKind
from iptlint.netfilter.flow import Flow, swallow
from iptlint.netfilter.walk import Walk
from iptlint.packets.bits import union

if TYPE_CHECKING:
    from iptlint.packets.bits import PacketSet


class Certain:
    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self._arrivals: dict[str, list[PacketSet]] = {}
        self._entries: dict[str, PacketSet] = {}
        self._several: dict[str, PacketSet] = {}
        self._cannot_pass_by: dict[str, PacketSet] = {}
        for name in reversed(walk.order):
            self._enter(name)

    def matched(self, rule: Rule) -> PacketSet:
        """The packets that match the rule, its uncertain tests aside, and get to it in any case.

        Exact where several calls lead to the rule: a packet that an uncertain test sends to its
        chain one way or the other gets there for certain.
        """
        chain, number = self.walk.place(rule)
        here = self.walk.flows[chain].tests[number].may & self.arrivals(chain)[number]
        if (here & self._several[chain]).satisfiable():
            return here & self._caught(chain)
        return here & self._entries[chain]

    def arrivals(self, chain: str) -> list[PacketSet]:
        """For each rule the packets that get to it in any case, once they are in the chain."""
        if chain not in self._arrivals:
            arriving = self.walk.space.universe
            found = []
            for number in range(len(self.walk.flows[chain].tests)):
                found.append(arriving)
                arriving = arriving & ~self._may_leave(chain, number)
            self._arrivals[chain] = found
        return self._arrivals[chain]

    def _may_leave(self, chain: str, number: int) -> PacketSet:
        flow = self.walk.flows[chain]
        verdict, may = flow.chain.rules[number].verdict, flow.tests[number].may
        match verdict.kind:
            case VerdictKind.CONTINUE:
                return self.walk.space.false
            case VerdictKind.JUMP if verdict.chain in self.walk.flows:
                return may & ~self._comes_back(self.walk.flows[verdict.chain])
            case _:
                return may

    def _comes_back(self, flow: Flow) -> PacketSet:
        """The packets that return from the chain in any case."""
        decided = [p for kind, p in flow.outcomes.items() if kind is not VerdictKind.RETURN]
        return self.walk.space.universe & ~union(decided, self.walk.space.false)

    def _enter(self, chain: str) -> None:
        """Who enters the chain in any case, and who may enter it in more than one way."""
        false = self.walk.space.false
        if self.walk.table.chains[chain].hook:
            self._entries[chain], self._several[chain] = self.walk.entries[chain].may, false
            return
        may = surely = several = false
        for caller, number in self.walk.callers.get(chain, ()):
            if caller not in self._entries:
                continue  # the call closes a loop
            flow = self.walk.flows[caller]
            entering = self.walk.matched(flow.chain.rules[number])
            several = several | (may & entering) | (entering & self._several[caller])
            may = may | entering
            arriving = self.arrivals(caller)[number] & self._entries[caller]
            surely = surely | (flow.tests[number].sure & arriving)
        self._entries[chain], self._several[chain] = surely, several

    def _caught(self, chain: str) -> PacketSet:
        """The packets that cannot pass the chain by: with the chain swallowing whoever enters,
        they have no outcome at any hook."""
        if chain not in self._cannot_pass_by:
            above = self._callers_of(chain)
            flows = {**self.walk.flows, chain: swallow(self.walk.space, self._chain(chain))}
            for name in (name for name in self.walk.order if name in above):
                flows[name] = self.walk.flow(self._chain(name), flows)
            caught = union(list(self._without_outcome(flows)), self.walk.space.false)
            self._cannot_pass_by[chain] = caught
        return self._cannot_pass_by[chain]

    def _chain(self, name: str) -> Chain:
        return self.walk.table.chains[name]

    def _without_outcome(self, flows: Mapping[str, Flow]) -> Iterator[PacketSet]:
        for base in self.walk.table.base_chains():
            outcomes = list(flows[base.name].outcomes.values())
            yield self.walk.entries[base.name].may & ~union(outcomes, self.walk.space.false)

    def _callers_of(self, chain: str) -> set[str]:
        """The chains from which calls lead to the chain."""
        found: set[str] = set()
        pending = [chain]
        while pending:
            callers = {caller for caller, _ in self.walk.callers.get(pending.pop(), ())}
            pending += callers - found
            found |= callers
        return found - {chain}
