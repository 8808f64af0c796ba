"""What security groups open to every address that the world has."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.cloud_sets import FAMILIES, CloudSets, cloud_sets
from iptlint.analysis.cloud_words import traffic_in_words
from iptlint.analysis.services import SERVICES, Service
from iptlint.model import Family
from iptlint.model.cloud import Cloud, Filter, FilterEntry, FilterKind, ListPeer, Traffic
from iptlint.model.protocols import TCP
from iptlint.packets.bdd import union

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

ADMIN = (
    Service((22,), (TCP,), "SSH", "passwords are tried there without end"),
    *(service for service in SERVICES if not service.on_purpose or service.ports == (3389,)),
)
"""What machines are managed by, and what is seldom public on purpose."""


class WorldOpening(NamedTuple):
    """An entry that lets everybody in to the services, each with a port. ``wider``: what they are a
    part of, if it alone lets everybody in to that. ``held``: the ACLs of all its interfaces stop
    that."""

    group: Filter
    entry: FilterEntry
    family: Family
    services: tuple[tuple[Service, int], ...]
    wider: str | None
    held: bool


def world_openings(cloud: Cloud) -> Iterator[WorldOpening]:
    sets = cloud_sets(cloud)
    for group in cloud.of_kind(FilterKind.GROUP):
        if cloud.all_interfaces and not cloud.interfaces_of(group):
            continue
        seen: set[tuple[Family, int]] = set()
        for entry in group.inbound:
            for family in FAMILIES:
                opened = _opened(sets, group, entry, family)
                services = tuple(each for each in opened if (family, each[1]) not in seen)
                seen |= {(family, port) for _, port in services}
                if services:
                    yield _opening(sets, group, entry, family, services)


def _opened(
    sets: CloudSets, group: Filter, entry: FilterEntry, family: Family
) -> Iterator[tuple[Service, int]]:
    """By the entry together with others: two halves of the world are the world."""
    if entry.traffic is None or not _is_wide(sets.cloud, entry):
        return
    own = sets.entry(entry, inbound=True) & sets.internet()
    own = own & sets.space.family(family.value)
    if not own.satisfiable():
        return
    of_group = sets.groups([group], inbound=True)
    for service in ADMIN:
        for port in service.ports:
            packets = _to(sets, service, port)
            mine, all_ = own & packets, of_group & packets
            if mine.satisfiable() and sets.whole_internet(all_, family):
                yield service, port


def _to(sets: CloudSets, service: Service, port: int) -> PacketSet:
    each = [sets.ports(protocol, port, port) for protocol in service.protocols]
    return union(each, sets.space.false)


_WIDEST = 8
"""A network of more bits than this is one of somebody's, beside the entry that opens the whole."""


def _is_wide(cloud: Cloud, entry: FilterEntry) -> bool:
    match entry.peer:
        case ListPeer(id):
            known = cloud.prefix_list(id)
            networks = known.networks or () if known is not None else ()
        case IPv4Network() | IPv6Network() as network:
            networks = (network,)
        case _:
            networks = ()
    return any(each.prefixlen <= _WIDEST for each in networks)


def _opening(
    sets: CloudSets,
    group: Filter,
    entry: FilterEntry,
    family: Family,
    services: tuple[tuple[Service, int], ...],
) -> WorldOpening:
    own = sets.entry(entry, inbound=True) & sets.space.family(family.value)
    wider = _wider(entry.traffic) if sets.whole_internet(own, family) else None
    return WorldOpening(group, entry, family, services, wider, _is_held(sets, group, entry))


def _wider(traffic: Traffic | None) -> str | None:
    """In words, where it is more than one port."""
    if traffic is None or (traffic.ports is not None and traffic.ports[0] == traffic.ports[1]):
        return None
    return traffic_in_words(traffic)


def _is_held(sets: CloudSets, group: Filter, entry: FilterEntry) -> bool:
    """Whether ACLs keep the internet from all interfaces that have the group."""
    interfaces = sets.cloud.interfaces_of(group)
    acls = [sets.cloud.acl_of(each) for each in interfaces]
    packets = sets.entry(entry, inbound=True) & sets.internet()
    return bool(acls) and all(
        acl is not None and not (packets & sets.acl(acl, inbound=True)[0]).satisfiable()
        for acl in acls
    )
