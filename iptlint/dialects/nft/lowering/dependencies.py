"""What reading a selector demands of the packet, beside the test of its value.

nft puts these tests before the rule's own (its *dependencies*), or the kernel ends the rule
where there is nothing to read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from iptlint.dialects.nft.lowering.header_match_builders import TAGGED, family_tests, tag
from iptlint.dialects.nft.lowering.match_builders import negate
from iptlint.dialects.nft.lowering.symbols import ETHER_TYPES
from iptlint.dialects.uninterpreted import uninterpreted
from iptlint.model import Family, Field, Match, Within
from iptlint.model.matches import CT_STATES

_NETWORKS = {Family.IP: "ip", Family.IP6: "ip6", Family.ARP: "arp"}


@dataclass(slots=True)
class Context:
    """What earlier tests of the rule say of its packets: the protocol of each layer.

    ``network`` is ip, ip6, arp or another name; ``protocols`` are those that the packet can
    still have. In ``vlan`` the rule looks behind a VLAN tag.
    """

    family: Family
    network: str | None = None
    transport: int | None = None
    protocols: frozenset[int] | None = None
    vlan: bool = False

    @classmethod
    def of(cls, family: Family) -> Context:
        return cls(family, _NETWORKS.get(family))

    def restrict(self, protocols: frozenset[int]) -> None:
        """A test said that the packet's protocol is one of these."""
        known = self.protocols
        self.protocols = protocols if known is None else known & protocols
        if len(protocols) == 1:
            (self.transport,) = protocols


Need = Callable[[Context], tuple[Match, ...]]

FIRST_FRAGMENT = Within(Field.FRAGMENT, ((0, 0),))
"""Later fragments have no transport header: the kernel ends the rule (nft_payload.c)."""

HAS_CONNECTION = Within(
    Field.CT_STATE, ((CT_STATES.index("invalid"), CT_STATES.index("untracked")),), True
)
IS_ETHERNET = uninterpreted("mac --ethernet")


def nothing(_: Context) -> tuple[Match, ...]:
    return ()


def has(*matches: Match) -> Need:
    """The same for every rule."""
    return lambda _: matches


def both(*needs: Need) -> Need:
    return lambda context: tuple(match for need in needs for match in need(context))


def ip_or_ip6(context: Context) -> tuple[Match, ...]:
    """Only of these the kernel knows where the transport header is."""
    return family_tests(context.family, "ip", "ip6")


def any_transport(context: Context) -> tuple[Match, ...]:
    return (*ip_or_ip6(context), FIRST_FRAGMENT)


def connection(_: Context) -> tuple[Match, ...]:
    """Without one the rule ends, whatever it asks for (nft_ct.c)."""
    return (HAS_CONNECTION,)


def network(name: str) -> Need:
    """``ip``, ``ip6`` or ``arp``; behind a VLAN tag, the tag names it."""

    def need(context: Context) -> tuple[Match, ...]:
        context.network = name
        if context.vlan:
            return (uninterpreted(f"vlan type {hex(ETHER_TYPES[name])}"),)
        families = family_tests(context.family, name)
        return (*_untagged(context), *families) if name == "arp" else families

    return need


def _untagged(context: Context) -> tuple[Match, ...]:
    """In bridge tables nft asks the frame itself for this."""
    return (negate(TAGGED),) if context.family is Family.BRIDGE else ()


def transport(number: int) -> Need:
    def need(context: Context) -> tuple[Match, ...]:
        context.restrict(frozenset((number,)))
        return (
            *ip_or_ip6(context),
            Within(Field.PROTO, ((number, number),)),
            FIRST_FRAGMENT,
        )

    return need


def icmp(number: int, name: str) -> Need:
    """Its network protocol is asked for only where no test has settled one."""

    def need(context: Context) -> tuple[Match, ...]:
        before: tuple[Match, ...] = ()
        if context.transport != number and (context.network is None or context.vlan):
            tags = () if context.vlan else _untagged(context)
            before = (*tags, *network(name)(context))
        return (*before, *transport(number)(context))

    return need


def icmp_message(protocol: int, name: str, *types: int) -> Need:
    """A field that only messages of these types have."""
    of_type = Within(Field.ICMP_TYPE, tuple((number, number) for number in types))
    return both(icmp(protocol, name), has(of_type))


def ethernet(context: Context) -> tuple[Match, ...]:
    """Every frame that a bridge table sees has that header."""
    return () if context.family is Family.BRIDGE else (IS_ETHERNET,)


def vlan(context: Context) -> tuple[Match, ...]:
    context.vlan = True
    context.network = None
    return (*ethernet(context), *tag(ETHER_TYPES["8021q"]))
