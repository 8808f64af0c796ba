"""Readers of arguments: the text of one argument to a value, or ``InvalidValueError``.

Each takes the text and the address family. Where a reader feeds an opaque test
or the options of a target, its value is the text iptables-save would print.
Base and ranges follow libxtables (``xtoptions.c`` of iptables 1.8.9).
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from iptlint.dialects.diagnostics import InvalidValueError
from iptlint.dialects.iptables.extensions.registries import PROTOCOLS, SERVICES
from iptlint.dialects.iptables.extensions.row import Value
from iptlint.model import Family

Range = tuple[int, int]

_NUMBER = re.compile(r"[ \t]*\+?(?:0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)", re.ASCII)


def integer(text: str, low: int, high: int) -> int:
    """A C number (decimal, 0x hexadecimal or 0 octal) from ``low`` to ``high``."""
    if text.isdigit() and text.isascii() and (text[0] != "0" or text == "0"):
        value = int(text) if len(text) < 25 else high + 1
    elif _NUMBER.fullmatch(text) and len(text) < 64:
        value = _c_number(text.strip())
    else:
        raise InvalidValueError(f"a number from {low} to {high}")
    if not low <= value <= high:
        raise InvalidValueError(f"a number from {low} to {high}")
    return value


def _c_number(text: str) -> int:
    digits = text.lstrip("+")
    if digits[:2] in ("0x", "0X"):
        return int(digits, 16)
    return int(digits, 8 if digits[0] == "0" else 10)


def number(high: int, low: int = 0) -> Value:
    return lambda text, _: integer(text, low, high)


def bits(width: int) -> Value:
    return number((1 << width) - 1)


def hexadecimal(width: int, low: int = 0, high: int | None = None) -> Value:
    """A number whose canonical text is hexadecimal."""
    top = (1 << width) - 1 if high is None else high
    return lambda text, _: f"0x{integer(text, low, top):x}"


def decimal(low: float, high: float) -> Value:
    def read(text: str, _: Family) -> str:
        try:
            value = float(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise InvalidValueError(f"a number from {low:g} to {high:g}")
        return f"{value:.11g}"

    return read


def ordered(low: int, high: int, what: str = "range") -> Range:
    """``(low, high)``; an inverted range is well formed, and refused."""
    if low > high:
        raise InvalidValueError(f"a {what} whose first number is not above its last", refused=True)
    return low, high


def span(width: int, *, inverted: bool = False) -> Value:
    """``a``, ``a:b``, ``:b`` or ``a:``. With ``inverted``, the tool takes ``5:3`` too."""
    top = (1 << width) - 1

    def read(text: str, _: Family) -> Range:
        first, colon, last = text.partition(":")
        low = integer(first, 0, top) if first else 0
        if not colon:
            return low, low
        high = integer(last, 0, top) if last else top
        return (low, high) if inverted else ordered(low, high)

    return read


def anything(text: str, _: Family) -> str:
    return text


def up_to(limit: int, what: str, *, empty: bool = False) -> Value:
    """A text the tool cuts at ``limit`` bytes."""

    def read(text: str, _: Family) -> str:
        if not text and not empty:
            raise InvalidValueError(f"a {what} of at least one character")
        if len(text.encode(errors="surrogateescape")) > limit:
            raise InvalidValueError(f"a {what} of at most {limit} characters", refused=True)
        return text

    return read


def filled(text: str, _: Family) -> str:
    if not text:
        raise InvalidValueError("at least one character")
    return text


def one_of(*names: str, **synonyms: str) -> Callable[[str, Family], str]:
    """A name, in any case; the value is its canonical spelling."""
    known = {name.lower(): name for name in names} | {k.lower(): v for k, v in synonyms.items()}
    listed = ", ".join(names)

    def read(text: str, _: Family) -> str:
        if text.lower() not in known:
            raise InvalidValueError(f"one of {listed}")
        return known[text.lower()]

    return read


def list_of(item: Value, *, separator: str = ",") -> Value:
    """A list; the value is the sorted texts of its distinct items."""

    def read(text: str, family: Family) -> tuple[object, ...]:
        read_items = {item(part, family) for part in text.split(separator)}
        return tuple(sorted(read_items, key=show))

    return read


def show(value: object) -> str:
    """The canonical text of a value."""
    return _show_all(value) if type(value) is tuple else str(value)


def _show_all(values: Sequence[object]) -> str:
    return ",".join(show(value) for value in values)


# -- ports and protocols ------------------------------------------------------


def _service(name: str) -> int | None:
    if name in SERVICES:
        return SERVICES[name]
    try:
        return socket.getservbyname(name)
    except (OSError, UnicodeError, ValueError):
        return None


def port(text: str, _: Family) -> int:
    """A port number or a service's name."""
    if text.isdigit() and text.isascii():
        # tcp reads 080 as octal and refuses it, udp takes it: decimal is what was meant.
        return integer(text.lstrip("0") or "0", 0, 65535)
    if text[:1].isalpha():
        found = _service(text)
        if found is not None:
            return found
        raise InvalidValueError("a port from 0 to 65535 or a service's name")
    try:
        return integer(text, 0, 65535)
    except InvalidValueError:
        raise InvalidValueError("a port from 0 to 65535 or a service's name") from None


def _ends(text: str, family: Family) -> Range:
    first, found, last = text.partition(":")
    low = port(first, family) if first or not found else 0
    if not found:
        return low, low
    return low, port(last, family) if last else 65535


def ports(text: str, family: Family) -> Range:
    """``22``, ``1:1024``, ``:1024``, ``1024:``, ``ssh``."""
    return ordered(*_ends(text, family), what="port range")


def any_ports(text: str, family: Family) -> Range:
    """As ``ports``, for extensions that take an inverted range, which never matches."""
    return _ends(text, family)


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
    if text[:1].isdigit():
        try:
            return integer(text, 0, 255)
        except InvalidValueError:
            raise InvalidValueError("a protocol's name or a number from 0 to 255") from None
    try:
        return socket.getprotobyname(text.lower())
    except (OSError, UnicodeError, ValueError):
        raise InvalidValueError("a protocol's name or a number from 0 to 255") from None


# -- addresses ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Net:
    """An address with its mask; ``name`` where it is a host name that is resolved at load."""

    value: int
    mask: int
    name: str | None = None


_ADDRESS_FAMILY = {Family.IP: socket.AF_INET, Family.IP6: socket.AF_INET6}
_FULL = {Family.IP: (1 << 32) - 1, Family.IP6: (1 << 128) - 1}
_HOST_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?", re.ASCII)
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
    if len(octets) > 4 or not text[:1].isdigit():
        return None
    try:
        read = [integer(octet, 0, 255) for octet in octets]
    except InvalidValueError:
        return None
    return int.from_bytes(bytes(read + [0] * (4 - len(read))), "big")


def address(text: str, family: Family) -> int:
    """One numeric address."""
    found = _plain_address(text, family)
    if found is None:
        raise InvalidValueError("an IPv4 address" if family is Family.IP else "an IPv6 address")
    return found


def _mask(text: str, family: Family) -> int:
    width, full = family.address_bits, _FULL[family]
    if text.isdigit() and int(text[:9]) <= width:
        return full ^ (full >> int(text))
    spelled = _plain_address(text, family) if not text.isdigit() else None
    if spelled is None:
        raise InvalidValueError(
            f"a mask: a prefix length from 0 to {width}, or an address", refused=False
        )
    return spelled


def net(text: str, family: Family) -> Net:
    """``address``, ``address/length``, ``address/mask`` or a host name; host bits are cut."""
    host, slash, tail = text.partition("/")
    found = _plain_address(host, family)
    if found is None and not _HOST_NAME.fullmatch(host):
        raise InvalidValueError(_AN_ADDRESS[family])
    mask = _mask(tail, family) if slash else _FULL[family]
    if found is None:
        return Net(0, mask, host.lower())
    return Net(found & mask, mask)


def nets(text: str, family: Family) -> tuple[Net, ...]:
    if "," not in text:
        return (net(text, family),)
    return tuple(net(part.strip(), family) for part in text.split(","))


def show_address(value: int, family: Family) -> str:
    size = family.address_bits // 8
    return socket.inet_ntop(_ADDRESS_FAMILY[family], value.to_bytes(size, "big"))


def prefix_of(mask: int, family: Family) -> int | None:
    """The prefix length a mask is, or None for one with holes."""
    hosts = mask ^ _FULL[family]
    return None if hosts & (hosts + 1) else family.address_bits - hosts.bit_length()


def show_net(value: Net, family: Family) -> str:
    length = prefix_of(value.mask, family)
    name = value.name or show_address(value.value, family)
    if length == family.address_bits:
        return name
    return f"{name}/{show_address(value.mask, family) if length is None else length}"


def network(text: str, family: Family) -> str:
    """A network as canonical text."""
    return show_net(net(text, family), family)


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
    return _mask_length(_mask(text, family), family)


def _mask_length(mask: int, family: Family) -> int:
    length = prefix_of(mask, family)
    if length is None:
        raise InvalidValueError(f"a prefix length from 0 to {family.address_bits}")
    return length


def any_mask(text: str, family: Family) -> str:
    return show_net(Net(_mask(text, family), _FULL[family]), family)


def mac(text: str, _: Family) -> int:
    """Six bytes ``xx:xx:xx:xx:xx:xx``."""
    parts = text.split(":")
    if len(parts) != 6 or not all(re.fullmatch("[0-9a-fA-F]{1,2}", part) for part in parts):
        raise InvalidValueError("a MAC address: six bytes in hexadecimal, joined by colons")
    return int.from_bytes(bytes(int(part, 16) for part in parts), "big")


# -- marks, names, the rest ---------------------------------------------------


def value_mask(width: int) -> Callable[[str, Family], Range]:
    """``value`` or ``value/mask``."""
    top = (1 << width) - 1

    def read(text: str, _: Family) -> Range:
        value, slash, mask = text.partition("/")
        return integer(value, 0, top), integer(mask, 0, top) if slash else top

    return read


def shown_mask(width: int) -> Value:
    pair = value_mask(width)

    def read(text: str, family: Family) -> str:
        value, mask = pair(text, family)
        return f"0x{value:x}/0x{mask:x}"

    return read


def interface(text: str, _: Family) -> str:
    """A name of at most 15 characters (IFNAMSIZ less its zero byte)."""
    if len(text.encode(errors="surrogateescape")) > 15:
        raise InvalidValueError("an interface name of at most 15 characters", refused=True)
    return text


def named_number(
    names: Mapping[str, int], low: int, high: int, what: str
) -> Callable[[str, Family], int]:
    """A number, or one of the names in any case."""
    known = {name.lower(): value for name, value in names.items()}

    def read(text: str, _: Family) -> int:
        if text.lower() in known:
            return known[text.lower()]
        try:
            return integer(text, low, high)
        except InvalidValueError:
            raise InvalidValueError(f"{what}: a name or a number from {low} to {high}") from None

    return read


def abbreviated(names: Mapping[str, object], text: str) -> object | None:
    """The value of the one name that starts with ``text`` in any case; None if none does."""
    start = text.lower()
    hits = [name for name in names if name.lower().startswith(start)] if text else []
    if len(hits) > 1:
        raise InvalidValueError(f"an unambiguous name (could be {' or '.join(hits)})")
    return names[hits[0]] if hits else None


def pattern(text: str, _: Family) -> str:
    """A string to search, as the hexadecimal of its bytes."""
    return _limited(text.encode(errors="surrogateescape"))


def hex_pattern(text: str, _: Family) -> str:
    """``plain|0a 0b|plain``: bytes between bars in hexadecimal."""
    pieces = text.split("|")
    if len(pieces) % 2 == 0:
        raise InvalidValueError("hexadecimal between two bars: |0a 0b|")
    out = b""
    for index, piece in enumerate(pieces):
        out += _hex_bytes(piece) if index % 2 else _unescaped(piece)
    return _limited(out)


def _unescaped(text: str) -> bytes:
    return re.sub(r"\\(.)", r"\1", text).encode(errors="surrogateescape")


def _hex_bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise InvalidValueError("hexadecimal between two bars: |0a 0b|") from None


def _limited(value: bytes) -> str:
    if not value or len(value) > 128:
        raise InvalidValueError("a string of 1 to 128 bytes")
    return value.hex()


def rate(text: str, _: Family) -> str:
    """``5``, ``5/second``, ``10/min`` …; units may be cut short."""
    count, slash, unit = text.partition("/")
    units = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
    name = next((name for name in units if unit and name.startswith(unit.lower())), None)
    if (slash and name is None) or not count.isdigit() or not 0 < int(count[:12]) <= 0xFFFFFFFF:
        raise InvalidValueError("a rate: a number, a slash, and second, minute, hour or day")
    return f"{int(count)}/{name or 'second'}"
