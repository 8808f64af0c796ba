"""Zones: who may be meant, by their addresses and by the interfaces that they are behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING

from iptlint.analysis.external_interfaces import external_classes, is_external_name
from iptlint.model import Family, Field, addresses
from iptlint.model.addresses import NOT_PUBLIC, AddressKind
from iptlint.model.matches import Ranges
from iptlint.model.owners import owner_of_interface
from iptlint.netfilter.firewall import Hooks
from iptlint.packets.bdd import union
from iptlint.packets.interfaces import InterfaceClass

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

Network = IPv4Network | IPv6Network


class ZoneKind(Enum):
    """What is meant where no address is said."""

    GIVEN = "given"
    INTERNET = "internet"
    ANYONE = "anyone"
    HOST = "host"


BUILT_IN = {
    "internet": ZoneKind.INTERNET,
    "host": ZoneKind.HOST,
    "anyone": ZoneKind.ANYONE,
    "anywhere": ZoneKind.ANYONE,
    "any": ZoneKind.ANYONE,
}


@dataclass(frozen=True, slots=True)
class Zone:
    """``networks`` of both families; where there are none, ``kind`` says which addresses, all of
    them where it is GIVEN. ``but``: networks of it that are left out. ``interfaces``: the only ones
    that it is behind, ``*`` at the end being any ending; empty where that is not said.
    ``members``: of several zones that are named together, each."""

    name: str
    kind: ZoneKind = ZoneKind.GIVEN
    networks: tuple[Network, ...] = ()
    but: tuple[Network, ...] = ()
    interfaces: tuple[str, ...] = ()
    members: tuple[Zone, ...] = ()

    @property
    def is_host(self) -> bool:
        return self.kind is ZoneKind.HOST

    def is_of(self, family: Family) -> bool:
        """Whether it has addresses of the family."""
        if self.members:
            return any(each.is_of(family) for each in self.members)
        if not self.networks:
            return True
        return any(network.version == _VERSION[family] for network in self.networks)


_VERSION = {Family.IP: 4, Family.IP6: 6}
HOST = Zone("host", ZoneKind.HOST)
ANYONE = Zone("anyone", ZoneKind.ANYONE)
INTERNET = Zone("internet", ZoneKind.INTERNET)


def together(zones: Sequence[Zone]) -> Zone:
    """Several zones as one."""
    if len(zones) == 1:
        return zones[0]
    return Zone(" or ".join(zone.name for zone in zones), members=tuple(zones))


def has_own_addresses(family: Family, network: Network) -> bool:
    return network.version == _VERSION[family]


@dataclass(frozen=True, slots=True)
class Side:
    """One end of packets: their source and where they come in, or their destination and where they
    leave."""

    address: Field
    interface: Field


def source_side(family: Family) -> Side:
    return Side(family.saddr, Field.IIF)


def destination_side(family: Family) -> Side:
    return Side(family.daddr, Field.OIF)


class Reach(Enum):
    """Which interfaces count where it is not known by which packets of a zone come: all that may
    be, those that it is likely, or those that are no others' for sure."""

    MOST = "most"
    LIKELY = "likely"
    LEAST = "least"


def members(hooks: Hooks, zone: Zone, side: Side, reach: Reach = Reach.MOST) -> PacketSet:
    """The packets that are the zone's on that side."""
    if zone.members:
        each = [members(hooks, one, side, reach) for one in zone.members]
        return union(each, hooks.space.false)
    return _addressed(hooks, zone, side) & _behind(hooks, zone, side, reach)


def _addressed(hooks: Hooks, zone: Zone, side: Side) -> PacketSet:
    space, family = hooks.space, hooks.family
    packets = ~space.ranges(side.address, addresses.ranges(family, AddressKind.LOOPBACK))
    if zone.networks:
        packets = packets & space.ranges(side.address, _ranges(family, zone.networks))
    elif zone.kind is ZoneKind.INTERNET:
        packets = packets & ~space.ranges(side.address, addresses.ranges(family, *NOT_PUBLIC))
    elif zone.kind is ZoneKind.HOST and hooks.addresses.complete:
        packets = packets & space.ranges(side.address, _ranges(family, hooks.addresses.own))
    return packets & ~space.ranges(side.address, _ranges(family, zone.but))


def _ranges(family: Family, networks: Sequence[Network]) -> Ranges:
    own = (network for network in networks if has_own_addresses(family, network))
    return tuple((int(network[0]), int(network[-1])) for network in own)


def _behind(hooks: Hooks, zone: Zone, side: Side, reach: Reach) -> PacketSet:
    """By the interfaces of the zone, or by any that it may be behind, but never by lo."""
    space = hooks.space
    if zone.is_host:
        return space.true
    if zone.interfaces:
        numbers = {n for name in zone.interfaces for n in _classes(hooks, name, reach)}
    elif zone.kind is ZoneKind.INTERNET:
        numbers = {*(facing_classes(hooks) if reach is Reach.MOST else _likely(hooks))}
    else:
        return ~space.interface(side.interface, "lo")
    each = [space.value(side.interface, number) for number in sorted(numbers)]
    return union(each, space.false)


def _classes(hooks: Hooks, written: str, reach: Reach) -> Iterator[int]:
    """The numbers of the classes that some interface of the name is in, or of the least, all of
    whose interfaces are called so."""
    least = reach is Reach.LEAST
    name, wildcard = written.removesuffix("*").removesuffix("+"), written[-1:] in ("*", "+")
    own = None if wildcard else hooks.space.interfaces.class_of(name)
    for number, cls in enumerate(hooks.space.interfaces.classes, start=1):
        if not wildcard:
            if number == own and not (least and cls.wildcard):
                yield number
        elif cls.name.startswith(name) or (not least and _may_hold(cls, name)):
            yield number


def _may_hold(cls: InterfaceClass, prefix: str) -> bool:
    return cls.wildcard and prefix.startswith(cls.name)


def facing_classes(hooks: Hooks) -> list[int]:
    """The interfaces by which packets of the internet may come in, if nobody says which: those
    that the host itself knows for such; else all but lo and those that software makes for its
    guests, for a guess at others might be wrong."""
    classes = [*enumerate(hooks.space.interfaces.classes, start=1)]
    if any(hooks.facing.values()):
        return [number for number, cls in classes if _faces(hooks, cls)]
    return [number for number, cls in classes if not _is_of_software(cls)]


def _likely(hooks: Hooks) -> list[int]:
    """Those that the internet comes in by, as names and rules let one guess."""
    may = facing_classes(hooks)
    return [number for number in external_classes(hooks) if number in may] or may


def is_likely(hooks: Hooks, interface: str) -> bool:
    """Whether it is likely that the internet comes in by the interface."""
    return hooks.space.interfaces.class_of(interface) in _likely(hooks)


def likely_names(hooks: Hooks) -> list[str]:
    """The interfaces with names that it is likely for."""
    classes = hooks.space.interfaces.classes
    named = (classes[number - 1] for number in _likely(hooks))
    return [cls.name + "*" * cls.wildcard for cls in named if cls.name]


def _faces(hooks: Hooks, cls: InterfaceClass) -> bool:
    public = [name for name, faces in hooks.facing.items() if faces]
    if cls.wildcard:
        return any(name.startswith(cls.name) for name in public) or is_external_name(cls)
    return cls.name in public


def _is_of_software(cls: InterfaceClass) -> bool:
    if cls == InterfaceClass("lo", False):
        return True
    return bool(cls.name) and owner_of_interface(cls.name) is not None
