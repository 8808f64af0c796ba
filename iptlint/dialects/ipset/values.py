"""The parts of an entry: addresses, networks, ports and what else a set may hold.

What the tool looks up when it runs (host names, services nobody here knows) is ``Unknown``:
it is no mistake, and yet nobody can say what is in the set.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

from iptlint.dialects.diagnostics import InvalidValueError
from iptlint.dialects.ipset.types import SetType
from iptlint.dialects.iptables.extensions.addresses import mac, port
from iptlint.dialects.iptables.extensions.registries import ICMP6_TYPES, ICMP_TYPES, PROTOCOLS
from iptlint.dialects.iptables.extensions.values import integer
from iptlint.model import Family
from iptlint.model.names import LONGEST_INTERFACE
from iptlint.model.numbers import decimal, is_decimal
from iptlint.model.protocols import ICMP, ICMP6, SCTP, TCP, UDP, UDPLITE, icmp_of
from iptlint.model.sets import Device, Dimension, Entry, Member, Numbers, Part, Ports


class Unknown(Exception):  # noqa: N818 - it names what the value is
    """A value that only the host itself can look up."""


@dataclass(frozen=True, slots=True)
class Form:
    """What entries of one set look like.

    ``mask``: addresses are kept under it; ``limits``: the first and last that a bitmap takes.
    """

    type: SetType
    family: Family
    mask: int | None = None
    mark_mask: int | None = None
    limits: tuple[int, int] | None = None
    wildcard: bool = False

    @property
    def bits(self) -> int:
        return self.family.address_bits

    @property
    def full(self) -> int:
        return (1 << self.bits) - 1


# -- addresses ----------------------------------------------------------------

_NUMERIC = re.compile(r"[0-9][0-9a-fA-FxX.]*", re.ASCII)
_HOST_NAME = re.compile(r"\[?(?=.*[A-Za-z])[A-Za-z0-9_][A-Za-z0-9_.-]*\]?", re.ASCII)
_AF = {Family.IP: socket.AF_INET, Family.IP6: socket.AF_INET6}
_WORDS = {Family.IP: "an IPv4 address", Family.IP6: "an IPv6 address"}


def address(text: str, family: Family) -> int:
    """One address, as getaddrinfo reads it: ``192.168.1`` is 192.168.0.1."""
    bare = text[1:-1] if text[:1] == "[" and text[-1:] == "]" else text
    try:
        if family is Family.IP:
            if _NUMERIC.fullmatch(bare):
                return int.from_bytes(socket.inet_aton(bare), "big")
        elif "\0" not in bare:
            return int.from_bytes(socket.inet_pton(_AF[family], bare), "big")
    except (OSError, UnicodeError):
        pass
    if _HOST_NAME.fullmatch(text):
        raise Unknown(text)
    raise InvalidValueError(_WORDS[family])


def _prefix(text: str, bits: int) -> int:
    length = decimal(text)
    if length is None or length > bits:
        raise InvalidValueError(f"a prefix length from 0 to {bits} after the slash")
    return length


def addresses(text: str, form: Form) -> Numbers:
    """``address``, ``address/prefix`` or, of IPv4, ``first-last``, either way round."""
    if _NUMERIC.fullmatch(text) and form.family is Family.IP:
        low = address(text, Family.IP)
        return Numbers(low, low)
    base, slash, length = text.partition("/")
    if slash:
        host = (1 << form.bits - _prefix(length, form.bits)) - 1
        low = address(base, form.family) & ~host
        return Numbers(low, low | host)
    first, dash, last = _halves(text)
    low = address(first, form.family)
    high = address(last, form.family) if dash else low
    if dash and form.family is Family.IP6:
        raise InvalidValueError("one IPv6 address: ipset takes ranges of IPv4 addresses only")
    return Numbers(min(low, high), max(low, high))


def _halves(text: str) -> tuple[str, bool, str]:
    """The two sides of a dash that is not in brackets."""
    depth = 0
    for index, character in enumerate(text):
        depth += (character == "[") - (character == "]")
        if character == "-" and depth == 0:
            return text[:index], True, text[index + 1 :]
    return text, False, ""


def _hosts(text: str, form: Form) -> tuple[Part, ...]:
    """Under a netmask, an entry is all addresses that are the same under it."""
    numbers = addresses(text, form)
    if form.family is Family.IP6 and numbers.low != numbers.high:
        raise InvalidValueError("one IPv6 address: ipset takes no networks here")
    if numbers == (0, form.full):
        raise InvalidValueError("a prefix length of 1 or more", refused=True)
    if form.mask is not None:
        numbers = _masked(numbers, form.mask, form.full)
    if form.limits and not form.limits[0] <= numbers.low <= numbers.high <= form.limits[1]:
        raise InvalidValueError("addresses within the range of the set", refused=True)
    if (
        form.type.name == "hash:ip"
        and numbers.low & (form.full if form.mask is None else form.mask) == 0
    ):
        raise InvalidValueError(
            "an address other than 0: a set of this type cannot hold it", refused=True
        )
    return (numbers,)


def _masked(numbers: Numbers, mask: int, full: int) -> Numbers:
    host = full & ~mask
    if host & (host + 1) == 0:
        return Numbers(numbers.low & mask, numbers.high | host)
    if numbers.low != numbers.high:
        raise Unknown("a range under a mask with gaps")
    return Numbers(numbers.low & mask, numbers.low & mask)


def _networks(text: str, form: Form) -> tuple[Part, ...]:
    numbers = addresses(text, form)
    whole = numbers == (0, form.full)
    if whole and form.type.name not in ("hash:net,iface", "hash:net,port,net"):
        raise InvalidValueError(
            "a prefix length of 1 or more: 0.0.0.0/1 and 128.0.0.0/1", refused=True
        )
    return tuple(_prefixes(numbers, form.bits))


def _prefixes(span: Numbers, bits: int) -> Iterator[Numbers]:
    """The networks that a range is, as ip_set_range_to_cidr cuts it."""
    low = span.low
    while low <= span.high:
        size = low & -low or 1 << bits
        while low + size - 1 > span.high:
            size >>= 1
        yield Numbers(low, low + size - 1)
        low += size


# -- ports --------------------------------------------------------------------

WITH_PORTS = {TCP, UDP, SCTP, UDPLITE}
_ICMP_NAMES = {ICMP: ICMP_TYPES, ICMP6: ICMP6_TYPES}


def _ports(text: str, form: Form) -> tuple[Part, ...]:
    name, colon, rest = text.partition(":")
    protocol = _protocol(name) if colon else TCP
    numbers = rest if colon else text
    if form.type.name == "bitmap:port":
        low, high = port_range(numbers)
        if form.limits and not form.limits[0] <= low <= high <= form.limits[1]:
            raise InvalidValueError("ports within the range of the set", refused=True)
        return (Ports(None, low, high),)
    if protocol in WITH_PORTS:
        return (Ports(protocol, *port_range(numbers)),)
    if protocol in _ICMP_NAMES:
        if protocol != icmp_of(form.family):
            raise InvalidValueError("icmp in a set of family inet, icmpv6 in one of family inet6")
        number = _icmp(numbers, protocol)
        return (Ports(protocol, number, number),)
    if numbers != "0":
        raise InvalidValueError(f"{name}:0, since only tcp, udp, sctp and udplite have ports here")
    return (Ports(protocol, 0, 0),)


def _protocol(name: str) -> int:
    bare = name.strip("[]")
    number = PROTOCOLS.get(bare.lower())
    if number is None and is_decimal(bare):
        number = integer(bare, 0, 255)
    if number is None:
        raise Unknown(name)
    if number == 0:
        raise InvalidValueError("a protocol other than 0", refused=True)
    return number


def port_range(text: str) -> tuple[int, int]:
    first, dash, last = _halves(text)
    low = _port(first)
    high = _port(last) if dash else low
    return min(low, high), max(low, high)


def _port(text: str) -> int:
    bare = text.strip("[]")
    try:
        return port(bare, Family.IP)
    except InvalidValueError:
        if bare[:1].isalpha():
            raise Unknown(text) from None
        raise


def _icmp(text: str, protocol: int) -> int:
    kind, slash, code = text.partition("/")
    if slash and is_decimal(kind) and is_decimal(code):
        return integer(kind, 0, 255) << 8 | integer(code, 0, 255)
    known = _ICMP_NAMES[protocol].get(text)
    if known is None:
        raise Unknown(text)
    return known[0] << 8 | known[1]


# -- the rest -----------------------------------------------------------------


def _mac(text: str, form: Form) -> tuple[Part, ...]:
    number = mac(text, form.family)
    if number == 0:
        if form.type.method == "bitmap":
            raise Unknown("no packet has it")
        raise InvalidValueError("a MAC address other than 0", refused=True)
    return (Numbers(number, number),)


def _mark(text: str, form: Form) -> tuple[Part, ...]:
    number = integer(text, 0, 2**32 - 1)
    number &= number if form.mark_mask is None else form.mark_mask
    return (Numbers(number, number),)


def _interface(text: str, form: Form) -> tuple[Part, ...]:
    name = text.removeprefix("physdev:")
    bare = name[1:-1] if name[:1] == "[" and name[-1:] == "]" else name
    if not 0 < len(bare) <= LONGEST_INTERFACE:
        raise InvalidValueError(
            f"an interface's name of at most {LONGEST_INTERFACE} characters", refused=True
        )
    return (Device(bare, form.wildcard, name != text),)


def _member(text: str, _: Form) -> tuple[Part, ...]:
    return (Member(text),)


_READERS: dict[Dimension, Callable[[str, Form], tuple[Part, ...]]] = {
    Dimension.ADDRESS: _hosts,
    Dimension.NETWORK: _networks,
    Dimension.PORT: _ports,
    Dimension.MAC: _mac,
    Dimension.MARK: _mark,
    Dimension.INTERFACE: _interface,
    Dimension.SET: _member,
}


def entries(text: str, form: Form) -> Iterator[Entry]:
    """The entries that a text stands for: several, where it has a range of networks.

    InvalidValueError where ipset or the kernel refuses it; Unknown where only the host can tell.
    """
    dimensions = form.type.dimensions
    if len(dimensions) == 1:
        return ((part,) for part in _READERS[dimensions[0]](text, form))
    texts = text.split(",")
    optional = form.type.name == "bitmap:ip,mac" and len(texts) == 1
    if len(texts) != len(dimensions) and not optional:
        shape = ",".join(dimension.value for dimension in dimensions)
        raise InvalidValueError(f"an entry of the form {shape}")
    return product(*(_READERS[d](t, form) for d, t in zip(dimensions, texts, strict=False)))
