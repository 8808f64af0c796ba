"""What a rule reads of a packet: whether its family and its tests so far allow it."""

from __future__ import annotations

from collections.abc import Iterable

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.state import BlockContext
from iptlint.dialects.nft.lowering.symbols import IFACE_TYPES
from iptlint.dialects.nft.parsing.selectors import HEADERS, TUNNELS
from iptlint.loads.nft import checks
from iptlint.loads.nft.features import TYPE_OF_PORTS, VLAN_LATER
from iptlint.loads.nft.icmp import IcmpType
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
from iptlint.loads.nft.values import LONGEST_KEY, octets, parts_of, type_of, types_of
from iptlint.loads.refusal import Check
from iptlint.model import Family
from iptlint.model.numbers import c_number

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

_CLOSED = {name: words.split() for name, words in HEADERS.items() if name not in ("arp", "th")}
"""Fields of a header that are all known by their names."""
_OPEN = ("arp", "th", *TUNNELS)


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
        self.icmp = IcmpType()

    def read(self, expression: t.Node) -> bool:
        """False where it is refused."""
        if isinstance(expression, t.Concat) and not self._fits(expression):
            return False
        parts = _made_of(expression)
        if parts:
            return all(self.read(part) for part in parts) and not self._shifts_away(expression)
        if self._trial.json and not self._is_field(expression):
            return False
        conflict = self._conflict(expression)
        if conflict is not None and conflict.second == "vlan" and conflict.first in _LINKS:
            return not self._trial.lacks(VLAN_LATER, self._context, expression)
        if conflict is not None:
            self._refuse_conflict(expression, conflict)
            return False
        if isinstance(expression, t.Payload) and self._is_of_other_icmp(expression):
            return False
        place = of_selector(expression, self._family)
        if place is not None:
            placed = PlacedStatement(*place, expression, self._context)
            self._chain.placed.append(placed)
        return self._of_family(expression)

    def _shifts_away(self, expression: t.Node) -> bool:
        """src/evaluate.c, expr_evaluate_shift: by as many bits as there are, or more."""
        if not isinstance(expression, t.Bitwise) or expression.operator not in _SHIFTS:
            return False
        kind = type_of(expression, self._family, self.protocols.network)
        bits = c_number(getattr(expression.right, "text", ""))
        if bits is None or bits < max(_WORD, kind.width if kind else 0):
            return False
        cause = f"a shift by {bits} bits leaves nothing of what has fewer"
        self._trial.refuse(checks.SHIFT, self._context, expression.right, cause, "shift by less")
        return True

    def _fits(self, expression: t.Concat) -> bool:
        types = types_of(expression, self._family, self.protocols.network)
        length = octets(types)
        if length > LONGEST_KEY:
            cause = f"this takes {length} octets: at most {LONGEST_KEY} fit"
            mend = "read fewer fields at once"
            self._trial.refuse(checks.CONCAT_LENGTH, self._context, expression, cause, mend)
        return length <= LONGEST_KEY and self.look_up(expression)

    def look_up(self, key: t.Node) -> bool:
        """The same of what a set or a map is asked for, or of what is put together."""
        for part in parts_of(key):
            if isinstance(part, t.Ct) and part.key in _CT_ADDRESSES and part.family is None:
                cause = f"ct {part.key} has no type here, as it may be of IPv4 or of IPv6"
                mend = f"write ct {part.direction} ip {part.key}, or ip6"
                self._trial.refuse(checks.CT_LOOKED_UP, self._context, part, cause, mend)
                return False
        return True

    def _is_of_other_icmp(self, field: t.Payload) -> bool:
        conflict = self.icmp.conflict(field)
        if conflict is None:
            return False
        cause = (
            f"the rule is about {field.protocol} type {conflict[0]}, and {field.field} is of "
            f"type {conflict[1]}"
        )
        self._trial.refuse(checks.ICMP, self._context, field, cause, "make two rules of it")
        return True

    def _is_field(self, selector: t.Node) -> bool:
        """In JSON any word may stand for a field; in a text only those that are."""
        if not isinstance(selector, t.Payload):
            return True
        fields = _CLOSED.get(selector.protocol)
        if selector.field in (fields or ()) or selector.protocol in _OPEN:
            return True
        cause, mend = f"there is no header {selector.protocol}", "write a protocol's name"
        if fields is not None:
            cause = f"{selector.protocol} has no field {selector.field}"
            mend = f"write one of {', '.join(fields)}"
        self._trial.refuse(checks.FIELD, self._context, selector, cause, mend)
        return False

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
        if is_port(selector) and not self.protocols.transport:
            return not self._trial.lacks(TYPE_OF_PORTS, self._context, selector)
        refusal = (
            _no_fib(selector)
            or _no_option(selector)
            or _no_depth(selector)
            or self._not_of_family(selector)
        )
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

    def has_untyped_port(self, key: t.Node) -> bool:
        """Whether it has a port of a connection that nft up to 1.0.6 has no type for."""
        lacking = self._trial.lack(TYPE_OF_PORTS) is not None
        return lacking and not self.protocols.transport and any(map(is_port, parts_of(key)))

    # -- what a test says of the packets ------------------------------------------------------

    def learn(self, selector: t.Node, numbers: Iterable[int]) -> None:
        """The selector has one of the numbers in all packets that go on."""
        match selector:
            case t.Meta("l4proto"):
                self.protocols.learn(TRANSPORT, "inet-service", numbers)
            case t.Payload("icmp" | "icmpv6" as protocol, "type"):
                self.icmp.learn(protocol, numbers)
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


def is_port(selector: t.Node) -> bool:
    """A port of a connection, which may be of any protocol that has ports."""
    return isinstance(selector, t.Ct) and selector.key in _CT_PORTS


def _made_of(expression: t.Node) -> tuple[t.Node, ...]:
    """What is read for it; nothing of a selector."""
    match expression:
        case t.Concat(parts):
            return parts
        case t.Bitwise(left, _, right):
            return left, right
        case t.Range(low, high):
            return low, high
        case t.Lookup(key) | t.Prefix(key):
            return (key,)
        case t.Hash(key=key) if key is not None:
            return (key,)
    return ()


_CT_ADDRESSES = ("saddr", "daddr")
_LINKS = ("ether", "netdev")
_CT_PORTS = ("proto-src", "proto-dst")
_OCTET = 255
_SHIFTS, _WORD = ("<<", ">>"), 32
_DEEPEST = 6
"""XFRM_MAX_DEPTH of include/net/xfrm.h."""


def _no_option(selector: t.Node) -> tuple[Check, str, str] | None:
    if not isinstance(selector, t.HeaderOption) or selector.protocol != "tcp":
        return None
    number = c_number(selector.option)
    if number is None or number <= _OCTET:
        return None  # the number of an option is an octet (RFC 9293, section 3.1)
    cause = f"there is no option {number} of TCP: the last one is {_OCTET}"
    return checks.NUMBER, cause, f"write 0 to {_OCTET}"


def _no_depth(selector: t.Node) -> tuple[Check, str, str] | None:
    """How many transformations a packet may bear."""
    if not isinstance(selector, t.Ipsec) or (selector.spnum or 0) < _DEEPEST:
        return None
    number = selector.spnum or 0
    cause = f"there is no transformation {number}: a packet has at most {_DEEPEST}"
    check = checks.NUMBER if number > _OCTET else checks.SECURITY_PATH
    return check, cause, f"write spnum 0 to {_DEEPEST - 1}"


def _no_fib(selector: t.Node) -> tuple[Check, str, str] | None:
    """One address, and at most one interface, is looked up in the routes."""
    if not isinstance(selector, t.Fib):
        return None
    flags = set(selector.flags)
    if {"saddr", "daddr"} <= flags:
        cause, mend = "fib looks up one address, and these are two", "delete saddr or daddr"
    elif not {"saddr", "daddr"} & flags:
        cause, mend = "fib looks up an address, and none is named", "write fib saddr, or daddr"
    elif {"iif", "oif"} <= flags:
        cause, mend = "fib asks for one interface, and these are two", "delete iif or oif"
    else:
        return None
    return checks.FIB, cause, mend


def _family_for(protocol: str) -> str:
    if protocol in ("ip", "ip6", "arp"):
        return protocol if protocol == "arp" else f"{protocol} or inet"
    return "inet"
