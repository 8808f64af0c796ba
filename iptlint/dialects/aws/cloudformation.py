"""CloudFormation templates: groups, ACLs, subnets, routes and prefix lists, as written there.

A resource is known by its logical id. Intrinsic functions are resolved where the template alone
says what they give; a parameter may be anything when the template is used, whatever its default.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from iptlint.dialects.aws.rewritten import Resources, everything, permission, renamed, text
from iptlint.dialects.aws.values import Notes
from iptlint.dialects.document.node import LeftOpen, Node, ShapeError
from iptlint.model.cloud import Cloud

_ONLY_REFERENCE = re.compile(r"\$\{([\w:]+)(?:\.\w+)?\}")


def is_template(document: Node) -> bool:
    members = document.value if isinstance(document.value, dict) else {}
    return "AWSTemplateFormatVersion" in members or "Resources" in members


def cloud_of(document: Node, notes: Notes) -> Cloud:
    return _Template(document, notes).cloud()


class _Template:
    def __init__(self, document: Node, notes: Notes) -> None:
        self.notes = notes
        resources = document.get("Resources")
        self.resources: Mapping[str, Node] = resources.object() if resources is not None else {}
        mappings = document.get("Mappings")
        self.mappings = mappings.object() if mappings is not None else {}
        self.made = Resources()

    def cloud(self) -> Cloud:
        for name, resource in self.resources.items():
            self.notes.of(resource, partial(self._resource, name))
        return self.made.cloud(self.notes)

    def _resource(self, name: str, resource: Node) -> None:
        kind = resource.text("Type") or ""
        make = _TYPES.get(kind)
        properties = resource.get("Properties") or resource.made({})
        condition = resource.get("Condition")
        if make is None:
            return
        if condition is not None:
            where = f"{resource.source.path}:{resource.origin.span.line}"
            self.notes.unsaid.append(f"{where}: {name} is there only under a condition")
        named = (resource.get("Type") or resource).made(name)
        make(self, named, self.resolved(properties))

    # -- intrinsic functions ------------------------------------------------------------------

    def resolved(self, node: Node) -> Node:
        match node.value:
            case dict(members) if len(members) == 1:
                ((key, value),) = members.items()
                if key == "Ref" or key.startswith("Fn::"):
                    return self._function(node, key, value)
                return node.made({key: self.resolved(value)})
            case dict(members):
                return node.made({key: self.resolved(value) for key, value in members.items()})
            case list(items):
                return node.made([self.resolved(each) for each in items])
            case _:
                return node

    def _function(self, node: Node, key: str, value: Node) -> Node:
        value_of = _FUNCTIONS.get(key, _open)(self, value)
        if value_of is None:
            shown = value.value if isinstance(value.value, str) else "…"
            return node.made(LeftOpen(f"{key.removeprefix('Fn::')} {shown}"))
        return Node(node.source, value_of.value, node.start, node.end, value_of.number)

    def _ref(self, value: Node) -> Node | None:
        return value if value.value in self.resources else None

    def _get_att(self, value: Node) -> Node | None:
        """Of a group its id, of whatever resource: it is known by its name here."""
        match value.value:
            case str(written):
                name, _, attribute = written.partition(".")
            case [first, second]:
                name, attribute = first.string(), second.string()
            case _:
                return None
        known = name in self.resources and attribute in _IDS
        return value.made(name) if known else None

    def _sub(self, value: Node) -> Node | None:
        if not isinstance(value.value, str):
            return None
        if "${" not in value.value:
            return value
        only = _ONLY_REFERENCE.fullmatch(value.value)
        return value.made(only[1]) if only and only[1] in self.resources else None

    def _find_in_map(self, value: Node) -> Node | None:
        keys = [each.value for each in self.resolved(value).list()]
        node: Node | None = None
        level = self.mappings
        for key in keys:
            node = level.get(key) if isinstance(key, str) else None
            if node is None:
                return None
            level = node.value if isinstance(node.value, dict) else {}
        return node

    # -- resources ----------------------------------------------------------------------------

    def group(self, name: Node, properties: Node) -> None:
        inbound = [_rule(each, inbound=True) for each in properties.items("SecurityGroupIngress")]
        written = properties.get("SecurityGroupEgress")
        outbound = [everything(name)]
        if written is not None:
            outbound = [_rule(each, inbound=False) for each in written.list()]
        self.made.groups[name.string()] = renamed(
            properties,
            {"GroupName": "GroupName", "VpcId": "VpcId"},
            GroupId=name,
            IpPermissions=name.made(inbound),
            IpPermissionsEgress=name.made(outbound),
        )

    def group_rule(self, properties: Node, *, inbound: bool) -> None:
        key = "IpPermissions" if inbound else "IpPermissionsEgress"
        self._part(properties, "GroupId", key, _rule(properties, inbound=inbound))

    def acl(self, name: Node, properties: Node) -> None:
        self.made.acls[name.string()] = renamed(
            properties, {"VpcId": "VpcId", "Tags": "Tags"}, NetworkAclId=name
        )

    def acl_entry(self, name: Node, properties: Node) -> None:
        names = ("RuleNumber", "Protocol", "RuleAction", "Egress", "CidrBlock", "Ipv6CidrBlock")
        entry = renamed(
            name.made(dict(properties.object())),
            {**{each: each for each in names}, "PortRange": "PortRange", "Icmp": "IcmpTypeCode"},
        )
        self._part(properties, "NetworkAclId", "Entries", entry)

    def acl_association(self, name: Node, properties: Node) -> None:
        part = renamed(properties, {"SubnetId": "SubnetId"})
        self._part(properties, "NetworkAclId", "Associations", part)

    def subnet(self, name: Node, properties: Node) -> None:
        names = {"VpcId": "VpcId", "CidrBlock": "CidrBlock"}
        block = properties.get("CidrBlock")
        if block is not None and block.left_open is not None:
            del names["CidrBlock"]
        self.made.subnets.append(renamed(properties, names, SubnetId=name))

    def table(self, name: Node, properties: Node) -> None:
        routes = [_local(name, block) for block in self._blocks(properties)]
        self.made.tables[name.string()] = renamed(
            properties, {"VpcId": "VpcId"}, RouteTableId=name, Routes=name.made(routes)
        )

    def _blocks(self, properties: Node) -> Iterator[Node]:
        vpc = properties.get("VpcId")
        resource = self.resources.get(vpc.value) if vpc and isinstance(vpc.value, str) else None
        of_vpc = resource.get("Properties") if resource is not None else None
        block = of_vpc.get("CidrBlock") if of_vpc is not None else None
        if block is not None and self.resolved(block).left_open is None:
            yield self.resolved(block)

    def route(self, name: Node, properties: Node) -> None:
        gateway = properties.get("GatewayId")
        members = dict(properties.object())
        if gateway is not None and isinstance(gateway.value, str):
            resource = self.resources.get(gateway.value)
            kind = resource.text("Type") if resource is not None else None
            prefix = _GATEWAYS.get(kind or "", "")
            members["GatewayId"] = gateway.made(prefix + gateway.value)
        self._part(properties, "RouteTableId", "Routes", name.made(members))

    def table_association(self, name: Node, properties: Node) -> None:
        part = renamed(properties, {"SubnetId": "SubnetId"})
        self._part(properties, "RouteTableId", "Associations", part)

    def prefix_list(self, name: Node, properties: Node) -> None:
        names = {"PrefixListName": "PrefixListName", "Entries": "Entries"}
        self.made.lists.append(renamed(properties, names, PrefixListId=name))

    def _part(self, properties: Node, key: str, listed: str, part: Node) -> None:
        whole = properties.get(key)
        if whole is None or whole.left_open is not None:
            raise ShapeError(whole or properties, f"an object with {key}")
        self.made.parts.append((whole.string(), listed, part))


def _open(template: _Template, value: Node) -> Node | None:
    return None


_FUNCTIONS: Mapping[str, Callable[[_Template, Node], Node | None]] = {
    "Ref": _Template._ref,
    "Fn::GetAtt": _Template._get_att,
    "Fn::Sub": _Template._sub,
    "Fn::FindInMap": _Template._find_in_map,
}
_IDS = ("GroupId", "Id", "NetworkAclId", "SubnetId", "RouteTableId", "PrefixListId", "VpcId")
_GATEWAYS = {"AWS::EC2::InternetGateway": "igw-", "AWS::EC2::VPNGateway": "vgw-"}


def _rule(node: Node, *, inbound: bool) -> Node:
    """A rule of a group, which has one peer."""
    side = "Source" if inbound else "Destination"
    keys = ("IpProtocol", "FromPort", "ToPort")
    head = {key: child for key in keys if (child := node.get(key)) is not None}
    lists = (
        ("IpRanges", "CidrIp", "CidrIp"),
        ("Ipv6Ranges", "CidrIpv6", "CidrIpv6"),
        ("PrefixListIds", f"{side}PrefixListId", "PrefixListId"),
        ("UserIdGroupPairs", f"{side}SecurityGroupId", "GroupId"),
        ("UserIdGroupPairs", f"{side}SecurityGroupName", "GroupName"),
    )
    peers: dict[str, list[Node]] = {}
    for key, written, inner in lists:
        if (child := node.get(written)) is not None:
            peers.setdefault(key, []).append(
                renamed(node, {"Description": "Description"}, **{inner: child})
            )
    return permission(node, head, peers)


def _local(name: Node, block: Node) -> Node:
    return name.made({"DestinationCidrBlock": block, "GatewayId": text(name, "local")})


_Make = Callable[[_Template, Node, Node], None]
_TYPES: Mapping[str, _Make] = {
    "AWS::EC2::SecurityGroup": _Template.group,
    "AWS::EC2::SecurityGroupIngress": lambda t, n, p: t.group_rule(p, inbound=True),
    "AWS::EC2::SecurityGroupEgress": lambda t, n, p: t.group_rule(p, inbound=False),
    "AWS::EC2::NetworkAcl": _Template.acl,
    "AWS::EC2::NetworkAclEntry": _Template.acl_entry,
    "AWS::EC2::SubnetNetworkAclAssociation": _Template.acl_association,
    "AWS::EC2::Subnet": _Template.subnet,
    "AWS::EC2::RouteTable": _Template.table,
    "AWS::EC2::Route": _Template.route,
    "AWS::EC2::SubnetRouteTableAssociation": _Template.table_association,
    "AWS::EC2::PrefixList": _Template.prefix_list,
}
