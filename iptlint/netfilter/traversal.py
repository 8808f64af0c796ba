"""Packets followed through all hooks on their way, with all that is changed of them.

Packets with the same changes go together as one group, and meet rule after rule. Sets are of
packets as they came to the first hook.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from iptlint.model import Chain, Family, Field, Hook, Rule, Table, VerdictKind
from iptlint.model.verdicts import INTERFACE_ADDRESS
from iptlint.netfilter.base_chain import BaseChain
from iptlint.netfilter.firewall import Firewall, Hooks, is_early
from iptlint.netfilter.meetings import Meetings
from iptlint.netfilter.packet_group import (
    Decision,
    Outcome,
    PacketGroup,
    PacketGroups,
    Statements,
    TraversalStep,
    Visit,
)
from iptlint.netfilter.rewriting import DESTINATION_SIDE, Writer
from iptlint.netfilter.routes import INTERFACES_AT, at_hook
from iptlint.netfilter.routing import Routing, RunningConnection
from iptlint.netfilter.tracking import TRACKED_AT, TRANSLATION, Tracking
from iptlint.netfilter.unknowns import ExactMatcher, Unknowns
from iptlint.packets.interfaces import NO_INTERFACE
from iptlint.packets.original import as_connections_begin
from iptlint.packets.rewrite import Rewrite
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_INTERFACES = (Field.IIF, Field.OIF)
_BACK_BY_LO = (Hook.PREROUTING, Hook.INPUT)
_TO_HOST, _ONWARDS = (Hook.INPUT,), (Hook.FORWARD, Hook.POSTROUTING, Hook.EGRESS)
_DEEPEST = 256


def setting_out(space: Space, family: Family, hook: Hook) -> PacketSet:
    """The packets that may take the way with the hook."""
    names = [name for name in family.packets if name in space.families]
    return at_hook(space, hook) & space.family(*names) & as_connections_begin(space)


class _Ways(NamedTuple):
    """Where packets go on from a rule: to the next part of the statement, behind it, or back
    to the caller."""

    ahead: PacketGroups
    beyond: PacketGroups
    back: PacketGroups


class Traversal:
    """One ruleset's ways. ``on_step`` is called for each step, ``on_visit`` for each rule that
    packets come to which pass its tests; ``by_rule`` keeps apart the packets that different rules
    accept. With ``routing`` packets go by their new destination; without, all go on the way that
    was asked for. ``running``: the connection that all are part of. ``last``: no hook behind it."""

    def __init__(
        self,
        firewall: Firewall,
        family: Family,
        unknowns: Unknowns,
        *,
        by_rule: bool = False,
        routing: Routing | None = None,
        running: RunningConnection | None = None,
        on_step: Callable[[TraversalStep], None] | None = None,
        on_visit: Callable[[Rule, Visit], None] | None = None,
    ) -> None:
        self.firewall = firewall
        self.space = firewall.space
        self.family = family
        self.hooks = Hooks(firewall, family)
        self.by_rule = by_rule
        self.on_step = on_step
        self.on_visit = on_visit
        self.matcher = ExactMatcher(unknowns, firewall.left_open)
        self.writer = Writer(family, self.matcher, routing.addresses if routing else None)
        self.routing = routing
        self.running = running
        self.tracking = Tracking(unknowns, running)
        self.outcomes: list[Outcome] = []
        self.last: Hook | None = None
        self.meetings = Meetings(firewall, unknowns)

    def follow(self, hooks: Sequence[Hook], packets: PacketSet) -> list[Outcome]:
        """What becomes of the packets on their way through the hooks."""
        self.outcomes = []
        if self.routing is not None and Hook.PREROUTING in hooks:
            packets = self.routing.setting_out(packets, to_host=Hook.INPUT in hooks)
        if self.routing is not None and Hook.INPUT not in hooks:
            packets = self.routing.leaving(packets)
        start = PacketGroups([PacketGroup(Rewrite(self.space, {}), packets)])
        if self.routing is not None and Hook.PREROUTING in hooks[:-1]:
            self._from_outside(self.routing, hooks, start)
        elif self.routing is not None and hooks[0] is Hook.OUTPUT:
            self._from_host(self.routing, hooks, start)
        else:
            self._as_asked(hooks, start)
        return self.outcomes

    def _as_asked(self, hooks: Sequence[Hook], start: PacketGroups) -> None:
        """Wherever packets are sent, they stay on this way."""
        to_host, number = Hook.INPUT in hooks, 0
        is_routed = self.family in (Family.IP, Family.IP6)
        if is_routed and Hook.PREROUTING in hooks and Hook.FORWARD in hooks:
            number = hooks.index(Hook.FORWARD)
            start = self._living_on(self._through(hooks[:number], start, to_host=to_host))
        self._arrive(hooks[-1], self._through(hooks[number:], start, to_host=to_host))

    def _from_outside(self, routing: Routing, hooks: Sequence[Hook], start: PacketGroups) -> None:
        to_host = Hook.INPUT in hooks
        number = hooks.index(Hook.PREROUTING) + 1
        before, behind = hooks[:number], hooks[number:]
        arrived = self._through(before, start, to_host=to_host)
        if self.running is not None:
            routed = routing.as_before(arrived, self.running)
        else:
            routed = routing.routed(arrived, to_host=to_host)
        if to_host or not routing.stays:
            way = behind if to_host else _TO_HOST
            self._arrive(way[-1], self._through(way, routed.to_host, to_host=to_host))
        if not (to_host and routing.stays):
            way = _ONWARDS if to_host else behind
            onwards = self._without(routing.unrouted, routed.onwards, Hook.PREROUTING)
            onwards = self._living_on(onwards)
            self._arrive(way[-1], self._through(way, onwards, to_host=to_host))

    def _from_host(self, routing: Routing, hooks: Sequence[Hook], start: PacketGroups) -> None:
        """The hook goes on with the interface that packets had; the next one sees the new."""
        start = self._without(routing.unrouted, start, Hook.OUTPUT)
        sent = routing.rerouted(self._at_hook(Hook.OUTPUT, start, to_host=False))
        leaving = self._through(hooks[1:], sent, to_host=False)
        self._arrive(hooks[-1], PacketGroups(g for g in leaving if not g.looped))
        if routing.stays:
            return
        looped = PacketGroups(
            replace(group, translated=frozenset((True, False))) for group in leaving if group.looped
        )
        self._arrive(Hook.INPUT, self._through(_BACK_BY_LO, looped, to_host=True))

    def _through(
        self, hooks: Sequence[Hook], groups: PacketGroups, *, to_host: bool
    ) -> PacketGroups:
        for hook in hooks:
            groups = self._at_hook(hook, groups, to_host=to_host)
        return groups

    def _arrive(self, hook: Hook, groups: PacketGroups) -> None:
        for group in groups:
            kind, decision = VerdictKind.ACCEPT, group.decision
            if group.queued is not None:
                kind, decision = VerdictKind.QUEUE, group.queued
            self.outcomes.append(
                Outcome(kind, decision, group.rewrite, group.packets, hook, group.zone)
            )

    def _living_on(self, groups: PacketGroups) -> PacketGroups:
        """Those whose time to live a rule has not let run out (ip_forward, ip6_forward)."""
        field = self.space.fields[Field.TTL]

        def expiring(group: PacketGroup) -> PacketSet:
            if any(number in group.rewrite.bits for number in field.variables):
                return group.packets & group.rewrite.now(field.within(0, 1))
            return self.space.false

        return self._without(expiring, groups, Hook.FORWARD)

    def _without(
        self, lost: Callable[[PacketGroup], PacketSet], groups: PacketGroups, hook: Hook
    ) -> PacketGroups:
        """The others; those that are lost come to an end at the hook, by no rule."""
        others = PacketGroups()
        for group in groups:
            ends = lost(group)
            if ends.satisfiable():
                self.outcomes.append(Outcome(VerdictKind.DROP, None, group.rewrite, ends, hook))
            others.add(group.having(group.packets & ~ends))
        return others

    # -- hooks and base chains --------------------------------------------------

    def _at_hook(self, hook: Hook, groups: PacketGroups, *, to_host: bool) -> PacketGroups:
        groups = PacketGroups(g.rewritten(self._arrived(hook, g)) for g in groups)
        main = self.hooks.deciding_chain(hook) if self.family.value in ("ip", "ip6") else None
        base_chains = self.firewall.base_chains(self.family, hook)
        early = [base_chain for base_chain in base_chains if is_early(base_chain.chain)]
        if any(not base_chain.is_open for base_chain in early):
            groups = self.tracking.untracked_yet(groups, to_host=to_host)
            for base_chain in early:
                groups = self._at_base_chain(base_chain, hook, groups, is_main=False)
            groups = self.tracking.tracked(groups)
        elif self.running is not None and hook in TRACKED_AT:
            groups = self.tracking.tracked(groups)
        later = [base_chain for base_chain in base_chains if base_chain not in early]
        before, behind = self._around_translation(hook, later)
        for base_chain in before:
            groups = self._at_base_chain(base_chain, hook, groups, is_main=base_chain is main)
        groups = self.tracking.translated(groups, hook)
        for base_chain in behind:
            groups = self._at_base_chain(base_chain, hook, groups, is_main=base_chain is main)
        return groups if hook is not self.last else PacketGroups()

    def _around_translation(
        self, hook: Hook, base_chains: Sequence[BaseChain]
    ) -> tuple[Sequence[BaseChain], Sequence[BaseChain]]:
        """The base chains before and behind where the kernel translates running connections."""
        priority = TRANSLATION.get(hook)
        if priority is None:
            return base_chains, ()
        number = sum((base_chain.chain.priority or 0) < priority for base_chain in base_chains)
        return base_chains[:number], base_chains[number:]

    def _arrived(self, hook: Hook, group: PacketGroup) -> Rewrite:
        """What is another at this hook whatever rules say: the interfaces there are, and at input
        an IPv4 datagram is whole (ip_local_deliver)."""
        interfaces = INTERFACES_AT[hook]
        constants = {field: NO_INTERFACE for field, exists in interfaces.items() if not exists}
        if group.looped and not interfaces.get(Field.OIF):
            constants.setdefault(Field.IIF, self.space.interfaces.class_of("lo"))
        if hook is Hook.POSTROUTING and self.family is Family.BRIDGE:  # br_forward_finish
            constants[Field.IIF] = NO_INTERFACE
        if hook is Hook.INPUT and self.family is Family.IP:
            constants[Field.FRAGMENT] = 0
        bits = dict(group.out) if interfaces.get(Field.OIF) else {}
        for field, value in constants.items():
            bits.update(self.space.fields[field].constant(value))
        return group.rewrite.unset(*_INTERFACES).with_bits(bits)

    def _at_base_chain(
        self, base_chain: BaseChain, hook: Hook, groups: PacketGroups, *, is_main: bool
    ) -> PacketGroups:
        if base_chain.is_open and not is_main:
            return groups
        table, chain = base_chain.table, base_chain.chain
        side = hook in DESTINATION_SIDE
        names = self.by_rule and (is_main or self.family is Family.BRIDGE)
        visit = _ChainTraversal(self, table, hook, side, names=names)
        seen = base_chain.shown
        for group in groups:
            if chain.type == "nat" and side in group.translated:
                visit.on.add(group)
                continue
            shown = group.packets & group.rewrite.now(seen)
            visit.on.add(group.having(group.packets & ~shown))
            visit.policy(chain, visit.through(chain, [group.having(shown)]))
        return visit.on

    def taken(self, rule: Rule, group: PacketGroup, hook: Hook) -> PacketSet:
        """The packets of the group that the rule's tests take."""
        packets = group.packets & group.rewrite.now(self.firewall.plain(rule))
        if not packets.satisfiable():
            return packets
        taken = self.matcher.lucky(rule, group.rewrite, packets)
        if self.on_visit is not None:
            self.on_visit(rule, Visit(hook, packets, taken, group.rewrite))
        return taken

    def statements(self, chain: Chain, groups: PacketGroups) -> Statements:
        return Statements(chain, self.meetings.concerning(chain, groups))


class _ChainTraversal:
    """Groups in one base chain and those it calls; ``on`` are the ones that go on after it."""

    def __init__(
        self, traversal: Traversal, table: Table, hook: Hook, side: bool, *, names: bool
    ) -> None:
        self.traversal = traversal
        self.table = table
        self.hook = hook
        self.side = side
        self.names = names
        self.on = PacketGroups()
        self._open: list[str] = []
        self._in_vain: set[tuple[str, PacketGroup]] = set()
        """Chains that do nothing to a group, as one that was sent through showed."""

    def _remember(self, sent: tuple[str, PacketGroup], back: object, left_open: int) -> None:
        is_known = len(self.traversal.matcher.asked) == left_open
        if back == sent[1:] and is_known and self.traversal.on_step is None:
            self._in_vain.add(sent)

    def through(self, chain: Chain, groups: Iterable[PacketGroup]) -> PacketGroups:
        """The groups that come back from the chain."""
        back = PacketGroups()
        under_way = PacketGroups(groups)
        self._open.append(chain.name)
        statements = self.traversal.statements(chain, under_way)
        while (parts := statements.following(under_way)) is not None:
            beyond = PacketGroups()
            for rule in parts:
                under_way = self._past(chain, rule, under_way, beyond, back)
            for group in beyond:
                under_way.add(group)
        for group in under_way:
            back.add(group)
        self._open.pop()
        return back

    def _past(
        self,
        chain: Chain,
        rule: Rule,
        groups: PacketGroups,
        beyond: PacketGroups,
        back: PacketGroups,
    ) -> PacketGroups:
        """Those that go on to what follows the rule. What a call gives back goes ``beyond`` the
        other parts of the statement."""
        ahead = PacketGroups()
        for group in groups:
            taken = self.traversal.taken(rule, group, self.hook)
            if not taken.satisfiable():
                ahead.add(group)
                continue
            ahead.add(group.having(group.packets & ~taken))
            ways = _Ways(ahead, beyond, back)
            self._take(chain, rule, group.having(taken), ways)
        return ahead

    def policy(self, chain: Chain, groups: PacketGroups) -> None:
        kind = chain.policy.kind if chain.policy is not None else VerdictKind.ACCEPT
        decision = self._decision(chain, None)
        for group in groups:
            self._say(decision, kind)
            if kind is VerdictKind.ACCEPT:
                self.on.add(self._accepted(group, decision))
            else:
                self._end(kind, decision, group)

    def _take(self, chain: Chain, rule: Rule, group: PacketGroup, ways: _Ways) -> None:
        decision, kind = self._decision(chain, rule), rule.verdict.kind
        self._say(decision, kind)
        group = self.traversal.writer.after(rule, group, self.hook)
        match kind:
            case VerdictKind.CONTINUE:
                ways.ahead.add(group)
            case VerdictKind.RETURN:
                ways.back.add(group)
            case VerdictKind.JUMP | VerdictKind.GOTO:
                callee = self.table.chains.get(rule.verdict.chain or "")
                if callee is None or callee.name in self._open or len(self._open) > _DEEPEST:
                    self._end(VerdictKind.UNKNOWN, decision, group)
                    return
                sent, left_open = (callee.name, group), len(self.traversal.matcher.asked)
                # Not by a call of its own: where chains nest the deepest Python has no room for it.
                known = sent in self._in_vain
                returned = (group,) if known else tuple(self.through(callee, [group]))
                self._remember(sent, returned, left_open)
                for one in returned:
                    (ways.beyond if kind is VerdictKind.JUMP else ways.back).add(one)
            case VerdictKind.ACCEPT:
                self.on.add(self._accepted(group, decision))
            case VerdictKind.NAT:
                self.on.add(self._translated(rule, self._accepted(group, decision)))
            case VerdictKind.QUEUE:
                going_on = self.traversal.matcher.queued(rule, group.packets)
                self._end(kind, decision, group.having(group.packets & ~going_on))
                self.on.add(replace(group, packets=going_on, queued=decision))
            case VerdictKind.UNKNOWN:
                stopped = self.traversal.matcher.open(rule, rule.verdict.meaning, group.packets)
                self._end(kind, decision, group.having(group.packets & stopped))
                ways.ahead.add(group.having(group.packets & ~stopped))
            case _:
                self._end(kind, decision, group)

    def _translated(self, rule: Rule, group: PacketGroup) -> PacketGroup:
        to_itself = any(effect.choice == INTERFACE_ADDRESS for effect in rule.effects)
        return replace(
            group,
            translated=group.translated | {self.side},
            redirected=group.redirected or (self.side and to_itself),
        )

    def _decision(self, chain: Chain, rule: Rule | None) -> Decision:
        return Decision(self.traversal.firewall.ruleset, self.table, chain, rule)

    def _accepted(self, group: PacketGroup, decision: Decision) -> PacketGroup:
        return replace(group, decision=decision) if self.names else group

    def _end(self, kind: VerdictKind, decision: Decision, group: PacketGroup) -> None:
        if group.packets.satisfiable():
            self.traversal.outcomes.append(
                Outcome(kind, decision, group.rewrite, group.packets, self.hook)
            )

    def _say(self, decision: Decision, kind: VerdictKind) -> None:
        if self.traversal.on_step is not None:
            self.traversal.on_step(TraversalStep(self.hook, decision, kind))
