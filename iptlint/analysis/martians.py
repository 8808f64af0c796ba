"""Which packets the kernel drops by itself, for the addresses that they have.

Rules for them are no mistake: whoever writes one does not rely on the kernel, and an interface may
be one for which it makes an exception. So no rule is dead for that, and it is said beside an
answer about such a packet.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address

from iptlint.model import Hook
from iptlint.packets.packet import Packet

_BROADCAST, _LOOPBACK6 = ip_address("255.255.255.255"), ip_address("::1")
_BEHIND_ROUTING = (Hook.INPUT, Hook.FORWARD, Hook.POSTROUTING)


def dropped_anyway(came: Packet, arrived: Packet, hook: Hook) -> str | None:
    """Why a packet that comes by an interface does not come to the hook, or comes there on some
    hosts only; ``arrived``: the same behind all translation. None where nothing speaks against it,
    as nothing does where a packet has no address."""
    if came.iif is None or came.iif == "lo":
        return None
    return next(_reasons(came, arrived, hook), None)


def _reasons(came: Packet, arrived: Packet, hook: Hook) -> Iterator[str]:
    source, destination = _address(came.saddr), _address(arrived.daddr)
    if isinstance(source, IPv4Address) and hook in _BEHIND_ROUTING:
        yield from _martian(source, destination, came)
    if isinstance(source, IPv6Address):
        yield from _not_taken(source, _address(came.daddr))
        if hook in (Hook.FORWARD, Hook.POSTROUTING) and (
            source.is_link_local or source.is_unspecified
        ):
            # ip6_forward, net/ipv6/ip6_output.c
            yield f"the kernel forwards nothing that comes from {source}"


def _martian(
    source: IPv4Address, destination: IPv4Address | IPv6Address | None, came: Packet
) -> Iterator[str]:
    """ip_route_input_slow, net/ipv4/route.c."""
    broadcast = destination is not None and destination == _BROADCAST
    group = destination is not None and destination.is_multicast
    if source.is_multicast or source == _BROADCAST:
        yield f"the kernel drops what comes from {source}, behind prerouting"
    if source.is_unspecified and not (broadcast or group):
        yield f"the kernel drops what comes from {source} and is no broadcast, behind prerouting"
    if destination is not None and destination.is_unspecified:
        yield f"the kernel drops what is sent to {destination}, behind prerouting"
    for address, sent in ((source, "comes from"), (destination, "is sent to")):
        if address is not None and address.is_loopback:
            yield (
                f"the kernel drops what {sent} {address} by {came.iif}, behind prerouting, unless "
                "route_localnet is on there"
            )


def _not_taken(source: IPv6Address, destination: object) -> Iterator[str]:
    """ip6_rcv_core, net/ipv6/ip6_input.c."""
    if source.is_multicast:
        yield f"the kernel drops what comes from {source}, before any rule"
    for address, sent in ((source, "comes from"), (destination, "is sent to")):
        if address == _LOOPBACK6:
            yield f"the kernel drops what {sent} ::1 by any interface but lo, before any rule"


def _address(text: str | None) -> IPv4Address | IPv6Address | None:
    """None too where words stand for an address that the kernel chooses."""
    try:
        return None if text is None else ip_address(text)
    except ValueError:
        return None
