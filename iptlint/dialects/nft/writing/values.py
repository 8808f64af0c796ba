"""Values, names and texts in the words of `nft list ruleset`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address

from iptlint.dialects.nft.lowering.symbols import ICMP_TYPES, ICMPV6_TYPES
from iptlint.dialects.nft.parsing.reserved import RESERVED
from iptlint.model import Field
from iptlint.model.matches import BITS, CT_STATES, PKTTYPES, Ranges
from iptlint.model.protocols import TCP_FLAGS

PROTOCOL_NAMES = {
    **{1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 33: "dccp", 50: "esp", 51: "ah"},
    **{58: "icmpv6", 108: "comp", 132: "sctp", 136: "udplite"},
}
"""Those that nft names by itself; any other is a number, which needs no /etc/protocols."""

_IP_ADDRESSES = (Field.SADDR, Field.DADDR, Field.SADDR6, Field.DADDR6)
ADDRESSES = (*_IP_ADDRESSES, Field.MAC_SOURCE)


class NoFormError(Exception):
    """nft has no words for it; the text is a sentence that says for what."""


# -- values -----------------------------------------------------------------------------------


def mac(number: int) -> str:
    return ":".join(f"{number >> shift & 0xFF:02x}" for shift in range(40, -1, -8))


def hexadecimal(number: int) -> str:
    return f"{number:#x}"


def flags(number: int) -> str:
    """``syn | ack`` of the flags of tcp, nft's names for them."""
    names = ["ecn" if name == "ece" else name for name in TCP_FLAGS]
    return " | ".join(name for bit, name in enumerate(names) if number >> bit & 1) or "0x0"


def _named(*names: str) -> Callable[[int], str]:
    return lambda number: names[number]


_SPELLED: Mapping[Field, Callable[[int], str]] = {
    **dict.fromkeys((Field.SADDR, Field.DADDR), lambda number: str(IPv4Address(number))),
    **dict.fromkeys((Field.SADDR6, Field.DADDR6), lambda number: str(IPv6Address(number))),
    **dict.fromkeys((Field.MARK, Field.CT_MARK, Field.TOS), hexadecimal),
    Field.PROTO: lambda number: PROTOCOL_NAMES.get(number, str(number)),
    Field.MAC_SOURCE: mac,
    Field.CT_STATE: _named(*CT_STATES),
    Field.CT_DIRECTION: _named("original", "reply"),
    Field.PKTTYPE: _named(*PKTTYPES),
}


def icmp_type(number: int, *, ip6: bool) -> str:
    return _ICMP_NAMES[ip6].get(number, str(number))


_ICMP_NAMES = [
    {number: name for name, number in reversed(names.items())}
    for names in (ICMP_TYPES, ICMPV6_TYPES)
]


def spelled(field: Field, number: int) -> str:
    return _SPELLED.get(field, str)(number)


_NAMED_FIELDS = (Field.CT_STATE, Field.CT_DIRECTION, Field.PKTTYPE, Field.PROTO)
"""Of a range of these each value is named."""


def elements(field: Field, ranges: Ranges) -> list[str]:
    """The ranges as elements of a set: networks where they are networks."""
    return [text for low, high in ranges for text in _range(field, low, high)]


def _range(field: Field, low: int, high: int) -> list[str]:
    if low == high:
        return [spelled(field, low)]
    if field in _NAMED_FIELDS and high - low < 16:
        return [spelled(field, number) for number in range(low, high + 1)]
    if field in _IP_ADDRESSES:
        size = high - low
        if size & (size + 1) == 0 and low & size == 0:
            return [f"{spelled(field, low)}/{BITS[field] - size.bit_length()}"]
    return [f"{spelled(field, low)}-{spelled(field, high)}"]


def one_of(texts: list[str]) -> str:
    """One value, or a set of several."""
    return texts[0] if len(texts) == 1 else f"{{ {', '.join(texts)} }}"


# -- names and texts ----------------------------------------------------------------------------

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9/\\_.-]*", re.ASCII)


def identifier(name: str, taken: set[str]) -> str:
    """The name, or one like it that nft takes for a name and that is not taken."""
    wanted = re.sub(r"[^A-Za-z0-9/_.-]", "_", name)
    if not _IDENTIFIER.fullmatch(wanted):
        wanted = f"chain_{wanted}" if wanted else "chain"
    if wanted in RESERVED:
        wanted += "_chain"
    chosen, number = wanted, 2
    while chosen in taken:
        chosen, number = f"{wanted}_{number}", number + 1
    taken.add(chosen)
    return chosen


def quoted(text: str, what: str) -> str:
    """nft knows no way to write a quote within quotes, and takes a dollar for a variable's."""
    if '"' in text or "$" in text or not text.isprintable():
        raise NoFormError(f"{what} holds a quote, a dollar or what cannot be printed")
    return f'"{text}"'


def interface(name: str, *, wildcard: bool) -> str:
    escaped = name.replace("\\", "\\\\").replace("*", "\\*")
    return quoted(f"{escaped}{'*' if wildcard else ''}", "the name of an interface")
