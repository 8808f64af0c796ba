"""The packets that two rulesets treat differently.

What a ruleset leaves open (a limit, a rate) has the same variables on both sides, so equal
limits in equal places are the same, and a difference that no value of them undoes is certain.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.bridge_ports import not_followed
from iptlint.analysis.delivery import left
from iptlint.analysis.divergence import ASPECTS, TOLD_APART, Divergence, End, Telling
from iptlint.analysis.shares import packet_count
from iptlint.analysis.unlike_rules import packets_of_unlike_rules
from iptlint.model import Family, Field, Hook, Ruleset, VerdictKind
from iptlint.model.host_addresses import HostAddresses, others, shown_by
from iptlint.netfilter.firewall import Firewall, space_of
from iptlint.netfilter.packet_group import Outcome
from iptlint.netfilter.routes import WAYS
from iptlint.netfilter.routing import AssumingRouting
from iptlint.netfilter.traversal import Traversal, setting_out
from iptlint.netfilter.unknowns import Unknown, Unknowns
from iptlint.packets.bdd import union
from iptlint.packets.conntrack import untracked_anyway
from iptlint.packets.space import Space
from iptlint.packets.union_tree import UnionTree

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


@dataclass(frozen=True, slots=True)
class Difference:
    """``certain`` is false where only limits, or what the tool does not know, may tell the two
    apart: then they are neither surely equivalent nor surely different. ``families``: whose
    packets were compared; an iptables file says nothing of those of the other family. ``assumed``:
    addresses that packets are sent to by translation, and that are taken for other hosts'.
    ``notes``: what was not followed."""

    space: Space
    changes: tuple[Divergence, ...]
    certain: bool
    families: tuple[Family, ...]
    assumed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def equivalent(self) -> bool:
        return not self.changes and self.certain


def _speaks_of(family: Family, ruleset: Ruleset) -> bool:
    return ruleset.syntax.is_of_all_families or ruleset.sees(family)


def difference(
    old: Ruleset,
    new: Ruleset,
    hooks: tuple[Hook, ...] = (),
    addresses: HostAddresses | None = None,
) -> Difference:
    """What the change from ``old`` to ``new`` does, the largest first, at ``hooks`` or at all.
    ``addresses``: the host's; without them, what the rules show, and any others."""
    sides = _Sides(old, new, addresses or shown_by(old, new))
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
    for is_told in (sides.is_told_of_device, sides.is_told_of_way):
        changes = [change for change in changes if not is_told(change, changes)]
    changes.sort(key=lambda change: -packet_count(change.packets))
    certain = certain and all(change.certain for change in changes)
    assumed = [address for each in sides.routings.values() for address in each.assumed]
    notes = tuple(dict.fromkeys((*not_followed(old), *not_followed(new))))
    return Difference(sides.space, tuple(changes), certain, families, tuple(assumed), notes)


def compared(space: Space, family: Family, hook: Hook) -> PacketSet:
    """The packets that are followed on the way with the hook: no rule has untracked any yet."""
    tracked = ~space.state("untracked") | untracked_anyway(space)
    return setting_out(space, family, hook) & tracked


class _Ends(NamedTuple):
    """``unlike_unknowns``: what is left open of other packets on the one side than on the other."""

    old: list[Outcome]
    new: list[Outcome]
    unlike_unknowns: list[Unknown]


class _Sides:
    def __init__(self, old: Ruleset, new: Ruleset, addresses: HostAddresses) -> None:
        self.space = space_of(old, new)
        self.unknowns = Unknowns(self.space)
        self.routings = {
            family: AssumingRouting(
                family, addresses, self.unknowns, others(addresses, family, old, new)
            )
            for family in (Family.IP, Family.IP6)
            if family.value in self.space.families
        }
        self.firewalls = Firewall(old, self.space), Firewall(new, self.space)
        self.telling = Telling(self.firewalls, self.unknowns, self.routings)
        self.unlike = packets_of_unlike_rules(self.space, old, new)

    def compare(self, family: Family, hook: Hook) -> tuple[list[Divergence], bool]:
        """What differs on the way with the hook, and whether both leave the same open."""
        route = WAYS[family][hook]
        bases = (base for f in self.firewalls for at in route for base in f.base_chains(family, at))
        if not any(family is not Family.BRIDGE or base.table.family is family for base in bases):
            return [], True
        start = compared(self.space, family, hook)
        if self.unlike is not None:
            ends = self._ends(family, hook, start & self.unlike)
            if not ends.unlike_unknowns:
                return list(self._changes(family, hook, ends)), True
        ends = self._ends(family, hook, start)
        decides = any(self._decides(key, (*ends.old, *ends.new)) for key in ends.unlike_unknowns)
        return list(self._changes(family, hook, ends)), not decides

    def _ends(self, family: Family, hook: Hook, start: PacketSet) -> _Ends:
        if not start.satisfiable():
            return _Ends([], [], [])
        traversals = [
            Traversal(firewall, family, self.unknowns, routing=self.routings.get(family))
            for firewall in self.firewalls
        ]
        old, new = (_joined(hook, each.follow(WAYS[family][hook], start)) for each in traversals)
        asked, asked_now = (traversal.matcher.asked for traversal in traversals)
        unlike = [key for key in asked | asked_now if asked.get(key) != asked_now.get(key)]
        return _Ends(old, new, unlike)

    def is_told_of_device(self, change: Divergence, changes: Iterable[Divergence]) -> bool:
        """Whether another change says the same, of all that comes or leaves by a device."""
        return change.family is not Family.NETDEV and any(
            not (change.packets & ~self.space.forget(each.packets, (away,))).satisfiable()
            for each in changes
            if each.family is Family.NETDEV
            and (change.old.kind, change.new.kind) == (each.old.kind, each.new.kind)
            for away in (Field.OIF if each.hook is Hook.INGRESS else Field.IIF,)
        )

    def is_told_of_way(self, change: Divergence, changes: Iterable[Divergence]) -> bool:
        """Whether others say the same of all packets on the way that these go on."""
        if not change.elsewhere:
            return False
        alike = [
            each.packets
            for each in changes
            if not each.elsewhere and each.certain >= change.certain
            if each.hook is not change.hook and each.kind == change.kind
        ]
        alike_packets = self.space.forget(union(alike, self.space.false), (Field.OIF,))
        packets = self.space.forget(change.packets, (Field.OIF,))
        return not (packets & ~alike_packets).satisfiable()

    def _decides(self, key: Unknown, outcomes: Iterable[Outcome]) -> bool:
        """Whether what becomes of some packet depends on it."""
        variable = self.unknowns.variable(key)
        sets = chain.from_iterable((e.packets, *e.rewrite.bits.values()) for e in outcomes)
        return any(packets.exists(variable) != packets for packets in sets)

    def _changes(self, family: Family, hook: Hook, ends: _Ends) -> Iterator[Divergence]:
        by_fates: dict[tuple[End, End, bool, tuple[str, ...]], PacketSet] = {}
        sharing = UnionTree([end.packets for end in ends.new]).sharing
        for one in ends.old:
            for other in (ends.new[number] for number in sharing(one.packets)):
                both = one.packets & other.packets
                for aspects, packets in self._otherwise(one, other, both):
                    elsewhere = all(left(hook, each) for each in (one, other))
                    key = End.of(one), End.of(other), elsewhere, aspects
                    by_fates[key] = by_fates.get(key, self.space.false) | packets
        for (_, _, elsewhere, aspects), packets in by_fates.items():
            surely = packets.forall(self.unknowns.luck)
            for part, certain in ((surely, True), (packets & ~surely, False)):
                if part.satisfiable():
                    yield self.telling.divergence(
                        family, hook, part, aspects, certain=certain, elsewhere=elsewhere
                    )

    def _otherwise(
        self, one: Outcome, other: Outcome, packets: PacketSet
    ) -> Iterator[tuple[tuple[str, ...], PacketSet]]:
        """Of the packets, which have both outcomes, those that have another end with each, or are
        accepted by both and come out different: by what of them is different."""
        ends = End.of(one), End.of(other)
        parts: dict[tuple[str, ...], PacketSet] = {(): packets}
        if ends[0] != ends[1]:
            named = (TOLD_APART[one.kind],) if one.kind is other.kind else ()
            parts = {named: packets}
        elif one.kind is VerdictKind.ACCEPT:
            for aspect, fields in ASPECTS.items():
                differs = one.rewrite.differs(other.rewrite, self.unknowns.cube, *fields)
                if differs.satisfiable():
                    apart = {(*key, aspect): part & differs for key, part in parts.items()}
                    parts = {key: part & ~differs for key, part in parts.items()} | apart
            del parts[()]
        else:
            return
        yield from ((key, part) for key, part in parts.items() if part.satisfiable())


def _joined(hook: Hook, ends: list[Outcome]) -> list[Outcome]:
    """Ends of one kind with the same changes are one, on the way with the hook or off it."""
    together: dict[object, Outcome] = {}
    for end in ends:
        # Of what dies it does not matter how it was changed.
        changes = end.rewrite if end.kind is VerdictKind.ACCEPT else ()
        key = End.of(end), left(hook, end), changes
        known = together.get(key, end)
        together[key] = end._replace(packets=known.packets | end.packets)
    return list(together.values())
