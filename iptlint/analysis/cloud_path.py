"""The whole way of connections to an interface of a cloud, out and back, layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from ipaddress import ip_network
from typing import TYPE_CHECKING

from iptlint.analysis.cloud_layers import (
    FilterWalk,
    Layer,
    LayerKind,
    Reason,
    filters_layer,
    groups_of,
    networks_of,
    of_tuple,
)
from iptlint.analysis.cloud_routes import internet, route_layer, unresolved
from iptlint.analysis.connection_way import direction
from iptlint.analysis.host_layers import HostFirewall, HostWay
from iptlint.model import Family, Field
from iptlint.model.cloud import (
    Cloud,
    FilterKind,
    IPAddress,
    IPNetwork,
    ListPeer,
    NetInterface,
    TargetKind,
)
from iptlint.model.protocols import PORT_PROTOCOLS
from iptlint.netfilter.firewall import Firewall
from iptlint.netfilter.packet_group import Decision
from iptlint.packets.bdd import union
from iptlint.packets.packet import Packet
from iptlint.packets.query import packets_like
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

EPHEMERAL = (1024, 65535)
"""Where a client's port may be, if nothing is said of it: each system takes some of these."""


@dataclass(frozen=True, slots=True, eq=False)
class PathQuestion:
    """Which connections: to ``own``, an address of the interface, from ``clients`` (None: from the
    internet). ``sender``: the interface of the cloud that is the client, if it is one."""

    interface: NetInterface
    own: IPAddress
    clients: tuple[IPNetwork, ...] | None = None
    proto: str | None = None
    sport: int | None = None
    dport: int | None = None
    icmp_type: int | None = None
    sender: NetInterface | None = None

    @property
    def family(self) -> Family:
        return Family.IP if self.own.version == 4 else Family.IP6

    @property
    def packet(self) -> Packet:
        """What a host would be asked about; of several clients the addresses are left out."""
        one = self.clients[0] if self.clients is not None and len(self.clients) == 1 else None
        return Packet(
            family=self.family.value,
            saddr=str(one) if one is not None else None,
            daddr=str(self.own),
            proto=self.proto,
            sport=self.sport,
            dport=self.dport,
            icmp_type=self.icmp_type,
        )


class Passing(Enum):
    """What a layer does with those connections that come to it."""

    PASSES = "passes"
    STOPS = "STOPS"
    PARTLY = "partly"
    UNSURE = "not known"
    NOTHING = "-"
    NOT_GIVEN = "not given"


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A layer, the connections that come to it, and those that it holds back, for all that is
    known."""

    layer: Layer
    arriving: PacketSet
    held: PacketSet
    passing: Passing


@dataclass(frozen=True, slots=True, eq=False)
class CloudPath:
    """``may``: the connections that may get through all layers; ``sure``: those that do for
    certain, as far as layers are given. ``notes``: what is not followed."""

    question: PathQuestion
    space: Space
    asked: PacketSet
    rows: tuple[Row, ...]
    may: PacketSet
    sure: PacketSet
    notes: tuple[str, ...]

    @property
    def works(self) -> bool:
        return self.asked.satisfiable() and self.sure == self.asked

    @property
    def stopped_at(self) -> Row | None:
        """The first layer that holds something back."""
        return next((row for row in self.rows if row.held.satisfiable()), None)


def cloud_path(
    cloud: Cloud,
    question: PathQuestion,
    host: HostFirewall | None = None,
    describe: Callable[[Decision | None], str] = str,
) -> CloudPath:
    """What becomes of the connections. ``describe``: words for who decides at the host. QueryError
    where a value is none."""
    if host is not None and not host.ruleset.sees(question.family):
        host = None
    firewall = Firewall(host.ruleset) if host is not None else None
    space = firewall.space if firewall is not None else _plain_space(question.family)
    asked = _asked(space, cloud, question)
    layers = [*_before_host(space, cloud, question, asked)]
    if host is not None and firewall is not None:
        packet = replace(question.packet, iif=host.interface)
        way = HostWay(host, firewall, packet, asked, describe)
        listener = way.listener()
        layers += [way.coming_in(), *([listener] if listener else []), way.answers()]
    else:
        layers.append(
            Layer(LayerKind.HOST_IN, "no rules are given", asked, space.false, given=False)
        )
    layers += _behind_host(space, cloud, question, asked)
    rows, may, sure = _rows(space, layers, asked)
    return CloudPath(question, space, asked, rows, may, sure, tuple(_notes(cloud, question)))


def _plain_space(family: Family) -> Space:
    return Space((family.value,), (), defragmented=True)


def _asked(space: Space, cloud: Cloud, question: PathQuestion) -> PacketSet:
    """Packets that open such connections."""
    family, packet = question.family, question.packet
    packets = packets_like(space, packet) & space.value(Field.FRAGMENT, 0)
    if question.clients is None:
        packets = packets & internet(space, family) & ~_inside(space, cloud, question)
    else:
        packets = packets & networks_of(space, family.saddr, family, question.clients)
    if question.sport is None:
        with_ports = union([space.value(Field.PROTO, p) for p in PORT_PROTOCOLS], space.false)
        packets = packets & (~with_ports | space.fields[Field.SPORT].within(*EPHEMERAL))
    return of_tuple(space, direction(space, packets, packet).first)


def _inside(space: Space, cloud: Cloud, question: PathQuestion) -> PacketSet:
    """What comes from the network itself, which may have public addresses of IPv6."""
    interface = question.interface
    table = cloud.routes_of(interface.subnet, interface.network)
    routes = table.routes if table is not None else ()
    local = [r.destination for r in routes if r.kind is TargetKind.LOCAL]
    networks = [each for each in local if not isinstance(each, ListPeer)]
    return networks_of(space, question.family.saddr, question.family, networks)


# -- the layers -----------------------------------------------------------------------------------


def _before_host(
    space: Space, cloud: Cloud, question: PathQuestion, asked: PacketSet
) -> Iterator[Layer]:
    interface = question.interface
    if question.sender is not None:
        yield _groups(space, cloud, question, question.sender, LayerKind.SENDER_GROUPS, asked)
        yield _acl(space, cloud, question, question.sender, LayerKind.SENDER_ACL, asked)
    yield route_layer(space, cloud, interface, question.own, asked)
    yield _acl(space, cloud, question, interface, LayerKind.ACL_IN, asked)
    yield _groups(space, cloud, question, interface, LayerKind.GROUPS_IN, asked)


def _behind_host(
    space: Space, cloud: Cloud, question: PathQuestion, asked: PacketSet
) -> Iterator[Layer]:
    text = "groups remember connections: answers to what they let in pass"
    reason = Reason(text, None, True, asked)
    if groups_of(cloud, question.interface.groups) is not None:
        yield Layer(LayerKind.GROUPS_OUT, "", asked, space.false, (reason,))
    yield _acl(space, cloud, question, question.interface, LayerKind.ACL_OUT, asked)
    if question.sender is not None:
        yield _acl(space, cloud, question, question.sender, LayerKind.SENDER_BACK, asked)


_INBOUND = {
    LayerKind.SENDER_GROUPS: False,
    LayerKind.SENDER_ACL: False,
    LayerKind.ACL_IN: True,
    LayerKind.GROUPS_IN: True,
    LayerKind.ACL_OUT: False,
    LayerKind.SENDER_BACK: True,
}
"""Which entries of a filter are met."""

_BY_ANSWERS = (LayerKind.ACL_OUT, LayerKind.SENDER_BACK)


def _acl(
    space: Space,
    cloud: Cloud,
    question: PathQuestion,
    interface: NetInterface,
    kind: LayerKind,
    asked: PacketSet,
) -> Layer:
    acl = cloud.acl_of(interface)
    if acl is None:
        title = "no document says which network ACL its subnet has"
        return Layer(kind, title, asked, space.false, given=False)
    walk = FilterWalk(space, cloud, _INBOUND[kind])
    walk.add_acl(acl)
    subnet = cloud.subnet(interface.subnet)
    prefixes = subnet.prefixes if subnet is not None else ()
    inside = _within(space, question, prefixes)
    by_answers = kind in _BY_ANSWERS
    layer = filters_layer(
        kind, acl.title, walk, asked, question.family, answers=by_answers, inside=inside
    )
    return _with_change(layer, acl.id, walk.inbound, by_answers)


def _within(
    space: Space, question: PathQuestion, prefixes: tuple[IPNetwork, ...]
) -> PacketSet | None:
    """The packets that stay in the subnet: both ends are in it."""
    own = ip_network(question.own)
    if not any(one.version == own.version and own.subnet_of(one) for one in prefixes):  # type: ignore[arg-type]
        return None
    return networks_of(space, question.family.saddr, question.family, prefixes)


def _groups(
    space: Space,
    cloud: Cloud,
    question: PathQuestion,
    interface: NetInterface,
    kind: LayerKind,
    asked: PacketSet,
) -> Layer:
    groups = groups_of(cloud, interface.groups)
    if groups is None:
        title = "not all security groups of the interface are in the documents"
        return Layer(kind, title, asked, space.false, given=False)
    named = ", ".join(group.id for group in groups)
    inbound = _INBOUND[kind]
    walk = FilterWalk(space, cloud, inbound, f"no rule of {named} allows it")
    for group in groups:
        walk.add_group(group)
    title = ", ".join(group.title for group in groups)
    layer = filters_layer(kind, title, walk, asked, question.family)
    return _with_change(layer, named, inbound, False)


def _with_change(layer: Layer, filters: str, inbound: bool, by_answers: bool) -> Layer:
    """With what would have to be otherwise for what it stops."""
    stopped = next((reason for reason in layer.reasons if not reason.passes), None)
    if stopped is None:
        return layer
    way = "inbound" if inbound else "outbound"
    if layer.kind in (LayerKind.SENDER_GROUPS, LayerKind.GROUPS_IN):
        change = f"an {way} rule of {filters} that allows it"
    else:
        number, _, _ = stopped.text.partition(" of ")
        what = "the answers, which go to the ports that clients chose" if by_answers else "it"
        change = f"an {way} entry of {filters}, before {number}, that allows {what}"
    return replace(layer, change=change)


# -- together -------------------------------------------------------------------------------------


def _rows(
    space: Space, layers: list[Layer], asked: PacketSet
) -> tuple[tuple[Row, ...], PacketSet, PacketSet]:
    rows: list[Row] = []
    may, sure = asked, asked
    for layer in layers:
        held, through = may & layer.stops, may & layer.passes
        rows.append(Row(layer, may, held, _passing(layer, may, held, through)))
        may, sure = through, sure & ~layer.stops
    return tuple(rows), may, sure & may


def _passing(layer: Layer, arriving: PacketSet, held: PacketSet, through: PacketSet) -> Passing:
    if not arriving.satisfiable():
        return Passing.NOTHING
    if not layer.given:
        return Passing.NOT_GIVEN
    if not held.satisfiable():
        return Passing.PASSES
    if not through.satisfiable():
        return Passing.STOPS
    return Passing.UNSURE if held == through else Passing.PARTLY


def _notes(cloud: Cloud, question: PathQuestion) -> Iterator[str]:
    yield from cloud.unsaid
    interface = question.interface
    table = cloud.routes_of(interface.subnet, interface.network)
    yield from unresolved(cloud, table)
    for other in cloud.route_tables:
        for edge in other.edges if other.network == interface.network else ():
            yield (
                f"{other.id} routes what comes in by {edge}: an appliance may stand between, "
                "which is not followed"
            )
    if question.sender is None and question.clients is not None:
        yield from _own_clients(cloud, question)
    if not any(cloud.of_kind(FilterKind.GROUP)):
        yield "no document has security groups (aws ec2 describe-security-groups)"


def _own_clients(cloud: Cloud, question: PathQuestion) -> Iterator[str]:
    layers = [
        one.id
        for one in cloud.interfaces
        if one.id != question.interface.id
        for address in one.addresses
        if any(
            each.version == address.version and address in each for each in question.clients or ()
        )
    ]
    if layers:
        yield (
            f"{', '.join(dict.fromkeys(layers[:3]))} and what else of this network is among the "
            "clients has filters of its own on the way out, which are not followed here: name one "
            "as --from"
        )
