"""How the values of each field are said: a row a field."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Protocol

from iptlint.model import Field
from iptlint.model.matches import CT_STATES, PACKET_FAMILIES, PKTTYPES
from iptlint.model.protocols import (
    ICMP_TYPE_NAMES,
    PROTOCOL_NAMES,
    tcp_flag_names,
)
from iptlint.packets.bdd import BitField
from iptlint.packets.describe.lists import Choice, Listing, listed, shortest
from iptlint.packets.intervals import count, cubes, one_cube, ranges

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


class Items(Protocol):
    """The values, one text each; they depend on the field's variables only."""

    def __call__(self, values: PacketSet, bits: BitField) -> Iterator[str]: ...


@dataclass(frozen=True, slots=True)
class FieldPhrase:
    """``items``, ``masks``: ways to list the values; ``items_but``, ``masks_but``: what is left
    out, if that is said in another way. ``form`` and ``form_but`` take the list; ``most`` is
    how long it may get."""

    items: Items | None
    form: str = "{}"
    form_but: str = "not {}"
    most: int = 6
    masks: Items | None = None
    masks_but: Items | None = None
    items_but: Items | None = None
    listed: bool = False  # a few names: what no packet asked about has is never said
    counted: str = "in all"

    def listing(self, values: PacketSet, domain: PacketSet, bits: BitField) -> Listing:
        """The values of ``domain``, which is all that there is."""
        within, without = values & domain, domain & ~values
        inside = [within] if self.listed or within == values else [values, within]
        outside = [without] if self.listed or without == ~values else [~values, without]
        choices: list[Choice] = []
        for items, items_but in (
            (self.items, self.items_but or self.items),
            (self.masks, self.masks_but or self.masks),
        ):
            if items is not None and items_but is not None:
                choices += (Choice(v, partial(items, bits=bits)) for v in inside)
                choices += (Choice(v, partial(items_but, bits=bits), True) for v in outside)
        return shortest(choices, self.most, partial(_how_many, bits=bits, what=self.counted))

    def text(self, listing: Listing) -> str:
        form = self.form_but if listing.negated else self.form
        return form.format(listing.text(but=""))


def _how_many(values: PacketSet, bits: BitField, what: str) -> str:
    number = count(values, bits)
    return f"and others ({number:,.0f} {what})" if number < 1e9 else "and others"


# -- numbers ------------------------------------------------------------------


def _numbers(show: Callable[[int], str]) -> Items:
    """Ranges; two neighbours are two values."""

    def items(values: PacketSet, bits: BitField) -> Iterator[str]:
        for low, high in ranges(values, bits):
            if high - low > 1:
                yield f"{show(low)}-{show(high)}"
            else:
                yield from map(show, range(low, high + 1))

    return items


def _addresses(values: PacketSet, bits: BitField) -> Iterator[str]:
    """Networks; a range where it is no network, nor two."""
    version = IPv4Address if bits.width == 32 else IPv6Address
    for low, high in ranges(values, bits):
        half = _network(low, high)
        if half < high and _network(half + 1, high) < high:
            yield f"{version(low)}-{version(high)}"
            continue
        for first, last in ((low, half), (half + 1, high)):
            if first <= last:
                length = bits.width - (last - first).bit_length()
                suffix = "" if first == last else f"/{length}"
                yield f"{version(first)}{suffix}"


def _network(low: int, high: int) -> int:
    """The end of the largest network that begins at ``low`` and does not go beyond ``high``."""
    size = (low & -low) or 1 << high.bit_length()
    while low + size - 1 > high:
        size >>= 1
    return low + size - 1


def _address_masks(values: PacketSet, bits: BitField) -> Iterator[str]:
    """``10.0.0.1/255.0.0.255``, where that is all."""
    if values.satisfiable():
        mask, value = one_cube(values, bits)
        if bits.masked(mask, value) == values:
            yield f"{_address(value, bits)}/{_address(mask, bits)}"


def _address(value: int, bits: BitField) -> str:
    if bits.width == 32:
        return str(ip_address(value.to_bytes(4, "big")))
    return socket.inet_ntop(socket.AF_INET6, value.to_bytes(16, "big"))


def _mac(value: int) -> str:
    return value.to_bytes(6, "big").hex(":")


def _masked(show: Callable[[int, int], str]) -> Items:
    """``show`` takes the value and the mask."""

    def items(values: PacketSet, bits: BitField) -> Iterator[str]:
        for mask, value in cubes(values, bits):
            yield show(value, mask)

    return items


def _mark(value: int, mask: int) -> str:
    return f"{value:#x}" if mask == 0xFFFFFFFF else f"{value:#x}/{mask:#x}"


def _tos(value: int, mask: int) -> str:
    known = {0xFC: f"dscp {value >> 2}", 0x03: f"ecn {value}", 0xFF: f"tos {value:#x}"}
    return known.get(mask, f"tos {value:#x}/{mask:#x}")


# -- names --------------------------------------------------------------------


def _named(names: Sequence[str]) -> Items:
    def items(values: PacketSet, bits: BitField) -> Iterator[str]:
        for low, high in ranges(values, bits):
            yield from names[low : high + 1]

    return items


def _protocol(number: int) -> str:
    return PROTOCOL_NAMES.get(number, f"protocol {number}")


def _protocols(values: PacketSet, bits: BitField) -> Iterator[str]:
    for low, high in ranges(values, bits):
        if high - low > 2:
            yield f"protocol {low}-{high}"
        else:
            yield from map(_protocol, range(low, high + 1))


def icmp_types(protocol: int | None) -> FieldPhrase:
    """``protocol``: ICMP, ICMP6; None where it may be either."""
    names = ICMP_TYPE_NAMES.get(protocol, {}) if protocol is not None else {}

    def show(number: int) -> str:
        return names.get(number, f"type {number}")

    def items(values: PacketSet, bits: BitField) -> Iterator[str]:
        for low, high in ranges(values, bits):
            if high - low > 5:
                yield f"type {low}-{high}"
            else:
                yield from map(show, range(low, high + 1))

    def few(values: PacketSet, bits: BitField) -> Iterator[str]:
        """Nothing where it were ranges."""
        if all(high - low <= 5 for low, high in ranges(values, bits)):
            yield from items(values, bits)

    return FieldPhrase(items, "{}", "of any type but {}", most=8, items_but=few)


# -- tcp flags ----------------------------------------------------------------


def _with_flags(value: int, mask: int) -> str:
    """All flags of ``mask`` are as in ``value``."""
    there, missing = tcp_flag_names(value), tcp_flag_names(mask & ~value)
    if mask == 0xFF:
        return f"with only {listed(there, 'and')}" if there else "without any flag"
    if not there:
        return f"without {listed(missing, 'or')}"
    without = f" and not {listed(missing, 'or')}" if missing else ""
    return f"with {listed(there, 'and')}{without}"


def _with_others(value: int, mask: int) -> str:
    """Some flag of ``mask`` is not as in ``value``."""
    there, missing = tcp_flag_names(mask & ~value), tcp_flag_names(value)
    parts = [f"with {listed(there, 'or')}"] if there else []
    if missing:
        all_of = {1: "without ", 2: "without both "}.get(len(missing), "without all of ")
        parts.append(all_of + listed(missing, "and"))
    return " or ".join(parts)


# -- the rows -----------------------------------------------------------------

_ADDRESS = FieldPhrase(
    _addresses,
    form_but="anywhere but {}",
    most=8,
    masks=_address_masks,
    counted="addresses",
)
_PORT = FieldPhrase(_numbers(str), "port {}", "any port but {}", most=15)

FIELD_PHRASES: Mapping[Field, FieldPhrase] = {
    Field.FAMILY: FieldPhrase(
        _named((*PACKET_FAMILIES[:-1], "another family")), form_but="any family but {}", listed=True
    ),
    Field.PROTO: FieldPhrase(_protocols, form_but="every protocol but {}", most=8),
    Field.ICMP_TYPE: icmp_types(None),
    Field.ICMP_CODE: FieldPhrase(_numbers(str), "code {}", "any code but {}"),
    Field.SADDR: _ADDRESS,
    Field.SADDR6: _ADDRESS,
    Field.DADDR: _ADDRESS,
    Field.DADDR6: _ADDRESS,
    Field.SPORT: _PORT,
    Field.DPORT: _PORT,
    Field.TCP_FLAGS: FieldPhrase(
        None, form_but="{}", most=3, masks=_masked(_with_flags), masks_but=_masked(_with_others)
    ),
    Field.CT_STATE: FieldPhrase(_named(CT_STATES), listed=True),
    Field.CT_DIRECTION: FieldPhrase(_named(("original", "reply")), "{} direction", listed=True),
    Field.CT_SNAT: FieldPhrase(_named(("not snat", "snat")), listed=True),
    Field.CT_DNAT: FieldPhrase(_named(("not dnat", "dnat")), listed=True),
    Field.FRAGMENT: FieldPhrase(_named(("no later fragment", "a later fragment")), listed=True),
    Field.PKTTYPE: FieldPhrase(_named((*PKTTYPES[:-1], "to another host")), listed=True),
    Field.MAC_SOURCE: FieldPhrase(_numbers(_mac), "mac {}", "any mac but {}"),
    Field.LENGTH: FieldPhrase(_numbers(str), "length {}", "any length but {}"),
    Field.TTL: FieldPhrase(_numbers(str), "ttl {}", "any ttl but {}"),
    Field.TOS: FieldPhrase(None, masks=_masked(_tos)),
    Field.MARK: FieldPhrase(_numbers(hex), "mark {}", "mark not {}", masks=_masked(_mark)),
    Field.CT_MARK: FieldPhrase(
        _numbers(hex), "connection mark {}", "connection mark not {}", masks=_masked(_mark)
    ),
}
"""Interfaces are said by their names: see ``wording``."""
