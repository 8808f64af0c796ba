"""What ``aws ec2 describe-…`` prints, told by its top key: a row a document."""

from __future__ import annotations

from collections.abc import Callable

from iptlint.dialects.aws import filters, network
from iptlint.dialects.aws.values import Notes
from iptlint.dialects.document.node import Node
from iptlint.model.cloud import Cloud

Reader = Callable[[Node, list[Node], Notes], Cloud]
"""Of the whole document, what is listed in it, and the notes."""


def _acls(_: Node, listed: list[Node], notes: Notes) -> Cloud:
    return Cloud(filters=notes.each(listed, lambda one: filters.network_acl(one, notes)))


def _groups(_: Node, listed: list[Node], notes: Notes) -> Cloud:
    return Cloud(filters=notes.each(listed, lambda one: filters.security_group(one, notes)))


def _subnets(_: Node, listed: list[Node], notes: Notes) -> Cloud:
    return Cloud(subnets=notes.each(listed, lambda one: network.subnet(one, notes)))


def _routes(_: Node, listed: list[Node], notes: Notes) -> Cloud:
    return Cloud(route_tables=notes.each(listed, lambda one: network.route_table(one, notes)))


def _interfaces(_: Node, listed: list[Node], notes: Notes) -> Cloud:
    interfaces = notes.each(listed, lambda one: network.interface(one, notes))
    return Cloud(interfaces=interfaces, all_interfaces=True)


def _instances(_: Node, listed: list[Node], notes: Notes) -> Cloud:
    instances = notes.each(listed, lambda one: network.instances(one, notes))
    machines = [each for several in instances for each in several]
    return Cloud(
        instances=tuple(one for one, _ in machines),
        interfaces=tuple(each for _, several in machines for each in several),
    )


def _prefix_lists(_: Node, listed: list[Node], notes: Notes) -> Cloud:
    return Cloud(prefix_lists=notes.each(listed, lambda one: network.prefix_list(one, notes)))


def _entries(document: Node, _: list[Node], notes: Notes) -> Cloud:
    entries = network.list_entries(document, notes)
    return Cloud(prefix_lists=(entries,) if entries is not None else ())


DOCUMENTS: dict[str, Reader] = {
    "SecurityGroups": _groups,
    "NetworkAcls": _acls,
    "Subnets": _subnets,
    "RouteTables": _routes,
    "NetworkInterfaces": _interfaces,
    "Reservations": _instances,
    "PrefixLists": _prefix_lists,
    "Entries": _entries,
}
"""By the top key of the document. That of ``describe-instances`` lists reservations."""


def cloud_of(document: Node, notes: Notes) -> Cloud | None:
    """What the document says; None where it is no such document."""
    members = document.object()
    key = next((each for each in DOCUMENTS if each in members), None)
    token = document.get("NextToken")
    if token is not None:
        where = f"{token.source.path}:{token.origin.span.line}"
        notes.unsaid.append(
            f"{where}: this is one page of several, and the others are not there "
            "(leave out --max-items and --no-paginate)"
        )
    return None if key is None else DOCUMENTS[key](document, document.items(key), notes)
