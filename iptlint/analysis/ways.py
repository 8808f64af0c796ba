"""What a question says of the way that packets take: whether to this host, through it or from it,
and who is behind the interface that they come by."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from iptlint.model import Family, Hook
from iptlint.model.addresses import AddressKind, kind_of
from iptlint.model.host_addresses import Behind, HostAddresses
from iptlint.netfilter.firewall import Firewall
from iptlint.packets.packet import Packet


def ways_of(packet: Packet, addresses: HostAddresses, firewall: Firewall) -> tuple[Hook, ...]:
    """The ways that packets like it may set out on. Without interfaces that tell, it is to this
    host if its destination is; where that is not known and the rules say something of either,
    it may be both."""
    if packet.hook is not None:
        return (Hook(packet.hook),)
    if packet.oif is not None:
        return (Hook.OUTPUT if packet.iif is None else Hook.FORWARD,)
    if packet.daddr is None:
        return (Hook.INPUT,)
    destination = ip_network(packet.daddr, strict=False)
    if addresses.has(destination) or kind_of(destination[0]) in _HERE:
        return (Hook.INPUT,)
    if addresses.complete:
        return (Hook.FORWARD,)
    forwards = any(firewall.base_chains(Family(packet.family), Hook.FORWARD))
    return (Hook.INPUT, Hook.FORWARD) if forwards else (Hook.INPUT,)


_HERE = (AddressKind.LOOPBACK, AddressKind.NOBODY)
"""Loopback addresses are each host's own; broadcasts and multicasts come to it too."""


def neighbours_of(packet: Packet) -> Iterator[Behind]:
    """Who asks of a packet with this source from this interface says that its neighbours are
    behind it."""
    if packet.iif is None or packet.saddr is None:
        return
    family = Family(packet.family)
    wide = ip_network(f"{packet.saddr.partition('/')[0]}/{_NEIGHBOURS[family]}", strict=False)
    yield Behind(family, int(wide[0]), int(wide[-1]), packet.iif)


_NEIGHBOURS = {Family.IP: 24, Family.IP6: 64}
