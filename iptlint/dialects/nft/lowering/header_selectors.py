"""The selectors of packet headers: one row each."""

from __future__ import annotations

from dataclasses import dataclass

from iptlint.dialects.nft.lowering import datatypes as d
from iptlint.dialects.nft.lowering import dependencies as n
from iptlint.dialects.nft.lowering.datatypes import DataType, integer
from iptlint.dialects.nft.lowering.header_match_builders import (
    EtherTypeTarget,
    FieldTarget,
    FragmentTarget,
    LengthTarget,
    NextHeaderTarget,
    PortTarget,
)
from iptlint.dialects.nft.lowering.match_builders import (
    NETWORKS,
    OpaqueTarget,
    PresenceTarget,
    Target,
    hardware,
    hexadecimal,
    pair,
)
from iptlint.dialects.nft.lowering.symbols import DCCP_TYPES
from iptlint.dialects.uninterpreted import uninterpreted
from iptlint.model import Field, Match, Within
from iptlint.model.matches import SegmentSize
from iptlint.model.numbers import decimal
from iptlint.model.protocols import (
    AH,
    COMP,
    DCCP,
    ESP,
    GRE,
    ICMP6,
    MH,
    PORT_PROTOCOLS,
    SCTP,
    TCP,
    UDP,
    UDPLITE,
)


@dataclass(frozen=True, slots=True)
class Row:
    """A selector: the type of its values, and what a test of them says of the packet.

    ``needs``: what has to hold for there to be a value. ``present``: the same as far as
    tests of a value say it themselves, so that only negated ones have to ask for it.
    """

    type: DataType
    target: Target
    needs: n.Need = n.nothing
    present: n.Need = n.nothing


OPAQUE = OpaqueTarget()
_HARDWARE, _IPV4 = OpaqueTarget(show=hardware), OpaqueTarget(show=NETWORKS["ip"])

_Fields = dict[str, tuple[DataType, Target]]


def _header(needs: n.Need, fields: _Fields, widths: str = "") -> dict[str, Row]:
    """``widths``: further fields that are just numbers, each as ``name:bits``."""
    plain = (word.partition(":") for word in widths.split())
    numbers = {name: Row(integer(decimal(bits) or 0), OPAQUE, needs) for name, _, bits in plain}
    return {name: Row(kind, to, needs) for name, (kind, to) in fields.items()} | numbers


_PORTS: _Fields = {
    "sport": (d.SERVICE, FieldTarget(Field.SPORT, 16)),
    "dport": (d.SERVICE, FieldTarget(Field.DPORT, 16)),
}
_TTL = FieldTarget(Field.TTL, 8)
_DSCP = FieldTarget(Field.TOS, 6, low=2, whole=False)
_ECN = FieldTarget(Field.TOS, 2, whole=False)


def _icmp(number: int, name: str, type: DataType, code: DataType) -> dict[str, Row]:
    fields: _Fields = {
        "type": (type, FieldTarget(Field.ICMP_TYPE, 8)),
        "code": (code, FieldTarget(Field.ICMP_CODE, 8)),
    }
    return _header(n.icmp(number, name), fields, "checksum:16")


def _message(width: int, number: int, name: str, *types: int) -> Row:
    return Row(integer(width), OPAQUE, n.icmp_message(number, name, *types))


_DCCP_NAMES = {number: name.upper() for name, number in DCCP_TYPES.items()} | {10: "INVALID"}
"""With what iptables calls the first number that is no type (dccp_pkt_types of libxt_dccp.c)."""

_HEADERS: dict[str, dict[str, Row]] = {
    "ip": _header(
        n.network("ip"),
        {
            "saddr": (d.IPV4, FieldTarget(Field.SADDR, 32)),
            "daddr": (d.IPV4, FieldTarget(Field.DADDR, 32)),
            "protocol": (d.PROTO, FieldTarget(Field.PROTO, 8)),
            "dscp": (d.DSCP, _DSCP),
            "ecn": (d.ECN, _ECN),
            "ttl": (integer(8), _TTL),
            "length": (integer(16), LengthTarget()),
            "frag-off": (integer(16), FragmentTarget()),
        },
        "version:4 hdrlength:4 id:16 checksum:16",
    ),
    "ip6": _header(
        n.network("ip6"),
        {
            "saddr": (d.IPV6, FieldTarget(Field.SADDR6, 128)),
            "daddr": (d.IPV6, FieldTarget(Field.DADDR6, 128)),
            "nexthdr": (d.PROTO, NextHeaderTarget()),
            "dscp": (d.DSCP, _DSCP),
            "ecn": (d.ECN, _ECN),
            "hoplimit": (integer(8), _TTL),
            "length": (integer(16), LengthTarget(header=40)),
        },
        "version:4 flowlabel:20",
    ),
    "icmp": _icmp(1, "ip", d.ICMP_TYPE, d.ICMP_CODE)
    | {
        "id": _message(16, 1, "ip", 0, 8),
        "sequence": _message(16, 1, "ip", 0, 8),
        "gateway": _message(32, 1, "ip", 5),
        "mtu": _message(16, 1, "ip", 3),
    },
    "icmpv6": _icmp(ICMP6, "ip6", d.ICMPV6_TYPE, d.ICMPV6_CODE)
    | {
        "id": _message(16, ICMP6, "ip6", 128, 129),
        "sequence": _message(16, ICMP6, "ip6", 128, 129),
        "parameter-problem": _message(32, ICMP6, "ip6", 4),
        "mtu": _message(32, ICMP6, "ip6", 2),
        "max-delay": _message(16, ICMP6, "ip6", 130),
        "taddr": Row(d.IPV6, OPAQUE, n.icmp_message(ICMP6, "ip6", 135, 136, 137)),
        "daddr": Row(d.IPV6, OPAQUE, n.icmp_message(ICMP6, "ip6", 137)),
    },
    "igmp": _header(
        n.icmp(2, "ip"),
        {"type": (d.IGMP_TYPE, OPAQUE), "group": (d.IPV4, OPAQUE)},
        "checksum:16 mrt:8",
    ),
    "tcp": _header(
        n.transport(TCP),
        _PORTS | {"flags": (d.TCP_FLAG, FieldTarget(Field.TCP_FLAGS, 8))},
        "sequence:32 ackseq:32 doff:4 reserved:4 window:16 checksum:16 urgptr:16",
    ),
    "udp": _header(n.transport(UDP), _PORTS, "length:16 checksum:16"),
    "udplite": _header(n.transport(UDPLITE), _PORTS, "csumcov:16 checksum:16"),
    "sctp": _header(n.transport(SCTP), _PORTS, "vtag:32 checksum:32"),
    "dccp": _header(
        n.transport(DCCP),
        _PORTS
        | {
            "type": (
                d.DCCP_TYPE,
                OpaqueTarget("dccp --dccp-types", names=_DCCP_NAMES),
            )
        },
    ),
    "th": _header(
        n.any_transport,
        {
            "sport": (d.SERVICE, PortTarget(Field.SPORT, "@th,0,16")),
            "dport": (d.SERVICE, PortTarget(Field.DPORT, "@th,16,16")),
        },
    ),
    "ah": _header(
        n.transport(AH),
        {"spi": (integer(32), OpaqueTarget("ah --ahspi", pair)), "nexthdr": (d.PROTO, OPAQUE)},
        "hdrlength:8 reserved:16 sequence:32",
    ),
    "esp": _header(
        n.transport(ESP),
        {"spi": (integer(32), OpaqueTarget("esp --espspi", pair))},
        "sequence:32",
    ),
    "comp": _header(
        n.transport(COMP),
        {
            "cpi": (integer(16), OpaqueTarget("ipcomp --ipcompspi", pair)),
            "nexthdr": (d.PROTO, OPAQUE),
        },
        "flags:8",
    ),
    "ether": {
        "saddr": Row(d.ETHER, FieldTarget(Field.MAC_SOURCE, 48), present=n.ethernet),
        "daddr": Row(d.ETHER, _HARDWARE, present=n.ethernet),
        "type": Row(d.ETHER_TYPE, EtherTypeTarget(frame=True), n.ethernet),
    },
    "vlan": _header(
        n.vlan,
        {"type": (d.ETHER_TYPE, OpaqueTarget(show=hexadecimal))},
        "id:12 cfi:1 dei:1 pcp:3",
    ),
    "arp": _header(
        n.network("arp"),
        {
            "ptype": (d.ETHER_TYPE, OPAQUE),
            "operation": (d.ARP_OP, OPAQUE),
            "saddr ether": (d.ETHER, _HARDWARE),
            "daddr ether": (d.ETHER, _HARDWARE),
            "saddr ip": (d.IPV4, _IPV4),
            "daddr ip": (d.IPV4, _IPV4),
        },
        "htype:16 hlen:8 plen:8",
    ),
    "gre": _header(n.transport(GRE), {"protocol": (d.ETHER_TYPE, OPAQUE)}, "version:3 flags:5"),
    "vxlan": _header(n.transport(UDP), {}, "vni:24 flags:8"),
    "geneve": _header(n.transport(UDP), {"type": (d.ETHER_TYPE, OPAQUE)}, "vni:24"),
}

TUNNELS = {"vxlan": UDP, "geneve": UDP, "gre": GRE, "gretap": GRE}
"""What carries the tunnel."""


def payload_row(protocol: str, field: str, tunnel: str | None, context: n.Context) -> Row | None:
    """Inside a tunnel, and behind a VLAN tag, the fields are not those of the packet's model."""
    row = _HEADERS.get(protocol, {}).get(field)
    if row is None:
        return None
    if tunnel:
        return Row(
            row.type,
            OPAQUE,
            n.transport(TUNNELS[tunnel]),
            n.has(uninterpreted(f"{tunnel} {protocol}")),
        )
    if context.vlan and protocol in ("ip", "ip6", "arp"):
        return Row(row.type, OPAQUE, row.needs)
    if protocol == "th" and context.protocols is not None:
        return _known_ports(row, context)
    return row


def _known_ports(row: Row, context: n.Context) -> Row:
    """Where an earlier test leaves only protocols with ports, these are ports."""
    assert isinstance(row.target, PortTarget)
    if context.protocols is None or not context.protocols <= frozenset(PORT_PROTOCOLS):
        return row
    return Row(row.type, FieldTarget(row.target.field, 16), row.needs)


def raw_row(base: str, offset: int, length: int, context: n.Context) -> Row:
    """``@th,16,16``; the ports are known by their place."""
    ports = {(0, 16): "sport", (16, 16): "dport"}
    if base == "th" and (offset, length) in ports:
        port = payload_row("th", ports[offset, length], None, context)
        if port is not None:
            return Row(integer(16), port.target, port.needs)
    demands = {"th": n.any_transport, "ih": n.any_transport}
    there = n.has(uninterpreted(f"@{base} there"))
    return Row(integer(max(length, 1)), OPAQUE, demands.get(base, n.nothing), there)


# -- options and extension headers -----------------------------------------------------------

TCP_OPTIONS = {
    "eol": 0,
    "nop": 1,
    "noop": 1,
    "maxseg": 2,
    "mss": 2,
    "window": 3,
    "sack-permitted": 4,
    "sack-perm": 4,
    "sack": 5,
    "sack0": 5,
    "sack1": 5,
    "sack2": 5,
    "sack3": 5,
    "echo": 8,
    "timestamp": 8,
    "md5sig": 19,
    "mptcp": 30,
    "fastopen": 34,
}
"""Option kinds of tcp (RFC 9293 and IANA); nft's ``echo`` is what it calls timestamp's kind."""


def _there(protocol: int, key: str) -> tuple[Match, ...]:
    return Within(Field.PROTO, ((protocol, protocol),)), n.FIRST_FRAGMENT, uninterpreted(key)


def _tcp_option(option: str, field: str | None) -> Row:
    kind = option.split()[0]
    number = TCP_OPTIONS.get(kind, kind)
    there = _there(TCP, f"tcp --tcp-option {number}")
    if field is None:
        return Row(d.BOOLEAN, PresenceTarget(there), n.ip_or_ip6)
    mss = (number, field) == (2, "size")
    target = OpaqueTarget("tcpmss --mss", pair, asks=SegmentSize) if mss else OPAQUE
    of_field = {"subtype": d.MPTCP_SUBTYPE, "size": integer(16)}.get(field, integer(32))
    return Row(of_field, target, n.transport(TCP), n.has(there[-1]))


_IP_OPTIONS = {"addr": d.IPV4}


def _ip_option(option: str, field: str | None) -> Row:
    there = uninterpreted(f"ip option {option}")
    if field is None:
        return Row(d.BOOLEAN, PresenceTarget((there,)), n.network("ip"))
    of_field = _IP_OPTIONS.get(field, integer(16))
    return Row(of_field, OPAQUE, n.network("ip"), n.has(there))


_CHUNKS_OF_IPTABLES = {"ecne": "ECN_ECNE", "cwr": "ECN_CWR"}


def _sctp_chunk(option: str, field: str | None) -> Row:
    name = _CHUNKS_OF_IPTABLES.get(option, option.upper().replace("-", "_"))
    there = _there(SCTP, f"sctp --chunk-types any {name}")
    if field is None:
        return Row(d.BOOLEAN, PresenceTarget(there), n.ip_or_ip6)
    return Row(integer(32), OPAQUE, n.transport(SCTP), n.has(there[-1]))


def _dccp_option(option: str, field: str | None) -> Row:
    there = _there(DCCP, f"dccp --dccp-option {option}")
    return Row(d.BOOLEAN, PresenceTarget(there), n.ip_or_ip6)


_OPTIONS = {"tcp": _tcp_option, "ip": _ip_option, "sctp": _sctp_chunk, "dccp": _dccp_option}


def option_row(protocol: str, option: str, field: str | None) -> Row:
    """The kernel reads no options of other protocols: they are missing there (nft_exthdr.c)."""
    return _OPTIONS[protocol](option, field)


def raw_option_row(kind: str, length: int) -> Row:
    number = TCP_OPTIONS.get(kind, kind)
    there = n.has(uninterpreted(f"tcp --tcp-option {number}"))
    return Row(integer(max(length, 1)), OPAQUE, n.transport(TCP), there)


_EXTENSION_KEYS = {
    "hbh": "ipv6header --header hop-by-hop --soft",
    "dst": "ipv6header --header ipv6-opts --soft",
    "rt": "ipv6header --header ipv6-route --soft",
    "frag": "ipv6header --header ipv6-frag --soft",
}


def _of_fragment(flag: str) -> tuple[Match, ...]:
    return (uninterpreted(f"frag --{flag}"),)


_EXTENSION_FIELDS: dict[tuple[str, str], tuple[DataType, Target]] = {
    ("frag", "id"): (integer(32), OpaqueTarget("frag --fragid", pair)),
    ("rt", "type"): (integer(8), OpaqueTarget("rt --rt-type")),
    ("rt", "seg-left"): (integer(8), OpaqueTarget("rt --rt-segsleft", pair)),
    ("mh", "type"): (d.MH_TYPE, OpaqueTarget("mh --mh-type", pair)),
    ("rt0", "addr"): (d.IPV6, OPAQUE),
    ("rt2", "addr"): (d.IPV6, OPAQUE),
    ("srh", "sid"): (d.IPV6, OPAQUE),
    ("frag", "frag-off"): (integer(13), OpaqueTarget(instead={0: _of_fragment("fragfirst")})),
    ("frag", "more-fragments"): (
        integer(1),
        OpaqueTarget(instead={0: _of_fragment("fraglast"), 1: _of_fragment("fragmore")}),
    ),
    ("srh", "tag"): (integer(16), OPAQUE),
    ("mh", "checksum"): (integer(16), OPAQUE),
}


def extension_row(header: str, field: str | None) -> Row:
    """A mobility header is no extension header to the kernel but what ends their row."""
    is_mobility = header == "mh"
    key = _EXTENSION_KEYS.get(header, f"exthdr {header}")
    there: Match = Within(Field.PROTO, ((MH, MH),)) if is_mobility else uninterpreted(key)
    if field is None:
        return Row(d.BOOLEAN, PresenceTarget((there,)), n.network("ip6"))
    number = d.PROTO if field == "nexthdr" else integer(8)
    of_field, target = _EXTENSION_FIELDS.get((header, field), (number, OPAQUE))
    if is_mobility:
        # Behind a later fragment's header the kernel looks for none (ipv6_find_hdr).
        return Row(of_field, target, n.both(n.network("ip6"), n.has(there, n.FIRST_FRAGMENT)))
    return Row(of_field, target, n.network("ip6"), n.has(there))
