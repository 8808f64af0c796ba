"""What had to hold for the outcome of one packet, that the packet itself does not decide."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from iptlint.model import Field
from iptlint.netfilter.rewriting import DESTINATION, SOURCE
from iptlint.netfilter.routing import ANY_WAY_ON
from iptlint.netfilter.unknowns import (
    OF_CONNECTION,
    ExactMatcher,
    Unknown,
    Unknowns,
    connection_said,
)
from iptlint.packets.bdd import BitField, cube
from iptlint.packets.describe.fields import FIELD_PHRASES
from iptlint.packets.flips import flips
from iptlint.packets.packet import Packet
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.model.verdicts import Choice
    from iptlint.packets.bdd import PacketSet

_T = TypeVar("_T")
_UNSEEN = (
    *(Field.CT_DIRECTION, Field.CT_SNAT, Field.CT_DNAT, Field.CT_MARK),
    *(Field.MAC_SOURCE, Field.LENGTH, Field.TTL, Field.TOS, Field.PKTTYPE),
)
"""Fields that ``Packet`` does not have."""
DOES_NOT_HOLD, LEAVES_BY = "does not hold", "it leaves by"


class Chosen(NamedTuple):
    """One packet with all its luck, as it came and in the end. ``others``: the packets that have
    another outcome."""

    point: PacketSet
    others: PacketSet
    came: Packet
    arrived: Packet


def conditions(
    space: Space, unknowns: Unknowns, matcher: ExactMatcher, chosen: Chosen
) -> Iterator[str]:
    """What of the packet's luck could not be otherwise, nor of its fields not in ``Packet``."""
    yield from dict.fromkeys(_each(space, unknowns, matcher, chosen))


def _each(space: Space, unknowns: Unknowns, matcher: ExactMatcher, chosen: Chosen) -> Iterator[str]:
    matter = _Matter.of(chosen)
    for key, numbers in matter.among(unknowns.together().items()):
        yield _said(matcher, key, numbers, chosen)
    fields = ((field, space.fields[field]) for field in _UNSEEN if field in space.fields)
    for (field, bits), _ in matter.among((each, each[1].variables) for each in fields):
        phrase = FIELD_PHRASES[field]
        yield phrase.text(phrase.listing(_alike(bits, chosen), space.true, bits))


def _said(matcher: ExactMatcher, key: Unknown, numbers: Sequence[int], chosen: Chosen) -> str:
    """Of a test whether it holds, of what is written the values with which all ends like this."""
    value = _number(numbers, chosen.point)
    if key.kind == OF_CONNECTION:
        return connection_said(key, bool(value))
    first = key if key.bit is None else key._replace(bit=None)
    if first in _SAID:
        return _SAID[first](value, chosen)
    rule = matcher.left_open.rule_of(key)
    if rule and not rule.read:
        does = "does so" if value else "does not"
        return f"line {rule.statement.span.line}, which could not be read, {does}"
    where = f"line {rule.statement.span.line}: " if rule else ""
    if key.bit is None:
        return f"{where}{key.text} {'holds' if value else DOES_NOT_HOLD}"
    field = _FIELDS.get(key.kind)
    if rule is None or field is None:
        return f"{where}{key.text} is {value}"
    choices = (effect.choice for effect in rule.effects if effect.field is field)
    chosen_from = next((each for each in choices if each and each.low is not None), None)
    return f"{where}{key.text} {_written(field, chosen_from, numbers, chosen)}"


def _written(field: Field, choice: Choice | None, numbers: Sequence[int], chosen: Chosen) -> str:
    """``is 9000``, ``is 9000-9004 or 9008``, ``is not 9001``: of the numbers that there may be."""
    bits = BitField(chosen.point.manager, numbers)
    low, high = (choice.low or 0, choice.high or 0) if choice else (0, bits.maximum)
    there, alike = bits.within(low, high), _alike(bits, chosen)
    if (alike & ~there).satisfiable():
        # Any other number stands for the lowest (``Rewriting``).
        alike = (alike & there) | bits.within(low, low)
    if sorted(numbers) != [*numbers]:
        # Ranges are read from the top; the one number that is shown is said alone.
        value = _number(numbers, chosen.point)
        value = value if low <= value <= high else low
        bits = BitField(chosen.point.manager, sorted(numbers))
        there, alike = chosen.point.manager.true(), bits.within(value, value)
    listing = FIELD_PHRASES[field].listing(alike, there, bits)
    return f"is {'not ' if listing.negated else ''}{listing.text(but='')}"


def _alike(bits: BitField, chosen: Chosen) -> PacketSet:
    """The values with which the packet ends like this, all else being as it is."""
    ends = chosen.point.exists(bits.cube) & ~chosen.others
    values = enumerate(chosen.point.pick_cube() or ())
    settled = {number for number, value in values if value is not None}
    return ends.exists(cube(chosen.point.manager, sorted(settled.difference(bits.variables))))


def _out(_: int, chosen: Chosen) -> str:
    return f"{LEAVES_BY} {chosen.arrived.oif}"


def _address(value: int, chosen: Chosen) -> str:
    return str((IPv4Address if chosen.came.family == "ip" else IPv6Address)(value))


def _incoming(value: int, chosen: Chosen) -> str:
    return f"the address of {chosen.came.iif} is {_address(value, chosen)}"


def _outgoing(value: int, chosen: Chosen) -> str:
    return f"the address of {chosen.arrived.oif} is {_address(value, chosen)}"


def _sent_to_first(value: int, chosen: Chosen) -> str:
    is_or_not = "is" if value else "is not"
    return f"its destination {is_or_not} the first address of {chosen.came.iif}"


def _sent_from_first(value: int, chosen: Chosen) -> str:
    is_or_not = "is" if value else "is not"
    return f"its source {is_or_not} the address of {chosen.arrived.oif}"


_SAID: dict[Unknown, Callable[[int, Chosen], str]] = {
    ANY_WAY_ON: _out,
    DESTINATION.own: _incoming,
    DESTINATION.kept: _sent_to_first,
    SOURCE.own: _outgoing,
    SOURCE.kept: _sent_from_first,
}

_FIELDS = {field.value: field for field in Field}
"""What is written to, by how the unknown number is kept."""


class _Matter(NamedTuple):
    """``settled``: the values of the packet; ``alone``: the variables each of which alone, with its
    other value, leads to another outcome."""

    chosen: Chosen
    settled: Mapping[int, bool]
    alone: frozenset[int]

    @classmethod
    def of(cls, chosen: Chosen) -> _Matter:
        values = enumerate(chosen.point.pick_cube() or ())
        settled = {number: value for number, value in values if value is not None}
        return cls(chosen, settled, flips(chosen.others, settled))

    def among(self, each: Iterable[tuple[_T, Sequence[int]]]) -> Iterator[tuple[_T, Sequence[int]]]:
        """The things, each with its variables, with other values of which the packet has another
        outcome."""
        for thing, numbers in each:
            is_one = len(numbers) == 1 and numbers[0] in self.settled
            if self.alone.intersection(numbers) or (not is_one and self._together(numbers)):
                yield thing, numbers

    def _together(self, numbers: Sequence[int]) -> bool:
        free = self.chosen.point.exists(cube(self.chosen.point.manager, numbers))
        return (free & self.chosen.others).satisfiable()


def _number(numbers: Sequence[int], point: PacketSet) -> int:
    """The most significant bit comes first."""
    value = 0
    for number in numbers:
        value = value << 1 | (point & point.manager.var(number)).satisfiable()
    return value
