"""Targets for what the model has a field for: they test the field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as dataclass_field

from iptlint.dialects.nft.lowering.bitwise import Bits
from iptlint.dialects.nft.lowering.match_builders import (
    ALWAYS,
    Alternatives,
    OpaqueTarget,
    View,
    any_of,
    digest,
    everything,
    hexadecimal,
    negate,
    shown,
)
from iptlint.dialects.nft.lowering.symbols import ETHER_TYPES, Symbols
from iptlint.dialects.nft.lowering.values import merged
from iptlint.dialects.uninterpreted import host_name, uninterpreted
from iptlint.model import AnyOf, Family, Field, Interface, Masked, Match, Within
from iptlint.model.matches import PACKET_FAMILIES, FirstHeader, InterfaceNumber, Ranges
from iptlint.model.protocols import PORT_PROTOCOLS

_ADDRESSES = (Field.SADDR, Field.DADDR, Field.SADDR6, Field.DADDR6)


class _Numeric:
    """Targets for which a text is only a name."""

    __slots__ = ()

    def text(self, text: str, wildcard: bool, view: View) -> Alternatives:
        return ((uninterpreted(f"{view.spelled()} {shown(text, wildcard)}"),),)


@dataclass(frozen=True, slots=True)
class FieldTarget(_Numeric):
    """The value is ``width`` bits of the field, the lowest of them ``low``."""

    field: Field
    width: int
    low: int = 0
    whole: bool = True

    def text(self, text: str, wildcard: bool, view: View) -> Alternatives:
        """Where an address would stand, it is the name of a host."""
        key = f"{view.spelled()} {shown(text, wildcard)}"
        asks = host_name(text) if self.field in _ADDRESSES and not wildcard else None
        return ((uninterpreted(key, asks=asks),),)

    def numbers(self, ranges: Ranges, bits: Bits | None, view: View) -> Alternatives:
        ranges = merged(ranges)
        if bits is None and everything(ranges, self.width):
            return ALWAYS
        if bits is None and self.whole:
            return ((Within(self.field, ranges),),)
        seen = bits or Bits.whole(self.width)
        tests = seen.tests(ranges)
        if tests is None:
            return ((uninterpreted(f"{view.spelled()} {digest(ranges)}"),),)
        return tuple(
            (Masked(self.field, mask << self.low, value << self.low),) if mask else ()
            for mask, value in tests
        )


@dataclass(frozen=True, slots=True)
class LengthTarget(_Numeric):
    """A length that counts ``header`` bytes less than ``Field.LENGTH``, whose last value
    stands for all that is longer."""

    header: int = 0

    def numbers(self, ranges: Ranges, bits: Bits | None, view: View) -> Alternatives:
        if bits is not None:
            return OpaqueTarget().numbers(ranges, bits, view)
        if everything(ranges, view.width):
            return ALWAYS
        top = 0xFFFF
        moved = ((low + self.header, high + self.header) for low, high in ranges)
        return ((Within(Field.LENGTH, merged((min(a, top), min(b, top)) for a, b in moved)),),)


def _interface_number(low: int, high: int) -> InterfaceNumber | None:
    return InterfaceNumber(low) if low == high else None


@dataclass(frozen=True, slots=True)
class InterfaceTarget:
    """nft compares an empty name where there is no interface, as iptables does
    (nft_meta_store_ifname): of a name only the negated test holds then."""

    field: Field
    by_index: bool = False

    def numbers(self, ranges: Ranges, bits: Bits | None, view: View) -> Alternatives:
        return OpaqueTarget(asks=_interface_number).numbers(ranges, bits, view)

    def text(self, text: str, wildcard: bool, view: View) -> Alternatives:
        return ((Interface(self.field, text, wildcard, by_index=self.by_index),),)


@dataclass(frozen=True, slots=True)
class OneOfTarget(_Numeric):
    """A value that is always one of a few; ``values`` gives the field's value for each."""

    field: Field
    values: Symbols = dataclass_field(hash=False)
    names: Symbols = dataclass_field(hash=False)

    def numbers(self, ranges: Ranges, bits: Bits | None, view: View) -> Alternatives:
        taken = []
        for name, number in self.names.items():
            seen = bits.of(number) if bits else number
            if any(low <= seen <= high for low, high in ranges):
                taken.append(self.values[name])
        if len(taken) == len(self.names):
            return ALWAYS
        return ((Within(self.field, merged((v, v) for v in taken)),),) if taken else ()


def family_tests(family: Family, *names: str) -> tuple[Match, ...]:
    """The packet is of one of the families named; nothing where a table sees no other."""
    seen = [name for name in family.packets if name in names]
    if len(seen) == len(family.packets):
        return ()
    if not seen:
        return (AnyOf(()),)
    numbers = (PACKET_FAMILIES.index(name) for name in seen)
    return (Within(Field.FAMILY, merged((n, n) for n in numbers)),)


_FAMILIES = {ETHER_TYPES["ip"]: "ip", ETHER_TYPES["arp"]: "arp", ETHER_TYPES["ip6"]: "ip6"}
_TAGS = (ETHER_TYPES["8021q"], ETHER_TYPES["8021ad"])
TAGGED = uninterpreted("vlan tag")
"""The frame has a VLAN tag. ``ether type`` sees it, though the device may have taken it off,
and ``meta protocol`` sees what is behind it (nft_payload_copy_vlan)."""


def tag(number: int) -> tuple[Match, ...]:
    return TAGGED, uninterpreted(f"ether type {hex(number)}")


@dataclass(frozen=True, slots=True)
class EtherTypeTarget(_Numeric):
    """``Field.FAMILY`` by ethertype. ``frame``: it is that in the frame, before a tag."""

    frame: bool = False

    def numbers(self, ranges: Ranges, bits: Bits | None, view: View) -> Alternatives:
        if bits is not None:
            return OpaqueTarget().numbers(ranges, bits, view)
        if everything(ranges, view.width):
            return ALWAYS
        untagged: tuple[Match, ...] = (negate(TAGGED),) if self.frame else ()
        sees_all = view.family in (Family.BRIDGE, Family.NETDEV)
        other = family_tests(view.family, "other") if sees_all or not self.frame else ()
        alternatives: list[tuple[Match, ...]] = []
        for low, high in ranges:
            named = [n for n in _FAMILIES if low <= n <= high]
            if named:
                families = family_tests(view.family, *(_FAMILIES[n] for n in named))
                alternatives.append((*untagged, *families))
            tags = [n for n in _TAGS if low <= n <= high] if self.frame else []
            alternatives += (tag(number) for number in tags)
            if high - low + 1 > len(named) + len(tags):
                key = f"meta protocol {hexadecimal(low, high)}"
                alternatives.append((*untagged, *other, uninterpreted(key)))
        return tuple(alternatives)


@dataclass(frozen=True, slots=True)
class FlagsTarget(_Numeric):
    """Each bit is a test of its own; ``bit`` gives the tests for one."""

    bit: Callable[[int], tuple[Match, ...]]

    def numbers(self, ranges: Ranges, bits: Bits | None, view: View) -> Alternatives:
        """Of a test for exactly these bits only what it implies is known."""
        if everything(ranges, view.width) and bits is None:
            return ALWAYS
        if bits is None or bits.flip or bits.shift:
            return OpaqueTarget().numbers(ranges, bits, view)
        tests = bits.tests(ranges)
        if tests is None or any(mask.bit_count() > 32 for mask, _ in tests):
            return OpaqueTarget().numbers(ranges, bits, view)
        return tuple(self._bits(mask, value) for mask, value in tests)

    def _bits(self, mask: int, value: int) -> tuple[Match, ...]:
        wanted: list[Match] = []
        for number in range(mask.bit_length()):
            if mask >> number & 1:
                one = self.bit(number)
                wanted += one if value >> number & 1 else (negate(any_of((one,))),)
        return tuple(wanted)


HAS_PORTS = Within(Field.PROTO, tuple((number, number) for number in PORT_PROTOCOLS))


@dataclass(frozen=True, slots=True)
class PortTarget(_Numeric):
    """``th sport``, ``th dport``: of other protocols it is just what stands there."""

    field: Field
    raw: str

    def numbers(self, ranges: Ranges, bits: Bits | None, view: View) -> Alternatives:
        ports = FieldTarget(self.field, 16).numbers(ranges, bits, view)
        if ports == ALWAYS:
            return ALWAYS
        other = OpaqueTarget(self.raw).numbers(ranges, bits, view)
        return (
            *((HAS_PORTS, *tests) for tests in ports),
            *((negate(HAS_PORTS), *tests) for tests in other),
        )


EXTENSION_HEADERS = frozenset((0, 43, 44, 51, 60))
"""The headers that another one follows, before the transport header (ipv6_find_hdr)."""


@dataclass(frozen=True, slots=True)
class NextHeaderTarget(_Numeric):
    """The first header's word for what follows; where that is a transport header, it is the
    packet's protocol, but an extension header may stand before the same one."""

    def numbers(self, ranges: Ranges, bits: Bits | None, view: View) -> Alternatives:
        opaque = OpaqueTarget(asks=FirstHeader)
        if bits is not None or everything(ranges, view.width):
            return opaque.numbers(ranges, bits, view)
        alternatives: list[tuple[Match, ...]] = []
        for low, high in ranges:
            tests = opaque.numbers(((low, high),), None, view)
            known = not any(low <= number <= high for number in EXTENSION_HEADERS)
            protocol = (Within(Field.PROTO, ((low, high),)),) if known else ()
            alternatives += ((*protocol, *each) for each in tests)
        return tuple(alternatives)


@dataclass(frozen=True, slots=True)
class FragmentTarget(_Numeric):
    """``ip frag-off``: an offset of 0 is that of a first fragment, or of none."""

    def numbers(self, ranges: Ranges, bits: Bits | None, view: View) -> Alternatives:
        offset = Bits(16, 0x1FFF)
        if bits != offset:
            return OpaqueTarget().numbers(ranges, bits, view)
        ranges = merged(ranges)
        first = ((Within(Field.FRAGMENT, ((0, 0),)),),) if ranges[0][0] == 0 else ()
        later = tuple((max(low, 1), high) for low, high in ranges if high)
        if not later:
            return first
        if later[0][0] == 1 and later[0][1] >= offset.mask:
            return (*first, (Within(Field.FRAGMENT, ((1, 1),)),))
        beside = (Within(Field.FRAGMENT, ((1, 1),)),)
        return (*first, *OpaqueTarget(beside=beside).numbers(later, bits, view))
