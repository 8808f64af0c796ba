"""Network ACLs and security groups, as ``describe-network-acls`` and ``describe-security-groups``
print them.

What their fields mean: the EC2 API reference, NetworkAclEntry and IpPermission.
"""

from __future__ import annotations

from collections.abc import Iterator

from iptlint.dialects.aws.values import (
    Notes,
    id_of,
    name_of,
    peer,
    place_of,
    protocol,
    traffic,
)
from iptlint.dialects.document.node import Node, ShapeError
from iptlint.model.cloud import (
    Filter,
    FilterEntry,
    FilterKind,
    GroupPeer,
    ListPeer,
    Peer,
    Traffic,
    UnknownPeer,
)
from iptlint.model.numbers import signed

CLOSING = 32767
"""The number of the entry ``*``, which AWS adds; that of IPv6 has the next one."""


def network_acl(node: Node, notes: Notes) -> Filter:
    rows = (notes.of(each, _acl_row) or _unread_row(each) for each in node.items("Entries"))
    entries = sorted(rows, key=lambda row: row[1].number or 0)
    subnets = [each.text("SubnetId") for each in node.items("Associations")]
    return Filter(
        FilterKind.ACL,
        id_of(node, "NetworkAclId"),
        name_of(node),
        node.text("VpcId"),
        place_of(node, "NetworkAclId"),
        inbound=tuple(entry for egress, entry in entries if egress is not True),
        outbound=tuple(entry for egress, entry in entries if egress is not False),
        subnets=tuple(filter(None, subnets)),
        default=node.flag("IsDefault") or False,
    )


def unread(node: Node, number: int | None = None) -> FilterEntry:
    """Stands where an entry could not be read: it may allow or deny anything."""
    return FilterEntry(
        node.origin, True, None, UnknownPeer("an entry that could not be read"), number
    )


def _unread_row(node: Node) -> tuple[bool | None, FilterEntry]:
    members = node.value if isinstance(node.value, dict) else {}
    egress, number = members.get("Egress"), members.get("RuleNumber")
    written = number.value if number is not None else None
    place = signed(written) if isinstance(written, str) else None
    known = egress.value if egress is not None else None
    return (known if isinstance(known, bool) else None), unread(node, place)


def _acl_row(node: Node) -> tuple[bool | None, FilterEntry]:
    """Whether it is of packets that leave the subnet, None where that is not known, and the
    entry."""
    number = node.number_at("RuleNumber")
    if number is None:
        raise ShapeError(node, "an entry with a RuleNumber")
    action, egress = node.text("RuleAction"), node.flag("Egress") or False
    if action not in ("allow", "deny"):
        raise ShapeError(node.get("RuleAction") or node, "allow or deny")
    entry = FilterEntry(
        node.origin,
        action == "allow",
        _acl_traffic(node),
        _acl_peer(node),
        number,
        closing=number >= CLOSING,
    )
    return egress, entry


def _acl_traffic(node: Node) -> Traffic:
    number = protocol(node.get("Protocol"))
    ports, kind = node.get("PortRange"), node.get("IcmpTypeCode")
    if kind is not None:
        return traffic(number, kind.number_at("Type"), kind.number_at("Code"))
    if ports is not None:
        return traffic(number, ports.number_at("From"), ports.number_at("To"))
    return traffic(number, None, None)


def _acl_peer(node: Node) -> Peer:
    written = node.get("CidrBlock") or node.get("Ipv6CidrBlock")
    if written is None:
        raise ShapeError(node, "a CidrBlock or an Ipv6CidrBlock")
    return peer(written)


def security_group(node: Node, notes: Notes) -> Filter:
    owner = node.text("OwnerId")
    network_id = node.text("VpcId")

    def entries(key: str) -> tuple[FilterEntry, ...]:
        def read(one: Node) -> list[FilterEntry]:
            return [*_permission(one, owner, network_id)]

        several = (_or_unread(notes.of(one, read), one) for one in node.items(key))
        return tuple(entry for each in several for entry in each)

    return Filter(
        FilterKind.GROUP,
        id_of(node, "GroupId"),
        node.text("GroupName") or "",
        network_id,
        place_of(node, "GroupId"),
        inbound=entries("IpPermissions"),
        outbound=entries("IpPermissionsEgress"),
        default=node.text("GroupName") == "default",
    )


def _or_unread(entries: list[FilterEntry] | None, node: Node) -> list[FilterEntry]:
    return [unread(node)] if entries is None else entries


def _permission(node: Node, owner: str | None, network_id: str | None) -> Iterator[FilterEntry]:
    """One for each peer; without any it allows nothing, and AWS prints none such."""
    number = protocol(node.get("IpProtocol"))
    about = traffic(number, node.number_at("FromPort"), node.number_at("ToPort"))
    for key, read in (("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6")):
        yield from (_of_range(each, read, about) for each in node.items(key))
    yield from (_of_list(each, about) for each in node.items("PrefixListIds"))
    for each in node.items("UserIdGroupPairs"):
        yield _of_group(each, about, owner, network_id)


def _of_range(node: Node, key: str, about: Traffic) -> FilterEntry:
    written = node.get(key)
    if written is None:
        raise ShapeError(node, f"an object with {key}")
    return _entry(node, about, peer(written))


def _of_list(node: Node, about: Traffic) -> FilterEntry:
    prefix_list = node.get("PrefixListId")
    if prefix_list is not None and prefix_list.left_open is not None:
        return _entry(node, about, UnknownPeer(prefix_list.left_open))
    return _entry(node, about, ListPeer(id_of(node, "PrefixListId")))


def _of_group(node: Node, about: Traffic, owner: str | None, network_id: str | None) -> FilterEntry:
    """A group of another account or network may be named; its members are not in the documents."""
    group_id, user = node.get("GroupId"), node.text("UserId")
    if group_id is not None and group_id.left_open is not None:
        return _entry(node, about, UnknownPeer(group_id.left_open))
    group = node.text("GroupId")
    if group is None:
        return _entry(node, about, UnknownPeer(node.text("GroupName") or "a group without an id"))
    other = node.text("VpcId") not in (None, network_id) or node.get("VpcPeeringConnectionId")
    foreign = bool(other) or (None not in (owner, user) and owner != user)
    return _entry(node, about, GroupPeer(group, foreign))


def _entry(node: Node, about: Traffic, peer: Peer) -> FilterEntry:
    return FilterEntry(node.origin, True, about, peer, comment=node.text("Description"))
