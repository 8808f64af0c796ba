"""The hooks on a packet's way, and the packets there are at each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptlint.model import Chain, Family, Field, Hook, Table
from iptlint.model.protocols import ICMP, ICMP6
from iptlint.packets.bdd import union
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

Route = tuple[Hook, ...]
"""The hooks on a way, in order."""

ROUTES: dict[Hook, Route] = {
    Hook.INPUT: (Hook.INGRESS, Hook.PREROUTING, Hook.INPUT),
    Hook.FORWARD: (
        *(Hook.INGRESS, Hook.PREROUTING, Hook.FORWARD),
        *(Hook.POSTROUTING, Hook.EGRESS),
    ),
    Hook.OUTPUT: (Hook.OUTPUT, Hook.POSTROUTING, Hook.EGRESS),
}
"""The way of a packet to this host, through it, and from it: ingress and egress are those of the
devices that it comes in and leaves by."""

BRIDGED: dict[Hook, Route] = {
    Hook.INPUT: (Hook.INGRESS, Hook.PREROUTING, Hook.INPUT),
    Hook.FORWARD: ROUTES[Hook.FORWARD],
    Hook.OUTPUT: ROUTES[Hook.OUTPUT],
}
"""The way of a frame through the chains of bridge: to the interface of the bridge itself, from port
to port, and from the bridge's interface (net/bridge/br_input.c, br_forward.c)."""

WAYS: dict[Family, dict[Hook, Route]] = {
    Family.IP: ROUTES,
    Family.IP6: ROUTES,
    Family.ARP: {hook: (hook,) for hook in (Hook.INPUT, Hook.OUTPUT)},
    # Frames of a bridge's own protocols come to its input without prerouting (br_handle_frame).
    Family.BRIDGE: {
        **{hook: (hook,) for hook in (Hook.PREROUTING, Hook.INPUT)},
        **{hook: BRIDGED[hook] for hook in (Hook.FORWARD, Hook.OUTPUT)},
    },
    Family.NETDEV: {hook: (hook,) for hook in (Hook.INGRESS, Hook.EGRESS)},
}
"""By the hook that a way is known by. How a packet comes from a bridge to the chains of ip, or from
those to a bridge, is another question."""

INTERFACES_AT = {
    Hook.INGRESS: {Field.IIF: True, Field.OIF: False},
    Hook.PREROUTING: {Field.IIF: True, Field.OIF: False},
    Hook.INPUT: {Field.IIF: True, Field.OIF: False},
    Hook.FORWARD: {Field.IIF: True, Field.OIF: True},
    Hook.OUTPUT: {Field.IIF: False, Field.OIF: True},
    # POSTROUTING sees forwarded packets and the host's own; xtables gives it no way in.
    Hook.POSTROUTING: {Field.OIF: True},
    Hook.EGRESS: {Field.IIF: False, Field.OIF: True},  # nf_hook_egress knows no way in
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
        # connection starts as related (net/netfilter/nf_nat_core.c). An error goes with the
        # connection that it is about (nf_nat_ipv4_fn, nf_nat_ipv6_fn in nf_nat_proto.c).
        packets = packets & (space.state("new") | (space.state("related") & ~_icmp(space)))
    return packets


def _icmp(space: Space) -> PacketSet:
    both = (("ip", ICMP), ("ip6", ICMP6))
    return union([space.family(f) & space.value(Field.PROTO, n) for f, n in both], space.false)


def base_packets(space: Space, table: Table, chain: Chain) -> PacketSet:
    """The packets that the base chain sees if no other takes them first."""
    assert chain.hook is not None
    return at_hook(space, chain.hook) & shown_to(space, table, chain)
