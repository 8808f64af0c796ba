"""The selectors that no header holds: what the kernel knows of a packet. One row each."""

from __future__ import annotations

from collections.abc import Callable

from iptlint.dialects.nft.lowering import datatypes as d
from iptlint.dialects.nft.lowering import dependencies as n
from iptlint.dialects.nft.lowering.datatypes import integer
from iptlint.dialects.nft.lowering.header_match_builders import (
    EtherTypeTarget,
    FieldTarget,
    FlagsTarget,
    InterfaceTarget,
    LengthTarget,
    OneOfTarget,
)
from iptlint.dialects.nft.lowering.header_selectors import OPAQUE, Row
from iptlint.dialects.nft.lowering.match_builders import (
    NETWORKS,
    FibTarget,
    OpaqueTarget,
    PresenceTarget,
    UncertainTarget,
    hexadecimal,
    pair,
)
from iptlint.dialects.nft.lowering.symbols import (
    CT_DIRECTIONS,
    CT_STATES,
    FIB_TYPES,
    IFACE_TYPES,
    NF_PROTOCOLS,
    PACKET_TYPES,
)
from iptlint.dialects.uninterpreted import host_name, uninterpreted
from iptlint.model import Family, Field, Match, Within
from iptlint.model.matches import CT_STATES as MODEL_STATES
from iptlint.model.matches import PKTTYPES, AddressType, Original, ReversePath, Sender
from iptlint.model.protocols import TCP

# -- meta -----------------------------------------------------------------------------------

_HAS_SOCKET = n.has(uninterpreted("owner --socket-exists", asks=Sender((0, 2**32 - 1))))
_ROUTED = uninterpreted("has a route")
_HAS_ROUTE = n.has(_ROUTED)
_IN_IPSEC = (uninterpreted("policy --dir in --pol ipsec"),)
_OUT_IPSEC = (uninterpreted("policy --dir out --pol ipsec"),)


def _sender(of: d.DataType, key: str) -> Row:
    target = OpaqueTarget(
        f"owner --{key}-owner",
        asks=lambda low, high: Sender((low, high)),
        asks_name=lambda _: Sender(),
    )
    return Row(of, target, present=_HAS_SOCKET)


def _there(what: str) -> n.Need:
    return n.has(uninterpreted(f"{what} there"))


def _iface_type(side: str) -> Row:
    """Of the incoming side xt_mac asks the same."""
    ethernet = {IFACE_TYPES["ether"]: (n.IS_ETHERNET,)} if side == "i" else {}
    target = OpaqueTarget(instead=ethernet)
    return Row(d.IFACE_TYPE, target, present=_there(f"{side}if"))


def _group(side: str, key: str) -> Row:
    target = OpaqueTarget(f"devgroup --{key}-group", hexadecimal)
    return Row(d.DEVGROUP, target, present=_there(f"{side}if"))


_REALM = Row(d.REALM, OpaqueTarget("realm --realm", hexadecimal), present=_HAS_ROUTE)

_META: dict[str, Row] = {
    "protocol": Row(d.ETHER_TYPE, EtherTypeTarget()),
    "l4proto": Row(d.PROTO, FieldTarget(Field.PROTO, 8), n.ip_or_ip6),
    "mark": Row(d.MARK, FieldTarget(Field.MARK, 32)),
    "priority": Row(d.TC_HANDLE, OPAQUE),
    "pkttype": Row(
        d.PKT_TYPE,
        OneOfTarget(
            Field.PKTTYPE,
            {name: PKTTYPES.index(name.replace("host", "unicast")) for name in PACKET_TYPES},
            PACKET_TYPES,
        ),
    ),
    "iif": Row(d.IFINDEX, InterfaceTarget(Field.IIF, by_index=True)),
    "oif": Row(d.IFINDEX, InterfaceTarget(Field.OIF, by_index=True)),
    "iifname": Row(d.IFNAME, InterfaceTarget(Field.IIF)),
    "oifname": Row(d.IFNAME, InterfaceTarget(Field.OIF)),
    "iiftype": _iface_type("i"),
    "oiftype": _iface_type("o"),
    "iifgroup": _group("i", "src"),
    "oifgroup": _group("o", "dst"),
    "iifkind": Row(d.IFNAME, OPAQUE, present=_there("iif")),
    "oifkind": Row(d.IFNAME, OPAQUE, present=_there("oif")),
    "sdif": Row(d.IFINDEX, OPAQUE),
    "sdifname": Row(d.IFNAME, OPAQUE),
    "ibrname": Row(d.IFNAME, OPAQUE, present=_there("ibrname")),
    "obrname": Row(d.IFNAME, OPAQUE, present=_there("obrname")),
    "ibriport": Row(d.IFNAME, OPAQUE, present=_there("ibrname")),
    "obriport": Row(d.IFNAME, OPAQUE, present=_there("obrname")),
    "ibrpvid": Row(integer(16), OPAQUE, present=_there("ibrname")),
    "ibrvproto": Row(d.ETHER_TYPE, OPAQUE, present=_there("ibrname")),
    "ibrhwdr": Row(d.ETHER, OPAQUE, present=_there("ibrname")),
    "ibrhwaddr": Row(d.ETHER, OPAQUE, present=_there("ibrname")),
    "skuid": _sender(d.UID, "uid"),
    "skgid": _sender(d.GID, "gid"),
    "cgroup": Row(integer(32), OpaqueTarget("cgroup --cgroup"), present=_there("cgroup")),
    "rtclassid": _REALM,
    "cpu": Row(integer(32), OpaqueTarget("cpu --cpu")),
    "nftrace": Row(d.BOOLEAN, PresenceTarget((uninterpreted("meta nftrace"),))),
    "broute": Row(d.BOOLEAN, PresenceTarget((uninterpreted("meta broute"),))),
    "ipsec": Row(d.BOOLEAN, PresenceTarget(_IN_IPSEC)),
    "secpath": Row(d.BOOLEAN, PresenceTarget(_IN_IPSEC)),
    "secmark": Row(integer(32), OPAQUE),
    "random": Row(integer(32), UncertainTarget("statistic")),
    "prandom": Row(integer(32), UncertainTarget("statistic")),
    "time": Row(d.MOMENT, UncertainTarget("time")),
    "day": Row(d.WEEKDAY, UncertainTarget("time")),
    "hour": Row(d.HOUR, UncertainTarget("time")),
}

_NFPROTO = Row(d.NF_PROTO, OneOfTarget(Field.FAMILY, {"ipv4": 0, "ipv6": 1}, NF_PROTOCOLS))
_LENGTH = Row(integer(32), LengthTarget())


def meta_row(key: str, context: n.Context) -> Row | None:
    """Below the network layer a packet's length counts what Ethernet fills it up with."""
    if key == "length":
        layer3 = context.family in (Family.IP, Family.IP6, Family.INET)
        return _LENGTH if layer3 else Row(integer(32), OPAQUE)
    if key == "nfproto":
        return _NFPROTO if context.family is Family.INET else Row(d.NF_PROTO, OPAQUE)
    return _META.get(key)


# -- ct -------------------------------------------------------------------------------------

_STATUSES = ("EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED")


def _status_bit(bit: int) -> tuple[Match, ...]:
    translated = {4: Field.CT_SNAT, 5: Field.CT_DNAT}.get(bit)
    if translated:
        return (Within(translated, ((1, 1),)),)
    if bit < len(_STATUSES):
        return (uninterpreted(f"conntrack --ctstatus {_STATUSES[bit]}"),)
    return (uninterpreted(f"ct status {1 << bit:#x}"),)


def _label_bit(bit: int) -> tuple[Match, ...]:
    return (uninterpreted(f"connlabel --label {bit}"),)


_CT: dict[str, Row] = {
    "state": Row(
        d.CT_STATE,
        OneOfTarget(
            Field.CT_STATE, {name: MODEL_STATES.index(name) for name in CT_STATES}, CT_STATES
        ),
    ),
    "direction": Row(
        d.CT_DIR, OneOfTarget(Field.CT_DIRECTION, CT_DIRECTIONS, CT_DIRECTIONS), n.connection
    ),
    "status": Row(d.CT_STATUS, FlagsTarget(_status_bit), n.connection),
    "mark": Row(d.MARK, FieldTarget(Field.CT_MARK, 32), n.connection),
    "label": Row(d.CT_LABEL, FlagsTarget(_label_bit), n.connection),
    "helper": Row(
        d.SHORT_NAME, OpaqueTarget("helper --helper"), n.connection, present=_there("ct helper")
    ),
    "expiration": Row(d.TIME, UncertainTarget("conntrack"), n.connection),
    "bytes": Row(integer(64), UncertainTarget("connbytes"), n.connection),
    "packets": Row(integer(64), UncertainTarget("connbytes"), n.connection),
    "avgpkt": Row(integer(64), UncertainTarget("connbytes"), n.connection),
    "protocol": Row(d.PROTO, OpaqueTarget("conntrack --ctproto"), n.connection),
    "l3proto": Row(d.NF_PROTO, OPAQUE, n.connection),
    "zone": Row(integer(16), OPAQUE, n.connection),
    "id": Row(integer(32), OPAQUE, n.connection),
    "secmark": Row(integer(32), OPAQUE, n.connection),
    "event": Row(d.CT_EVENT, OPAQUE, n.connection),
}


_IP_NETWORKS = {family: OpaqueTarget(show=show) for family, show in NETWORKS.items()}
SAME_BOTH_WAYS = ("protocol", "l3proto")
"""Keys for which a connection's two directions have the same value."""

_SHORT = {"original": "orig", "reply": "repl"}


def _original(direction: str, field: Field) -> Callable[[int, int], Original | None]:
    def asks(low: int, high: int) -> Original | None:
        return Original(field, ((low, high),)) if direction == "original" else None

    return asks


def _tuple_address(direction: str, key: str, family: str | None) -> Row:
    name = f"conntrack --ct{_SHORT[direction]}{'src' if key == 'saddr' else 'dst'}"
    if family not in _IP_NETWORKS:
        return Row(d.ANYTHING, OpaqueTarget(name, asks_name=host_name), n.connection)
    asks = _original(direction, Family(family).field(Field(key)))
    target = OpaqueTarget(name, _IP_NETWORKS[family].show, asks=asks, asks_name=host_name)
    address = d.IPV4 if family == "ip" else d.IPV6
    return Row(address, target, n.both(n.connection, n.network(family)))


def _tuple_port(direction: str, key: str) -> Row:
    side = "src" if key == "proto-src" else "dst"
    asks = _original(direction, Field.SPORT if side == "src" else Field.DPORT)
    target = OpaqueTarget(f"conntrack --ct{_SHORT[direction]}{side}port", pair, asks=asks)
    return Row(d.SERVICE, target, n.connection)


def ct_row(key: str, direction: str | None, family: str | None, context: n.Context) -> Row | None:
    if direction and key in ("saddr", "daddr"):
        return _tuple_address(direction, key, family or context.network)
    if direction and key in ("proto-src", "proto-dst"):
        return _tuple_port(direction, key)
    if key in ("saddr", "daddr", "proto-src", "proto-dst"):
        return Row(d.ANYTHING, OPAQUE, n.connection)
    row = _CT.get(key)
    if row is None or direction is None or key in SAME_BOTH_WAYS:
        return row
    target = row.target if isinstance(row.target, UncertainTarget) else OPAQUE
    return Row(row.type, target, row.needs)


# -- rt, socket, osf, fib, ipsec, tunnel ----------------------------------------------------


def routing_row(key: str, family: str | None, context: n.Context) -> Row:
    rows = {
        "classid": _REALM,
        "ipsec": Row(d.BOOLEAN, PresenceTarget(_OUT_IPSEC, beside=(_ROUTED,))),
        "mtu": Row(integer(16), OPAQUE, present=_HAS_ROUTE),
    }
    if key != "nexthop":
        return rows[key]
    # What the rule is about decides, whatever is written (nftables' src/rt.c).
    network = context.network if context.network in _IP_NETWORKS else family
    if network not in _IP_NETWORKS:
        return Row(d.ANYTHING, OPAQUE, present=_HAS_ROUTE)
    address = d.IPV4 if network == "ip" else d.IPV6
    return Row(address, OPAQUE, present=_HAS_ROUTE)


_PEER = uninterpreted("socket --nowildcard")
_HAS_PEER = n.has(_PEER)
"""A socket waits for the packet."""
_FULL_PEER = (_PEER, uninterpreted("socket full"))
"""One that is neither being opened nor closed: only such say at which address they are
(nft_socket_eval)."""

_SOCKET: dict[str, Row] = {
    "transparent": Row(
        d.BOOLEAN,
        PresenceTarget(
            (_PEER, uninterpreted("socket --nowildcard --transparent")), beside=(_PEER,)
        ),
        present=_HAS_PEER,
    ),
    "wildcard": Row(
        d.BOOLEAN,
        PresenceTarget((_PEER, uninterpreted("socket wildcard 1")), beside=_FULL_PEER),
        present=n.has(*_FULL_PEER),
    ),
    "mark": Row(d.MARK, OPAQUE, present=_HAS_PEER),
    "cgroupv2": Row(d.STRING, OPAQUE, present=_HAS_PEER),
}


def socket_row(key: str) -> Row | None:
    return _SOCKET.get(key)


_FIB_ADDRESS_TYPES = {number: name.upper() for name, number in FIB_TYPES.items()}
_ROUTE_BACK = {"saddr", "iif", "mark"}


def fib_row(flags: tuple[str, ...], result: str) -> Row:
    """``fib saddr . iif oif`` is what rpfilter asks."""
    given = set(flags)
    if result == "type":
        return Row(d.FIB_TYPE, _address_type(flags))
    if "saddr" in given and given <= _ROUTE_BACK:
        loose = "" if "iif" in given else " --loose"
        key = f"rpfilter{loose}{' --validmark' if 'mark' in given else ''}"
        there = uninterpreted(key, asks=ReversePath(loose=bool(loose)))
    else:
        there = uninterpreted(f"fib {' . '.join(flags)} oif")
    return Row(d.FIB_RESULT, FibTarget((there,)))


def _address_type(flags: tuple[str, ...]) -> OpaqueTarget:
    given = set(flags)
    end = next((word for word in ("saddr", "daddr") if word in given), "")
    limits = {"iif": " --limit-iface-in", "oif": " --limit-iface-out"}
    limit = next((limits[word] for word in limits if word in given), "")
    if "mark" in given or not end or {"iif", "oif"} <= given:
        return OPAQUE
    option = "src" if end == "saddr" else "dst"

    def asks(low: int, high: int) -> AddressType | None:
        name = _FIB_ADDRESS_TYPES.get(low) if low == high else None
        return AddressType(Field(end), (name,), by_route=not limit) if name else None

    return OpaqueTarget(
        f"addrtype --{option}-type", names=_FIB_ADDRESS_TYPES, after=limit, asks=asks
    )


def ipsec_row(key: str, family: str | None) -> Row:
    of_family = {"ip": d.IPV4, "ip6": d.IPV6}.get(family or "", d.ANYTHING)
    of_key = integer(32) if key in ("spi", "reqid") else of_family
    return Row(of_key, OPAQUE, present=n.has(uninterpreted("ipsec there")))


# -- any selector ---------------------------------------------------------------------------


HASH = Row(integer(32), OPAQUE)
NUMGEN = Row(integer(32), UncertainTarget("statistic"))
FINGERPRINT = Row(d.SHORT_NAME, OPAQUE, n.has(Within(Field.PROTO, ((TCP, TCP),))), _there("osf"))
"""Only of the first packet of a tcp connection (nft_osf.c)."""

TUNNEL = Row(integer(32), OPAQUE, present=_there("tunnel"))
