"""The course of packets through all hooks on their way, with all that is changed of them.

Packets with the same changes go together as one group, and meet rule after rule. Sets are of
packets as they came to the first hook.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from iptlint.model import Chain, Effect, EffectKind, Family, Field, Hook, Rule, VerdictKind
from iptlint.model.matches import CT_STATES
from iptlint.netfilter.change import Change
from iptlint.netfilter.luck import Key, Luck, LuckyMatcher
from iptlint.netfilter.path import Path
from iptlint.netfilter.stack import Stack, is_early
from iptlint.netfilter.station import Station
from iptlint.netfilter.walk import Walk, at_hook
from iptlint.packets.interfaces import NO_INTERFACE
from iptlint.packets.matcher import CONNTRACK_FIELDS, changed_by
from iptlint.packets.space import Space
from iptlint.packets.tracking import connected

if TYPE_CHECKING:
    from iptlint.packets.bits import PacketSet

Route = tuple[Hook, ...]
"""The hooks on a way, in order."""

ROUTES: dict[Hook, Route] = {
    Hook.INPUT: (Hook.INGRESS, Hook.PREROUTING, Hook.INPUT),
    Hook.FORWARD: (Hook.INGRESS, Hook.PREROUTING, Hook.FORWARD, Hook.POSTROUTING),
    Hook.OUTPUT: (Hook.OUTPUT, Hook.POSTROUTING),
}
"""The way of a packet to this host, through it, and from it."""

_ALONE = (Hook.PREROUTING, Hook.INPUT, Hook.FORWARD, Hook.OUTPUT, Hook.POSTROUTING)
WAYS: dict[Family, dict[Hook, Route]] = {
    Family.IP: ROUTES,
    Family.IP6: ROUTES,
    Family.ARP: {hook: (hook,) for hook in (Hook.INPUT, Hook.OUTPUT)},
    Family.BRIDGE: {hook: (hook,) for hook in _ALONE},
    Family.NETDEV: {hook: (hook,) for hook in (Hook.INGRESS, Hook.EGRESS)},
}
"""By the hook that a way is known by. What bridges do between hooks is not followed."""

_NONE_AT: dict[Hook, tuple[Field, ...]] = {
    Hook.INGRESS: (Field.OIF,),
    Hook.PREROUTING: (Field.OIF,),
    Hook.INPUT: (Field.OIF,),
    Hook.FORWARD: (),
    Hook.OUTPUT: (Field.IIF,),
    Hook.POSTROUTING: (),
    Hook.EGRESS: (),
}
_INTERFACES = (Field.IIF, Field.OIF)
_DESTINATION_SIDE = (Hook.PREROUTING, Hook.OUTPUT)
"""Here a nat chain sets what the destination becomes; elsewhere, the source."""

_DEEPEST = 256
_SENT_TRACKED = Key("it was tracked when it was sent", 0)


def setting_out(space: Space, family: Family, hook: Hook) -> PacketSet:
    """The packets that may take the way with the hook."""
    names = [name for name in family.packets if name in space.families]
    return at_hook(space, hook) & space.family(*names)


class Decided(NamedTuple):
    """``rule`` is None for the policy of the chain."""

    walk: Walk
    chain: Chain
    rule: Rule | None


class Step(NamedTuple):
    """A rule that took some of the packets under way, or the policy of a base chain."""

    hook: Hook
    decided: Decided
    kind: VerdictKind


class Meeting(NamedTuple):
    """``met``: the packets that come to a rule and pass its tests, those aside that are left open;
    ``taken``: those of them that pass these too."""

    hook: Hook
    met: PacketSet
    taken: PacketSet


class End(NamedTuple):
    """``decided`` is None where nothing stood in the way. ``packets`` as they came."""

    kind: VerdictKind
    decided: Decided | None
    change: Change
    packets: PacketSet


@dataclass(frozen=True, slots=True)
class Group:
    """``translated``: the sides that a nat chain has settled. ``decided``: who accepted.
    ``queued``: who gave them to a program, which let them go on."""

    change: Change
    packets: PacketSet
    translated: frozenset[bool] = frozenset()
    decided: Decided | None = None
    queued: Decided | None = None


class _Groups:
    """Groups that differ in nothing but their packets are one."""

    def __init__(self, groups: Iterable[Group] = ()) -> None:
        self._by_key: dict[object, Group] = {}
        for group in groups:
            self.add(group)

    def add(self, group: Group) -> None:
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

    def __iter__(self) -> Iterator[Group]:
        return iter(tuple(self._by_key.values()))


class _Ways(NamedTuple):
    """Where packets go on from a rule: to the next part of the statement, behind it, or back
    to the caller."""

    ahead: _Groups
    beyond: _Groups
    back: _Groups


class Course:
    """One ruleset's ways. ``tell`` is called for each step, ``met`` for each rule that packets
    come to which pass its tests; ``who`` keeps apart the packets that different rules accept."""

    def __init__(
        self,
        stack: Stack,
        family: Family,
        luck: Luck,
        *,
        who: bool = False,
        tell: Callable[[Step], None] | None = None,
        met: Callable[[Rule, Meeting], None] | None = None,
    ) -> None:
        self.stack = stack
        self.space = stack.space
        self.family = family
        self.path = Path(stack, family)
        self.who = who
        self.tell = tell
        self.met = met
        rules = [rule for _, _, rule in stack.ruleset.rules()]
        self.matcher = LuckyMatcher(luck, rules, changed_by(rules).sets)
        self.ends: list[End] = []

    def follow(self, hooks: Sequence[Hook], packets: PacketSet) -> list[End]:
        """What becomes of the packets on their way through the hooks."""
        self.ends = []
        groups = _Groups([Group(Change(self.space, {}), packets)])
        for hook in hooks:
            groups = self._at_hook(hook, groups, to_host=Hook.INPUT in hooks)
        for group in groups:
            kind, decided = VerdictKind.ACCEPT, group.decided
            if group.queued is not None:
                kind, decided = VerdictKind.QUEUE, group.queued
            self.ends.append(End(kind, decided, group.change, group.packets))
        return self.ends

    # -- hooks and base chains --------------------------------------------------

    def _at_hook(self, hook: Hook, groups: _Groups, *, to_host: bool) -> _Groups:
        groups = _Groups(replace(g, change=self._arrived(hook, g.change)) for g in groups)
        main = self.path.main(hook) if self.family.value in ("ip", "ip6") else None
        stations = self.stack.stations(self.family, hook)
        early = [station for station in stations if is_early(station.chain)]
        if any(not station.is_open for station in early):
            groups = self._untracked_yet(groups, to_host=to_host)
            for station in early:
                groups = self._at_station(station, hook, groups, is_main=False)
            groups = _Groups(replace(g, change=self._tracked(g.change)) for g in groups)
        for station in stations:
            if station not in early:
                groups = self._at_station(station, hook, groups, is_main=station is main)
        return groups

    def _arrived(self, hook: Hook, change: Change) -> Change:
        """What is another at this hook whatever rules say: the interfaces there are, and at input
        an IPv4 datagram is whole (ip_local_deliver)."""
        change = change.unset(*_INTERFACES)
        for field in _NONE_AT[hook]:
            change = change.constant(field, NO_INTERFACE)
        if hook is Hook.INPUT and self.family is Family.IP:
            change = change.constant(Field.FRAGMENT, 0)
        return change

    def _untracked_yet(self, groups: _Groups, *, to_host: bool) -> _Groups:
        """Before connection tracking, a packet has no connection: its state is invalid
        (nft_ct.c, xt_conntrack.c); but what this host sent to itself may have kept its own."""
        found = _Groups()
        home = self.space.false
        if to_host:
            home = self.space.interface(Field.IIF, "lo") & self.matcher.luck.variable(_SENT_TRACKED)
        for group in groups:
            here = group.packets & group.change.now(home)
            found.add(replace(group, packets=here))
            change = group.change
            for field in CONNTRACK_FIELDS - {Field.CT_STATE}:
                change = change.constant(field, 0)
            change = change.constant(Field.CT_STATE, CT_STATES.index("invalid"))
            found.add(replace(group, change=change, packets=group.packets & ~here))
        return found

    def _tracked(self, change: Change) -> Change:
        if change.now(self.space.state("untracked")) == self.space.true:
            return change
        return change.unset(*CONNTRACK_FIELDS)

    def _at_station(
        self, station: Station, hook: Hook, groups: _Groups, *, is_main: bool
    ) -> _Groups:
        if station.is_open and not is_main:
            return groups
        walk, chain = station.walk, station.chain
        side = hook in _DESTINATION_SIDE
        visit = _Visit(self, walk, hook, side, names=self.who and is_main)
        seen = walk.shown_to(chain)
        for group in groups:
            if chain.type == "nat" and side in group.translated:
                visit.on.add(group)
                continue
            here = group.packets & group.change.now(seen)
            visit.on.add(replace(group, packets=group.packets & ~here))
            visit.policy(chain, visit.through(chain, [replace(group, packets=here)]))
        return visit.on

    def taken(self, rule: Rule, group: Group, hook: Hook) -> PacketSet:
        """The packets of the group that the rule's tests take."""
        plain = self.stack.plain
        if id(rule) not in plain:
            plain[id(rule)] = self.matcher.plain(rule)
        packets = group.packets & group.change.now(plain[id(rule)])
        if not packets.satisfiable():
            return packets
        taken = self.matcher.lucky(rule, group.change, packets)
        if self.met is not None:
            self.met(rule, Meeting(hook, packets, taken))
        return taken

    # -- changes ------------------------------------------------------------------

    def changed(self, rule: Rule, change: Change) -> Change:
        for effect in rule.effects:
            if effect.kind is EffectKind.NOTRACK:
                change = self._without_connection(change)
            elif effect.kind is EffectKind.WRITE and effect.field in self.space.fields:
                change = self._written(rule, effect, change)
        return change

    def _without_connection(self, change: Change) -> Change:
        """What has a connection keeps it (nft_notrack, xt_CT): later it changes nothing."""
        if change.now(self.space.state("invalid")) != self.space.true:
            return change
        return change.constant(Field.CT_STATE, CT_STATES.index("untracked"))

    def _written(self, rule: Rule, effect: Effect, change: Change) -> Change:
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


class _Visit:
    """Groups in one base chain and those it calls; ``on`` are the ones that go on after it."""

    def __init__(self, course: Course, walk: Walk, hook: Hook, side: bool, *, names: bool) -> None:
        self.course = course
        self.walk = walk
        self.hook = hook
        self.side = side
        self.names = names
        self.on = _Groups()
        self._open: list[str] = []

    def through(self, chain: Chain, groups: Iterable[Group]) -> _Groups:
        """The groups that come back from the chain."""
        back = _Groups()
        under_way = _Groups(groups)
        self._open.append(chain.name)
        for parts in chain.statements():
            beyond = _Groups()
            for rule in parts:
                under_way = self._past(chain, rule, under_way, beyond, back)
            for group in beyond:
                under_way.add(group)
        for group in under_way:
            back.add(group)
        self._open.pop()
        return back

    def _past(
        self, chain: Chain, rule: Rule, groups: _Groups, beyond: _Groups, back: _Groups
    ) -> _Groups:
        """Those that go on to what follows the rule. What a call gives back goes ``beyond`` the
        other parts of the statement."""
        ahead = _Groups()
        for group in groups:
            taken = self.course.taken(rule, group, self.hook)
            if not taken.satisfiable():
                ahead.add(group)
                continue
            ahead.add(replace(group, packets=group.packets & ~taken))
            ways = _Ways(ahead, beyond, back)
            self._take(chain, rule, replace(group, packets=taken), ways)
        return ahead

    def policy(self, chain: Chain, groups: _Groups) -> None:
        kind = chain.policy.kind if chain.policy is not None else VerdictKind.ACCEPT
        decided = Decided(self.walk, chain, None)
        for group in groups:
            self._say(decided, kind)
            if kind is VerdictKind.ACCEPT:
                self.on.add(self._accepted(group, decided))
            else:
                self._end(kind, decided, group)

    def _take(self, chain: Chain, rule: Rule, group: Group, ways: _Ways) -> None:
        decided, kind = Decided(self.walk, chain, rule), rule.verdict.kind
        self._say(decided, kind)
        group = replace(group, change=self.course.changed(rule, group.change))
        match kind:
            case VerdictKind.CONTINUE:
                ways.ahead.add(group)
            case VerdictKind.RETURN:
                ways.back.add(group)
            case VerdictKind.JUMP | VerdictKind.GOTO:
                callee = self.walk.table.chains.get(rule.verdict.chain or "")
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
                going_on = self.course.matcher.queued(rule, group.packets)
                self._end(kind, decided, replace(group, packets=group.packets & ~going_on))
                self.on.add(replace(group, packets=going_on, queued=decided))
            case VerdictKind.UNKNOWN:
                stopped = self.course.matcher.open(rule, rule.verdict.name, group.packets)
                self._end(kind, decided, replace(group, packets=group.packets & stopped))
                ways.ahead.add(replace(group, packets=group.packets & ~stopped))
            case _:
                self._end(kind, decided, group)

    def _accepted(self, group: Group, decided: Decided) -> Group:
        return replace(group, decided=decided) if self.names else group

    def _end(self, kind: VerdictKind, decided: Decided, group: Group) -> None:
        if group.packets.satisfiable():
            self.course.ends.append(End(kind, decided, group.change, group.packets))

    def _say(self, decided: Decided, kind: VerdictKind) -> None:
        if self.course.tell is not None:
            self.course.tell(Step(self.hook, decided, kind))
