"""Entries as tests of a packet's fields: alike parts are joined, so that a hundred thousand
addresses are one test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from iptlint.dialects.ipset.intervals import merged
from iptlint.dialects.ipset.values import WITH_PORTS
from iptlint.dialects.uninterpreted import uninterpreted
from iptlint.model import AnyOf, Family, Field, Interface, Masked, Match, Within
from iptlint.model.matches import Ranges
from iptlint.model.protocols import ICMP, ICMP6, TCP, UDP
from iptlint.model.sets import Device, Dimension, Entry, Numbers, Part, Ports, SetContents

Alternatives = tuple[tuple[Match, ...], ...]


@dataclass(frozen=True, slots=True)
class Sides:
    """Which side of the packet each dimension of the set is compared with; True: the source."""

    sources: tuple[bool, ...]
    family: Family
    contents: SetContents


def boxes(entries: Sequence[Entry], sides: Sides) -> Alternatives:
    """What any of the entries takes. An entry may be cut short: what is left out is anything."""
    return _boxes(entries, 0, sides)


def _boxes(entries: Sequence[Entry], depth: int, sides: Sides) -> Alternatives:
    if not entries:
        return ()
    if any(len(entry) == depth for entry in entries):
        return ((),)
    rests: dict[Part, list[Entry]] = {}
    for entry in entries:
        rests.setdefault(entry[depth], []).append(entry)
    alternatives: list[tuple[Match, ...]] = []
    for rest, heads in _alike(rests, depth).items():
        inner = _boxes([(*entries[0][: depth + 1], *tail) for tail in rest], depth + 1, sides)
        after: tuple[Match, ...] = inner[0] if len(inner) == 1 else (AnyOf(inner),)
        alternatives += ((*head, *after) for head in _tests(heads, depth, sides))
    return tuple(alternatives)


def _alike(rests: dict[Part, list[Entry]], depth: int) -> dict[tuple[Entry, ...], list[Part]]:
    """The parts that the same rests follow, so that they can be told as one."""
    by_rest: dict[tuple[Entry, ...], list[Part]] = {}
    for head, entries in rests.items():
        tails = tuple(entry[depth + 1 :] for entry in entries)
        rest = tails if len(tails) == 1 else tuple(sorted(tails, key=repr))
        by_rest.setdefault(rest, []).append(head)
    return by_rest


def _tests(parts: Sequence[Part], depth: int, sides: Sides) -> Alternatives:
    dimension = sides.contents.dimensions[depth]
    return _TESTS[dimension](parts, sides.sources[depth], sides)


# -- one dimension ------------------------------------------------------------


def _numbers(parts: Sequence[Part]) -> Ranges:
    return merged((part.low, part.high) for part in parts if isinstance(part, Numbers))


def _address(parts: Sequence[Part], source: bool, sides: Sides) -> Alternatives:
    field = sides.family.field(Field.SADDR if source else Field.DADDR)
    mask = sides.contents.mask
    if mask is not None and _has_gaps(mask, sides.family):
        values = (part.low for part in parts if isinstance(part, Numbers))
        return tuple((Masked(field, mask, value),) for value in values)
    return ((Within(field, _numbers(parts)),),)


def _has_gaps(mask: int, family: Family) -> bool:
    host = ~mask & (1 << family.address_bits) - 1
    return host & (host + 1) != 0


def _ports(parts: Sequence[Part], source: bool, sides: Sides) -> Alternatives:
    """A set of ports alone is asked about tcp and udp packets only (ip_set_get_ip_port)."""
    spans: dict[int, list[tuple[int, int]]] = {}
    for part in parts:
        if isinstance(part, Ports):
            protocols = (TCP, UDP) if part.protocol is None else (part.protocol,)
            for protocol in protocols:
                spans.setdefault(protocol, []).append((part.low, part.high))
    alike: dict[tuple[bool, Ranges], list[int]] = {}
    alternatives: list[tuple[Match, ...]] = []
    for protocol, numbers in spans.items():
        if protocol in (ICMP, ICMP6):
            alternatives += _icmp(protocol, numbers)
        else:
            alike.setdefault((protocol in WITH_PORTS, merged(numbers)), []).append(protocol)
    for (has_ports, ranges), numbered in alike.items():
        which = Within(Field.PROTO, merged((number, number) for number in numbered))
        ports = Within(Field.SPORT if source else Field.DPORT, ranges)
        alternatives.append(
            (which, *_unfragmented(sides, has_ports), *((ports,) if has_ports else ()))
        )
    return tuple(alternatives)


_FIRST_FRAGMENT = Within(Field.FRAGMENT, ((0, 0),))


def _unfragmented(sides: Sides, has_ports: bool) -> tuple[Match, ...]:
    """Of a later fragment of ip, a protocol without ports is still known; of ip6, none is
    (ip_set_getport.c)."""
    return (_FIRST_FRAGMENT,) if has_ports or sides.family is Family.IP6 else ()


def _icmp(protocol: int, numbers: Iterable[tuple[int, int]]) -> Alternatives:
    which = Within(Field.PROTO, ((protocol, protocol),))
    return tuple(
        (
            which,
            _FIRST_FRAGMENT,
            Within(Field.ICMP_TYPE, ((number >> 8, number >> 8),)),
            Within(Field.ICMP_CODE, ((number & 0xFF, number & 0xFF),)),
        )
        for number, _ in sorted({*numbers})
    )


def _mac(parts: Sequence[Part], source: bool, _: Sides) -> Alternatives:
    ranges = _numbers(parts)
    if source:
        return ((Within(Field.MAC_SOURCE, ranges),),)
    numbers = (part.low for part in parts if isinstance(part, Numbers))
    return tuple((uninterpreted(f"ether daddr {_spelled(number)}"),) for number in numbers)


def _spelled(mac: int) -> str:
    return ":".join(f"{mac >> shift & 0xFF:02x}" for shift in range(40, -1, -8))


def _mark(parts: Sequence[Part], _source: bool, sides: Sides) -> Alternatives:
    mask = sides.contents.mark_mask
    if mask is None or mask == 2**32 - 1:
        return ((Within(Field.MARK, _numbers(parts)),),)
    values = (part.low for part in parts if isinstance(part, Numbers))
    return tuple((Masked(Field.MARK, mask, value),) for value in values)


def _interface(parts: Sequence[Part], source: bool, _: Sides) -> Alternatives:
    field = Field.IIF if source else Field.OIF
    devices = (part for part in parts if isinstance(part, Device))
    return tuple((Interface(field, device.name, device.wildcard),) for device in devices)


_TESTS: dict[Dimension, Callable[[Sequence[Part], bool, Sides], Alternatives]] = {
    Dimension.ADDRESS: _address,
    Dimension.NETWORK: _address,
    Dimension.PORT: _ports,
    Dimension.MAC: _mac,
    Dimension.MARK: _mark,
    Dimension.INTERFACE: _interface,
}
