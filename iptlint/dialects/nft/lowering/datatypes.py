"""nft's data types, and how a value of each is read.

A value is a number, in the order in which the type's values are compared, a text (names of
interfaces and the like), or a name that only the machine knows the number of.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from iptlint.dialects import clock
from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.lowering import symbols, times
from iptlint.dialects.nft.lowering.symbols import Resolve
from iptlint.model.names import LONGEST_INTERFACE, name_in_template
from iptlint.model.near_words import nearest
from iptlint.model.numbers import c_number, decimal, hexadecimal, is_decimal, leading


class NftValueError(Exception):
    """nft refuses the value; ``help`` says what to write instead."""

    def __init__(self, message: str, help: str = "", node: t.Node | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help
        self.node = node


@dataclass(frozen=True, slots=True)
class Text:
    """With ``wildcard``, all texts that start with it."""

    text: str
    wildcard: bool = False


@dataclass(frozen=True, slots=True)
class Name:
    """A name whose number is not known here."""

    name: str


Scalar = int | Text | Name


@dataclass(frozen=True, slots=True)
class DataType:
    """``name`` as in ``nft describe``, ``width`` in bits (0: a text).

    ``resolve`` is given where names may be defined by the machine; without it a name that is
    none of ``symbols`` is refused. ``flags``: a test without an operator asks for any bit.
    """

    name: str
    width: int
    what: str
    symbols: Mapping[str, int] = field(default_factory=dict, hash=False)
    resolve: Resolve | None = None
    flags: bool = False
    reader: Callable[[t.Value, DataType], Scalar] | None = None

    @property
    def maximum(self) -> int:
        return (1 << self.width) - 1

    def read(self, value: t.Value) -> Scalar:
        """What the text stands for; NftValueError where nft would refuse it."""
        return (self.reader or _number_or_name)(value, self)


# -- numbers and names -------------------------------------------------------------------

_LOOKS_LIKE_NUMBER = re.compile(r"[0-9][0-9.]*|0[xX].*")


def _number_or_name(value: t.Value, type: DataType) -> Scalar:
    scalar = type.symbols.get(value.text)
    if scalar is None and value.kind is t.Kind.SYMBOL:
        scalar = symbols.PROTOCOL_WORDS.get(value.text, symbols.PRESENCE.get(value.text))
    if scalar is not None:
        return scalar
    number = c_number(value.text)
    if number is None and is_decimal(value.text):
        number = _decimal_only(value.text, type)
    if number is None:
        return _named(value.text, type)
    if number > type.maximum:
        raise NftValueError(
            f"`{_short(value.text)}` is too large for {article(type.what)}",
            f"write {_expected(type)}",
        )
    return number


_READ_IN_DECIMAL = frozenset(("inet_service", "uid", "gid"))
"""What nft reads with strtoimax(text, end, 10) where it is a word and no number."""


def _decimal_only(text: str, type: DataType) -> int:
    """``08``, which a leading 0 makes octal for all but a few types; too large a number wraps."""
    number = decimal(text) if type.name in _READ_IN_DECIMAL else None
    if number is None:
        cause = f"`{_short(text)}` is no {type.what}: the 0 at its beginning makes it octal"
        raise NftValueError(cause, f"write {_short(text.lstrip('0'))}")
    return number & type.maximum


def _named(text: str, type: DataType) -> Scalar:
    if type.resolve is None:
        near = nearest(text, type.symbols)
        instead = f"did you mean `{near}`?" if near else f"write {_expected(type)}"
        raise NftValueError(f"`{_short(text)}` is no {type.what}", instead)
    scalar = type.resolve(text)
    return Name(text) if scalar is None else scalar


def _expected(type: DataType) -> str:
    names = list(type.symbols)
    if not names or len(names) > 12:
        return f"a number from 0 to {type.maximum}" if type.width else article(type.what)
    return f"one of {', '.join(names)}"


def article(what: str) -> str:
    """The words with ``a`` or ``an`` before them."""
    return f"an {what}" if what[0] in "AEIOaeio8" else f"a {what}"


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


# -- addresses ---------------------------------------------------------------------------


def ipv4(text: str) -> int | None:
    """``192.0.2.1``, and what inet_aton(3) takes beside it: ``0xc0000201``, ``10.1``."""
    try:
        return int.from_bytes(socket.inet_aton(text), "big")
    except (OSError, UnicodeError, ValueError):
        return None


def ipv6(text: str) -> int | None:
    try:
        return int.from_bytes(socket.inet_pton(socket.AF_INET6, text), "big")
    except (OSError, UnicodeError, ValueError):
        return None


_MAPPED = "::ffff:"
"""Before an IPv4 address: the resolver of the C library takes it for that (RFC 4291)."""


def _ipv4_address(value: t.Value, type: DataType) -> Scalar:
    text = value.text.removeprefix(_MAPPED)
    scalar = ipv4(text) if " " not in text else None
    if scalar is None and (":" in value.text or _LOOKS_LIKE_NUMBER.fullmatch(value.text)):
        also = " (it is an IPv6 address)" if ipv6(value.text) is not None else ""
        raise NftValueError(
            f"`{_short(value.text)}` is no IPv4 address{also}",
            "write four numbers from 0 to 255, such as 192.0.2.1",
        )
    return Name(value.text) if scalar is None else scalar


def _ipv6_address(value: t.Value, type: DataType) -> Scalar:
    scalar = ipv6(value.text)
    if scalar is None and value.kind is t.Kind.ADDRESS:
        also = " (it is an IPv4 address)" if ipv4(value.text) is not None else ""
        raise NftValueError(
            f"`{_short(value.text)}` is no IPv6 address{also}",
            "write an address such as 2001:db8::1",
        )
    return Name(value.text) if scalar is None else scalar


def mac(text: str) -> int | None:
    """Octets with anything between, the last six: ``10.0.0.1`` is 00:00:10:00:00:01. A
    number is first written in decimal (src/datatype.c, lladdr_type_parse)."""
    number = c_number(text)
    octets = _NO_HEX.split(text if number is None else str(number))
    if not all(octet and len(octet.lstrip("0")) < 3 for octet in octets):
        return None
    return int.from_bytes(bytes(hexadecimal(octet) or 0 for octet in octets[-6:]), "big")


_NO_HEX = re.compile("[^0-9a-fA-F]")


def _mac_address(value: t.Value, type: DataType) -> Scalar:
    scalar = mac(value.text)
    if scalar is None:
        raise NftValueError(
            f"`{_short(value.text)}` is no MAC address", "write six octets: 00:11:22:33:44:55"
        )
    return scalar


# -- texts, handles, times -----------------------------------------------------------------


def _text(value: t.Value, type: DataType) -> Scalar:
    """A ``*`` at the end stands for any rest; with a backslash before it, for itself."""
    text = value.text
    if len(text) > 1 and text.endswith("\\*"):
        return Text(f"{text[:-2]}*")
    if text.endswith("*"):
        return Text(text[:-1], wildcard=True)
    return Text(text)


_LONGEST_NAME = 15
"""Octets of the name of a helper or of a system (NF_CT_HELPER_NAME_LEN, MAXGENRELEN)."""


def _short_name(value: t.Value, type: DataType) -> Scalar:
    if not value.text:
        raise NftValueError("there is no text in it", "write a name")
    if len(value.text.encode(errors="surrogateescape")) > _LONGEST_NAME:
        cause = f"`{_short(value.text)}` has more than {_LONGEST_NAME} octets"
        raise NftValueError(cause, "write the name that the kernel has")
    return _text(value, type)


def _interface(value: t.Value, type: DataType) -> Scalar:
    scalar = _text(value, type)
    assert isinstance(scalar, Text)
    if scalar == Text(""):
        raise NftValueError("a name of no letters is no interface's", "leave out the test")
    if scalar == Text("", wildcard=True):
        raise NftValueError("`*` alone is no interface name", "leave out the test: it says nothing")
    if (name := name_in_template(scalar.text)) is not None:
        return Text(name)
    if len(scalar.text.encode(errors="replace")) > LONGEST_INTERFACE:
        raise NftValueError(
            f"`{_short(scalar.text)}` is no interface name, "
            f"which has at most {LONGEST_INTERFACE} characters",
            "write the name as `ip link` prints it",
        )
    return scalar


def _interface_or_index(value: t.Value, type: DataType) -> Scalar:
    number = c_number(value.text) if value.kind is t.Kind.NUMBER else None
    return Text(name_in_template(value.text) or value.text) if number is None else number


def _tc_handle(value: t.Value, type: DataType) -> Scalar:
    """No text is wrong for strtoull(3), which nft reads it with (tchandle_type_parse)."""
    major, colon, minor = value.text.partition(":")
    if colon:
        high, low = (hexadecimal(_HEX_DIGITS.findall(part)[0]) or 0 for part in (major, minor))
        return (high & 0xFFFF) << 16 | low & 0xFFFF
    word = type.symbols.get(value.text)
    if word is None and value.kind is t.Kind.SYMBOL:
        word = symbols.PROTOCOL_WORDS.get(value.text)
    return leading(value.text) & type.maximum if word is None else word


_HEX_DIGITS = re.compile("[0-9a-fA-F]*")


def _duration(value: t.Value, type: DataType) -> Scalar:
    """In milliseconds, as the kernel compares it; a bare number is seconds."""
    text = value.text
    read = times.read(text)
    if read is not None and read <= type.maximum:
        return read
    if is_decimal(text[:1]):
        too_large = f"`{_short(text)}` is too large for a time"
        wrong = too_large if read is not None else times.fault(text) or too_large
        raise NftValueError(wrong, "write one such as 1h30m, of at most 49 days")
    return Name(text)


def _label(value: t.Value, type: DataType) -> Scalar:
    """A number is that of the bit; names are in connlabel.conf."""
    number = c_number(value.text)
    if number is None:
        return Name(value.text)
    if number >= type.width:
        raise NftValueError(
            f"`{_short(value.text)}` is too large for {article(type.what)}",
            "write a number from 0 to 127",
        )
    return 1 << number


def _name_only(value: t.Value, type: DataType) -> Scalar:
    return Name(value.text)


def _moment(shown: Callable[[int], str]) -> Callable[[t.Value, DataType], Scalar]:
    """A number is seconds in UTC; a text is read in the time zone of who runs nft."""

    def read(value: t.Value, type: DataType) -> Scalar:
        number = decimal(value.text)
        return Name(value.text if number is None else shown(number))

    return read


def _weekday(number: int) -> str:
    return clock.WEEK[number] if number < len(clock.WEEK) else str(number)


# -- the types -------------------------------------------------------------------------------


_WIDEST = 2048
"""More bits than a kernel reads at once, however many a text asks for."""


def integer(width: int) -> DataType:
    width = min(width, _WIDEST)
    return DataType("integer", width, f"{width}-bit number", resolve=symbols.unknown)


def _symbolic(name: str, width: int, what: str, names: Mapping[str, int]) -> DataType:
    return DataType(name, width, what, names)


def _bitmask(name: str, width: int, what: str, names: Mapping[str, int]) -> DataType:
    return DataType(name, width, what, names, flags=True)


def _local(name: str, width: int, what: str, resolve: Resolve) -> DataType:
    return DataType(name, width, what, resolve=resolve)


IPV4 = DataType("ipv4_addr", 32, "IPv4 address", reader=_ipv4_address)
IPV6 = DataType("ipv6_addr", 128, "IPv6 address", reader=_ipv6_address)
ETHER = DataType("ether_addr", 48, "MAC address", reader=_mac_address)
PROTO = _local("inet_proto", 8, "protocol", symbols.protocol)
SERVICE = _local("inet_service", 16, "port", symbols.service)
MARK = _local("mark", 32, "mark", symbols.unknown)
REALM = _local("realm", 32, "routing realm", symbols.unknown)
UID = _local("uid", 32, "user", symbols.user)
GID = _local("gid", 32, "group", symbols.user)
DEVGROUP = DataType("devgroup", 32, "device group", {"default": 0}, symbols.unknown)
CGROUPV2 = _local("cgroupsv2", 64, "control group", symbols.unknown)
TC_HANDLE = DataType("classid", 32, "traffic class", symbols.TC_HANDLES, reader=_tc_handle)
IFINDEX = DataType("iface_index", 32, "interface", reader=_interface_or_index)
FIB_RESULT = DataType("fib_result", 32, "interface", reader=_interface_or_index)
IFNAME = DataType("ifname", 0, "interface name", reader=_interface)
STRING = DataType("string", 0, "text", reader=_text)
SHORT_NAME = DataType("string", 0, "text", reader=_short_name)
TIME = DataType("time", 32, "time", reader=_duration)
MOMENT = DataType("date", 64, "time", reader=_moment(clock.shown_date))
HOUR = DataType("hour", 32, "time", reader=_moment(clock.shown_hour))
WEEKDAY = DataType("day", 8, "time", reader=_moment(_weekday))
BOOLEAN = DataType("boolean", 8, "truth value", symbols.BOOLEANS)
CT_STATE = _bitmask("ct_state", 32, "connection state", symbols.CT_STATES)
CT_STATUS = _bitmask("ct_status", 32, "connection status", symbols.CT_STATUSES)
CT_DIR = _symbolic("ct_dir", 8, "direction", symbols.CT_DIRECTIONS)
CT_EVENT = _bitmask("ct_event", 32, "connection event", symbols.CT_EVENTS)
CT_LABEL = DataType("ct_label", 128, "connection label", flags=True, reader=_label)
TCP_FLAG = _bitmask("tcp_flag", 8, "TCP flag", symbols.TCP_FLAGS)
ICMP_TYPE = _symbolic("icmp_type", 8, "ICMP type", symbols.ICMP_TYPES)
ICMP_CODE = _symbolic("icmp_code", 8, "ICMP code", symbols.ICMP_CODES)
ICMPV6_TYPE = _symbolic("icmpv6_type", 8, "ICMPv6 type", symbols.ICMPV6_TYPES)
ICMPV6_CODE = _symbolic("icmpv6_code", 8, "ICMPv6 code", symbols.ICMPV6_CODES)
ICMPX_CODE = _symbolic("icmpx_code", 8, "icmpx code", symbols.ICMPX_CODES)
IGMP_TYPE = _symbolic("igmp_type", 8, "IGMP type", symbols.IGMP_TYPES)
DSCP = _symbolic("dscp", 6, "DSCP class", symbols.DSCP)
ECN = _symbolic("ecn", 2, "ECN value", symbols.ECN)
ETHER_TYPE = _symbolic("ether_type", 16, "ethertype", symbols.ETHER_TYPES)
ARP_OP = _symbolic("arp_op", 16, "ARP operation", symbols.ARP_OPERATIONS)
NF_PROTO = _symbolic("nf_proto", 8, "protocol family", symbols.NF_PROTOCOLS)
PKT_TYPE = _symbolic("pkt_type", 8, "packet type", symbols.PACKET_TYPES)
IFACE_TYPE = _symbolic("iface_type", 16, "interface type", symbols.IFACE_TYPES)
FIB_TYPE = _symbolic("fib_addrtype", 32, "address type", symbols.FIB_TYPES)
MH_TYPE = _symbolic("mh_type", 8, "mobility header type", symbols.MH_TYPES)
DCCP_TYPE = _symbolic("dccp_pkttype", 4, "DCCP packet type", symbols.DCCP_TYPES)
MPTCP_SUBTYPE = DataType(
    "mptcpopt_subtype", 4, "MPTCP subtype", symbols.MPTCP_SUBTYPES, symbols.unknown
)
ANYTHING = DataType("unknown", 128, "value", reader=_name_only)

BY_NAME: dict[str, DataType] = {
    one.name: one
    for one in (
        *(IPV4, IPV6, ETHER, PROTO, SERVICE, MARK, REALM, UID, GID, DEVGROUP, CGROUPV2),
        *(TC_HANDLE, IFINDEX, IFNAME, STRING, TIME, MOMENT, BOOLEAN, CT_STATE, CT_STATUS),
        *(CT_DIR, CT_EVENT, CT_LABEL, TCP_FLAG, ICMP_TYPE, ICMP_CODE, ICMPV6_TYPE, ICMPV6_CODE),
        *(ICMPX_CODE, IGMP_TYPE, DSCP, ECN, ETHER_TYPE, ARP_OP, NF_PROTO, PKT_TYPE, IFACE_TYPE),
        *(FIB_TYPE, MH_TYPE, DCCP_TYPE),
    )
}
"""The words that ``type`` of a set takes."""
