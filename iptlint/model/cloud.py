"""What a cloud is to a packet, whoever sells it: filters at the edges of subnets and of interfaces,
routes, and the interfaces of machines.

Plain data, as the documents of the cloud say it. What was said nowhere is None or in ``unsaid``,
and whoever asks a question has to answer without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import TypeVar

from iptlint.source import Origin

IPNetwork = IPv4Network | IPv6Network
IPAddress = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Traffic:
    """What an entry is about; None is any. ``ports``: a closed range of destination ports."""

    protocol: int | None = None
    ports: tuple[int, int] | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None


@dataclass(frozen=True, slots=True)
class GroupPeer:
    """The members of a group. ``foreign``: it is another network's or another owner's, so that its
    members are not in the documents."""

    group: str
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class ListPeer:
    """The addresses of a prefix list."""

    prefix_list: str


@dataclass(frozen=True, slots=True)
class UnknownPeer:
    """What a document leaves open; ``text`` says what stands there."""

    text: str


Peer = IPv4Network | IPv6Network | GroupPeer | ListPeer | UnknownPeer
"""Who is at the other end of a packet."""


@dataclass(frozen=True, slots=True, eq=False)
class FilterEntry:
    """One row of a filter. ``traffic`` is None where it could not be read: it may be any.
    ``number``: its place where the order counts; ``closing``: the cloud's own last row."""

    origin: Origin
    allows: bool
    traffic: Traffic | None
    peer: Peer
    number: int | None = None
    comment: str | None = None
    closing: bool = False


class FilterKind(Enum):
    """``ACL``: of a subnet, in order, without memory. ``GROUP``: of interfaces, allows only,
    united with the others of the interface, and lets answers through."""

    ACL = "network ACL"
    GROUP = "security group"


@dataclass(frozen=True, slots=True, eq=False)
class Filter:
    """``network``: the virtual network (VPC) that it is of. ``subnets``: where an ACL stands.
    ``default``: the one that subnets or interfaces have which name none."""

    kind: FilterKind
    id: str
    name: str
    network: str | None
    origin: Origin
    inbound: tuple[FilterEntry, ...]
    outbound: tuple[FilterEntry, ...]
    subnets: tuple[str, ...] = ()
    default: bool = False

    def entries(self, *, inbound: bool) -> tuple[FilterEntry, ...]:
        return self.inbound if inbound else self.outbound

    @property
    def title(self) -> str:
        """``network ACL acl-0a1 (web)``"""
        named = f" ({self.name})" if self.name and self.name != self.id else ""
        return f"{self.kind.value} {self.id}{named}"


@dataclass(frozen=True, slots=True, eq=False)
class PrefixList:
    """``networks`` is None where only the list's name is known."""

    id: str
    name: str
    networks: tuple[IPNetwork, ...] | None


@dataclass(frozen=True, slots=True, eq=False)
class Subnet:
    id: str
    network: str | None
    prefixes: tuple[IPNetwork, ...]
    origin: Origin


class TargetKind(Enum):
    """Where a route leads, and how that is said."""

    LOCAL = "the network itself"
    INTERNET = "the internet gateway"
    EGRESS_ONLY = "an egress-only internet gateway"
    NAT = "a NAT gateway"
    TRANSIT = "a transit gateway"
    PEERING = "a peering connection"
    PRIVATE = "a private gateway (VPN or direct line)"
    ENDPOINT = "an endpoint (a gateway load balancer, or a service)"
    INTERFACE = "another machine's interface"
    OTHER = "a gateway that iptlint does not know"
    NOWHERE = "nothing, as its target is gone (blackhole):"


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """``destination``: networks, or a prefix list by its id."""

    destination: IPNetwork | ListPeer
    kind: TargetKind
    target: str
    origin: Origin


@dataclass(frozen=True, slots=True, eq=False)
class RouteTable:
    """``main``: of all subnets of the network that name none. ``edges``: gateways whose incoming
    packets it routes."""

    id: str
    network: str | None
    main: bool
    subnets: tuple[str, ...]
    routes: tuple[Route, ...]
    origin: Origin
    edges: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class NetInterface:
    """An interface of a machine or a service. ``public``: the address that the internet knows an
    address by. ``routes_for_others``: it may take packets that are not for its addresses."""

    id: str
    network: str | None
    subnet: str | None
    addresses: tuple[IPAddress, ...]
    groups: tuple[str, ...]
    origin: Origin
    public: Mapping[IPAddress, IPAddress]
    instance: str | None = None
    description: str = ""
    routes_for_others: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    id: str
    name: str
    interfaces: tuple[str, ...]
    origin: Origin


@dataclass(frozen=True, eq=False)
class Cloud:
    """What documents say together. ``all_interfaces``: they list every interface there is, not
    those of machines only. ``unfiltered``: services of the cloud that no filter keeps a machine
    from. ``unsaid``: sentences about what was met and is not followed. Without slots: what is
    worked out about it lies on it."""

    filters: tuple[Filter, ...] = ()
    prefix_lists: tuple[PrefixList, ...] = ()
    subnets: tuple[Subnet, ...] = ()
    route_tables: tuple[RouteTable, ...] = ()
    interfaces: tuple[NetInterface, ...] = ()
    instances: tuple[Instance, ...] = ()
    all_interfaces: bool = False
    unfiltered: tuple[IPNetwork, ...] = ()
    unsaid: tuple[str, ...] = ()

    @cached_property
    def _filters(self) -> Mapping[str, Filter]:
        return {one.id: one for one in self.filters}

    @cached_property
    def _subnets(self) -> Mapping[str, Subnet]:
        return {one.id: one for one in self.subnets}

    @cached_property
    def _interfaces(self) -> Mapping[str, NetInterface]:
        return {one.id: one for one in self.interfaces}

    @cached_property
    def _acls(self) -> Mapping[str, Filter]:
        """By the subnets that they name."""
        acls = [*self.of_kind(FilterKind.ACL)]
        return {subnet: acl for acl in reversed(acls) for subnet in acl.subnets}

    @cached_property
    def _behind(self) -> Mapping[Filter, tuple[NetInterface, ...]]:
        behind: dict[Filter, list[NetInterface]] = {}
        for interface in self.interfaces:
            for one in self.filters_of(interface):
                behind.setdefault(one, []).append(interface)
        return {one: tuple(several) for one, several in behind.items()}

    def of_kind(self, kind: FilterKind) -> Iterator[Filter]:
        return (one for one in self.filters if one.kind is kind)

    def filter(self, id: str) -> Filter | None:
        return self._filters.get(id)

    def prefix_list(self, id: str) -> PrefixList | None:
        return next((each for each in self.prefix_lists if each.id == id), None)

    def subnet(self, id: str | None) -> Subnet | None:
        return self._subnets.get(id or "")

    def interface(self, id: str) -> NetInterface | None:
        return self._interfaces.get(id)

    def interfaces_of(self, filter: Filter) -> tuple[NetInterface, ...]:
        """Those that the filter stands before."""
        return self._behind.get(filter, ())

    def filters_of(self, interface: NetInterface) -> tuple[Filter, ...]:
        """The ACL of its subnet, if it is known, and its groups."""
        acl = self.acl_of(interface)
        groups = [
            security_group for group in interface.groups if (security_group := self.filter(group))
        ]
        return (*([acl] if acl else []), *dict.fromkeys(groups))

    def acl_of(self, interface: NetInterface) -> Filter | None:
        """The one that names its subnet; else the one that the network has for all others."""
        naming = self._acls.get(interface.subnet or "")
        acls = self.of_kind(FilterKind.ACL)
        others = (one for one in acls if one.default and one.network == interface.network)
        return naming or next(others, None)

    def routes_of(self, subnet: str | None, network: str | None) -> RouteTable | None:
        naming = (one for one in self.route_tables if subnet in one.subnets)
        main = (one for one in self.route_tables if one.main and one.network == network)
        return next(naming, None) or next(main, None)

    @cached_property
    def _members(self) -> Mapping[str, tuple[IPNetwork, ...]]:
        members: dict[str, list[IPNetwork]] = {}
        for interface in self.interfaces:
            for group in interface.groups:
                members.setdefault(group, []).extend(map(ip_network, interface.addresses))
        return {group: tuple(dict.fromkeys(networks)) for group, networks in members.items()}

    def members(self, group: str) -> tuple[IPNetwork, ...]:
        """The addresses of the interfaces that have the group."""
        return self._members.get(group, ())


def joined(parts: Iterable[Cloud]) -> Cloud:
    """One cloud of what several documents say. What two of them tell of is told once, by the one
    that says more of it."""
    clouds = [*parts]
    return Cloud(
        filters=_unique([each for one in clouds for each in one.filters]),
        prefix_lists=_unique(
            sorted(
                (each for one in clouds for each in one.prefix_lists),
                key=lambda each: each.networks is None,
            )
        ),
        subnets=_unique([each for one in clouds for each in one.subnets]),
        route_tables=_unique([each for one in clouds for each in one.route_tables]),
        interfaces=_unique(
            [
                each
                for one in sorted(clouds, key=lambda one: not one.all_interfaces)
                for each in one.interfaces
            ]
        ),
        instances=_unique([each for one in clouds for each in one.instances]),
        all_interfaces=any(one.all_interfaces for one in clouds),
        unfiltered=tuple(dict.fromkeys(each for one in clouds for each in one.unfiltered)),
        unsaid=tuple(dict.fromkeys(text for one in clouds for text in one.unsaid)),
    )


_Known = TypeVar("_Known", Filter, PrefixList, Subnet, RouteTable, NetInterface, Instance)


def _unique(several: list[_Known]) -> tuple[_Known, ...]:
    """The first of each id."""
    by_id: dict[str, _Known] = {}
    for each in several:
        by_id.setdefault(each.id, each)
    return tuple(by_id.values())
