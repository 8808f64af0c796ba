"""Values that more than one kind of AWS document has."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import TypeVar

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.document.node import Node, ShapeError
from iptlint.model.cloud import IPAddress, IPNetwork, Peer, Traffic, UnknownPeer
from iptlint.model.numbers import decimal
from iptlint.model.protocols import ICMP, ICMP6, PROTOCOL_NUMBERS, TCP, UDP
from iptlint.source import WholeOrigin

ANY = -1
WITH_PORTS = (TCP, UDP)
"""The only protocols whose ports AWS looks at; ICMP has a type and a code in their place."""

_Made = TypeVar("_Made")


@dataclass(slots=True)
class Notes:
    """What was wrong with a document. ``unsaid``: what is in it and is not followed."""

    diagnostics: list[Diagnostic] = field(default_factory=list)
    unsaid: list[str] = field(default_factory=list)

    def each(self, nodes: Iterable[Node], make: Callable[[Node], _Made]) -> tuple[_Made, ...]:
        """What is made of the nodes; one that has another shape than it should is told of and left
        out."""
        made = (self.of(node, make) for node in nodes)
        return tuple(one for one in made if one is not None)

    def of(self, node: Node, make: Callable[[Node], _Made]) -> _Made | None:
        try:
            return make(node)
        except ShapeError as error:
            self.report(error)
            return None

    def report(self, error: ShapeError) -> None:
        """What a document leaves open is no fault of it."""
        where = error.node
        if where.left_open is not None:
            line = where.origin.span.line
            self.unsaid.append(f"{where.source.path}:{line}: {where.left_open} is not known")
            return
        advice = "print it anew with the aws CLI and `--output json`; it may have been edited"
        self.diagnostics.append(
            Diagnostic("IPT001", "error", where.start, where.end, str(error), advice, where.source)
        )


def id_of(node: Node, key: str) -> str:
    """The id under the key, which has to be there."""
    child = node.get(key)
    if child is None:
        raise ShapeError(node, f"an object with {key}")
    return child.string()


def place_of(node: Node, key: str) -> WholeOrigin:
    """Where the id is written: it stands for all that the object says."""
    child = node.get(key)
    return child.origin if child is not None else node.origin


def name_of(node: Node) -> str:
    """The tag Name; tools write tags as a list of pairs."""
    for tag in node.items("Tags"):
        if tag.text("Key") == "Name":
            return tag.text("Value") or ""
    return ""


def network(node: Node) -> IPNetwork:
    try:
        return ip_network(node.string(), strict=False)
    except ValueError:
        raise ShapeError(node, "a network such as 10.0.0.0/16 or 2001:db8::/32") from None


def peer(node: Node) -> Peer:
    """A network, or what stands in its place."""
    return network(node) if node.left_open is None else UnknownPeer(node.left_open)


def address(node: Node) -> IPAddress:
    try:
        return ip_address(node.string())
    except ValueError:
        raise ShapeError(node, "an address") from None


def protocol(node: Node | None) -> int | None:
    """By its number or its name; None for all of them."""
    if node is None:
        return None
    text = node.string().lower()
    number = decimal(text)
    if text == str(ANY) or text == "all":
        return None
    if number is not None and number < 256:
        return number
    if text in PROTOCOL_NUMBERS:
        return PROTOCOL_NUMBERS[text]
    raise ShapeError(node, "a protocol such as tcp, 6 or -1")


def traffic(number: int | None, low: int | None, high: int | None) -> Traffic:
    """``low`` and ``high``: a range of ports; for ICMP its type and code. None and -1 are any."""
    low, high = (None if each in (None, ANY) else each for each in (low, high))
    if number in (ICMP, ICMP6):
        return Traffic(number, icmp_type=low, icmp_code=high)
    if number not in WITH_PORTS or (low is None and high is None):
        return Traffic(number)
    first = 0 if low is None else low
    return Traffic(number, (first, 65535 if high is None else high))
