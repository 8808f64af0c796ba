"""The packets that two rulesets treat differently.

What a ruleset leaves open (a limit, a rate) has the same variables on both sides, so equal
limits in equal places are the same, and a difference that no value of them undoes is certain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.one_packet import image, one_of
from iptlint.analysis.shares import packet_count
from iptlint.model import Family, Field, Hook, Ruleset, VerdictKind
from iptlint.model.protocols import ICMP6
from iptlint.netfilter.firewall import Firewall, space_of
from iptlint.netfilter.packet_group import Decision, Outcome
from iptlint.netfilter.routes import WAYS
from iptlint.netfilter.traversal import Traversal, setting_out
from iptlint.netfilter.unknowns import Unknowns
from iptlint.packets.packet import Packet
from iptlint.packets.space import Space
from iptlint.packets.witness import packet_of

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_REWRITTEN = (
    *(Field.SADDR, Field.DADDR, Field.SADDR6, Field.DADDR6, Field.SPORT, Field.DPORT),
    Field.MARK,
)
"""What is different of a packet that is accepted either way."""

_UNTRACKED_ICMP6 = ((130, 137), (143, 143))
"""Multicast listener and neighbour discovery: never tracked (nf_conntrack_proto_icmpv6.c)."""


class Fate(NamedTuple):
    """``becomes``: the packet in the end, where it is accepted and changed."""

    kind: VerdictKind
    decision: Decision | None
    becomes: Packet | None


@dataclass(frozen=True, slots=True)
class Divergence:
    """Packets that had one fate and have another; ``old`` and ``new`` are those of the witness.
    ``certain``: whatever is left open."""

    hook: Hook
    family: Family
    packets: PacketSet
    certain: bool
    witness: Packet
    old: Fate
    new: Fate


@dataclass(frozen=True, slots=True)
class Difference:
    """``certain`` is false where only limits, or what the tool does not know, may tell the two
    apart: then they are neither surely equivalent nor surely different. ``families``: whose
    packets were compared; an iptables file says nothing of those of the other family."""

    space: Space
    changes: tuple[Divergence, ...]
    certain: bool
    families: tuple[Family, ...]

    @property
    def equivalent(self) -> bool:
        return not self.changes and self.certain


def _speaks_of(family: Family, ruleset: Ruleset) -> bool:
    return ruleset.syntax.is_of_all_families or ruleset.sees(family)


def difference(old: Ruleset, new: Ruleset, hooks: tuple[Hook, ...] = ()) -> Difference:
    """What the change from ``old`` to ``new`` does, the largest first, at ``hooks`` or at all."""
    sides = _Sides(old, new)
    changes: list[Divergence] = []
    certain = True
    families = tuple(f for f in WAYS if all(_speaks_of(f, ruleset) for ruleset in (old, new)))
    for family in families:
        for hook, route in WAYS[family].items():
            if hooks and not {*hooks} & {*route}:
                continue
            divergences, same_unknowns = sides.compare(family, hook)
            changes += divergences
            certain = certain and same_unknowns
    changes.sort(key=lambda change: -packet_count(change.packets))
    certain = certain and all(change.certain for change in changes)
    return Difference(sides.space, tuple(changes), certain, families)


class _Sides:
    def __init__(self, old: Ruleset, new: Ruleset) -> None:
        self.space = space_of(old, new)
        self.unknowns = Unknowns(self.space)
        self.stacks = Firewall(old, self.space), Firewall(new, self.space)

    def compare(self, family: Family, hook: Hook) -> tuple[list[Divergence], bool]:
        """What differs on the way with the hook, and whether both leave the same open."""
        route = WAYS[family][hook]
        if not any(s.base_chains(family, hook) for s in self.stacks for hook in route):
            return [], True
        start = self._start(family, hook)
        courses = [Traversal(firewall, family, self.unknowns) for firewall in self.stacks]
        old, new = (traversal.follow(route, start) for traversal in courses)
        changes = list(self._changes(family, hook, _joined(old), _joined(new)))
        return changes, courses[0].matcher.asked == courses[1].matcher.asked

    def _start(self, family: Family, hook: Hook) -> PacketSet:
        space = self.space
        packets = setting_out(space, family, hook)
        discovery = space.value(Field.PROTO, ICMP6) & space.family("ip6")
        discovery = discovery & space.ranges(Field.ICMP_TYPE, _UNTRACKED_ICMP6)
        return packets & (~space.state("untracked") | discovery)

    def _changes(
        self, family: Family, hook: Hook, old: list[Outcome], new: list[Outcome]
    ) -> Iterator[Divergence]:
        by_verdicts: dict[tuple[VerdictKind, VerdictKind], PacketSet] = {}
        for one in old:
            for other in new:
                both = one.packets & other.packets
                if one.kind is other.kind:
                    both = both & self._otherwise(one, other)
                if both.satisfiable():
                    key = one.kind, other.kind
                    by_verdicts[key] = by_verdicts.get(key, self.space.false) | both
        for packets in by_verdicts.values():
            surely = packets.forall(self.unknowns.cube)
            for part, certain in ((surely, True), (packets & ~surely, False)):
                if part.satisfiable():
                    yield self._change(family, hook, part, certain=certain)

    def _otherwise(self, one: Outcome, other: Outcome) -> PacketSet:
        """The packets that are accepted by both and come out different."""
        if one.kind is not VerdictKind.ACCEPT:
            return self.space.false
        return one.rewrite.differs(other.rewrite, self.unknowns.cube, *_REWRITTEN)

    def _change(
        self, family: Family, hook: Hook, packets: PacketSet, *, certain: bool
    ) -> Divergence:
        point = one_of(self.space, packets, hook)
        fates = [self._fate(firewall, family, hook, point) for firewall in self.stacks]
        return Divergence(
            hook,
            family,
            packets.exists(self.unknowns.cube),
            certain,
            packet_of(self.space, point.pick_cube() or [], hook),
            *fates,
        )

    def _fate(self, firewall: Firewall, family: Family, hook: Hook, point: PacketSet) -> Fate:
        (end,) = Traversal(firewall, family, self.unknowns, by_rule=True).follow(
            WAYS[family][hook], point
        )
        becomes = None
        if end.kind is VerdictKind.ACCEPT:
            becomes = packet_of(self.space, image(self.space, point, end), hook)
        return Fate(end.kind, end.decision, becomes)


def _joined(ends: list[Outcome]) -> list[Outcome]:
    """Ends of one kind with the same changes are one."""
    together: dict[tuple[VerdictKind, object], Outcome] = {}
    for end in ends:
        # Of what dies it does not matter how it was changed.
        key = end.kind, end.rewrite.key if end.kind is VerdictKind.ACCEPT else ()
        known = together.get(key)
        packets = end.packets if known is None else known.packets | end.packets
        together[key] = end._replace(packets=packets)
    return list(together.values())
