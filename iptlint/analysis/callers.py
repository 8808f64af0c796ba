"""Who sends packets, where a report asks what becomes of them: the world, the networks and
interfaces that rules name, the host itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from itertools import chain as joined
from typing import TYPE_CHECKING

from iptlint.analysis.default_verdict import public_hosts
from iptlint.analysis.external_interfaces import external_classes
from iptlint.model import Family, Hook, VerdictKind, Within
from iptlint.model.addresses import STRANGERS
from iptlint.model.matches import tests_in
from iptlint.model.owners import owner_of_interface
from iptlint.model.ownership import is_generated
from iptlint.packets.interfaces import InterfaceClass
from iptlint.packets.packet import Packet

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks
    from iptlint.packets.bdd import PacketSet

_EXAMPLES = {
    Family.IP: ("198.51.100.7", "203.0.113.7", "192.0.2.7", "203.0.113.207", "198.51.100.207"),
    Family.IP6: ("2001:db8::7", "2001:db8:7777::7", "3fff::7"),
}
_FACING, _INSIDE, _NETWORKS = 2, 4, 4
"""Of each kind, as many are asked for."""


@dataclass(frozen=True, slots=True)
class Caller:
    """``way``: that its packets set out on: to this host (input), through it, from it. ``iif``,
    ``saddr`` and ``daddr``: what they have for certain. ``world``: anyone on the internet.
    ``interface``: by which one of the rules; empty where that is none with a name."""

    name: str
    family: Family
    way: Hook
    iif: str | None = None
    saddr: str | None = None
    daddr: str | None = None
    world: bool = False
    interface: str = ""

    def opening(self, protocol: str) -> Packet:
        """The first packets of its connections by the protocol."""
        return Packet(
            family=self.family.value,
            hook=self.way.value,
            iif=self.iif,
            saddr=self.saddr,
            daddr=self.daddr,
            proto=protocol,
            tcp_flags=("syn",) if protocol == "tcp" else None,
            icmp_type={"icmp": 8, "ipv6-icmp": 128}.get(protocol),
            ct_state="new",
        )


def callers(hooks: Hooks) -> Iterator[Caller]:
    """The world to this host first, then the others, then those that this host forwards for."""
    world, inside = [*_world(hooks)], [*_inside(hooks)]
    yield from world
    yield from inside
    yield from _networks(hooks)
    if any(base.chain.rules for base in hooks.base_chains(Hook.FORWARD)):
        for each in (*world, *inside):
            yield Caller(
                each.name, each.family, Hook.FORWARD, each.iif, each.saddr, world=each.world
            )
    address = _typical_stranger(hooks)
    yield Caller("this host itself", hooks.family, Hook.OUTPUT, daddr=address)


def _world(hooks: Hooks) -> Iterator[Caller]:
    """By each interface that faces it; by one that no rule names where that cannot be told."""
    interfaces = hooks.space.interfaces
    numbers = external_classes(hooks) or [len(interfaces.classes)]
    address = _typical_stranger(hooks)
    for number in numbers[:_FACING]:
        name = _interface(interfaces.classes[number - 1])
        said = "the internet" if len(numbers) == 1 else f"the internet, by {name}"
        iif = interfaces.example(number)
        named = name if interfaces.classes[number - 1].name else ""
        yield Caller(said, hooks.family, Hook.INPUT, iif, address, world=True, interface=named)


def _interface(cls: InterfaceClass) -> str:
    if not cls.name:
        return "an interface that no rule names"
    return f"{cls.name}{'*' if cls.wildcard else ''}"


def _inside(hooks: Hooks) -> Iterator[Caller]:
    """By the interfaces that rules name and that do not face the world."""
    interfaces, facing = hooks.space.interfaces, {*external_classes(hooks)}
    named = [
        (number, cls)
        for number, cls in enumerate(interfaces.classes, start=1)
        if number not in facing and cls.name not in ("", "lo")
        if not (cls.wildcard and owner_of_interface(cls.name))
    ]
    for number, cls in named[:_INSIDE]:
        yield Caller(
            f"whoever is behind {_interface(cls)}",
            hooks.family,
            Hook.INPUT,
            interfaces.example(number),
            interface=_interface(cls),
        )


def _networks(hooks: Hooks) -> Iterator[Caller]:
    """Those that rules accept packets from, the most often named first."""
    bits = hooks.family.address_bits
    named = Counter(
        match.ranges[0]
        for table in hooks.tables()
        for chain, rule in table.rules()
        if rule.verdict.kind is VerdictKind.ACCEPT or rule.verdict.chain is not None
        if not is_generated(table, chain.name)
        for match in rule.matches
        if isinstance(match, Within) and match.field is hooks.family.saddr
        if not match.negated and len(match.ranges) == 1
    )
    networks = (_network(low, high, bits) for (low, high), _ in named.most_common())
    usable = [each for each in networks if each is not None]
    for network in usable[:_NETWORKS]:
        yield Caller(network, hooks.family, Hook.INPUT, saddr=network)


def _network(low: int, high: int, bits: int) -> str | None:
    """Its name, where the range is one of hosts that may send to others."""
    size = high - low + 1
    if size & (size - 1) or low % size or size == 1 << bits:
        return None
    network = ip_network((low, bits - size.bit_length() + 1))
    first = network[0]
    if first.is_loopback or first.is_unspecified or first.is_multicast or first.is_link_local:
        return None
    return str(first) if size == 1 else str(network)


def reached_by_world(hooks: Hooks) -> PacketSet:
    """The packets to an address that the internet can send to: a public one, and one that is known
    to be the host's, since somebody before it may translate to that."""
    space, daddr = hooks.space, hooks.family.daddr
    version = 4 if hooks.family is Family.IP else 6
    own = tuple(
        (int(network[0]), int(network[-1]))
        for network in hooks.addresses.own
        if network.version == version and not network.is_loopback
    )
    return public_hosts(hooks, daddr) | space.ranges(daddr, own)


def _typical_stranger(hooks: Hooks) -> str:
    """An address that fares as most public ones do with the lists in the rules, and in the sets
    that these look into: if it can be, one of those for documentation."""
    field = hooks.family.saddr
    lists = {
        match.ranges
        for table in hooks.tables()
        for _, rule in table.rules()
        for match in joined.from_iterable(map(tests_in, rule.matches))
        if isinstance(match, Within) and match.field is field
    }
    strangers = [int(ip_address(text)) for text in STRANGERS[hooks.family]]
    usual = [2 * sum(_has(each, one) for one in strangers) > len(strangers) for each in lists]
    candidates = (*_EXAMPLES[hooks.family], *STRANGERS[hooks.family])

    def odd(text: str) -> int:
        number = int(ip_address(text))
        return sum(_has(each, number) != has for each, has in zip(lists, usual, strict=True))

    return min(candidates, key=odd)


def _has(ranges: tuple[tuple[int, int], ...], number: int) -> bool:
    return any(low <= number <= high for low, high in ranges)
