"""Packets that a benchmark asks about, and what becomes of them on their whole way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING

from iptlint.analysis.default_verdict import outside, probes
from iptlint.analysis.hook_verdicts import interpret_tests
from iptlint.model import Family, Field, Hook, Opaque
from iptlint.model.addresses import AddressKind, ranges
from iptlint.model.matches import AddressType, ReversePath
from iptlint.model.protocols import TCP, UDP, echo_request, icmp_of
from iptlint.packets.ordinary import typically_holds

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks
    from iptlint.packets.bdd import PacketSet

_ON_LO = {Family.IP: ("127.0.0.1", "62.4.17.9"), Family.IP6: ("::1", "2a01:4f8:5:1::2")}
"""What a host calls itself over lo: a loopback address, or one of its others."""

NOBODYS_PROTOCOL = 253  # RFC 3692: for experiments


def way_field(hook: Hook) -> Field:
    """The interface by which packets come, or leave."""
    return Field.OIF if hook is Hook.OUTPUT else Field.IIF


def samples(hooks: Hooks, hook: Hook, protocol: str, state: str) -> tuple[PacketSet, ...]:
    """A few ordinary packets between this host and public addresses, free in the interface."""
    interpret_tests(hooks, hook)
    flags = ("syn",) if state == "new" else ("ack",)
    values = _of_protocol(hooks.family, protocol)
    ordinary = probes(
        hooks,
        hook,
        state,
        *(flags if protocol == "tcp" else ()),
        free=(way_field(hook),),
        values=values,
    )
    at_hook = hooks.hook_packets(hook) & outside(hooks.space)
    return tuple(each & at_hook for each in ordinary)


def _of_protocol(family: Family, protocol: str) -> Mapping[Field, int]:
    icmp, echo = icmp_of(family), echo_request(family)
    match protocol:
        case "tcp":
            return {Field.PROTO: TCP}
        case "udp":
            return {Field.PROTO: UDP}
        case "icmp":
            return {Field.PROTO: icmp, Field.ICMP_TYPE: echo, Field.SPORT: 0, Field.DPORT: 0}
        case _:
            return {Field.PROTO: NOBODYS_PROTOCOL, Field.SPORT: 0, Field.DPORT: 0}


def all_of(hooks: Hooks, hook: Hook, protocol: str, state: str) -> PacketSet:
    """Every packet of the protocol and the state that is not on lo."""
    number = _of_protocol(hooks.family, protocol)[Field.PROTO]
    at_hook = hooks.hook_packets(hook) & outside(hooks.space) & hooks.space.state(state)
    return at_hook & hooks.space.value(Field.PROTO, number)


def on_loopback(hooks: Hooks, hook: Hook) -> Iterator[PacketSet]:
    """What programs of this host send each other over lo."""
    interpret_tests(hooks, hook)
    lo = hooks.space.interfaces.class_of("lo")
    for address in _ON_LO[hooks.family]:
        number = int(ip_address(address))
        place = {hooks.family.saddr: number, hooks.family.daddr: number, way_field(hook): lo}
        for protocol, state, flags in _LOCAL:
            values = {**place, **_of_protocol(hooks.family, protocol)}
            yield from probes(hooks, hook, state, *flags, free=(), values=values)


_LOCAL = (("tcp", "new", ("syn",)), ("tcp", "established", ("ack",)), ("udp", "new", ()))


_UNSET = (Field.MARK, Field.CT_MARK, Field.CT_SNAT, Field.CT_DNAT, Field.FRAGMENT)
"""What a new packet that comes in has not."""


def spoofed(hooks: Hooks) -> PacketSet:
    """New packets that name a loopback address as their source and come by another interface."""
    interpret_tests(hooks, Hook.INPUT)
    space, family = hooks.space, hooks.family
    packets = hooks.hook_packets(Hook.INPUT) & outside(space) & space.state("new")
    for field in _UNSET:
        packets = packets & space.value(field, 0)
    for test, variable in space.opaques.items():
        known = _of_spoofed(test)
        if known is not None:
            packets = packets & (variable if known else ~variable)
    return packets & space.ranges(family.saddr, ranges(family, AddressKind.LOOPBACK))


def _of_spoofed(test: Opaque) -> bool | None:
    """What a test that is not interpreted says of such packets, where that is sure: the way
    back to a loopback address is lo, and the address is the host's own."""
    match test.asks:
        case ReversePath(loose=False):
            return False
        case AddressType(Field.SADDR, types, by_route=True):
            return types == ("LOCAL",)
        case _:
            return None


def plain(hooks: Hooks, hook: Hook) -> PacketSet:
    """The packets that are on no list and have no odd option."""
    packets = hooks.space.true
    for test, variable in hooks.space.opaques_upward():
        if _of_spoofed(test) is None:
            packets = (variable if typically_holds(test, hook) else ~variable) & packets
    return packets
