"""What a rule reads of a packet: whether its family and its tests so far allow it."""

from __future__ import annotations

from collections.abc import Iterable

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.state import BlockContext
from iptlint.dialects.nft.lowering.symbols import IFACE_TYPES
from iptlint.loads.nft import checks
from iptlint.loads.nft.places import of_selector
from iptlint.loads.nft.protocols import (
    LINK,
    NETWORK,
    PROTOCOLS,
    TRANSPORT,
    Conflict,
    ProtocolContext,
)
from iptlint.loads.nft.state import KnownChain, PlacedStatement
from iptlint.loads.nft.trial import Trial
from iptlint.loads.refusal import Check
from iptlint.model import Family

_ROUTED = (Family.IP, Family.IP6, Family.INET)
_TRACKED = (*_ROUTED, Family.BRIDGE)
_BRIDGE_KEYS = frozenset(
    ("ibrname", "obrname", "ibriport", "obriport", "ibrpvid", "ibrvproto", "ibrhwaddr", "broute")
)
_IS_TABLE = {
    Family.IP: "this is an ip table, which sees IPv4 only",
    Family.IP6: "this is an ip6 table, which sees IPv6 only",
    Family.ARP: "this is an arp table",
    Family.INET: "this is an inet table, which sees IPv4 and IPv6",
}


class SelectorTrial:
    """Of one rule, whose selectors are read in their order."""

    def __init__(
        self, trial: Trial, family: Family, chain: KnownChain, context: BlockContext
    ) -> None:
        self._trial = trial
        self._family = family
        self._chain = chain
        self._context = context
        self.protocols = ProtocolContext(family)

    def read(self, expression: t.Node) -> bool:
        """False where it is refused."""
        match expression:
            case t.Concat(parts):
                return all(self.read(part) for part in parts)
            case t.Bitwise(left, _, right):
                return self.read(left) and self.read(right)
            case t.Lookup(key):
                return self.read(key)
            case t.Hash(key=key) if key is not None:
                return self.read(key)
            case t.Range(low, high):
                return self.read(low) and self.read(high)
            case t.Prefix(base):
                return self.read(base)
        conflict = self._conflict(expression)
        if conflict is not None:
            self._refuse_conflict(expression, conflict)
            return False
        place = of_selector(expression, self._family)
        if place is not None:
            placed = PlacedStatement(*place, expression, self._context)
            self._chain.placed.append(placed)
        return self._of_family(expression)

    def _conflict(self, selector: t.Node) -> Conflict | None:
        match selector:
            case t.Payload("th"):
                return None
            case t.Payload(protocol, _, None):
                return self.protocols.read(protocol)
            case t.Payload(_, _, tunnel) if tunnel is not None:
                return self.protocols.read("udp") if tunnel in ("vxlan", "geneve") else None
            case t.HeaderOption("ip"):
                return self.protocols.read_network("ip")
            case t.ExtensionHeader():
                return self.protocols.read_network("ip6")
            case t.Ct(_, _, "ip" | "ip6" as family):
                now = self.protocols.network
                return Conflict(now, family) if now in ({"ip", "ip6"} - {family}) else None
        return None

    def _refuse_conflict(self, selector: t.Node, conflict: Conflict) -> None:
        first, second = conflict.first, conflict.second
        if first == self.protocols.network and self._family in _IS_TABLE and second in PROTOCOLS:
            own = {Family.IP: "ip", Family.IP6: "ip6", Family.ARP: "arp"}.get(self._family)
            if own == first:
                cause = f"{_IS_TABLE[self._family]}: nft refuses a test of {second} in it"
                mend = f"move the rule to a table of family {_family_for(second)}"
                self._trial.refuse(checks.PROTOCOL, self._context, selector, cause, mend)
                return
        cause = f"the rule is about {first} already, and this is a test of {second}"
        self._trial.refuse(checks.PROTOCOL, self._context, selector, cause, "make two rules of it")

    # -- what the family has none of ---------------------------------------------------------

    def _of_family(self, selector: t.Node) -> bool:
        refusal = self._not_of_family(selector)
        if refusal is None:
            return True
        check, cause, mend = refusal
        self._trial.refuse(check, self._context, selector, cause, mend)
        return False

    def _not_of_family(self, selector: t.Node) -> tuple[Check, str, str] | None:
        family = self._family
        match selector:
            case t.Meta("nfproto") if family is not Family.INET:
                cause = f"meta nfproto is for inet tables, and this is one of {family.value}"
                return checks.NFPROTO, cause, "delete the test, or write meta protocol"
            case t.Meta(key) if key in _BRIDGE_KEYS and family is not Family.BRIDGE:
                cause = f"meta {key} is for bridge tables, and this is one of {family.value}"
                return checks.PLACE, cause, "move the rule to a bridge table"
            case t.Ct() if family not in _TRACKED:
                cause = f"{family.value} tables see no connections: ct works in ip, ip6 and inet"
                return checks.NO_TRACKING, cause, "move the rule to an inet table"
            case t.Ct("saddr" | "daddr", _, None) if self.protocols.network not in ("ip", "ip6"):
                cause = "the address may be of IPv4 or of IPv6"
                return checks.CT_ADDRESS, cause, "write ct original ip saddr, or ip6"
            case t.Routing("nexthop", None) if self.protocols.network not in ("ip", "ip6"):
                cause = "the next hop may be of IPv4 or of IPv6"
                return checks.NEXTHOP, cause, "write rt ip nexthop, or rt ip6 nexthop"
            case t.Routing("nexthop", "ip6") if family is Family.IP:
                cause = f"{_IS_TABLE[family]}: no route of it has a next hop of ip6"
                return checks.NEXTHOP, cause, "write rt nexthop"
            case t.Ipsec() if family not in _ROUTED:
                cause = f"ipsec is for ip, ip6 and inet tables, and this is one of {family.value}"
                return checks.IPSEC, cause, "move the rule to an inet table"
            case t.Socket() if family not in _ROUTED:
                cause = f"socket is for ip, ip6 and inet tables, and this is one of {family.value}"
                return checks.PLACE, cause, "move the rule to an inet table"
            case t.Fib() if family in (Family.ARP, Family.BRIDGE):
                cause = f"{family.value} tables have no fib"
                return checks.NOT_OF_FAMILY, cause, "move the rule to an inet table"
        return None

    # -- what a test says of the packets ------------------------------------------------------

    def learn(self, selector: t.Node, numbers: Iterable[int]) -> None:
        """The selector has one of the numbers in all packets that go on."""
        match selector:
            case t.Meta("l4proto"):
                self.protocols.learn(TRANSPORT, "inet-service", numbers)
            case t.Payload("ip", "protocol") | t.Payload("ip6", "nexthdr"):
                self.protocols.learn(TRANSPORT, selector.protocol, numbers)
            case t.Payload("ether" | "vlan" as header, "type"):
                self.protocols.learn(NETWORK, header, numbers)
            case t.Payload("ah" | "comp" as header, "nexthdr"):
                self.protocols.learn(TRANSPORT, header, numbers)
            case t.Ct("protocol"):
                self.protocols.learn(TRANSPORT, self.protocols.network or "", numbers)
            case t.Ct("l3proto"):
                self.protocols.learn(NETWORK, self.protocols.name_at(LINK) or "", numbers)
            case t.Meta():
                for number in numbers:
                    self._learn_meta(selector, number)

    def _learn_meta(self, selector: t.Meta, number: int) -> None:
        match selector.key:
            case "nfproto" if self._family is Family.INET:
                self.protocols.learn_network({2: "ip", 10: "ip6"}.get(number))
            case "protocol" if self._family in (Family.BRIDGE, Family.NETDEV):
                below = self.protocols.name_at(LINK) or ""
                self.protocols.learn(NETWORK, below, (number,))
            case "iiftype" if self._family is not Family.BRIDGE:
                ether = number == IFACE_TYPES["ether"]
                self.protocols.learn_link("ether" if ether else None)


def _family_for(protocol: str) -> str:
    if protocol in ("ip", "ip6", "arp"):
        return protocol if protocol == "arp" else f"{protocol} or inet"
    return "inet"
