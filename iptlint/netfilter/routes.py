"""The hooks on a packet's way, the packets there are at each, and those a base chain is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptlint.model import Chain, Family, Field, Hook, Table
from iptlint.packets.bdd import union
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

Route = tuple[Hook, ...]
"""The hooks on a way, in order."""

ROUTES: dict[Hook, Route] = {
    Hook.INPUT: (Hook.INGRESS, Hook.PREROUTING, Hook.INPUT),
    Hook.FORWARD: (Hook.INGRESS, Hook.PREROUTING, Hook.FORWARD, Hook.POSTROUTING),
    Hook.OUTPUT: (Hook.OUTPUT, Hook.POSTROUTING),
}
"""The way of a packet to this host, through it, and from it."""

_ALONE = (Hook.PREROUTING, Hook.INPUT, Hook.FORWARD, Hook.OUTPUT, Hook.POSTROUTING)
WAYS: dict[Family, dict[Hook, Route]] = {
    Family.IP: ROUTES,
    Family.IP6: ROUTES,
    Family.ARP: {hook: (hook,) for hook in (Hook.INPUT, Hook.OUTPUT)},
    Family.BRIDGE: {hook: (hook,) for hook in _ALONE},
    Family.NETDEV: {hook: (hook,) for hook in (Hook.INGRESS, Hook.EGRESS)},
}
"""By the hook that a way is known by. What bridges do between hooks is not followed."""

INTERFACES_AT = {
    Hook.INGRESS: {Field.IIF: True, Field.OIF: False},
    Hook.PREROUTING: {Field.IIF: True, Field.OIF: False},
    Hook.INPUT: {Field.IIF: True, Field.OIF: False},
    Hook.FORWARD: {Field.IIF: True, Field.OIF: True},
    Hook.OUTPUT: {Field.IIF: False, Field.OIF: True},
    # POSTROUTING sees forwarded packets and the host's own; xtables gives it no way in.
    Hook.POSTROUTING: {Field.OIF: True},
    Hook.EGRESS: {Field.OIF: True},
}
"""Whether a packet at the hook has the interface; either way where it is not said."""


def at_hook(space: Space, hook: Hook) -> PacketSet:
    """The packets with the interfaces that packets have at the hook."""
    packets = space.universe
    if hook is Hook.INPUT:
        # ip_local_deliver puts datagrams of IPv4 together before it asks the hook.
        packets = packets & ~(space.family("ip") & space.value(Field.FRAGMENT, 1))
    for field, exists in INTERFACES_AT[hook].items():
        none = space.no_interface(field)
        packets = packets & (~none if exists else none)
    return packets


def shown_to(space: Space, table: Table, chain: Chain) -> PacketSet:
    """The packets that the kernel shows to the base chain, of those at its hook."""
    packets = space.family(*table.family.packets)
    if chain.devices:
        field = Field.OIF if chain.hook is Hook.EGRESS else Field.IIF
        names = [space.interface(field, name) for name in chain.devices]
        packets = packets & union(names, space.false)
    if chain.type == "nat":
        # nf_nat_inet_fn translates the first packet of a connection only; an expected
        # connection starts as related (net/netfilter/nf_nat_core.c).
        packets = packets & space.state("new", "related")
    return packets


def base_packets(space: Space, table: Table, chain: Chain) -> PacketSet:
    """The packets that the base chain sees if no other takes them first."""
    assert chain.hook is not None
    return at_hook(space, chain.hook) & shown_to(space, table, chain)
