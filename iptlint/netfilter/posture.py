"""What a hook does with a packet nobody wrote a rule for.

A handful of ordinary packets, unlike each other and unlike anything a rule would name,
stand for all of them: what becomes of most is what the hook does by default, be it by
policy, by a closing rule, or by a chain for each interface.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from itertools import combinations
from typing import TYPE_CHECKING

from iptlint.model import Family, Field, Hook
from iptlint.model.matches import TCP_FLAGS
from iptlint.netfilter.walk import Walk
from iptlint.packets.bits import union
from iptlint.packets.space import Space
from iptlint.packets.witness import TCP

if TYPE_CHECKING:
    from iptlint.packets.bits import PacketSet

_STRANGERS = {
    Family.IP: ("23.77.180.41", "61.9.203.118", "88.134.17.206", "146.70.91.53", "199.58.83.12"),
    Family.IP6: (
        "2001:470:71::5e",
        "2400:cb00:2048::b1",
        "2606:2800:21f::1c",
        "2a02:8388:e0::7d",
        "2c0f:fb50:4::99",
    ),
}
"""Public addresses far from each other."""

_ODD_PORTS = (17711, 28417, 34963, 51413, 63127)
_FREE = (Field.IIF, Field.OIF)


def strangers(space: Space, state: str, *flags: str) -> Iterator[PacketSet]:
    """Ordinary tcp packets of a connection in the state, each free only in its interfaces."""
    fixed = {
        Field.PROTO: TCP,
        Field.TCP_FLAGS: sum(1 << TCP_FLAGS.index(flag) for flag in flags),
        Field.TTL: 57,
        Field.LENGTH: 60,
    }
    addresses = _STRANGERS[space.family]
    locals_ = addresses[1:] + addresses[:1]
    for remote, local, port in zip(addresses, locals_, _ODD_PORTS, strict=True):
        values = {
            **fixed,
            Field.SADDR: int(ip_address(remote)),
            Field.DADDR: int(ip_address(local)) + 1,
            Field.SPORT: 443 if state == "established" else port - 1000,
            Field.DPORT: port,
        }
        yield _exactly(space, values) & space.state(state)


def _exactly(space: Space, values: dict[Field, int]) -> PacketSet:
    packets = space.universe
    for field in space.fields:
        if field not in _FREE and field is not Field.CT_STATE:
            packets = packets & space.value(field, values.get(field, 0))
    for variable in space.opaques.values():
        packets = packets & ~variable
    return packets


def outside(space: Space) -> PacketSet:
    """The packets that are not on the loopback interface."""
    return ~space.interface(Field.IIF, "lo") & ~space.interface(Field.OIF, "lo")


def denied_by_default(walk: Walk, hook: Hook) -> PacketSet:
    """The interfaces (as a set of packets, free in all else) on which most strangers that open
    a connection are certainly turned away at the hook. Empty: the hook accepts by default."""
    if hook not in walk.denied:
        walk.denied[hook] = _denied_by_default(walk, hook)
    return walk.denied[hook]


def _denied_by_default(walk: Walk, hook: Hook) -> PacketSet:
    space = walk.space
    turned_away = walk.hook_packets(hook) & outside(space) & ~walk.may_pass(hook)
    verdicts = [
        space.project(stranger & turned_away, *_FREE) for stranger in strangers(space, "new", "syn")
    ]
    majority = len(verdicts) // 2 + 1
    agreed = [a & b & c for a, b, c in combinations(verdicts, majority)]
    return union(agreed, space.false) & walk.hook_packets(hook) & outside(space)
