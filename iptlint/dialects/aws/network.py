"""Subnets, routes, interfaces, machines and prefix lists, as ``aws ec2 describe-…`` prints them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from iptlint.dialects.aws.values import Notes, address, id_of, name_of, network, place_of
from iptlint.dialects.document.node import Node, ShapeError
from iptlint.model.cloud import (
    Instance,
    IPAddress,
    IPNetwork,
    ListPeer,
    NetInterface,
    PrefixList,
    Route,
    RouteTable,
    Subnet,
    TargetKind,
)


def subnet(node: Node, notes: Notes) -> Subnet:
    written = [node.get("CidrBlock")]
    for each in node.items("Ipv6CidrBlockAssociationSet"):
        state = each.get("Ipv6CidrBlockState")
        if state is None or state.text("State") in (None, "associated"):
            written.append(each.get("Ipv6CidrBlock"))
    prefixes = notes.each(filter(None, written), network)
    return Subnet(id_of(node, "SubnetId"), node.text("VpcId"), prefixes, place_of(node, "SubnetId"))


# -- routes ---------------------------------------------------------------------------------------

_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock")
_TARGETS = (
    ("NatGatewayId", TargetKind.NAT),
    ("TransitGatewayId", TargetKind.TRANSIT),
    ("VpcPeeringConnectionId", TargetKind.PEERING),
    ("EgressOnlyInternetGatewayId", TargetKind.EGRESS_ONLY),
    ("VpcEndpointId", TargetKind.ENDPOINT),
    ("NetworkInterfaceId", TargetKind.INTERFACE),
    ("InstanceId", TargetKind.INTERFACE),
    ("LocalGatewayId", TargetKind.PRIVATE),
    ("CarrierGatewayId", TargetKind.OTHER),
    ("CoreNetworkArn", TargetKind.TRANSIT),
)
"""Which key of a route names its target; a GatewayId says by its beginning what it is."""

_GATEWAYS = (
    ("local", TargetKind.LOCAL),
    ("igw-", TargetKind.INTERNET),
    ("vgw-", TargetKind.PRIVATE),
    ("vpce-", TargetKind.ENDPOINT),
    ("eigw-", TargetKind.EGRESS_ONLY),
)


def route_table(node: Node, notes: Notes) -> RouteTable:
    associations = [each for each in node.items("Associations") if _holds(each)]
    subnets = [each.text("SubnetId") for each in associations]
    edges = [each.text("GatewayId") for each in associations]
    return RouteTable(
        id_of(node, "RouteTableId"),
        node.text("VpcId"),
        any(each.flag("Main") for each in associations),
        tuple(filter(None, subnets)),
        notes.each(node.items("Routes"), _route),
        place_of(node, "RouteTableId"),
        tuple(filter(None, edges)),
    )


def _holds(association: Node) -> bool:
    state = association.get("AssociationState")
    return state is None or state.text("State") in (None, "associated")


def _route(node: Node) -> Route:
    written = next((block for key in _DESTINATIONS if (block := node.get(key))), None)
    destination: IPNetwork | ListPeer
    if written is not None:
        destination = network(written)
    else:
        destination = ListPeer(id_of(node, "DestinationPrefixListId"))
    kind, target = _target(node)
    if node.text("State") == "blackhole":
        kind = TargetKind.NOWHERE
    return Route(destination, kind, target, node.origin)


def _target(node: Node) -> tuple[TargetKind, str]:
    for key, kind in _TARGETS:
        if target := node.text(key):
            return kind, target
    gateway = node.text("GatewayId")
    if gateway is None:
        raise ShapeError(node, "a route with a target")
    fitting = (kind for start, kind in _GATEWAYS if gateway.startswith(start))
    return next(fitting, TargetKind.OTHER), gateway


# -- machines -------------------------------------------------------------------------------------


def interface(node: Node, notes: Notes) -> NetInterface:
    attached = node.get("Attachment")
    return NetInterface(
        id_of(node, "NetworkInterfaceId"),
        node.text("VpcId"),
        node.text("SubnetId"),
        tuple(dict.fromkeys(notes.each(_written_addresses(node), address))),
        tuple(id_of(each, "GroupId") for each in node.items("Groups")),
        place_of(node, "NetworkInterfaceId"),
        dict(_public(node, notes)),
        attached.text("InstanceId") if attached is not None else None,
        node.text("Description") or "",
        node.flag("SourceDestCheck") is False,
    )


def _written_addresses(node: Node) -> Iterator[Node]:
    """The first one first."""
    pairs = sorted(node.items("PrivateIpAddresses"), key=lambda each: not each.flag("Primary"))
    listed = [each.get("PrivateIpAddress") for each in pairs] or [node.get("PrivateIpAddress")]
    listed += [each.get("Ipv6Address") for each in node.items("Ipv6Addresses")]
    return filter(None, listed)


def _public(node: Node, notes: Notes) -> Iterator[tuple[IPAddress, IPAddress]]:
    for each in [node, *node.items("PrivateIpAddresses")]:
        association, own = each.get("Association"), each.get("PrivateIpAddress")
        public = association.get("PublicIp") if association is not None else None
        if own is not None and public is not None:
            made = notes.of(own, address), notes.of(public, address)
            if made[0] is not None and made[1] is not None:
                yield made[0], made[1]


def instances(node: Node, notes: Notes) -> tuple[tuple[Instance, tuple[NetInterface, ...]], ...]:
    """The machines of a reservation, each with its interfaces."""
    return notes.each(node.items("Instances"), lambda one: _instance(one, notes))


def _instance(node: Node, notes: Notes) -> tuple[Instance, tuple[NetInterface, ...]]:
    machine = id_of(node, "InstanceId")
    interfaces = notes.each(node.items("NetworkInterfaces"), lambda one: interface(one, notes))
    own = tuple(replace(each, instance=machine) for each in interfaces)
    return Instance(
        machine, name_of(node), tuple(each.id for each in own), place_of(node, "InstanceId")
    ), own


# -- prefix lists ---------------------------------------------------------------------------------

_LIST_ID = re.compile(r"pl-[0-9a-z]+")


def prefix_list(node: Node, notes: Notes) -> PrefixList:
    """Of ``describe-managed-prefix-lists``, without what is in it; ``describe-prefix-lists`` of the
    lists of services says that too."""
    cidrs = node.items("Cidrs")
    networks = notes.each(cidrs, network) if cidrs else None
    return PrefixList(id_of(node, "PrefixListId"), node.text("PrefixListName") or "", networks)


def listed(node: Node, notes: Notes) -> PrefixList:
    """A list with what is in it."""
    written = [each.get("Cidr") for each in node.items("Entries")]
    networks = notes.each(filter(None, written), network)
    return PrefixList(id_of(node, "PrefixListId"), node.text("PrefixListName") or "", networks)


def list_entries(node: Node, notes: Notes) -> PrefixList | None:
    """Of ``get-managed-prefix-list-entries``, which does not say of which list: its file has to be
    called so."""
    named = _LIST_ID.findall(node.source.path)
    if not named:
        notes.report(ShapeError(node, "a file with the list's id in its name (pl-….json)"))
        return None
    written = [each.get("Cidr") for each in node.items("Entries")]
    return PrefixList(named[-1], "", notes.each(filter(None, written), network))
