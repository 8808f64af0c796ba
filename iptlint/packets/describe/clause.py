"""A box of packets as one line: what is asked of them, and nothing that goes without saying."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from iptlint.model import Field
from iptlint.packets.describe.cover import EXISTS_IN, Axes, Axis, Box
from iptlint.packets.describe.fields import FIELD_PHRASES, FieldPhrase, icmp_types
from iptlint.packets.describe.lists import Listing, listed
from iptlint.packets.interfaces import NO_INTERFACE, Interfaces
from iptlint.packets.intervals import ranges

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

ANY = "any packet"
NONE = "no packet"

_NO_NAME = "no interface"
_MOST_CONDITIONS = 8
_OF_CONNECTION = re.compile(r"conntrack --ct(orig|repl)(src|dst)(port)? (\S+)")
_DIRECTIONS = {"orig": "original", "repl": "reply"}
_WAYS: Mapping[Axis, str] = {Field.IIF: "in", Field.OIF: "out"}
_ENDS = (
    ("from", (Field.SADDR, Field.SADDR6), Field.SPORT),
    ("to", (Field.DADDR, Field.DADDR6), Field.DPORT),
)
_PORTS = {port for _, _, port in _ENDS}
_ADDRESSES = {address for _, addresses, _ in _ENDS for address in addresses}
_HEAD: tuple[Axis, ...] = (Field.FAMILY, Field.PROTO, Field.ICMP_TYPE, Field.ICMP_CODE)
_FIRST: tuple[Axis, ...] = (Field.IIF, Field.OIF, Field.CT_STATE)
_NOUNS: Mapping[Axis, str] = {
    Field.SADDR: "ip source address",
    Field.DADDR: "ip destination address",
    Field.SADDR6: "ip6 source address",
    Field.DADDR6: "ip6 destination address",
    Field.PROTO: "protocol",
    Field.SPORT: "source port",
    Field.DPORT: "destination port",
    Field.ICMP_TYPE: "icmp type",
    Field.ICMP_CODE: "icmp code",
    Field.TCP_FLAGS: "tcp flags",
    Field.FRAGMENT: "fragment offset",
    Field.TTL: "ttl",
    Field.TOS: "tos",
}


class Wording:
    """``within``: what holds for all of these packets is not said."""

    def __init__(self, axes: Axes, within: PacketSet) -> None:
        self.axes = axes
        self.space = axes.space
        self.within = within

    def length(self, box: Box, axis: Axis) -> float:
        """How much there is to read of the axis."""
        return self._listing(box, axis, self._domain(box, axis, {})).length

    def line(self, box: Box) -> str:
        listings = self.listings(box)
        # A packet that has no such field: its bytes are not what they are named after.
        strange = [axis for axis in listings if not self._exists(box, axis)]
        usual = {axis: listing for axis, listing in listings.items() if axis not in strange}
        ends = (_end(word, usual, addresses, port) for word, addresses, port in _ENDS)
        head = " ".join(filter(None, (*self._head(usual, box), *ends, self._flags(usual))))
        parts = [head, *self._further(usual)]
        parts += (self._strange(axis, listings[axis]) for axis in strange)
        return ", ".join(filter(None, parts)) or ANY

    # -- what is said ----------------------------------------------------------

    def listings(self, box: Box) -> dict[Axis, Listing]:
        """What is said of each axis. One after the other, so that nothing goes without saying
        because of something else that then is not said either."""
        rest = dict(box)
        listings: dict[Axis, Listing] = {}
        for axis in self.axes.least_first(box):
            domain = self._domain(rest, axis, listings)
            if self._goes_without_saying(rest, axis, domain):
                del rest[axis]
            else:
                listings[axis] = self._listing(rest, axis, domain)
                rest[axis] = listings[axis].said
        return listings

    def _domain(self, box: Box, axis: Axis, listings: Mapping[Axis, Listing]) -> PacketSet:
        """The values there are, the rest of the box given."""
        domain = self.axes.project(self.within & self.axes.product(box, axis), axis)
        for other in box:
            there = self.axes.exists_in(other, axis)
            if there is None or not (domain & box[axis] & there).satisfiable():
                continue
            if _tells(other, axis, listings):
                domain = domain & there
        return domain

    def _goes_without_saying(self, box: Box, axis: Axis, domain: PacketSet) -> bool:
        if axis is Field.PROTO and self._only_protocol(box) is not None:
            return False  # "tcp with syn" is clearer than "with syn"
        return not (domain & ~box[axis]).satisfiable()

    def _listing(self, box: Box, axis: Axis, domain: PacketSet) -> Listing:
        values = box[axis]
        if not isinstance(axis, Field):
            return Listing((axis.key,), values, values != self.axes.cubes[axis])
        if axis in _WAYS:
            return self._interfaces(axis, values & domain, domain)
        return self._spoken(box, axis).listing(values, domain, self.space.fields[axis])

    def _interfaces(self, field: Field, values: PacketSet, domain: PacketSet) -> Listing:
        """What is left out wherever names that occur nowhere are in."""
        interfaces = self.space.interfaces
        numbers, every = self._numbers(field, values), self._numbers(field, domain)
        negated = interfaces.count - 1 in numbers
        items = _names(interfaces, every - numbers if negated else numbers, every)
        said = values | ~domain if negated else values
        return Listing(tuple(items), said, negated)

    def _spoken(self, box: Box, axis: Field) -> FieldPhrase:
        if axis is Field.ICMP_TYPE:
            return icmp_types(self._only_protocol(box))
        return FIELD_PHRASES[axis]

    def _numbers(self, field: Field, values: PacketSet) -> set[int]:
        numbers = ranges(values, self.space.fields[field])
        return {number for low, high in numbers for number in range(low, high + 1)}

    def _only_protocol(self, box: Box) -> int | None:
        values = box.get(Field.PROTO)
        if values is None:
            return None
        low, high = next(ranges(values, self.space.fields[Field.PROTO]))
        alone = values == self.space.value(Field.PROTO, low)
        return low if alone and low == high else None

    def _exists(self, box: Box, axis: Axis) -> bool:
        for other in EXISTS_IN.get(axis, ()):
            there = self.axes.exists_in(axis, other)
            if there is not None and other in box and not (box[other] & there).satisfiable():
                return False
        return True

    # -- how it is said --------------------------------------------------------

    def _head(self, listings: Mapping[Axis, Listing], box: Box) -> Iterator[str]:
        for axis in _HEAD:
            if axis in listings and isinstance(axis, Field):
                text = self._spoken(box, axis).text(listings[axis])
                yield text

    def _flags(self, listings: Mapping[Axis, Listing]) -> str:
        listing = listings.get(Field.TCP_FLAGS)
        return FIELD_PHRASES[Field.TCP_FLAGS].text(listing) if listing else ""

    def _further(self, listings: Mapping[Axis, Listing]) -> Iterator[str]:
        said = {*_HEAD, *_FIRST, Field.TCP_FLAGS}
        said |= _ADDRESSES | _PORTS
        for axis in (*_FIRST, *(axis for axis in self.axes.cubes if axis not in said)):
            listing = listings.get(axis)
            if listing is None:
                continue
            if axis in _WAYS:
                yield _way(_WAYS[axis], listing)
            elif axis is Field.CT_STATE:
                yield _state(listing)
            elif isinstance(axis, Field):
                yield FIELD_PHRASES[axis].text(listing)
        conditions = [
            f"{'not ' if listings[test].negated else ''}`{test_words(test.key)}`"
            for test in self.space.opaques
            if test in listings
        ]
        if len(conditions) > _MOST_CONDITIONS:
            unsaid = len(conditions) - _MOST_CONDITIONS + 1
            conditions[-unsaid:] = [f"{unsaid} further conditions"]
        if conditions:
            yield "if " + listed(conditions, "and")

    def _strange(self, axis: Axis, listing: Listing) -> str:
        text = listing.text(but="anything but ")
        return f"with {text} where the {_NOUNS.get(axis, axis)} would be"


def _end(
    word: str, listings: Mapping[Axis, Listing], addresses: tuple[Field, ...], port: Field
) -> str:
    """``from 203.0.113.0/24 port 53``; where one might read that of the last address only,
    ``from port 53 of 203.0.113.1 or 203.0.113.2``."""
    where = next((listings[field] for field in addresses if field in listings), None)
    ports = FIELD_PHRASES[port].text(listings[port]) if port in listings else ""
    if where is None:
        return f"{word} {ports}" if ports else ""
    if ports and (not where.single or listings[port].negated):
        return f"{word} {ports} of {where.text(but='any address but ')}"
    return " ".join(filter(None, (word, where.text(but="anywhere but "), ports)))


def test_words(text: str) -> str:
    """What a connection had when it began, or has in its answers, as neither language has it: the
    same for ``--ctorigdstport`` and ``ct original proto-dst``."""
    asked = _OF_CONNECTION.fullmatch(text)
    if asked is None:
        return text
    direction, side, port, value = asked.groups()
    field = f"{side[0]}{'port' if port else 'addr'}"
    low, _, high = value.partition(":") if port else (value, "", "")
    values = low if high in ("", low) else f"{low}-{high}"
    return f"ct {_DIRECTIONS[direction]} {field} {values}"


def _state(listing: Listing) -> str:
    if listing.negated and len(listing.items) > 1:
        return f"neither {listed(listing.items, 'nor')}"
    return FIELD_PHRASES[Field.CT_STATE].text(listing)


def _way(word: str, listing: Listing) -> str:
    """``in on eth0``, ``not in on lo``, ``in on any interface but lo and eth1``."""
    names = [name for name in listing.items if name != _NO_NAME]
    without = len(names) < len(listing.items)
    if not names:
        return f"{word} on an interface" if listing.negated else f"without an {word} interface"
    if not listing.negated:
        text = f"{word} on {listed(names, 'or')}"
        return f"{text} or without an {word} interface" if without else text
    if without or listing.rest or len(names) > 1:
        return f"{word} on any interface but {listed(names, 'and')}"
    return f"not {word} on {names[0]}"


def _tells(axis: Axis, other: Axis, listings: Mapping[Axis, Listing]) -> bool:
    """Whether who reads of the axis knows which values ``other`` has: an address shows its
    family, but "anywhere but 10.0.0.0/8" does not."""
    if axis in _ADDRESSES:
        return axis not in listings or not listings[axis].negated
    return other is not Field.PROTO or axis in _PORTS


def _named(name: str) -> str:
    """In nft ``ppp+`` is a name like any other."""
    return f'the interface "{name}"' if name.endswith(("+", "*")) else name


def _names(interfaces: Interfaces, numbers: set[int], domain: set[int]) -> Iterator[str]:
    """Wildcards first, with the names that they take along or do not."""
    left = set(numbers)
    for number, cls in enumerate(interfaces.classes, start=1):
        if number in left and cls.wildcard and cls.name:
            members = domain.intersection(interfaces.members(cls.name, True))
            others = [*_names(interfaces, members - left, domain)]
            yield f"{cls.name}+" + (f" (but not {listed(others, 'or')})" if others else "")
            left -= members
    for number, cls in enumerate(interfaces.classes, start=1):
        if number in left:
            yield _named(cls.name) if cls.name else "any other interface"
    if NO_INTERFACE in left:
        yield _NO_NAME
