"""Templates and plans say what ``describe-…`` prints in words of their own: their resources,
rewritten so that one reader reads them all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from iptlint.dialects.aws import filters, network
from iptlint.dialects.aws.values import Notes
from iptlint.dialects.document.node import Node
from iptlint.model.cloud import Cloud

EVERYBODY = (("IpRanges", "CidrIp", "0.0.0.0/0"), ("Ipv6Ranges", "CidrIpv6", "::/0"))


@dataclass(slots=True)
class Resources:
    """What was found, in the words of ``describe-…``, by the id that others know it by. ``rows``
    and ``parts``: what is written apart from the filter or the table that it is of."""

    acls: dict[str, Node] = field(default_factory=dict)
    groups: dict[str, Node] = field(default_factory=dict)
    subnets: list[Node] = field(default_factory=list)
    tables: dict[str, Node] = field(default_factory=dict)
    lists: list[Node] = field(default_factory=list)
    interfaces: list[Node] = field(default_factory=list)
    parts: list[tuple[str, str, Node]] = field(default_factory=list)
    """The id of the whole, the key of its list, and what belongs there."""

    def cloud(self, notes: Notes) -> Cloud:
        for whole, key, part in self.parts:
            self._add(whole, key, part, notes)
        return Cloud(
            filters=(
                *notes.each(self.acls.values(), lambda one: filters.network_acl(one, notes)),
                *notes.each(self.groups.values(), lambda one: filters.security_group(one, notes)),
            ),
            subnets=notes.each(self.subnets, lambda one: network.subnet(one, notes)),
            route_tables=notes.each(
                self.tables.values(), lambda one: network.route_table(one, notes)
            ),
            prefix_lists=notes.each(self.lists, lambda one: network.listed(one, notes)),
            interfaces=notes.each(self.interfaces, lambda one: network.interface(one, notes)),
        )

    def _add(self, whole: str, key: str, part: Node, notes: Notes) -> None:
        for known in (self.acls, self.groups, self.tables):
            if whole in known:
                members = dict(known[whole].object())
                before = members[key].list() if key in members else []
                members[key] = known[whole].made([*before, part])
                known[whole] = known[whole].made(members)
                return
        line = part.origin.span.line
        notes.unsaid.append(
            f"{part.source.path}:{line}: it belongs to {whole}, which is not in the document"
        )


def text(node: Node, value: str) -> Node:
    return node.made(value)


def renamed(node: Node, names: Mapping[str, str], **more: Node) -> Node:
    """The object with these keys by other names, and no others but ``more``."""
    members = node.object()
    kept = {new: members[old] for old, new in names.items() if old in members}
    return node.made(kept | more)


def permission(node: Node, head: Mapping[str, Node], peers: Mapping[str, Iterable[Node]]) -> Node:
    """A permission in the words of ``describe-security-groups``. ``peers``: by the key of the
    list."""
    lists = {key: node.made([*several]) for key, several in peers.items()}
    return node.made({**head, **lists})


def everything(node: Node) -> Node:
    """The outbound rule that a group has by default."""
    head = {"IpProtocol": text(node, "-1")}
    peers = {key: [node.made({inner: text(node, network)})] for key, inner, network in EVERYBODY}
    return permission(node, head, peers)
