"""From where an interface of a cloud is reached, and whether answers find their way back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.cloud_layers import Layer, LayerKind, Reason, networks_of
from iptlint.model import Family
from iptlint.model.addresses import AddressKind, ranges
from iptlint.model.cloud import (
    Cloud,
    IPAddress,
    IPNetwork,
    ListPeer,
    NetInterface,
    Route,
    RouteTable,
    TargetKind,
)
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_OUTWARD_ONLY = (TargetKind.NAT, TargetKind.EGRESS_ONLY)
_ELSEWHERE = (
    *(TargetKind.TRANSIT, TargetKind.PEERING, TargetKind.PRIVATE, TargetKind.ENDPOINT),
    *(TargetKind.INTERFACE, TargetKind.OTHER),
)
"""What is behind them is not looked at: whether packets come from there nobody here knows."""

_NOT_OF_THE_INTERNET = (
    *(AddressKind.PRIVATE, AddressKind.LINK_LOCAL, AddressKind.LOOPBACK, AddressKind.NOBODY),
)


class _Fate(NamedTuple):
    """``passes`` and ``stops`` are both true where nobody knows."""

    text: str
    passes: bool
    stops: bool


def internet(space: Space, family: Family) -> PacketSet:
    """The packets whose source is an address that the internet has."""
    return ~space.ranges(family.saddr, ranges(family, *_NOT_OF_THE_INTERNET))


def route_layer(
    space: Space,
    cloud: Cloud,
    interface: NetInterface,
    own: IPAddress,
    asked: PacketSet,
) -> Layer:
    """By the routes of its subnet, the longest prefix first: they say where answers go, and with
    that by which gateway who asks has to come."""
    family = Family.IP if own.version == 4 else Family.IP6
    table = cloud.routes_of(interface.subnet, interface.network)
    if table is None:
        return Layer(LayerKind.ROUTE, "no route table is given", asked, space.false, given=False)
    reasons: list[Reason] = []
    passes, stops, left = space.false, space.false, asked
    for route, packets in _by_length(space, cloud, family, table):
        mine = left & packets
        left = left & ~packets
        for part, fate in _fates(space, family, cloud, route, interface, own, mine):
            if not part.satisfiable():
                continue
            passes, stops = (
                passes | part if fate.passes else passes,
                stops | part if fate.stops else stops,
            )
            sure = not (fate.passes and fate.stops)
            reasons.append(Reason(fate.text, route.origin.span, fate.passes, part, sure))
    if left.satisfiable():
        text = f"{table.id} has no route to it, so answers do not leave"
        reasons.append(Reason(text, table.origin.span, False, left))
    return Layer(
        LayerKind.ROUTE,
        table.id,
        passes,
        stops | left,
        tuple(reasons),
        change=_change(table, interface, own),
    )


def _change(table: RouteTable, interface: NetInterface, own: IPAddress) -> str:
    address = "" if own.version == 6 or own in interface.public else "a public address, and "
    return f"{address}a route in {table.id} to whoever asks, by a gateway that lets them in"


def _by_length(
    space: Space, cloud: Cloud, family: Family, table: RouteTable
) -> Iterator[tuple[Route, PacketSet]]:
    """The longest prefix decides; a prefix list has several."""
    several: list[tuple[int, Route, IPNetwork]] = []
    for route in table.routes:
        for network in _destinations(cloud, route):
            several.append((network.prefixlen, route, network))
    for _, route, network in sorted(several, key=lambda each: -each[0]):
        yield route, networks_of(space, family.saddr, family, (network,))


def _destinations(cloud: Cloud, route: Route) -> tuple[IPNetwork, ...]:
    if isinstance(route.destination, ListPeer):
        known = cloud.prefix_list(route.destination.prefix_list)
        return known.networks or () if known is not None else ()
    return (route.destination,)


def _fates(
    space: Space,
    family: Family,
    cloud: Cloud,
    route: Route,
    interface: NetInterface,
    own: IPAddress,
    packets: PacketSet,
) -> Iterator[tuple[PacketSet, _Fate]]:
    to = (
        route.destination.prefix_list
        if isinstance(route.destination, ListPeer)
        else str(route.destination)
    )
    leads = f"{to} leads to {route.kind.value} {route.target}".replace(" local", "")
    if route.kind is TargetKind.INTERNET:
        public = internet(space, family)
        yield packets & public, _by_internet(leads, interface, own)
        yield packets & ~public, _Fate(f"{leads}, by which no such address comes", False, True)
    elif route.kind is TargetKind.LOCAL:
        yield packets, _Fate(leads, True, False)
    elif route.kind in _OUTWARD_ONLY:
        yield packets, _Fate(f"{leads}, by which connections only go out", False, True)
    elif route.kind in _ELSEWHERE:
        yield packets, _Fate(f"{leads}, behind which iptlint does not look", True, True)
    else:
        yield packets, _Fate(leads, False, True)


def _by_internet(leads: str, interface: NetInterface, own: IPAddress) -> _Fate:
    """Of IPv4 the gateway translates public addresses, one to one (Amazon VPC User Guide,
    "Internet gateways")."""
    if own.version == 6:
        return _Fate(leads, True, False)
    public = interface.public.get(own)
    if public is None:
        return _Fate(f"{leads}, and {own} has no public address", False, True)
    return _Fate(f"{leads}, which knows it as {public}", True, False)


def unresolved(cloud: Cloud, table: RouteTable | None) -> Iterator[str]:
    """Routes by prefix lists that no document holds, which are left out."""
    for route in table.routes if table is not None else ():
        if isinstance(route.destination, ListPeer) and not _destinations(cloud, route):
            yield (
                f"what is in {route.destination.prefix_list} is not known, so the route of "
                f"{table.id if table else ''} to it is not followed"
            )
