"""The packets a ruleset can tell apart: fields laid out as variables, tests as sets.

A rule has two sets. ``may``: the packets it takes if its uncertain tests hold.
``sure``: those it takes whatever they say. Where a rule of the ruleset changes a
field, tests of that field are uncertain here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import singledispatchmethod
from typing import TYPE_CHECKING, NamedTuple

from iptlint.model import (
    AnyOf,
    EffectKind,
    Family,
    Field,
    Interface,
    Masked,
    Match,
    Opaque,
    Rule,
    Uncertain,
    Within,
)
from iptlint.model.matches import CT_STATES, Ranges
from iptlint.packets.bits import BitField, union
from iptlint.packets.interfaces import NO_INTERFACE, Interfaces

if TYPE_CHECKING:
    from iptlint.packets.bits import PacketSet

NODE_CAPACITY = 60_000_000
"""Reserved lazily: untouched nodes cost address space, not memory."""

CACHE_ENTRIES_SMALL, CACHE_ENTRIES_LARGE = 1 << 14, 1 << 17
_SMALL_RULESET = 200

_WIDTHS = {
    Field.FRAGMENT: 1,
    Field.CT_STATE: 3,
    Field.CT_DIRECTION: 1,
    Field.CT_SNAT: 1,
    Field.CT_DNAT: 1,
    Field.PKTTYPE: 2,
    Field.PROTO: 8,
    Field.TCP_FLAGS: 8,
    Field.ICMP_TYPE: 8,
    Field.ICMP_CODE: 8,
    Field.DPORT: 16,
    Field.SPORT: 16,
    Field.DADDR: 0,
    Field.SADDR: 0,
    Field.MAC_SOURCE: 48,
    Field.LENGTH: 16,
    Field.TTL: 8,
    Field.TOS: 8,
    Field.MARK: 32,
    Field.CT_MARK: 32,
}
"""In the order of the variables; an address has as many bits as its family says.

Destinations before sources: rulesets serve few destinations to many sources, and on a real
host's 6,000 rules this order needs a third of the nodes of the other.
"""

_CONNTRACK_FIELDS = {
    Field.CT_STATE,
    Field.CT_DIRECTION,
    Field.CT_SNAT,
    Field.CT_DNAT,
    Field.CT_MARK,
}


class Tests(NamedTuple):
    """``sure`` is a subset of ``may``; the two are equal where nothing is uncertain."""

    may: PacketSet
    sure: PacketSet


class Space:
    """The packets of one family, as finely as ``rules`` can tell them apart.

    ``defragmented``: connections are tracked, so no rule sees a fragment. Sets of two spaces
    never meet: oxidd ends the process where they do.
    """

    def __init__(self, family: Family, rules: Iterable[Rule], *, defragmented: bool) -> None:
        from oxidd.bcdd import BCDDManager

        rules = tuple(rules)
        small = len(rules) < _SMALL_RULESET
        cache = CACHE_ENTRIES_SMALL if small else CACHE_ENTRIES_LARGE
        self.manager = BCDDManager(NODE_CAPACITY, cache, 1)
        self.family = family
        self.true = self.manager.true()
        self.false = self.manager.false()
        self.interfaces = Interfaces(match for rule in rules for match in rule.matches)
        self._volatile_fields, self._volatile_sets = _changed_by(rules)
        self.fields = dict(self._lay_out())
        self.opaques: dict[str, PacketSet] = {}
        self._cache: dict[Match, Tests] = {}
        self.universe = self._universe(defragmented)

    def _lay_out(self) -> Iterator[tuple[Field, BitField]]:
        interface_bits = max(1, (self.interfaces.count - 1).bit_length())
        widths = {Field.IIF: interface_bits, Field.OIF: interface_bits, **_WIDTHS}
        for field, width in widths.items():
            variables = self.manager.add_vars(width or self.family.address_bits)
            yield field, BitField(self.manager, variables)

    def _universe(self, defragmented: bool) -> PacketSet:
        """What no packet can be is left out: a reply is never new, a packet of no
        connection has no direction and is not translated."""
        last = self.interfaces.count - 1
        connected = ~self.state("invalid", "untracked")
        original = self.value(Field.CT_DIRECTION, 0)
        untranslated = self.value(Field.CT_SNAT, 0) & self.value(Field.CT_DNAT, 0)
        packets = (
            self.fields[Field.IIF].within(0, last)
            & self.fields[Field.OIF].within(0, last)
            & self.fields[Field.CT_STATE].within(0, len(CT_STATES) - 1)
            & (connected | (original & untranslated))
            & (original | ~self.state("new"))
        )
        # Conntrack reassembles datagrams (nf_defrag, priority -400) before any rule sees them.
        return packets & self.value(Field.FRAGMENT, 0) if defragmented else packets

    def value(self, field: Field, value: int) -> PacketSet:
        return self.fields[field].within(value, value)

    def ranges(self, field: Field, ranges: Ranges) -> PacketSet:
        bits = self.fields[field]
        return union([bits.within(low, high) for low, high in ranges], self.false)

    def state(self, *names: str) -> PacketSet:
        numbers = (CT_STATES.index(name) for name in names)
        return union([self.value(Field.CT_STATE, n) for n in numbers], self.false)

    def interface(self, field: Field, name: str, *, wildcard: bool = False) -> PacketSet:
        members = self.interfaces.members(name, wildcard)
        return union([self.value(field, number) for number in members], self.false)

    def no_interface(self, field: Field) -> PacketSet:
        return self.value(field, NO_INTERFACE)

    def project(self, packets: PacketSet, *kept: Field) -> PacketSet:
        """The same packets, free in everything but the fields ``kept``."""
        # From the last variable to the first, so that each step adds one node on top.
        forgotten = self.true
        for variable in reversed(self.opaques.values()):
            forgotten = variable & forgotten
        for field, bits in reversed(self.fields.items()):
            if field not in kept:
                forgotten = bits.cube & forgotten
        return packets.exists(forgotten)

    def rule(self, rule: Rule) -> Tests:
        """The packets of the universe that the rule's tests take."""
        return self.all_of(rule.matches, self.universe)

    def all_of(self, matches: Iterable[Match], within: PacketSet) -> Tests:
        may = sure = within
        for match in matches:
            tests = self.test(match)
            certain = may is sure and tests.may is tests.sure
            may = may & tests.may
            sure = may if certain else sure & tests.sure
        return Tests(may, sure)

    def test(self, match: Match) -> Tests:
        found = self._cache.get(match)
        if found is None:
            found = self._cache[match] = self._test(match)
        return found

    @singledispatchmethod
    def _test(self, match: Match) -> Tests:
        raise TypeError(f"no packet set for {match!r}")

    @_test.register
    def _(self, match: Within) -> Tests:
        return self._field_test(match, self.ranges(match.field, match.ranges))

    @_test.register
    def _(self, match: Masked) -> Tests:
        return self._field_test(match, self.fields[match.field].masked(match.mask, match.value))

    @_test.register
    def _(self, match: Interface) -> Tests:
        found = self.interface(match.field, match.name, wildcard=match.wildcard)
        return self._field_test(match, found)

    @_test.register
    def _(self, match: Opaque) -> Tests:
        if match.key.startswith(self._volatile_sets):
            return Tests(self.true, self.false)
        variable = self.opaques.get(match.key)
        if variable is None:
            (number,) = self.manager.add_vars(1)
            variable = self.opaques[match.key] = self.manager.var(number)
        return _certain(~variable if match.negated else variable)

    @_test.register
    def _(self, match: Uncertain) -> Tests:
        return Tests(self.true, self.false)

    @_test.register
    def _(self, match: AnyOf) -> Tests:
        found = [self.all_of(alternative, self.true) for alternative in match.alternatives]
        may = union([tests.may for tests in found], self.false)
        if all(tests.may is tests.sure for tests in found):
            return _certain(~may if match.negated else may)
        sure = union([tests.sure for tests in found], self.false)
        return Tests(~sure, ~may) if match.negated else Tests(may, sure)

    def _field_test(self, match: Within | Masked | Interface, packets: PacketSet) -> Tests:
        if match.field in self._volatile_fields:
            return Tests(self.true, self.false)
        return _certain(~packets if match.negated else packets)


def _certain(packets: PacketSet) -> Tests:
    return Tests(packets, packets)


def set_key(name: str) -> str:
    """How the key of an opaque test of set ``name`` starts."""
    return f"set {name} "


def _changed_by(rules: Iterable[Rule]) -> tuple[frozenset[Field], tuple[str, ...]]:
    rules = tuple(rules)
    effects = [effect for rule in rules for effect in rule.effects]
    # What a rule changes that ends the walk, no rule of the walk sees.
    going_on = [e for rule in rules if not rule.verdict.kind.ends_walk for e in rule.effects]
    fields = {e.field for e in going_on if e.kind is EffectKind.WRITE and e.field is not None}
    if any(e.kind is EffectKind.NOTRACK for e in effects):
        fields |= _CONNTRACK_FIELDS
    sets = {set_key(e.name) for e in effects if e.kind is EffectKind.SET and e.name}
    return frozenset(fields), tuple(sorted(sets))


def reads_conntrack(matches: Iterable[Match]) -> bool:
    """Whether a test asks for the packet's connection; that loads connection tracking."""
    return any(
        any(reads_conntrack(alternative) for alternative in match.alternatives)
        if isinstance(match, AnyOf)
        else getattr(match, "field", None) in _CONNTRACK_FIELDS
        for match in matches
    )
