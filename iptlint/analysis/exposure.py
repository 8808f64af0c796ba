"""What a host lets in from the world: from public addresses, by the interfaces that face it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.default_verdict import (
    outside,
    probes,
    public_hosts,
)
from iptlint.analysis.delivery import fates_of, is_told_at_once
from iptlint.analysis.external_interfaces import (
    external_classes,
    faces_by_name,
    lending_names,
    less_trusted,
    uplink_names,
)
from iptlint.analysis.hook_verdicts import left_to_policy, some_accepted
from iptlint.analysis.shares import Share, largest_first
from iptlint.memo import memo
from iptlint.model import EffectKind, Field, Hook, Rule, VerdictKind, addresses
from iptlint.model.addresses import AddressKind
from iptlint.model.protocols import TCP, UDP
from iptlint.model.rates import RATES
from iptlint.model.recent import is_listed, lists_and_lets_go_on
from iptlint.netfilter.firewall import Hooks
from iptlint.netfilter.packet_group import Outcome, Visit
from iptlint.netfilter.unknowns import Unknowns
from iptlint.packets.bdd import union
from iptlint.packets.rewrite import Rewrite
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


@memo
def outward(hooks: Hooks) -> PacketSet:
    """The packets that come in by an interface which faces the world. Where names do not tell,
    an interface that has rules of its own is left out: it may be the one of a private network.
    """
    space = hooks.space
    numbers = external_classes(hooks)
    return union([space.value(Field.IIF, number) for number in numbers], space.false)


def uplinks(hooks: Hooks, field: Field) -> PacketSet:
    """The packets with an interface in the field that is the world's by its name, or because
    packets leave by it with an address of the host's; what no rule names is none."""
    space, known = hooks.space, uplink_names(hooks)
    numbers = (
        number
        for number, cls in enumerate(space.interfaces.classes, start=1)
        if cls.name in known or faces_by_name(hooks, cls)
    )
    return union([space.value(field, number) for number in numbers], space.false)


def invited(hooks: Hooks, hook: Hook, packets: PacketSet) -> PacketSet:
    """The packets, without those that are led through from an interface by which others leave with
    an address of the host's, and that no rule lets in on purpose: none is for them, or they are to
    public addresses, which are not behind such a host."""
    if hook is not Hook.FORWARD:
        return packets
    family, space, known = hooks.family, hooks.space, lending_names(hooks)
    names = [cls.name for cls in space.interfaces.classes if cls.name in known]
    sides = union([space.interface(Field.IIF, name) for name in names], space.false)
    private = space.ranges(family.daddr, addresses.ranges(family, AddressKind.PRIVATE))
    return packets & ~(left_to_policy(hooks, hook, packets & sides) | (sides & ~private))


def suspect_uplinks(hooks: Hooks) -> PacketSet:
    """The packets that come in by the world's interfaces, but for those whose names alone say so
    and that the host accepts everything from, while others are closed."""
    space, known = hooks.space, uplink_names(hooks)
    classes = [*enumerate(space.interfaces.classes, start=1)]
    closed = less_trusted(hooks, [number for number, _ in classes])
    trusted = [n for n, cls in classes if n not in closed and cls.name not in known]
    return uplinks(hooks, Field.IIF) & ~union(
        [space.value(Field.IIF, number) for number in trusted], space.false
    )


def same_interface(space: Space, *, named: bool = False) -> PacketSet:
    """The packets that leave by the interface that they came by. ``named``: those alone of which
    that is sure, as rules name the interface, and no kind of several."""
    classes = enumerate(space.interfaces.classes, start=1)
    numbers = [number for number, cls in classes if not (named and cls.wildcard)]
    both = [space.value(Field.IIF, n) & space.value(Field.OIF, n) for n in numbers]
    return union(both, space.false)


def interface_name(space: Space, packets: PacketSet) -> str:
    """The name of an interface, or a wildcard, that some of the packets come by."""
    names = (
        cls.name + "+" * cls.wildcard
        for number, cls in enumerate(space.interfaces.classes, start=1)
        if (packets & space.value(Field.IIF, number)).satisfiable()
    )
    return next(names, "an interface")


def external_probes(
    hooks: Hooks, hook: Hook = Hook.INPUT, protocol: int = TCP, *free: Field
) -> tuple[PacketSet, ...]:
    """New packets of the protocol from the world: a set for each of a few public addresses unlike
    each other, free in the destination address (a public one), port, and in ``free``."""
    family = hooks.family
    kept = (Field.IIF, Field.OIF, Field.DPORT, family.daddr, *free)
    flags = ("syn",) if protocol == TCP else ()
    packets = outward(hooks) & outside(hooks.space) & public_hosts(hooks, family.daddr)
    values = {Field.PROTO: protocol}
    return tuple(
        each & packets for each in probes(hooks, hook, "new", *flags, free=kept, values=values)
    )


class Translation(NamedTuple):
    """A rule that gives packets another destination, and those it gave one."""

    rule: Rule
    packets: PacketSet


class Exposure:
    """What becomes of callers on the whole way with the hook; what a translation takes from it is
    let in on the other way, if anywhere. Sets are of packets as they come.

    ``groups``: those of a group are alike, but for who calls; ``everyone``: all of them.
    """

    def __init__(self, hooks: Hooks, hook: Hook, *groups: Sequence[PacketSet]) -> None:
        self._hooks, self.space = hooks, hooks.space
        self.groups = groups
        self._translations: list[Translation] = []
        self.everyone = union([one for group in groups for one in group], hooks.space.false)
        self._arriving = self.everyone & hooks.hook_packets(hook)
        self._unknowns = Unknowns(hooks.space)
        self._analysis_of = hooks.firewall.analysis
        self._fates = fates_of(hooks, hook, self.everyone, self._unknowns, self._visit)
        self.outcomes = self._fates.outcomes

    def _visit(self, rule: Rule, visit: Visit) -> None:
        if rule.verdict.kind is VerdictKind.NAT and visit.hook is Hook.PREROUTING:
            self._translations.append(Translation(rule, visit.taken))

    @cached_property
    def translations(self) -> tuple[Translation, ...]:
        """By the rules of the nat chains before routing: of the packets that may be translated."""
        cube = self._unknowns.cube
        return tuple(Translation(rule, each.exists(cube)) for rule, each in self._translations)

    @cached_property
    def by_policy(self) -> PacketSet:
        """The packets that a policy accepts, if no uncertain test of a rule takes them first."""
        open_ = [
            e.packets for e in self.outcomes if _accepts(e) and e.decision and not e.decision.rule
        ]
        return union(open_, self.space.false).exists(self._unknowns.cube)

    @cached_property
    def denied(self) -> PacketSet:
        """The packets that are turned away on this way, whatever is left open; one that is sent on
        to another host is not, whatever becomes of it there."""
        denying = [end.packets for end in self.outcomes if end.kind.denies]
        return self._surely(union(denying, self.space.false))

    def denies_all(self, packets: PacketSet) -> bool:
        """Whether every caller among the packets is turned away."""
        return not (self._arriving & packets & ~self.denied).satisfiable()

    @cached_property
    def accepted(self) -> PacketSet:
        """The packets that come through for certain, whatever is left open."""
        return self._surely(self._accepting())

    @cached_property
    def accepted_at_a_rate(self) -> PacketSet:
        """Those that come through for certain as long as rates and quotas permit."""
        unknowns = self._unknowns
        rates = unknowns.cube_of(key for key in unknowns.variables if key.kind in RATES)
        return self._surely(self._accepting().exists(rates))

    @cached_property
    def accepted_from_unlisted(self) -> PacketSet:
        """The same of callers that xt_recent has on no list yet, where rules put on one only whom
        they deny: so is a stranger before a ban strikes."""
        unknowns = self._unknowns
        lists = [key for key in unknowns.variables if is_listed(key.kind, key.text)]
        if not lists or any(self._hooks.rules_testing(lists_and_lets_go_on)):
            return self.accepted_at_a_rate
        rates = unknowns.cube_of(key for key in unknowns.variables if key.kind in RATES)
        unlisted = ~union([unknowns.variable(key) for key in lists], self.space.false)
        open_ = (self._accepting() & unlisted).exists(unknowns.cube_of(lists))
        return self._surely(open_.exists(rates))

    @memo
    def now(self, packets: PacketSet) -> PacketSet:
        """Of ``accepted_at_a_rate``, those that are one of ``packets`` in the end, however their
        destinations were translated."""
        ends = [alike & rewrite.now(packets) for rewrite, alike in self._accepted_alike]
        return self.accepted_at_a_rate & union(ends, self.space.false).exists(self._unknowns.cube)

    @memo
    def now_translated(self, packets: PacketSet) -> PacketSet:
        """The same of those that got another destination: a rule that is there only under some
        condition gives none where it is not."""
        fields = (Field.DPORT, Field.DADDR, Field.DADDR6)
        given = [(way, alike) for way, alike in self._accepted_alike if way.changes(*fields)]
        ends = [alike & way.now(packets) for way, alike in given]
        return self.accepted_at_a_rate & union(ends, self.space.false).exists(self._unknowns.cube)

    @cached_property
    def _accepted_alike(self) -> tuple[tuple[Rewrite, PacketSet], ...]:
        """What is accepted, whoever accepts it, with how it was changed: what was changed alike
        together."""
        alike: dict[Rewrite, list[PacketSet]] = {}
        for end in filter(_accepts, self.outcomes):
            alike.setdefault(end.rewrite, []).append(end.packets)
        return tuple((way, union(each, self.space.false)) for way, each in alike.items())

    def _accepting(self) -> PacketSet:
        return union([end.packets for end in self.outcomes if _accepts(end)], self.space.false)

    def _surely(self, accepting: PacketSet) -> PacketSet:
        return self.everyone & ~(self.everyone & ~accepting).exists(self._unknowns.cube)

    def most(self, packets: PacketSet, *fields: Field) -> PacketSet:
        """Over ``fields``: the values with which ``packets`` has most of the callers of a group."""
        agreed = self.space.false
        for group in self.groups:
            each = [self.space.project(caller & packets, *fields) for caller in group]
            agreed = agreed | union([a & b & c for a, b, c in combinations(each, 3)], agreed)
        return agreed

    def is_most(self, packets: PacketSet) -> bool:
        """Whether most of the callers of a group are among the packets."""
        return any(
            2 * sum((one & packets).satisfiable() for one in group) > len(group)
            for group in self.groups
        )

    def accepters(self, packets: PacketSet, among: PacketSet | None = None) -> list[Share]:
        """The rules and policies that accept some of the packets, the largest share first. Who
        accepts none ``among`` them may be left out."""
        decided = self._fates.decided(packets, packets if among is None else packets & among)
        shares = (self._accepter(outcome, packets) for outcome in decided)
        return largest_first(share for share in shares if share is not None)

    def _accepter(self, outcome: Outcome, packets: PacketSet) -> Share | None:
        if outcome.decision is None or not _accepts(outcome):
            return None
        accepted = (outcome.packets & packets).exists(self._unknowns.cube)
        if not accepted.satisfiable():
            return None
        _, table, chain, rule = outcome.decision
        return Share(self._analysis_of(table), chain, rule, outcome.kind, accepted)


def is_dnat(rule: Rule) -> bool:
    """Whether the rule sends packets on to an address that it names; REDIRECT does not."""
    return rule.verdict.name.upper() == "DNAT"


def _accepts(end: Outcome) -> bool:
    return end.kind is VerdictKind.ACCEPT


@memo
def exposure(hooks: Hooks, hook: Hook) -> Exposure:
    """What becomes of ``external_probes`` by tcp and udp."""
    return Exposure(hooks, hook, *_strangers(hooks, hook))


@memo
def _strangers(hooks: Hooks, hook: Hook) -> tuple[Sequence[PacketSet], ...]:
    return tuple(external_probes(hooks, hook, protocol) for protocol in (TCP, UDP))


def exposure_among(
    hooks: Hooks, hook: Hook, among: PacketSet, beside: PacketSet | None = None
) -> Exposure | None:
    """``exposure`` where some of the packets ``among`` the probes may be accepted: that none is
    can often be told without following any. Of packets that are neither ``among`` nor ``beside``
    them it may tell nothing, where that costs less."""
    if not _may_be_accepted(hooks, hook, among):
        return None
    if not is_told_at_once(hooks, hook):
        return exposure(hooks, hook)
    return _exposure_within(hooks, hook, among if beside is None else among | beside)


@memo
def _exposure_within(hooks: Hooks, hook: Hook, packets: PacketSet) -> Exposure:
    groups = _strangers(hooks, hook)
    return Exposure(hooks, hook, *([one & packets for one in group] for group in groups))


def exposure_of(hooks: Hooks, hook: Hook, probes: Sequence[PacketSet]) -> Exposure | None:
    """The same of other probes, a group of them unlike each other."""
    among = union([*probes], hooks.space.false)
    return Exposure(hooks, hook, probes) if _may_be_accepted(hooks, hook, among) else None


def _may_be_accepted(hooks: Hooks, hook: Hook, packets: PacketSet) -> bool:
    """Whether some of the packets may come through, as far as a look at one hook tells: it costs
    little, where following them costs much."""
    changing = any(
        effect.kind in (EffectKind.WRITE, EffectKind.NOTRACK)
        for rule in hooks.testing()
        for effect in rule.effects
    )
    if hooks.translates or changing:
        return True
    return some_accepted(hooks, hook, packets)
