"""Entries of a cloud's filters that decide nothing, or that nothing gets to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.cloud_sets import CloudSets, cloud_sets
from iptlint.model.cloud import Cloud, Filter, FilterEntry, FilterKind, GroupPeer
from iptlint.packets.bdd import union

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


class EclipsedEntry(NamedTuple):
    """An entry whose packets earlier ones of the ACL take. ``differs``: one of them decides
    otherwise."""

    acl: Filter
    inbound: bool
    entry: FilterEntry
    takers: tuple[FilterEntry, ...]
    differs: bool


def eclipsed_entries(cloud: Cloud) -> Iterator[EclipsedEntry]:
    sets = cloud_sets(cloud)
    for acl in cloud.of_kind(FilterKind.ACL):
        for inbound in (True, False):
            yield from _eclipsed(sets, acl, inbound=inbound)


def _eclipsed(sets: CloudSets, acl: Filter, *, inbound: bool) -> Iterator[EclipsedEntry]:
    entries = acl.entries(inbound=inbound)
    left = sets.every
    for number, entry in enumerate(entries):
        packets = sets.entry(entry, inbound=inbound)
        if not (packets & left).satisfiable() and not entry.closing:
            before = [e for e in entries[:number] if e.traffic is not None]
            takers = tuple(_takers(sets, before, packets, inbound=inbound))
            differs = any(each.allows is not entry.allows for each in takers)
            yield EclipsedEntry(acl, inbound, entry, takers, differs)
        if entry.traffic is not None:
            left = left & ~packets


def _takers(
    sets: CloudSets, before: list[FilterEntry], packets: PacketSet, *, inbound: bool
) -> Iterator[FilterEntry]:
    left = packets
    for entry in before:
        taken = left & sets.entry(entry, inbound=inbound)
        if taken.satisfiable():
            yield entry
        left = left & ~taken


class CoveredEntry(NamedTuple):
    """An entry of a group that others of it cover."""

    group: Filter
    inbound: bool
    entry: FilterEntry
    others: tuple[FilterEntry, ...]


def covered_entries(cloud: Cloud) -> Iterator[CoveredEntry]:
    """One after the other, the last first: of two alike the first stays."""
    sets = cloud_sets(cloud)
    for group in cloud.of_kind(FilterKind.GROUP):
        for inbound in (True, False):
            yield from _covered(sets, group, inbound=inbound)


def _covered(sets: CloudSets, group: Filter, *, inbound: bool) -> Iterator[CoveredEntry]:
    kept = [e for e in group.entries(inbound=inbound) if e.traffic is not None]
    for entry in reversed([*kept]):
        packets = sets.entry(entry, inbound=inbound)
        if not packets.satisfiable():
            continue  # of a group without members
        others = [each for each in kept if each is not entry]
        several = [sets.entry(each, inbound=inbound) for each in others]
        if not (packets & ~union(several, sets.space.false)).satisfiable():
            takers = tuple(_takers(sets, others, packets, inbound=inbound))
            yield CoveredEntry(group, inbound, entry, takers)
            kept = others


class DeadOpening(NamedTuple):
    """An entry of a group that lets nobody through: ``acls`` stop all of it, or, with
    ``but_inside``, all but what stays in the subnet; none of them where the group that it names
    has no members."""

    group: Filter
    inbound: bool
    entry: FilterEntry
    acls: tuple[Filter, ...]
    but_inside: bool = False


def unused_groups(cloud: Cloud) -> Iterator[Filter]:
    """Groups with rules that no interface has, where all interfaces are known."""
    if not cloud.all_interfaces:
        return
    used = {group for interface in cloud.interfaces for group in interface.groups}
    for group in cloud.of_kind(FilterKind.GROUP):
        if group.id not in used and group.inbound and not group.default:
            yield group


def dead_openings(cloud: Cloud) -> Iterator[DeadOpening]:
    sets = cloud_sets(cloud)
    for group in cloud.of_kind(FilterKind.GROUP):
        interfaces = cloud.interfaces_of(group)
        acls = [cloud.acl_of(each) for each in interfaces]
        known = tuple(dict.fromkeys(each for each in acls if each is not None))
        for inbound in (True, False):
            for entry in group.entries(inbound=inbound) if interfaces else ():
                if _has_no_members(cloud, entry):
                    yield DeadOpening(group, inbound, entry, ())
                elif None not in acls and _is_stopped(sets, entry, known, inbound=inbound):
                    inside = _inside(sets, entry, known, inbound=inbound)
                    yield DeadOpening(group, inbound, entry, known, inside.satisfiable())


def _has_no_members(cloud: Cloud, entry: FilterEntry) -> bool:
    peer = entry.peer
    if not isinstance(peer, GroupPeer) or peer.foreign or not cloud.all_interfaces:
        return False
    return not cloud.members(peer.group)


def _is_stopped(
    sets: CloudSets, entry: FilterEntry, acls: tuple[Filter, ...], *, inbound: bool
) -> bool:
    """What is for addresses of a subnet is asked of no ACL; it is more than that where the internet
    is among those who are let in."""
    packets = sets.entry(entry, inbound=inbound)
    inside = _inside(sets, entry, acls, inbound=inbound)
    if inside.satisfiable() and not (packets & sets.internet()).satisfiable():
        return False
    for acl in acls:
        passes, _ = sets.acl(acl, inbound=inbound)
        if (packets & ~inside & passes).satisfiable() or not acl.subnets:
            return False
    return packets.satisfiable()


def _inside(
    sets: CloudSets, entry: FilterEntry, acls: tuple[Filter, ...], *, inbound: bool
) -> PacketSet:
    packets = sets.entry(entry, inbound=inbound)
    several = [sets.inside(acl, inbound=inbound) for acl in acls]
    return packets & union(several, sets.space.false)


def lets_everything_through(cloud: Cloud, acl: Filter) -> bool:
    """Of some family at least, both ways: it decides nothing."""
    sets = cloud_sets(cloud)
    both = [sets.acl(acl, inbound=inbound)[1] & sets.every for inbound in (True, False)]
    families = [sets.space.family(name) & sets.every for name in ("ip", "ip6")]
    open_ = [not any((stops & each).satisfiable() for stops in both) for each in families]
    closed = [
        not any((sets.acl(acl, inbound=i)[0] & each).satisfiable() for i in (True, False))
        for each in families
    ]
    return any(open_) and all(o or c for o, c in zip(open_, closed, strict=True))
