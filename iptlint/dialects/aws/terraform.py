"""What ``terraform show -json`` prints of a plan or a state: groups, ACLs, subnets, routes, prefix
lists and interfaces of the provider aws.

A resource is known by its id where it has one, else by its address. What is known only after the
plan is applied is looked for in the configuration: a reference to another resource is that
resource; anything else is left open.

JSON output format: https://developer.hashicorp.com/terraform/internals/json-format
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from iptlint.dialects.aws.rewritten import Resources, permission, renamed, text
from iptlint.dialects.aws.values import Notes
from iptlint.dialects.document.node import LeftOpen, Node
from iptlint.model.cloud import Cloud

_Get = Callable[[str], Node | None]
"""The attribute of that name."""

_INDEX = re.compile(r"\[[^\]]{0,300}\]")


def is_terraform(document: Node) -> bool:
    return isinstance(document.value, dict) and "format_version" in document.value


def cloud_of(document: Node, notes: Notes) -> Cloud:
    return _Plan(document, notes).cloud()


@dataclass(frozen=True, slots=True)
class _Resource:
    """``configured``: its expressions, by attribute."""

    kind: str
    address: str
    place: Node
    values: Node
    configured: Mapping[str, Node]
    module: str

    @property
    def name(self) -> str:
        return self.values.text("id") or self.address

    @property
    def named(self) -> Node:
        return self.place.made(self.name)


class _Plan:
    def __init__(self, document: Node, notes: Notes) -> None:
        self.notes, self.document = notes, document
        self.expressions = dict(self._configuration())
        self.resources = [*self._resources()]
        self.ids = {_INDEX.sub("", each.address): each.name for each in self.resources}
        variables = document.get("variables")
        self.variables = variables.object() if variables is not None else {}
        self.made = Resources()

    def cloud(self) -> Cloud:
        for resource in self.resources:
            make = _TYPES.get(resource.kind)
            if make is not None:
                self.notes.of(resource.values, partial(self._make, make, resource))
        return self.made.cloud(self.notes)

    def _make(self, make: _Make, resource: _Resource, _: Node) -> None:
        make(self, resource)

    # -- where things are ---------------------------------------------------------------------

    def _resources(self) -> Iterator[_Resource]:
        planned = self.document.get("planned_values") or self.document.get("values")
        root = planned.get("root_module") if planned is not None else None
        for module in _modules(root):
            name = module.text("address") or ""
            for each in module.items("resources"):
                address, values = each.text("address") or "", each.get("values")
                place = each.get("address") or each
                if each.text("mode") in (None, "managed") and values is not None:
                    configured = self.expressions.get(_INDEX.sub("", address), {})
                    kind = each.text("type") or ""
                    yield _Resource(kind, address, place, values, configured, name)

    def _configuration(self) -> Iterator[tuple[str, Mapping[str, Node]]]:
        configuration = self.document.get("configuration")
        root = configuration.get("root_module") if configuration is not None else None
        pending = [("", root)] if root is not None else []
        while pending:
            prefix, module = pending.pop()
            for each in module.items("resources"):
                expressions = each.get("expressions")
                if expressions is not None:
                    yield prefix + (each.text("address") or ""), expressions.object()
            calls = module.get("module_calls")
            for name, call in calls.object().items() if calls is not None else ():
                inner = call.get("module")
                if inner is not None:
                    pending.append((f"{prefix}module.{name}.", inner))

    # -- values -------------------------------------------------------------------------------

    def value(self, resource: _Resource, key: str) -> Node | None:
        """What an attribute is, or is known to refer to."""
        value = resource.values.get(key)
        if value is not None:
            return value
        expression = resource.configured.get(key)
        return self.expressed(resource, expression) if expression is not None else None

    def expressed(self, resource: _Resource, expression: Node) -> Node | None:
        """Of an expression of the configuration; None where it is none."""
        if not isinstance(expression.value, dict):
            return None
        if (constant := expression.get("constant_value")) is not None:
            return constant
        references = [each.string() for each in expression.items("references")]
        if not references:
            return None
        module = _INDEX.sub("", resource.module)
        for written in references:
            address = ".".join(_INDEX.sub("", written).split(".")[:2])
            known = self.ids.get(f"{module}.{address}" if module else address)
            if known is not None:
                return expression.made(known)
        variable = references[0].removeprefix("var.")
        if not module and references[0].startswith("var.") and variable in self.variables:
            return self.variables[variable].get("value")
        return expression.made(LeftOpen(references[0]))

    def blocks(self, resource: _Resource, key: str) -> Iterator[tuple[Node, _Get]]:
        """Nested blocks, each with what gives its attributes: planned, or as they are
        configured."""
        planned = resource.values.get(key)
        if planned is not None:
            yield from ((each, each.get) for each in planned.list())
            return
        configured = resource.configured.get(key)
        if configured is None or not isinstance(configured.value, list):
            return
        for each in configured.list():
            members = each.object()
            yield each, partial(self._member, resource, members)

    def _member(self, resource: _Resource, members: Mapping[str, Node], key: str) -> Node | None:
        return self.expressed(resource, members[key]) if key in members else None

    # -- resources ----------------------------------------------------------------------------

    def group(self, resource: _Resource) -> None:
        sides = {"IpPermissions": "ingress", "IpPermissionsEgress": "egress"}
        lists = {
            key: resource.named.made(
                [self._rule(resource, *each) for each in self.blocks(resource, block)]
            )
            for key, block in sides.items()
        }
        members = {"GroupId": resource.named, **lists}
        for key, attribute in (("GroupName", "name"), ("VpcId", "vpc_id")):
            if (child := self.value(resource, attribute)) is not None:
                members[key] = child
        self.made.groups[resource.name] = resource.values.made(members)

    def _rule(self, resource: _Resource, whole: Node, get: _Get) -> Node:
        """``aws_security_group`` and ``aws_security_group_rule`` list their peers."""
        head = _head(get, ("protocol", "from_port", "to_port"))
        peers = {
            key: [whole.made({inner: one}) for one in _each(get(attribute))]
            for key, inner, attribute in _LISTS
        }
        one = get("source_security_group_id")
        if one is not None:
            peers["UserIdGroupPairs"].append(whole.made({"GroupId": one}))
        itself = get("self")
        if itself is not None and itself.value is True:
            own = self._owner(resource)
            peers["UserIdGroupPairs"].append(whole.made({"GroupId": own}))
        return permission(whole, head, peers)

    def _owner(self, resource: _Resource) -> Node:
        return self.value(resource, "security_group_id") or resource.named

    def group_rule(self, resource: _Resource) -> None:
        inbound = resource.values.text("type") == "ingress"
        part = self._rule(resource, resource.place, lambda key: self.value(resource, key))
        self._part(resource, "security_group_id", _permissions(inbound), part)

    def single_rule(self, resource: _Resource, *, inbound: bool) -> None:
        def get(key: str) -> Node | None:
            return self.value(resource, key)

        whole = resource.place
        head = _head(get, ("ip_protocol", "from_port", "to_port"))
        peers = {
            key: [whole.made({inner: child})] if (child := get(attribute)) is not None else []
            for key, inner, attribute in _SINGLES
        }
        part = permission(whole, head, peers)
        self._part(resource, "security_group_id", _permissions(inbound), part)

    def acl(self, resource: _Resource) -> None:
        whole = resource.values
        entries = [
            _acl_entry(block, get, "rule_no", "action", egress=egress)
            for egress, key in ((False, "ingress"), (True, "egress"))
            for block, get in self.blocks(resource, key)
        ]
        subnets = [
            whole.made({"SubnetId": one}) for one in _each(self.value(resource, "subnet_ids"))
        ]
        known = [one for one in subnets if one.text("SubnetId") is not None]
        members = {
            "NetworkAclId": resource.named,
            "Entries": whole.made(entries),
            "Associations": whole.made(known),
        }
        self.made.acls[resource.name] = whole.made(members)

    def acl_rule(self, resource: _Resource) -> None:
        def get(key: str) -> Node | None:
            return self.value(resource, key)

        egress = resource.values.flag("egress") or False
        part = _acl_entry(resource.place, get, "rule_number", "rule_action", egress=egress)
        self._part(resource, "network_acl_id", "Entries", part)

    def acl_association(self, resource: _Resource) -> None:
        self._associated(resource, "network_acl_id")

    def table_association(self, resource: _Resource) -> None:
        self._associated(resource, "route_table_id")

    def _associated(self, resource: _Resource, key: str) -> None:
        subnet = self.value(resource, "subnet_id")
        if subnet is not None:
            self._part(resource, key, "Associations", resource.values.made({"SubnetId": subnet}))

    def subnet(self, resource: _Resource) -> None:
        names = {"cidr_block": "CidrBlock"}
        blocks: list[Node] = []
        if (cidr := resource.values.get("ipv6_cidr_block")) is not None and cidr.value:
            blocks.append(cidr.made({"Ipv6CidrBlock": cidr}))
        more = {"SubnetId": resource.named}
        if (network := self.value(resource, "vpc_id")) is not None:
            more["VpcId"] = network
        more["Ipv6CidrBlockAssociationSet"] = resource.values.made(blocks)
        self.made.subnets.append(renamed(resource.values, names, **more))

    def table(self, resource: _Resource) -> None:
        routes = [_route(*each) for each in self.blocks(resource, "route")]
        members = {"RouteTableId": resource.named, "Routes": resource.values.made(routes)}
        if (network := self.value(resource, "vpc_id")) is not None:
            members["VpcId"] = network
        self.made.tables[resource.name] = resource.values.made(members)

    def route(self, resource: _Resource) -> None:
        part = _route(resource.place, lambda key: self.value(resource, key))
        self._part(resource, "route_table_id", "Routes", part)

    def prefix_list(self, resource: _Resource) -> None:
        entries = [
            resource.values.made({"Cidr": cidr})
            for _, get in self.blocks(resource, "entry")
            if (cidr := get("cidr")) is not None
        ]
        members = {"PrefixListId": resource.named, "Entries": resource.values.made(entries)}
        self.made.lists.append(resource.values.made(members))

    def _part(self, resource: _Resource, key: str, listed: str, part: Node) -> None:
        whole = self.value(resource, key)
        if whole is None or not isinstance(whole.value, str):
            said = whole.left_open if whole is not None else None
            line = resource.values.origin.span.line
            path = resource.values.source.path
            self.notes.unsaid.append(f"{path}:{line}: {resource.address} is of {said or 'nothing'}")
            return
        self.made.parts.append((whole.value, listed, part))


def _modules(root: Node | None) -> Iterator[Node]:
    pending = [root] if root is not None else []
    while pending:
        module = pending.pop()
        yield module
        pending += module.items("child_modules")


def _each(node: Node | None) -> Iterable[Node]:
    if node is None:
        return ()
    return node.value if isinstance(node.value, list) else (node,)


def _permissions(inbound: bool) -> str:
    return "IpPermissions" if inbound else "IpPermissionsEgress"


_LISTS = (
    ("IpRanges", "CidrIp", "cidr_blocks"),
    ("Ipv6Ranges", "CidrIpv6", "ipv6_cidr_blocks"),
    ("PrefixListIds", "PrefixListId", "prefix_list_ids"),
    ("UserIdGroupPairs", "GroupId", "security_groups"),
)
_SINGLES = (
    ("IpRanges", "CidrIp", "cidr_ipv4"),
    ("Ipv6Ranges", "CidrIpv6", "cidr_ipv6"),
    ("PrefixListIds", "PrefixListId", "prefix_list_id"),
    ("UserIdGroupPairs", "GroupId", "referenced_security_group_id"),
)


def _head(get: _Get, keys: tuple[str, str, str]) -> dict[str, Node]:
    names = zip(("IpProtocol", "FromPort", "ToPort"), keys, strict=True)
    return {name: child for name, key in names if (child := get(key)) is not None}


def _acl_entry(whole: Node, get: _Get, number: str, action: str, *, egress: bool) -> Node:
    """An empty text is none: blocks of a state have all attributes."""
    keys = {
        "RuleNumber": number,
        "RuleAction": action,
        "Protocol": "protocol",
        "CidrBlock": "cidr_block",
        "Ipv6CidrBlock": "ipv6_cidr_block",
    }
    members = {
        name: child for name, key in keys.items() if (child := get(key)) is not None and child.value
    }
    if "RuleAction" in members and isinstance(members["RuleAction"].value, str):
        members["RuleAction"] = text(whole, members["RuleAction"].string().lower())
    low, high = get("from_port"), get("to_port")
    if low is not None and high is not None:
        members["PortRange"] = whole.made({"From": low, "To": high})
    kind, code = get("icmp_type"), get("icmp_code")
    protocol = members.get("Protocol")
    if kind is not None and protocol is not None and protocol.value in _ICMP:
        members["IcmpTypeCode"] = whole.made({"Type": kind} | ({"Code": code} if code else {}))
        members.pop("PortRange", None)
    return whole.made(members | {"Egress": whole.made(egress)})


_ICMP = ("1", "58", "icmp", "icmpv6", "ipv6-icmp")

_ROUTE_KEYS = {
    "cidr_block": "DestinationCidrBlock",
    "destination_cidr_block": "DestinationCidrBlock",
    "ipv6_cidr_block": "DestinationIpv6CidrBlock",
    "destination_ipv6_cidr_block": "DestinationIpv6CidrBlock",
    "destination_prefix_list_id": "DestinationPrefixListId",
    "nat_gateway_id": "NatGatewayId",
    "transit_gateway_id": "TransitGatewayId",
    "vpc_peering_connection_id": "VpcPeeringConnectionId",
    "egress_only_gateway_id": "EgressOnlyInternetGatewayId",
    "vpc_endpoint_id": "VpcEndpointId",
    "network_interface_id": "NetworkInterfaceId",
    "gateway_id": "GatewayId",
}


def _route(whole: Node, get: _Get) -> Node:
    members = {
        name: child
        for key, name in _ROUTE_KEYS.items()
        if (child := get(key)) is not None and child.value
    }
    gateway = members.get("GatewayId")
    if gateway is not None and isinstance(gateway.value, str):
        for kind, prefix in (("aws_internet_gateway.", "igw-"), ("aws_vpn_gateway.", "vgw-")):
            if kind in gateway.value:
                members["GatewayId"] = gateway.made(prefix + gateway.value)
    return whole.made(members)


_Make = Callable[[_Plan, _Resource], None]
_TYPES: Mapping[str, _Make] = {
    "aws_security_group": _Plan.group,
    "aws_default_security_group": _Plan.group,
    "aws_security_group_rule": _Plan.group_rule,
    "aws_vpc_security_group_ingress_rule": lambda p, r: p.single_rule(r, inbound=True),
    "aws_vpc_security_group_egress_rule": lambda p, r: p.single_rule(r, inbound=False),
    "aws_network_acl": _Plan.acl,
    "aws_default_network_acl": _Plan.acl,
    "aws_network_acl_rule": _Plan.acl_rule,
    "aws_network_acl_association": _Plan.acl_association,
    "aws_subnet": _Plan.subnet,
    "aws_route_table": _Plan.table,
    "aws_route": _Plan.route,
    "aws_route_table_association": _Plan.table_association,
    "aws_ec2_managed_prefix_list": _Plan.prefix_list,
}
