"""What has been changed of a packet since it came to its first hook."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from iptlint.memo import memo
from iptlint.model import Field
from iptlint.packets.bdd import cube
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet
    from iptlint.packets.diagrams import BCDDSubstitution


class Rewrite:
    """For each variable that has another value now, its value as a function of the packet as it
    came. Every set here is of packets as they came; ``now`` translates. Two that change the same
    are equal."""

    def __init__(self, space: Space, bits: Mapping[int, PacketSet]) -> None:
        self.space = space
        self.bits = dict(sorted(bits.items()))
        self._numbers: dict[Field, int | None] = {}

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Rewrite) and self.bits == other.bits)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(tuple(self.bits.items()))

    def now(self, packets: PacketSet) -> PacketSet:
        """The packets as they came that are now one of ``packets``."""
        return packets.substitute(self._substitution) if self.bits else packets

    def now_by(self, field: Field, packets: PacketSet) -> PacketSet:
        """The same of packets that nothing but the field tells from others."""
        number = self.number(field) if self.changes(field) else None
        if number is None:
            return self.now(packets)
        are_all = (packets & self.space.value(field, number)).satisfiable()
        return self.space.true if are_all else self.space.false

    @cached_property
    def _substitution(self) -> BCDDSubstitution:
        return type(self.space.true).make_substitution(list(self.bits.items()))

    def variable(self, number: int) -> PacketSet:
        """The packets as they came whose variable is set now."""
        rewritten = self.bits.get(number)
        return self.space.variable(number) if rewritten is None else rewritten

    def number(self, field: Field) -> int | None:
        """What the field is now of all packets; None where it is not the same."""
        if field not in self._numbers:
            self._numbers[field] = self._number(field)
        return self._numbers[field]

    def _number(self, field: Field) -> int | None:
        number = 0
        for variable in self._variables(field):
            bit = self.bits.get(variable)
            if bit == self.space.true:
                number = number << 1 | 1
            elif bit == self.space.false:
                number <<= 1
            else:
                return None
        return number

    def changes(self, *fields: Field) -> bool:
        """Whether one of the fields has other values than the packets came with."""
        return any(n in self.bits for field in fields for n in self._variables(field))

    def of(self, *fields: Field) -> tuple[PacketSet | None, ...]:
        """How the variables of the fields were changed; None where one was not."""
        return tuple(self.bits.get(n) for field in fields for n in self._variables(field))

    def with_bits(self, bits: Mapping[int, PacketSet]) -> Rewrite:
        """A variable that has its first value again is not kept as changed."""
        variable = self.space.variable
        joined = {**self.bits, **bits}
        for number, one in bits.items():
            if one.node_var() == number and one == variable(number):
                del joined[number]
        return Rewrite(self.space, joined)

    def constant(self, field: Field, value: int) -> Rewrite:
        return self.with_bits(self.space.fields[field].constant(value))

    @memo
    def written(self, field: Field, mask: int, value: int, source: Field | None = None) -> Rewrite:
        """``field & ~mask ^ value``; with a source, ``^ source & value``."""
        one = self.space.fields[field]
        bits: dict[int, PacketSet] = {}
        for place, number in enumerate(reversed(one.variables)):
            flag = 1 << place
            bit = self.space.false if mask & flag else self.variable(number)
            if value & flag:
                flip = self._source_bit(source, place)
                bit = (bit & ~flip) | (~bit & flip)
            bits[number] = bit
        return self.with_bits(bits)

    def added(self, field: Field, amount: int) -> Rewrite:
        """``field + amount``, which stays between zero and the most it can be."""
        one = self.space.fields[field]
        up, step = amount > 0, abs(amount)
        carry, bits = self.space.false, {}
        for place, number in enumerate(reversed(one.variables)):
            bit, digit = (
                self.variable(number),
                self.space.true if step >> place & 1 else self.space.false,
            )
            bits[number] = bit ^ digit ^ carry
            other = bit if up else ~bit
            carry = (other & digit) | (other & carry) | (digit & carry)
        return self.with_bits({n: bit | carry if up else bit & ~carry for n, bit in bits.items()})

    def _source_bit(self, source: Field | None, place: int) -> PacketSet:
        if source is None:
            return self.space.true
        return self.variable(self.space.fields[source].variables[-1 - place])

    def unset(self, *fields: Field) -> Rewrite:
        """The fields as they came."""
        if not self.changes(*fields):
            return self
        gone = {number for field in fields for number in self.space.fields[field].variables}
        return Rewrite(self.space, {n: one for n, one in self.bits.items() if n not in gone})

    def where(self, packets: PacketSet, then: Rewrite) -> Rewrite:
        """``then`` for ``packets`` (as they came), this one for the others."""
        others, bits = ~packets, {}
        for number in {**self.bits, **then.bits}:
            mine, new = self.variable(number), then.variable(number)
            if mine != new:  # most were written alike before
                bits[number] = (packets & new) | (others & mine)
        return self.with_bits(bits)

    def differs(self, other: Rewrite, unknown: PacketSet, *fields: Field) -> PacketSet:
        """The packets as they came that differ now in one of the fields. A value that depends on
        the variables ``unknown`` (a cube) is taken to be no other's that depends on others."""
        if self == other:
            return self.space.false
        differing = self.space.false
        for field in fields:
            written = self.number(field) if self.changes(field) else None
            if written is not None and not other.changes(field):
                differing = differing | ~self.space.value(field, written)
                continue
            for number in self._variables(field):
                a, b = self.variable(number), other.variable(number)
                if a != b:
                    differing = differing | ((a & ~b) | (b & ~a)).exists(unknown)
        return differing

    def image(self, packets: PacketSet) -> PacketSet:
        """What the packets as they came are now; free where a value is not the same for all."""
        if not self.bits:
            return packets
        return packets.exists(_cube(self.space, tuple(self.bits))) & self._constants

    @cached_property
    def _constants(self) -> PacketSet:
        """The packets with all values that were written and are the same for all."""
        values = self.space.true
        for number, bit in reversed(self.bits.items()):
            if bit == self.space.true:
                values = self.space.variable(number) & values
            elif bit == self.space.false:
                values = ~self.space.variable(number) & values
        return values

    def _variables(self, field: Field) -> tuple[int, ...]:
        bits = self.space.fields.get(field)
        return () if bits is None else bits.variables


@memo
def _cube(space: Space, numbers: tuple[int, ...]) -> PacketSet:
    """Of the variables, which most rewrites have in common with others."""
    return cube(space.manager, numbers)
