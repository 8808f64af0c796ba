"""Readers of ports, protocols and addresses, as ``values`` has those of other arguments."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from dataclasses import dataclass

from iptlint.dialects.diagnostics import InvalidValueError
from iptlint.dialects.iptables.extensions.registries import PROTOCOLS
from iptlint.dialects.iptables.extensions.values import Range, integer, ordered
from iptlint.model import Family
from iptlint.model.numbers import INT_MAX, ULLONG_MAX, c_number, decimal, is_decimal
from iptlint.model.services import SERVICES

# -- ports and protocols -------------------------------------------------------


def _service(name: str) -> int | None:
    if name in SERVICES:
        return SERVICES[name]
    try:
        return socket.getservbyname(name)
    except (OSError, UnicodeError, ValueError):
        return None


_A_PORT = "a port from 0 to 65535 or a service's name"


def port(text: str, _: Family) -> int:
    """A port number as C reads it, octal after a 0, or a service's name (xtables_parse_port)."""
    try:
        return integer(text, 0, 65535)
    except InvalidValueError:
        number = _service(text) if text[:1].isalpha() else None
        if number is None:
            raise InvalidValueError(_A_PORT) from None
        return number


def resolved_port(text: str, _: Family) -> int:
    """A port number or a service's name as getaddrinfo(3) reads them: in decimal, nothing as 0,
    and of a number that is too large its last 16 bits (xtopt_parse_port). glibc keeps it as an
    int, and one below 0 is none (gaih_inet_serv)."""
    number = decimal(text.lstrip(" \t").removeprefix("+")) if text else 0
    if number is not None:
        kept = min(number, ULLONG_MAX) & 0xFFFFFFFF
        if kept > INT_MAX:
            raise InvalidValueError(_A_PORT)
        if number > 65535:
            raise InvalidValueError(_A_PORT, becomes=kept & 65535)
        return number
    service = _service(text) if text[:1].isalpha() else None
    if service is None:
        raise InvalidValueError(_A_PORT)
    return service


def _ends(text: str, family: Family, end: Callable[[str, Family], int]) -> Range:
    first, colon, last = text.partition(":")
    low = end(first, family) if first or not colon else 0
    if not colon:
        return low, low
    return low, end(last, family) if last else 65535


def ports(text: str, family: Family) -> Range:
    """``22``, ``1:1024``, ``:1024``, ``1024:``, ``ssh``."""
    return ordered(*_ends(text, family, port), what="port range")


def any_ports(text: str, family: Family) -> Range:
    """As ``ports``, for extensions that ask the resolver and take an inverted range, which never
    matches."""
    try:
        return _ends(text, family, resolved_port)
    except InvalidValueError as reason:
        if reason.becomes is None:
            raise
        becomes = _ends(text, family, _cut_port)
        raise InvalidValueError(str(reason), becomes=becomes) from None


def _cut_port(text: str, family: Family) -> int:
    number = decimal(text)
    return resolved_port(text, family) if number is None else number & 65535


PORT_READERS = ((ports,), (any_ports,))
"""What reads the options of a match of one port, or a range of them."""


def plain_port(text: str) -> int | None:
    """One number, as tools print it, that is not 0; None where it is anything else."""
    number = None if text.startswith("0") else decimal(text)
    return number if number is not None and number < 65536 else None


def port_list(text: str, family: Family) -> tuple[Range, ...]:
    """multiport's list: at most 15 slots, of which a range takes two."""
    parts = text.split(",")
    slots = len(parts) + text.count(":")
    if slots > 15:
        raise InvalidValueError(
            f"at most 15 ports, a range counting as two (here {slots})", refused=True
        )
    return tuple(_multiport(part, family) for part in parts)


def _multiport(text: str, family: Family) -> Range:
    first, colon, last = text.partition(":")
    low = port(first, family)
    high = port(last, family) if colon else low
    if colon and low >= high:
        raise InvalidValueError("a port range whose first number is below its last", refused=True)
    return low, high


def protocol(text: str, _: Family) -> int:
    """A protocol's number: ``tcp``, ``6``; ``all`` and ``0`` are 0."""
    known = PROTOCOLS.get(text.lower())
    if known is not None:
        return known
    if is_decimal(text[:1]):
        try:
            return integer(text, 0, 255)
        except InvalidValueError:
            raise InvalidValueError("a protocol's name or a number from 0 to 255") from None
    try:
        return socket.getprotobyname(text.lower())
    except (OSError, UnicodeError, ValueError):
        raise InvalidValueError("a protocol's name or a number from 0 to 255") from None


# -- addresses -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Net:
    """An address with its mask; ``name`` where it is a host name that is resolved at load."""

    value: int
    mask: int
    name: str | None = None


_ADDRESS_FAMILY = {Family.IP: socket.AF_INET, Family.IP6: socket.AF_INET6}


_FULL = {Family.IP: (1 << 32) - 1, Family.IP6: (1 << 128) - 1}


_LOCALHOST = {Family.IP: 0x7F000001, Family.IP6: 1}
_HOST_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?", re.ASCII)


_LONGEST_HOST = 255

_AN_ADDRESS = {
    Family.IP: "an IPv4 address, network or host name",
    Family.IP6: "an IPv6 address, network or host name",
}


def _plain_address(text: str, family: Family) -> int | None:
    try:
        return int.from_bytes(socket.inet_pton(_ADDRESS_FAMILY[family], text), "big")
    except (OSError, ValueError):
        return _loose_quad(text) if family is Family.IP else None


def _loose_quad(text: str) -> int | None:
    """What xtables takes beyond inet_pton: octal and hex octets, and ``10.1`` for 10.1.0.0."""
    octets = text.split(".")
    if len(octets) > 4 or not is_decimal(text.lstrip(" \t").removeprefix("+")[:1]):
        return None
    try:
        read = [integer(octet, 0, 255) for octet in octets]
    except InvalidValueError:
        return None
    return int.from_bytes(bytes(read + [0] * (4 - len(read))), "big")


def _resolved_quad(text: str) -> int | None:
    """What is no address to xtables, and one to the resolver: a number (inet_aton(3)), and the
    IPv4 address in ``::ffff:10.0.0.1`` (getaddrinfo of glibc)."""
    if ":" in text:
        mapped = _plain_address(text, Family.IP6)
        return mapped & _FULL[Family.IP] if mapped and mapped >> 32 == 0xFFFF else None
    if not _NUMBERS.fullmatch(text):
        return None
    try:
        return int.from_bytes(socket.inet_aton(text), "big")
    except OSError:
        return None


_NUMBERS = re.compile(r"(?:0[xX][0-9a-fA-F]+|[0-9]+)(?:\.(?:0[xX][0-9a-fA-F]+|[0-9]+)){0,3}")


def strict_address(text: str, family: Family) -> int:
    """One numeric address, all of it written in decimal."""
    try:
        return int.from_bytes(socket.inet_pton(_ADDRESS_FAMILY[family], text), "big")
    except (OSError, ValueError):
        raise InvalidValueError(_ONE_ADDRESS[family]) from None


_ONE_ADDRESS = {Family.IP: "an IPv4 address", Family.IP6: "an IPv6 address"}


def address(text: str, family: Family) -> int:
    """One numeric address."""
    value = _plain_address(text, family)
    if value is None:
        raise InvalidValueError(_ONE_ADDRESS[family])
    return value


def _mask(text: str, family: Family, host: str = "", *, resolved: bool = False) -> int:
    """``host``: what stands before it. ``resolved``: the resolver is asked too, which takes one
    number for an address of IPv4."""
    width, full = family.address_bits, _FULL[family]
    length = c_number(text.lstrip(" \t").removeprefix("+"))
    if length is not None and length <= width:
        return full ^ (full >> length)
    whole = family is Family.IP6 or text.count(".") == 3
    spelled = _plain_address(text, family) if whole else None
    if spelled is None and resolved and family is Family.IP:
        spelled = _resolved_quad(text)
    if spelled is None and ":" in host and family is Family.IP:
        raise InvalidValueError(f"{_AN_ADDRESS[family]}, and `{host}` is of IPv6", refused=False)
    if spelled is None:
        raise InvalidValueError(
            f"a mask: a prefix length from 0 to {width}, or an address", refused=False
        )
    return spelled


def net(text: str, family: Family, *, resolved: bool = False) -> Net:
    """``address``, ``address/length``, ``address/mask`` or a host name; host bits are cut. Before
    a mask of 0 the tools look at no address (``any/0``, xtables_ipparse_multiple)."""
    host, slash, tail = text.partition("/")
    if slash and not resolved and not _mask(tail, family, host):
        return Net(0, 0)
    value = _plain_address(host, family)
    if value is None and family is Family.IP:
        value = _resolved_quad(host)
    if value is None and host.lower() == "localhost":  # that every host has in /etc/hosts
        value = _LOCALHOST[family]
    if value is None and (len(host) > _LONGEST_HOST or not _HOST_NAME.fullmatch(host)):
        raise InvalidValueError(_AN_ADDRESS[family])
    mask = _mask(tail, family, resolved=resolved) if slash else _FULL[family]
    if value is None:
        return Net(0, mask, host.lower())
    return Net(value & mask, mask)


def _host_bits(width: int) -> dict[str, int]:
    """What a network's length leaves to its hosts, by how it is written behind the address."""
    lengths = {f"/{length}": (1 << width - length) - 1 for length in range(1, width + 1)}
    return {"": 0, **lengths}


def plain_networks(family: Family) -> Callable[[str], Range | None]:
    """Reads a network as tools print it to its first and last address; None where ``net`` has to
    be asked, and for all addresses."""
    hosts_of = _host_bits(family.address_bits)
    address_family = _ADDRESS_FAMILY[family]

    def read(text: str) -> Range | None:
        address, slash, length = text.partition("/")
        hosts = hosts_of.get(slash + length)
        try:
            value = int.from_bytes(socket.inet_pton(address_family, address), "big")
        except (OSError, ValueError):
            return None
        if not hosts:
            return None if hosts is None else (value, value)
        return value & ~hosts, value | hosts

    return read


def nets(text: str, family: Family) -> tuple[Net, ...]:
    if "," not in text:
        return (net(text.lstrip(), family),)
    return tuple(net(part.strip(), family) for part in text.split(","))


def show_address(value: int, family: Family) -> str:
    size = family.address_bits // 8
    return socket.inet_ntop(_ADDRESS_FAMILY[family], value.to_bytes(size, "big"))


def prefix_of(mask: int, family: Family) -> int | None:
    """The prefix length a mask is, or None for one with holes."""
    hosts = mask ^ _FULL[family]
    return None if hosts & (hosts + 1) else family.address_bits - hosts.bit_length()


def ends(net: Net, family: Family) -> Range:
    """The first and the last address of a network."""
    return net.value, net.value | net.mask ^ _FULL[family]


def show_net(value: Net, family: Family) -> str:
    length = prefix_of(value.mask, family)
    name = value.name or show_address(value.value, family)
    if length == family.address_bits:
        return name
    return f"{name}/{show_address(value.mask, family) if length is None else length}"


def network(text: str, family: Family) -> str:
    """A network as canonical text; its mask is read by the resolver, too (XTTYPE_HOSTMASK)."""
    return show_net(net(text, family, resolved=True), family)


def host(text: str, family: Family) -> str:
    """One address or host name as canonical text."""
    return show_net(net(text, family), family) if "/" not in text else _no_mask(text)


def _no_mask(text: str) -> str:
    raise InvalidValueError(f"an address without a mask, not {text}")


def address_range(text: str, family: Family) -> Range:
    """``first-last``, or one address. The tool takes an inverted one, with a warning."""
    first, dash, last = text.partition("-")
    low = address(first, family)
    return low, address(last, family) if dash else low


def prefix_length(text: str, family: Family) -> int:
    return _mask_length(_mask(text, family, resolved=True), family)


def _mask_length(mask: int, family: Family) -> int:
    length = prefix_of(mask, family)
    if length is None:
        raise InvalidValueError(f"a prefix length from 0 to {family.address_bits}")
    return length


def any_mask(text: str, family: Family) -> str:
    return show_net(Net(_mask(text, family, resolved=True), _FULL[family]), family)


def mac(text: str, _: Family) -> int:
    """Six bytes ``xx:xx:xx:xx:xx:xx``."""
    if not re.fullmatch("[0-9a-fA-F]{1,2}(?::[0-9a-fA-F]{1,2}){5}", text):
        raise InvalidValueError("a MAC address: six bytes in hexadecimal, joined by colons")
    return int.from_bytes(bytes.fromhex("".join(part.zfill(2) for part in text.split(":"))), "big")
