"""The packets a ruleset can tell apart: fields laid out as variables, values as sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from iptlint.model import AnyOf, Field, Match, Opaque, Within
from iptlint.model.host_addresses import IPNetwork
from iptlint.model.matches import BITS, CT_STATES, PACKET_FAMILIES, Ranges
from iptlint.packets.bdd import BitField, union
from iptlint.packets.conntrack import possible
from iptlint.packets.interfaces import NO_INTERFACE, Interfaces

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

NODE_CAPACITY = 32_000_000
"""Reserved lazily: untouched nodes cost address space, not memory."""

CACHE_ENTRIES_SMALL, CACHE_ENTRIES_LARGE = 1 << 14, 1 << 17
_LONG_LIST = 64
"""Of ranges: what is built octet by octet, and kept."""

_FEW, MOST_OPAQUE = 1_000, 40_000
"""Tests that are not interpreted, of which each is a variable: a diagram is worked through as deep
as it has such, on the stack of the thread."""

MOST_NAMED = 64
"""Values of a field, of those that tests name."""

_ORDER = (
    Field.FRAGMENT,
    Field.CT_STATE,
    Field.CT_DIRECTION,
    Field.CT_SNAT,
    Field.CT_DNAT,
    Field.PKTTYPE,
    Field.PROTO,
    Field.TCP_FLAGS,
    Field.ICMP_TYPE,
    Field.ICMP_CODE,
    Field.DPORT,
    Field.SPORT,
    Field.DADDR,
    Field.SADDR,
    Field.DADDR6,
    Field.SADDR6,
    Field.MAC_SOURCE,
    Field.LENGTH,
    Field.TTL,
    Field.TOS,
)
"""Of the variables, behind family and interfaces and before marks.

Destinations before sources: rulesets serve few destinations to many sources, and on a real
host's 6,000 rules this order needs a third of the nodes of the other.
"""

_ONLY_OF = {
    Field.DADDR: "ip",
    Field.SADDR: "ip",
    Field.DADDR6: "ip6",
    Field.SADDR6: "ip6",
}
"""Fields that packets of one family have; where there are none of it, there is no variable."""


class Space:
    """The packets of the ``families``, as finely as ``tests`` (of any rules) can tell them apart.

    ``defragmented``: connections are tracked, so no rule sees a fragment. ``own``: addresses that
    are known to be the host's. ``large``: many sets are to be asked for. Sets of two spaces never
    meet: oxidd ends the process where they do.
    """

    def __init__(
        self,
        families: Sequence[str],
        tests: Sequence[Match],
        *,
        defragmented: bool,
        own: Sequence[IPNetwork] = (),
        large: bool = False,
    ) -> None:
        from iptlint.packets.diagrams import BCDDManager

        cache = CACHE_ENTRIES_LARGE if large else CACHE_ENTRIES_SMALL
        self.tests = tests
        self._own = own
        self.manager = BCDDManager(NODE_CAPACITY, cache, 1)
        self.families = tuple(families)
        self.true = self.manager.true()
        self.false = self.manager.false()
        self.interfaces = Interfaces(tests)
        self.fields = dict(self._lay_out())
        self.opaques: dict[Opaque, PacketSet] = {}
        self._spare: Iterator[int] = iter(())
        self._decisions: dict[str, PacketSet] = {}
        self._long_lists: dict[tuple[Field, Ranges], PacketSet] = {}
        self._cubes: dict[frozenset[Field], PacketSet] = {}
        self._by_number: dict[int, PacketSet] = {}
        self._cubes_beside: dict[tuple[tuple[Field, ...], int, int], PacketSet] = {}
        self.universe = self._universe(defragmented)

    def _lay_out(self) -> Iterator[tuple[Field, BitField]]:
        interface_bits = max(1, (self.interfaces.count - 1).bit_length())
        first = {Field.FAMILY: 2, Field.IIF: interface_bits, Field.OIF: interface_bits}
        for field, width in (first | {field: BITS[field] for field in _ORDER}).items():
            if _ONLY_OF.get(field) in (None, *self.families):
                yield field, BitField(self.manager, self.manager.add_vars(width))
        # Bit beside bit: one mark is copied to the other, and then compared.
        marks = self.manager.add_vars(2 * BITS[Field.MARK])
        yield Field.MARK, BitField(self.manager, marks[::2])
        yield Field.CT_MARK, BitField(self.manager, marks[1::2])

    def _universe(self, defragmented: bool) -> PacketSet:
        """What no packet can be is left out: a reply is never new, a packet of no
        connection has no direction and is not translated."""
        last = self.interfaces.count - 1
        connected = ~self.state("invalid", "untracked")
        original = self.value(Field.CT_DIRECTION, 0)
        untranslated = self.value(Field.CT_SNAT, 0) & self.value(Field.CT_DNAT, 0)
        packets = (
            self.family(*self.families)
            & self.fields[Field.IIF].within(0, last)
            & self.fields[Field.OIF].within(0, last)
            & self.fields[Field.CT_STATE].within(0, len(CT_STATES) - 1)
            & (connected | (original & untranslated))
            & (original | ~self.state("new"))
        )
        # Conntrack reassembles datagrams (nf_defrag, priority -400) before any rule sees them.
        whole = self.value(Field.FRAGMENT, 0) & possible(self)
        return packets & whole if defragmented else packets

    @cached_property
    def variables(self) -> int:
        """How many Booleans a packet is told apart by; tests not interpreted not counted."""
        return sum(bits.width for bits in self.fields.values())

    @property
    def numbers(self) -> Iterator[int]:
        """The variables that tell packets apart so far, in no order."""
        for bits in self.fields.values():
            yield from bits.variables
        for variable in (*self.opaques.values(), *self._decisions.values()):
            yield variable.node_var() or 0

    def variable(self, number: int) -> PacketSet:
        """The packets for which the variable is set."""
        one = self._by_number.get(number)
        if one is None:
            one = self._by_number[number] = self.manager.var(number)
        return one

    def value(self, field: Field, value: int) -> PacketSet:
        return self.fields[field].within(value, value)

    def ranges(self, field: Field, ranges: Ranges) -> PacketSet:
        """None of the packets where no family of the space has the field."""
        bits = self.fields.get(field)
        if bits is None:
            return self.false
        if len(ranges) < _LONG_LIST:
            return union([bits.within(low, high) for low, high in ranges], self.false)
        key = field, ranges
        if key not in self._long_lists:
            self._long_lists[key] = bits.within_any(ranges)
        return self._long_lists[key]

    def own(self, field: Field) -> PacketSet:
        """The packets with an address of the host in the field, as far as any is known."""
        version = 6 if field in (Field.SADDR6, Field.DADDR6) else 4
        networks = (network for network in self._own if network.version == version)
        return self.ranges(field, tuple((int(each[0]), int(each[-1])) for each in networks))

    def named(self, field: Field) -> PacketSet:
        """The packets with a value in the field that some test asks for, as far as they are few."""
        ranges = tuple(islice(_ranges_named(self.tests, field), MOST_NAMED))
        return self.ranges(field, ranges)

    def masked(self, field: Field, mask: int, value: int) -> PacketSet:
        bits = self.fields.get(field)
        return self.false if bits is None else bits.masked(mask, value)

    def state(self, *names: str) -> PacketSet:
        numbers = (CT_STATES.index(name) for name in names)
        return union([self.value(Field.CT_STATE, n) for n in numbers], self.false)

    def family(self, *names: str) -> PacketSet:
        numbers = (PACKET_FAMILIES.index(name) for name in names)
        return union([self.value(Field.FAMILY, n) for n in numbers], self.false)

    def interface(self, field: Field, name: str, *, wildcard: bool = False) -> PacketSet:
        members = self.interfaces.members(name, wildcard)
        return union([self.value(field, number) for number in members], self.false)

    def no_interface(self, field: Field) -> PacketSet:
        return self.value(field, NO_INTERFACE)

    def opaque(self, test: Opaque) -> PacketSet:
        """The packets that pass a test the tool does not interpret."""
        variable = self.opaques.get(test.affirmed)
        if variable is None:
            variable = self.opaques[test.affirmed] = self.manager.var(self._one_more())
        return ~variable if test.negated else variable

    def _one_more(self) -> int:
        """A variable for a test. Where tests are many, that of a later rule stands above those of
        the rules before: what came past these is as it was beneath it."""
        if max(len(self.opaques) + 1, self._opaque_tests) > MOST_OPAQUE:
            raise MemoryError
        number = next(self._spare, None)
        if number is None:
            count = self._opaque_tests if not self.opaques and self._opaque_tests > _FEW else 1
            self._spare = reversed(self.manager.add_vars(count))
            number = next(self._spare)
        return number

    @cached_property
    def _opaque_tests(self) -> int:
        return len({test.affirmed for test in self.tests if isinstance(test, Opaque)})

    def opaques_upward(self) -> list[tuple[Opaque, PacketSet]]:
        """Those that were asked for, from the last variable to the first: so joined, each adds a
        node on top."""
        tests = {variable: test for test, variable in self.opaques.items()}
        return [(tests[variable], variable) for variable in _upward(tests)]

    def decided(self, key: str) -> PacketSet:
        """All packets, if it was decided so; else none of them."""
        variable = self._decisions.get(key)
        if variable is None:
            (number,) = self.manager.add_vars(1)
            variable = self._decisions[key] = self.manager.var(number)
        return variable

    def in_some_case(self, packets: PacketSet) -> PacketSet:
        """The packets that are among them if it was decided in one of all ways."""
        return packets.exists(self._deciding()) if self._decisions else packets

    def in_every_case(self, packets: PacketSet) -> PacketSet:
        """The packets that are among them whatever was decided."""
        return packets.forall(self._deciding()) if self._decisions else packets

    def _deciding(self) -> PacketSet:
        cube = self.true
        for variable in reversed(self._decisions.values()):
            cube = variable & cube
        return cube

    def forget(self, packets: PacketSet, fields: Iterable[Field]) -> PacketSet:
        """The same packets, free in the fields."""
        wanted = frozenset(fields)
        cube = self._cubes.get(wanted)
        if cube is None:
            cube = self.true
            for field, bits in reversed(self.fields.items()):
                if field in wanted:
                    cube = bits.cube & cube
            self._cubes[wanted] = cube
        return packets.exists(cube) if wanted else packets

    def project(self, packets: PacketSet, *kept: Field) -> PacketSet:
        """The same packets, free in everything but the fields ``kept``."""
        # From the last variable to the first, so that each step adds one node on top.
        key = kept, len(self.opaques), len(self._decisions)
        forgotten = self._cubes_beside.get(key)
        if forgotten is None:
            forgotten = self.true
            for variable in _upward((*self.opaques.values(), *self._decisions.values())):
                forgotten = variable & forgotten
            for field, bits in reversed(self.fields.items()):
                if field not in kept:
                    forgotten = bits.cube & forgotten
            self._cubes_beside[key] = forgotten
        return packets.exists(forgotten)


def _upward(variables: Iterable[PacketSet]) -> list[PacketSet]:
    """From the last variable to the first."""
    return sorted(variables, key=lambda variable: variable.node_var() or 0, reverse=True)


def _ranges_named(tests: Iterable[Match], field: Field) -> Iterator[tuple[int, int]]:
    for test in tests:
        match test:
            case Within(of, ranges, negated=False) if of is field:
                yield from ranges
            case AnyOf(alternatives, negated=False):
                for alternative in alternatives:
                    yield from _ranges_named(alternative, field)
            case _:
                pass
