"""A packet as the log of the kernel shows it (net/netfilter/nf_log_syslog.c), as iptables' LOG and
nft's log write it.

    kern.warn kernel: [703.74] PREFIX IN=eth0 OUT= MAC=… SRC=192.0.2.7 DST=192.0.2.1 LEN=60 TOS=0x00
    PREC=0x00 TTL=64 ID=441 DF PROTO=TCP SPT=56114 DPT=81 WINDOW=65495 RES=0x00 SYN URGP=0 MARK=0x7

What stands before ``IN=`` is the rule's prefix, behind what the logging daemon has put there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from iptlint.model import Family, Field
from iptlint.model.numbers import c_number, decimal
from iptlint.model.protocols import (
    ICMP6,
    PORT_PROTOCOLS,
    PROTOCOL_NAMES,
    PROTOCOL_NUMBERS,
    TCP,
    TCP_FLAGS,
    icmp_of,
    tcp_flag_bits,
    tcp_flag_names,
)
from iptlint.packets.packet import Packet
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_PACKET = re.compile(r"IN=(\S{0,64}) OUT=(\S{0,64}) (.*)")
_WORD = re.compile(r"(?<![A-Z0-9])([A-Z0-9]+)=(\S*)")
_INNER = re.compile(r"\[.{0,2000}\]|OPT \([0-9A-F]*\)")
"""The packet that an ICMP error is about, and options as numbers."""
_MAC = re.compile(r"(?:[0-9a-f]{2}:){6}((?:[0-9a-f]{2}:){5}[0-9a-f]{2}):[0-9a-f]{2}:[0-9a-f]{2}")

_TIME = r"[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d(?:\.\d+)?"
_HEADS = (
    r"<\d{1,3}>(?:\d )?",  # a level; of RFC 5424, too
    r"\d+,\d+,\d+,[^;\s]*;",  # /dev/kmsg
    rf"\[[A-Z][a-z]{{2}} {_TIME} \d{{4}}\] ",  # dmesg --ctime
    r"kern *:[a-z]+ *: ",  # dmesg --decode
    r"kernel(?:\[\d+\])?(?:: | - - (?:- )?)",
    r"\[ *\d+\.\d+\] ?",
)
"""What logging daemons put before a message."""
_HEAD = re.compile("|".join(_HEADS))
_DATED = re.compile(
    rf"(?:[A-Z][a-z]{{2}} )?{_TIME}(?: \d{{4}} [a-z]+\.[a-z]+)? "  # RFC 3164; logread of OpenWrt
    r"|\d{4}-\d\d-\d\dT\S+ "  # RFC 3339
)
_HOST = re.compile(r"(?!kernel)[A-Za-z0-9_.:-]*[A-Za-z0-9] ")
"""Behind a time the name of a host may stand."""
_TOS_SHOWN = 0xFE  # IPTOS_TOS_MASK | IPTOS_PREC_MASK


@dataclass(frozen=True, slots=True)
class LoggedPacket:
    """None: the line does not show it. Equal for lines that show the same."""

    family: Family
    iif: str | None
    oif: str | None
    saddr: int
    daddr: int
    proto: int
    fragment: bool = False
    sport: int | None = None
    dport: int | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None
    tcp_flags: int | None = None
    mark: int = 0
    length: int | None = None
    ttl: int | None = None
    tos: int | None = None
    mac_source: int | None = None

    def numbers(self) -> Iterator[tuple[Field, int]]:
        """The fields whose value is shown, without the interfaces."""
        shown = {
            self.family.saddr: self.saddr,
            self.family.daddr: self.daddr,
            Field.PROTO: self.proto,
            Field.FRAGMENT: int(self.fragment),
            Field.SPORT: self.sport,
            Field.DPORT: self.dport,
            Field.ICMP_TYPE: self.icmp_type,
            Field.ICMP_CODE: self.icmp_code,
            Field.TCP_FLAGS: self.tcp_flags,
            Field.MARK: self.mark,
            Field.LENGTH: self.length,
            Field.TTL: self.ttl,
            Field.MAC_SOURCE: self.mac_source,
        }
        yield from ((field, number) for field, number in shown.items() if number is not None)

    def packets(self, space: Space, fields: Iterable[Field]) -> PacketSet:
        """Those that are like it in these fields, its interfaces aside."""
        wanted = {*fields}
        packets = space.family(self.family.value)
        for field, number in self.numbers():
            if field in wanted:
                packets = packets & space.value(field, number)
        if self.tos is not None and Field.TOS in wanted:
            packets = packets & space.masked(Field.TOS, _TOS_SHOWN, self.tos & _TOS_SHOWN)
        return packets

    def as_packet(self) -> Packet:
        flags = None if self.tcp_flags is None else tcp_flag_names(self.tcp_flags)
        return Packet(
            family=self.family.value,
            iif=self.iif,
            oif=self.oif,
            saddr=_address(self.family, self.saddr),
            daddr=_address(self.family, self.daddr),
            proto=PROTOCOL_NAMES.get(self.proto, str(self.proto)),
            sport=self.sport,
            dport=self.dport,
            tcp_flags=flags,
            icmp_type=self.icmp_type,
            icmp_code=self.icmp_code,
            mark=self.mark,
        )


@dataclass(frozen=True, slots=True)
class LogLine:
    """``number`` counts the lines from 1. ``head``: what stands before ``IN=``. ``packet``: None
    where it is of no family that is followed, as ARP is not."""

    number: int
    head: str
    packet: LoggedPacket | None

    def prefixes(self) -> tuple[str, ...]:
        """What the prefix of the rule may be, by what daemons are known to put there: the likely
        one first."""
        heads = [self.head]
        while prefix := _HEAD.match(heads[-1]) or _DATED.match(heads[-1]):
            heads.append(heads[-1][prefix.end() :])
            if prefix.re is _DATED and (host := _HOST.match(heads[-1])):
                heads.append(heads[-1][host.end() :])
        return tuple(reversed(heads))


def log_lines(text: str) -> Iterator[LogLine | int]:
    """The lines that show a packet; of any other line, if it is not empty, its number."""
    for number, line in enumerate(text.split("\n"), start=1):
        match = _PACKET.search(_message(line))
        if match is not None:
            head = match.string[: match.start()]
            yield LogLine(number, head, _packet(match[1], match[2], match[3]))
        elif line.strip():
            yield number


def _message(line: str) -> str:
    """Of a line of `journalctl --output json` its message."""
    if not line.startswith("{"):
        return line
    try:
        message = json.loads(line).get("MESSAGE")
    except (ValueError, RecursionError):
        return line
    return message if isinstance(message, str) else line


def _packet(iif: str, oif: str, rest: str) -> LoggedPacket | None:
    outer = _INNER.sub("", rest)
    words = dict(_WORD.findall(outer)[::-1])  # the first of two counts: UDP has a LEN of its own
    addresses = [_number_of(words.get(name, "")) for name in ("SRC", "DST")]
    proto = _protocol(words.get("PROTO", ""))
    family = Family.IP6 if "HOPLIMIT" in words else Family.IP
    if None in addresses or proto is None:
        return None
    (saddr, version), (daddr, other) = (each for each in addresses if each is not None)
    if not version == other == (6 if family is Family.IP6 else 4):
        return None
    is_icmp = proto == icmp_of(family)
    has_flags = proto == TCP and "WINDOW" in words
    mac = _MAC.match(words.get("MAC", "")) or _MAC.match(_decoded_mac(words))
    ports = proto in PORT_PROTOCOLS
    return LoggedPacket(
        family,
        iif or None,
        oif or None,
        saddr,
        daddr,
        proto,
        fragment=bool(re.search(r"\bFRAG:[1-9]", outer)),
        sport=_number(words, "SPT", 16) if ports else None,
        dport=_number(words, "DPT", 16) if ports else None,
        icmp_type=_number(words, "TYPE", 8) if is_icmp else None,
        icmp_code=_number(words, "CODE", 8) if is_icmp else None,
        tcp_flags=_flags(outer) if has_flags else None,
        mark=_number(words, "MARK", 32) or 0,
        length=_number(words, "LEN", 16),
        ttl=_number(words, "TTL" if family is Family.IP else "HOPLIMIT", 8),
        tos=_tos(words),
        mac_source=int(mac[1].replace(":", ""), 16) if mac else None,
    )


def _number(words: dict[str, str], name: str, bits: int) -> int | None:
    """None where there is none, or it is too large for the field."""
    text = words.get(name, "")
    number = c_number(text) if text.startswith("0x") else decimal(text)
    return None if number is None or number >> bits else number


def _number_of(text: str) -> tuple[int, int] | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return int(address), address.version


def _address(family: Family, number: int) -> str:
    width = family.address_bits // 8
    return str(ip_address(number.to_bytes(width, "big")))


def _protocol(word: str) -> int | None:
    """ICMPv6 has another name in the log than in /etc/protocols."""
    if word == "ICMPv6":
        return ICMP6
    number = PROTOCOL_NUMBERS.get(word.lower()) if decimal(word) is None else decimal(word)
    return number if number is not None and number < 256 else None


def _flags(text: str) -> int:
    """They stand as bare words behind RES=."""
    named = {word.lower() for word in text.partition(" RES=")[2].split()}
    return tcp_flag_bits(*(flag for flag in TCP_FLAGS if flag in named))


def _tos(words: dict[str, str]) -> int | None:
    if "TC" in words:
        return _number(words, "TC", 8)
    tos, precedence = (_number(words, name, 8) for name in ("TOS", "PREC"))
    return None if tos is None or precedence is None else tos | precedence


def _decoded_mac(words: dict[str, str]) -> str:
    """As `log flags ether` and `--log-macdecode` write it."""
    return f"{words.get('MACDST', '')}:{words.get('MACSRC', '')}:00:00"
