"""The course of packets through all hooks on their way, with all that is changed of them.

Packets with the same changes go together as one group, and meet rule after rule. Sets are of
packets as they came to the first hook.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from iptlint.model import (
    Chain,
    Effect,
    EffectKind,
    Family,
    Field,
    Hook,
    Rule,
    Ruleset,
    Table,
    VerdictKind,
)
from iptlint.model.matches import CT_STATES
from iptlint.netfilter.base_chain import BaseChain
from iptlint.netfilter.firewall import Firewall, is_early
from iptlint.netfilter.hooks import Hooks
from iptlint.netfilter.rewrite import Rewrite
from iptlint.netfilter.routes import INTERFACES_AT, at_hook
from iptlint.netfilter.unknowns import ExactMatcher, Unknown, Unknowns
from iptlint.packets.conntrack import connected
from iptlint.packets.interfaces import NO_INTERFACE
from iptlint.packets.match import CONNTRACK_FIELDS, writes_of
from iptlint.packets.space import Space
from iptlint.source import Span

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_INTERFACES = (Field.IIF, Field.OIF)
_DESTINATION_SIDE = (Hook.PREROUTING, Hook.OUTPUT)
"""Here a nat chain sets what the destination becomes; elsewhere, the source."""

_DEEPEST = 256
_SENT_TRACKED = Unknown("it was tracked when it was sent", 0)


def setting_out(space: Space, family: Family, hook: Hook) -> PacketSet:
    """The packets that may take the way with the hook."""
    names = [name for name in family.packets if name in space.families]
    return at_hook(space, hook) & space.family(*names)


class Decision(NamedTuple):
    """``rule`` is None for the policy of the chain."""

    ruleset: Ruleset
    table: Table
    chain: Chain
    rule: Rule | None

    @property
    def span(self) -> Span:
        """The whole statement, or where the chain with the policy is declared."""
        if self.rule is not None:
            return self.rule.statement.span
        return self.ruleset.declaration_of(self.table, self.chain)


class TraversalStep(NamedTuple):
    """A rule that took some of the packets under way, or the policy of a base chain."""

    hook: Hook
    decided: Decision
    kind: VerdictKind


class Visit(NamedTuple):
    """``met``: the packets that come to a rule and pass its tests, those aside that are left open;
    ``taken``: those of them that pass these too."""

    hook: Hook
    met: PacketSet
    taken: PacketSet


class Outcome(NamedTuple):
    """``decided`` is None where nothing stood in the way. ``packets`` as they came."""

    kind: VerdictKind
    decided: Decision | None
    change: Rewrite
    packets: PacketSet


@dataclass(frozen=True, slots=True)
class PacketGroup:
    """``translated``: the sides that a nat chain has settled. ``decided``: who accepted.
    ``queued``: who gave them to a program, which let them go on."""

    change: Rewrite
    packets: PacketSet
    translated: frozenset[bool] = frozenset()
    decided: Decision | None = None
    queued: Decision | None = None


class _PacketGroups:
    """Groups that differ in nothing but their packets are one."""

    def __init__(self, groups: Iterable[PacketGroup] = ()) -> None:
        self._by_key: dict[object, PacketGroup] = {}
        for group in groups:
            self.add(group)

    def add(self, group: PacketGroup) -> None:
        if not group.packets.satisfiable():
            return
        who = [
            None if decided is None else (id(decided.chain), id(decided.rule))
            for decided in (group.decided, group.queued)
        ]
        key = (group.change.key, group.translated, *who)
        known = self._by_key.get(key)
        joined = group.packets if known is None else known.packets | group.packets
        self._by_key[key] = replace(group, packets=joined)

    def __iter__(self) -> Iterator[PacketGroup]:
        return iter(tuple(self._by_key.values()))


class _Ways(NamedTuple):
    """Where packets go on from a rule: to the next part of the statement, behind it, or back
    to the caller."""

    ahead: _PacketGroups
    beyond: _PacketGroups
    back: _PacketGroups


class Traversal:
    """One ruleset's ways. ``tell`` is called for each step, ``met`` for each rule that packets
    come to which pass its tests; ``who`` keeps apart the packets that different rules accept."""

    def __init__(
        self,
        firewall: Firewall,
        family: Family,
        unknowns: Unknowns,
        *,
        who: bool = False,
        tell: Callable[[TraversalStep], None] | None = None,
        met: Callable[[Rule, Visit], None] | None = None,
    ) -> None:
        self.firewall = firewall
        self.space = firewall.space
        self.family = family
        self.hooks = Hooks(firewall, family)
        self.who = who
        self.tell = tell
        self.met = met
        rules = [rule for _, _, rule in firewall.ruleset.rules()]
        self.matcher = ExactMatcher(unknowns, rules, writes_of(rules).sets)
        self.ends: list[Outcome] = []

    def follow(self, hooks: Sequence[Hook], packets: PacketSet) -> list[Outcome]:
        """What becomes of the packets on their way through the hooks."""
        self.ends = []
        groups = _PacketGroups([PacketGroup(Rewrite(self.space, {}), packets)])
        for hook in hooks:
            groups = self._at_hook(hook, groups, to_host=Hook.INPUT in hooks)
        for group in groups:
            kind, decided = VerdictKind.ACCEPT, group.decided
            if group.queued is not None:
                kind, decided = VerdictKind.QUEUE, group.queued
            self.ends.append(Outcome(kind, decided, group.change, group.packets))
        return self.ends

    # -- hooks and base chains --------------------------------------------------

    def _at_hook(self, hook: Hook, groups: _PacketGroups, *, to_host: bool) -> _PacketGroups:
        groups = _PacketGroups(replace(g, change=self._arrived(hook, g.change)) for g in groups)
        main = self.hooks.deciding_chain(hook) if self.family.value in ("ip", "ip6") else None
        base_chains = self.firewall.base_chains(self.family, hook)
        early = [base_chain for base_chain in base_chains if is_early(base_chain.chain)]
        if any(not base_chain.is_open for base_chain in early):
            groups = self._untracked_yet(groups, to_host=to_host)
            for base_chain in early:
                groups = self._at_station(base_chain, hook, groups, is_main=False)
            groups = _PacketGroups(replace(g, change=self._tracked(g.change)) for g in groups)
        for base_chain in base_chains:
            if base_chain not in early:
                groups = self._at_station(base_chain, hook, groups, is_main=base_chain is main)
        return groups

    def _arrived(self, hook: Hook, change: Rewrite) -> Rewrite:
        """What is another at this hook whatever rules say: the interfaces there are, and at input
        an IPv4 datagram is whole (ip_local_deliver)."""
        change = change.unset(*_INTERFACES)
        for field, exists in INTERFACES_AT[hook].items():
            if not exists:
                change = change.constant(field, NO_INTERFACE)
        if hook is Hook.INPUT and self.family is Family.IP:
            change = change.constant(Field.FRAGMENT, 0)
        return change

    def _untracked_yet(self, groups: _PacketGroups, *, to_host: bool) -> _PacketGroups:
        """Before connection tracking, a packet has no connection: its state is invalid
        (nft_ct.c, xt_conntrack.c); but what this host sent to itself may have kept its own."""
        found = _PacketGroups()
        home = self.space.false
        if to_host:
            home = self.space.interface(Field.IIF, "lo") & self.matcher.unknowns.variable(
                _SENT_TRACKED
            )
        for group in groups:
            here = group.packets & group.change.now(home)
            found.add(replace(group, packets=here))
            change = group.change
            for field in CONNTRACK_FIELDS - {Field.CT_STATE}:
                change = change.constant(field, 0)
            change = change.constant(Field.CT_STATE, CT_STATES.index("invalid"))
            found.add(replace(group, change=change, packets=group.packets & ~here))
        return found

    def _tracked(self, change: Rewrite) -> Rewrite:
        if change.now(self.space.state("untracked")) == self.space.true:
            return change
        return change.unset(*CONNTRACK_FIELDS)

    def _at_station(
        self, base_chain: BaseChain, hook: Hook, groups: _PacketGroups, *, is_main: bool
    ) -> _PacketGroups:
        if base_chain.is_open and not is_main:
            return groups
        table, chain = base_chain.table, base_chain.chain
        side = hook in _DESTINATION_SIDE
        visit = _ChainTraversal(self, table, hook, side, names=self.who and is_main)
        seen = base_chain.shown
        for group in groups:
            if chain.type == "nat" and side in group.translated:
                visit.on.add(group)
                continue
            here = group.packets & group.change.now(seen)
            visit.on.add(replace(group, packets=group.packets & ~here))
            visit.policy(chain, visit.through(chain, [replace(group, packets=here)]))
        return visit.on

    def taken(self, rule: Rule, group: PacketGroup, hook: Hook) -> PacketSet:
        """The packets of the group that the rule's tests take."""
        plain = self.firewall.plain
        if id(rule) not in plain:
            plain[id(rule)] = self.matcher.plain(rule)
        packets = group.packets & group.change.now(plain[id(rule)])
        if not packets.satisfiable():
            return packets
        taken = self.matcher.lucky(rule, group.change, packets)
        if self.met is not None:
            self.met(rule, Visit(hook, packets, taken))
        return taken

    # -- changes ------------------------------------------------------------------

    def changed(self, rule: Rule, change: Rewrite) -> Rewrite:
        for effect in rule.effects:
            if effect.kind is EffectKind.NOTRACK:
                change = self._without_connection(change)
            elif effect.kind is EffectKind.WRITE and effect.field in self.space.fields:
                change = self._written(rule, effect, change)
        return change

    def _without_connection(self, change: Rewrite) -> Rewrite:
        """What has a connection keeps it (nft_notrack, xt_CT): later it changes nothing."""
        if change.now(self.space.state("invalid")) != self.space.true:
            return change
        return change.constant(Field.CT_STATE, CT_STATES.index("untracked"))

    def _written(self, rule: Rule, effect: Effect, change: Rewrite) -> Rewrite:
        assert effect.field is not None
        field = self.space.fields[effect.field]
        if effect.value is not None:
            mask = field.maximum if effect.mask is None else effect.mask
            written = change.written(effect.field, mask, effect.value, effect.source)
        else:
            text = f"{effect.field.value} after {rule.verdict.name} {rule.verdict.options}"
            unknown = self.matcher.number(rule, text, field.width)
            written = change.with_bits(dict(zip(field.variables, unknown, strict=True)))
        if Field.CT_MARK in (effect.field, effect.source):
            return change.where(change.now(connected(self.space)), written)
        return written


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
        self.on = _PacketGroups()
        self._open: list[str] = []

    def through(self, chain: Chain, groups: Iterable[PacketGroup]) -> _PacketGroups:
        """The groups that come back from the chain."""
        back = _PacketGroups()
        under_way = _PacketGroups(groups)
        self._open.append(chain.name)
        for parts in chain.statements():
            beyond = _PacketGroups()
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
        groups: _PacketGroups,
        beyond: _PacketGroups,
        back: _PacketGroups,
    ) -> _PacketGroups:
        """Those that go on to what follows the rule. What a call gives back goes ``beyond`` the
        other parts of the statement."""
        ahead = _PacketGroups()
        for group in groups:
            taken = self.traversal.taken(rule, group, self.hook)
            if not taken.satisfiable():
                ahead.add(group)
                continue
            ahead.add(replace(group, packets=group.packets & ~taken))
            ways = _Ways(ahead, beyond, back)
            self._take(chain, rule, replace(group, packets=taken), ways)
        return ahead

    def policy(self, chain: Chain, groups: _PacketGroups) -> None:
        kind = chain.policy.kind if chain.policy is not None else VerdictKind.ACCEPT
        decided = self._decision(chain, None)
        for group in groups:
            self._say(decided, kind)
            if kind is VerdictKind.ACCEPT:
                self.on.add(self._accepted(group, decided))
            else:
                self._end(kind, decided, group)

    def _take(self, chain: Chain, rule: Rule, group: PacketGroup, ways: _Ways) -> None:
        decided, kind = self._decision(chain, rule), rule.verdict.kind
        self._say(decided, kind)
        group = replace(group, change=self.traversal.changed(rule, group.change))
        match kind:
            case VerdictKind.CONTINUE:
                ways.ahead.add(group)
            case VerdictKind.RETURN:
                ways.back.add(group)
            case VerdictKind.JUMP | VerdictKind.GOTO:
                callee = self.table.chains.get(rule.verdict.chain or "")
                if callee is None or callee.name in self._open or len(self._open) > _DEEPEST:
                    self._end(VerdictKind.UNKNOWN, decided, group)
                    return
                returned = self.through(callee, [group])
                for one in returned:
                    (ways.beyond if kind is VerdictKind.JUMP else ways.back).add(one)
            case VerdictKind.ACCEPT:
                self.on.add(self._accepted(group, decided))
            case VerdictKind.NAT:
                translated = group.translated | {self.side}
                self.on.add(replace(self._accepted(group, decided), translated=translated))
            case VerdictKind.QUEUE:
                going_on = self.traversal.matcher.queued(rule, group.packets)
                self._end(kind, decided, replace(group, packets=group.packets & ~going_on))
                self.on.add(replace(group, packets=going_on, queued=decided))
            case VerdictKind.UNKNOWN:
                stopped = self.traversal.matcher.open(rule, rule.verdict.name, group.packets)
                self._end(kind, decided, replace(group, packets=group.packets & stopped))
                ways.ahead.add(replace(group, packets=group.packets & ~stopped))
            case _:
                self._end(kind, decided, group)

    def _decision(self, chain: Chain, rule: Rule | None) -> Decision:
        return Decision(self.traversal.firewall.ruleset, self.table, chain, rule)

    def _accepted(self, group: PacketGroup, decided: Decision) -> PacketGroup:
        return replace(group, decided=decided) if self.names else group

    def _end(self, kind: VerdictKind, decided: Decision, group: PacketGroup) -> None:
        if group.packets.satisfiable():
            self.traversal.ends.append(Outcome(kind, decided, group.change, group.packets))

    def _say(self, decided: Decision, kind: VerdictKind) -> None:
        if self.traversal.tell is not None:
            self.traversal.tell(TraversalStep(self.hook, decided, kind))
