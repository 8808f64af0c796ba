"""A table walked for every packet at once: who enters which chain, what becomes of whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from iptlint.model import Chain, Field, Hook, Rule, Ruleset, Table, VerdictKind
from iptlint.netfilter.flow import Flow, chain_flow
from iptlint.netfilter.lookup import Lookup
from iptlint.packets.space import Space, Tests, reads_conntrack

if TYPE_CHECKING:
    from iptlint.packets.bits import PacketSet


class Place(NamedTuple):
    """Rule ``number`` (from 0) of a chain."""

    chain: str
    number: int


@dataclass(frozen=True, slots=True)
class Entry:
    """The packets that may enter a chain, and those ``sent``: that would if no earlier rule
    took any."""

    may: PacketSet
    sent: PacketSet


class Walk:
    """One table of a ruleset, analysed within itself.

    A rule's own tests come first in every intersection here: they are a small set, and
    what arrives at it may be a very large one.
    """

    def __init__(self, ruleset: Ruleset, table: Table) -> None:
        self.ruleset = ruleset
        self.table = table
        self.space = Space(
            table.family,
            tuple(rule for _, rule in table.rules()),
            defragmented=uses_conntrack(ruleset, table),
        )
        self.order = call_order(table)
        self.flows: dict[str, Flow] = {}
        for name in self.order:
            self.flows[name] = chain_flow(self.space, table.chains[name], self.flows)
        self.callers: Mapping[str, list[Place]] = _callers(table)
        self.entries = self._entries()
        self.denied: dict[Hook, PacketSet] = {}
        """Kept by ``posture.denied_by_default``."""
        self._lookups: dict[str, Lookup] = {}
        self._guides: dict[str, PacketSet] = {}
        self.places = {
            id(rule): Place(name, index)
            for name, chain in table.chains.items()
            for index, rule in enumerate(chain.rules)
        }

    def _entries(self) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        for name in reversed(self.order):
            chain = self.table.chains[name]
            hooked = self._hooked(chain.hook) if chain.hook else None
            entries[name] = hooked or self._called(name, entries)
        return entries

    def _hooked(self, hook: Hook) -> Entry:
        packets = self.hook_packets(hook)
        return Entry(packets, packets)

    def _called(self, name: str, entries: Mapping[str, Entry]) -> Entry:
        may = sent = self.space.false
        for caller, index in self.callers.get(name, ()):
            if caller not in entries:
                continue  # the call closes a loop
            entry, flow = entries[caller], self.flows[caller]
            tests = flow.tests[index]
            may |= tests.may & flow.arrives[index] & entry.may
            sent |= tests.may & entry.sent
        return Entry(may, sent)

    def hook_packets(self, hook: Hook) -> PacketSet:
        """The packets a base chain at the hook can see in this table."""
        packets = self.space.universe
        for field, exists in _INTERFACES_AT[hook].items():
            none = self.space.no_interface(field)
            packets = packets & (~none if exists else none)
        if self.table.name == "nat":
            # nf_nat_inet_fn translates the first packet of a connection only; an expected
            # connection starts as related (net/netfilter/nf_nat_core.c).
            packets = packets & self.space.state("new", "related")
        return packets

    def place(self, rule: Rule) -> Place:
        return self.places[id(rule)]

    def tests(self, rule: Rule) -> Tests:
        chain, index = self.place(rule)
        return self.flows[chain].tests[index]

    def matched(self, rule: Rule) -> PacketSet:
        """The packets that may get to the rule and match it."""
        chain, index = self.place(rule)
        flow = self.flows[chain]
        return flow.tests[index].may & flow.arrives[index] & self.entries[chain].may

    def is_matched(self, rule: Rule) -> bool:
        """Whether some packet may get to the rule and match it.

        What enters a chain may be a very large set. One path of its diagram leads the way to a
        packet that is likely in it, which answers for most rules at little cost.
        """
        chain, index = self.place(rule)
        flow, entry = self.flows[chain], self.entries[chain].may
        tests, arriving = flow.tests[index].may, flow.arrives[index]
        likely = tests.pick_cube_dd_set(self._guide(chain))
        if (likely & arriving & entry).satisfiable():
            return True
        return (tests & arriving & entry).satisfiable()

    def _guide(self, chain: str) -> PacketSet:
        if chain not in self._guides:
            self._guides[chain] = self.entries[chain].may.pick_cube_dd()
        return self._guides[chain]

    def lookup(self, chain: str) -> Lookup:
        """For searches among the packets that the chain's rules may match."""
        if chain not in self._lookups:
            self._lookups[chain] = Lookup([tests.may for tests in self.flows[chain].tests])
        return self._lookups[chain]

    def sent(self, rule: Rule) -> PacketSet:
        """The packets that would match the rule if no earlier rule took any."""
        chain, index = self.place(rule)
        return self.flows[chain].tests[index].may & self.entries[chain].sent

    def base_chain(self, hook: Hook) -> Chain | None:
        return next((c for c in self.table.base_chains() if c.hook is hook), None)

    def outcome(self, hook: Hook, kind: VerdictKind) -> PacketSet:
        """The packets at the hook that may have this outcome, the policy included."""
        chain = self.base_chain(hook)
        if chain is None:
            accepted = kind is VerdictKind.ACCEPT
            return self.hook_packets(hook) if accepted else self.space.false
        flow, entry = self.flows[chain.name], self.entries[chain.name].may
        packets = flow.outcomes.get(kind, self.space.false)
        if chain.policy is not None and chain.policy.kind is kind:
            packets = packets | flow.returns
        return entry & packets

    def may_pass(self, hook: Hook) -> PacketSet:
        """The packets at the hook that may leave the table alive (queue, an unknown target
        and translation among them)."""
        passing = (
            VerdictKind.ACCEPT,
            VerdictKind.QUEUE,
            VerdictKind.UNKNOWN,
            VerdictKind.NAT,
        )
        result = self.space.false
        for kind in passing:
            result = result | self.outcome(hook, kind)
        return result

    def may_die(self, hook: Hook) -> PacketSet:
        dying = (VerdictKind.DROP, VerdictKind.REJECT, VerdictKind.QUEUE, VerdictKind.UNKNOWN)
        result = self.space.false
        for kind in dying:
            result = result | self.outcome(hook, kind)
        return result

    def is_called(self, chain: str) -> bool:
        """Whether a hook or another chain sends packets to the chain."""
        return bool(self.hooks_of(chain))

    def hooks_of(self, chain: str) -> tuple[Hook, ...]:
        """The hooks from which calls lead to the chain."""
        return tuple(self._hooks.get(chain, ()))

    @cached_property
    def _hooks(self) -> Mapping[str, dict[Hook, None]]:
        hooks: dict[str, dict[Hook, None]] = defaultdict(dict)
        for name in reversed(self.order):
            chain = self.table.chains[name]
            if chain.hook:
                hooks[name][chain.hook] = None
            for callee in _calls(chain):
                hooks[callee].update(hooks[name])
        return hooks


_INTERFACES_AT = {
    Hook.PREROUTING: {Field.IIF: True, Field.OIF: False},
    Hook.INPUT: {Field.IIF: True, Field.OIF: False},
    Hook.FORWARD: {Field.IIF: True, Field.OIF: True},
    Hook.OUTPUT: {Field.IIF: False, Field.OIF: True},
    # POSTROUTING sees forwarded packets and the host's own; xtables gives it no way in.
    Hook.POSTROUTING: {Field.OIF: True},
}


def _calls(chain: Chain) -> Iterator[str]:
    return (rule.verdict.chain for rule in chain.rules if rule.verdict.chain is not None)


def _callers(table: Table) -> dict[str, list[Place]]:
    callers: dict[str, list[Place]] = defaultdict(list)
    for name, chain in table.chains.items():
        for index, rule in enumerate(chain.rules):
            if rule.verdict.chain is not None:
                callers[rule.verdict.chain].append(Place(name, index))
    return callers


def call_order(table: Table) -> tuple[str, ...]:
    """Every chain after the chains it calls; a call that closes a loop is left out."""
    done: dict[str, None] = {}
    for root in table.chains:
        stack: list[tuple[str, Iterator[str]]] = [(root, _calls(table.chains[root]))]
        under_way = {root}
        while stack:
            name, calls = stack[-1]
            callee = next(
                (c for c in calls if c in table.chains and c not in done and c not in under_way),
                None,
            )
            if callee is None:
                stack.pop()
                under_way.discard(name)
                done[name] = None
            else:
                under_way.add(callee)
                stack.append((callee, _calls(table.chains[callee])))
    return tuple(done)


def uses_conntrack(ruleset: Ruleset, table: Table) -> bool:
    """Whether connections are tracked in the table's family: a rule asks for it, or translates."""
    return any(
        other.name == "nat" and any(True for _ in other.rules())
        for other in ruleset.tables
        if other.family is table.family
    ) or any(
        reads_conntrack(rule.matches)
        for other in ruleset.tables
        if other.family is table.family
        for _, rule in other.rules()
    )
