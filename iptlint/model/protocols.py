"""Protocols, and what the headers of some have: IANA's numbers, by names that the tools share."""

from __future__ import annotations

from collections.abc import Mapping

from iptlint.model.ruleset import Family

ICMP, TCP, UDP, DCCP, GRE, ESP, AH, ICMP6 = 1, 6, 17, 33, 47, 50, 51, 58
COMP, SCTP, MH, UDPLITE = 108, 132, 135, 136

PROTOCOL_NUMBERS: Mapping[str, int] = {
    "icmp": 1,
    "igmp": 2,
    "ggp": 3,
    "ipencap": 4,
    "ipv4": 4,
    "st": 5,
    "tcp": 6,
    "egp": 8,
    "igp": 9,
    "pup": 12,
    "udp": 17,
    "hmp": 20,
    "xns-idp": 22,
    "rdp": 27,
    "iso-tp4": 29,
    "dccp": 33,
    "xtp": 36,
    "ddp": 37,
    "idpr-cmtp": 38,
    "ipv6": 41,
    "ipv6-route": 43,
    "ipv6-frag": 44,
    "idrp": 45,
    "rsvp": 46,
    "gre": 47,
    "esp": 50,
    "ipv6-crypt": 50,
    "ah": 51,
    "ipv6-auth": 51,
    "skip": 57,
    "icmpv6": 58,
    "icmp6": 58,
    "ipv6-icmp": 58,
    "ipv6-nonxt": 59,
    "ipv6-opts": 60,
    "rspf": 73,
    "vmtp": 81,
    "eigrp": 88,
    "ospf": 89,
    "ax.25": 93,
    "ipip": 94,
    "etherip": 97,
    "encap": 98,
    "pim": 103,
    "ipcomp": 108,
    "vrrp": 112,
    "l2tp": 115,
    "isis": 124,
    "sctp": 132,
    "fc": 133,
    "mobility-header": 135,
    "ipv6-mh": 135,
    "mh": 135,
    "udplite": 136,
    "mpls-in-ip": 137,
    "manet": 138,
    "hip": 139,
    "shim6": 140,
    "wesp": 141,
    "rohc": 142,
}
"""By all their names, as /etc/protocols has them and iptables adds some."""

_SHOWN = (
    *("icmp", "igmp", "ipencap", "tcp", "udp", "dccp", "ipv6", "gre", "esp", "ah", "ipv6-icmp"),
    *("eigrp", "ospf", "pim", "vrrp", "sctp", "udplite"),
)
PROTOCOL_NAMES: Mapping[int, str] = {PROTOCOL_NUMBERS[name]: name for name in _SHOWN}
"""What to call those that people know by name; the others go by number."""

PORT_PROTOCOLS = (TCP, UDP, DCCP, SCTP, UDPLITE)
"""Those whose header begins with two ports."""

# -- tcp ----------------------------------------------------------------------

TCP_FLAGS = ("fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr")
"""Bits of ``Field.TCP_FLAGS``, lowest first, as in the TCP header (RFC 9293)."""


def tcp_flag_bits(*names: str) -> int:
    """The value of ``Field.TCP_FLAGS`` with just these set."""
    return sum(1 << TCP_FLAGS.index(name) for name in names)


def tcp_flag_names(bits: int) -> tuple[str, ...]:
    return tuple(name for bit, name in enumerate(TCP_FLAGS) if bits >> bit & 1)


# -- icmp ---------------------------------------------------------------------

ICMP_TYPES: Mapping[str, int] = {
    "echo-reply": 0,
    "destination-unreachable": 3,
    "source-quench": 4,
    "redirect": 5,
    "echo-request": 8,
    "router-advertisement": 9,
    "router-solicitation": 10,
    "time-exceeded": 11,
    "parameter-problem": 12,
    "timestamp-request": 13,
    "timestamp-reply": 14,
    "address-mask-request": 17,
    "address-mask-reply": 18,
}
ICMP6_TYPES: Mapping[str, int] = {
    "destination-unreachable": 1,
    "packet-too-big": 2,
    "time-exceeded": 3,
    "parameter-problem": 4,
    "echo-request": 128,
    "echo-reply": 129,
    "mld-listener-query": 130,
    "mld-listener-report": 131,
    "mld-listener-done": 132,
    "router-solicitation": 133,
    "router-advertisement": 134,
    "neighbour-solicitation": 135,
    "neighbour-advertisement": 136,
    "redirect": 137,
    "mld2-listener-report": 143,
}
ICMP_TYPE_NAMES: Mapping[int, Mapping[int, str]] = {
    ICMP: {number: name for name, number in ICMP_TYPES.items()},
    ICMP6: {number: name for name, number in ICMP6_TYPES.items()},
}
"""By protocol."""


def icmp_of(family: Family) -> int:
    """The number of the icmp that goes with ip, or with ip6."""
    return ICMP6 if family is Family.IP6 else ICMP


def echo_request(family: Family) -> int:
    """The icmp type of a ping."""
    types = ICMP6_TYPES if family is Family.IP6 else ICMP_TYPES
    return types["echo-request"]


# -- the rest -----------------------------------------------------------------

MH_TYPES = (
    *("binding-refresh-request", "home-test-init", "careof-test-init", "home-test"),
    *("careof-test", "binding-update", "binding-acknowledgement", "binding-error"),
)
"""The index is the type of the mobility header (RFC 6275, 6.1)."""

DSCP_CLASSES: Mapping[str, int] = {
    **{f"cs{level}": level << 3 for level in range(8)},
    **{f"af{c}{drop}": c << 3 | drop << 1 for c in range(1, 5) for drop in range(1, 4)},
    "be": 0,
    "ef": 46,
}
"""RFC 2474, RFC 2597, RFC 3246."""
