"""The tests of rules as sets of packets.

A rule has two sets. ``may``: the packets it takes if its uncertain tests hold.
``sure``: those it takes whatever they say. Where rules change a field or a set on the way,
tests of it are uncertain.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from iptlint.memo import memo
from iptlint.model import (
    AnyOf,
    Decided,
    Family,
    Field,
    Interface,
    Masked,
    Match,
    Opaque,
    Rule,
    Uncertain,
    Within,
    addresses,
)
from iptlint.model.matches import CT_STATES
from iptlint.model.writes import CONNTRACK_FIELDS, Writes, looks_into
from iptlint.packets.bdd import union
from iptlint.packets.conntrack import connected
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


_ENDS = frozenset((Field.SADDR, Field.DADDR, Field.SADDR6, Field.DADDR6))


@memo
def anybodys(space: Space) -> PacketSet:
    """The packets from addresses that stand for any public one. Who names some senders whom only
    the run of a script tells means none of them."""
    each = [
        space.ranges(field, addresses.anybodys(Family(family)))
        for family, field in (("ip", Field.SADDR), ("ip6", Field.SADDR6))
        if family in space.families
    ]
    return union(each, space.false)


class Tests(NamedTuple):
    """``sure`` is a subset of ``may``; the two are equal where nothing is uncertain."""

    may: PacketSet
    sure: PacketSet


class Matcher:
    """``changes``: what the rules that are matched with it change. ``by_decision``: what was
    decided once is told apart, as if it were of the packet; else it is uncertain."""

    def __init__(self, space: Space, changes: Writes, *, by_decision: bool = False) -> None:
        self.space = space
        self.changes = changes
        self.by_decision = by_decision
        self._anything = Tests(space.true, space.false)
        self._cache: dict[Match, Tests] = {}
        self._rests: dict[tuple[PacketSet | Match, ...], Tests] = {}

    def rule(self, rule: Rule) -> Tests:
        """The packets of the universe that the rule's tests take."""
        return self.each_of(rule.matches, self.space.universe)

    def is_told(self, match: Match) -> bool:
        """Whether it is seen at a glance that the packet alone decides the test."""
        field = _field_of(match)
        return not (field is None or field in self.changes.fields or field is Field.CT_MARK)

    def each_of(self, matches: Iterable[Match], within: PacketSet) -> Tests:
        """The same as ``all_of``, for the tests of many rules: what a rule tests beside its
        addresses is the same for most."""
        ends: list[Match] = []
        others: list[Match] = []
        for match in matches:
            is_end = type(match) is Within and match.field in _ENDS
            (ends if is_end else others).append(match)
        rest = within, *others
        known = self._rests.get(rest)
        if known is None:
            known = self._rests[rest] = self.all_of(others, within)
        return self._narrowed(ends, known)

    def all_of(self, matches: Iterable[Match], within: PacketSet) -> Tests:
        return self._narrowed(matches, _certain(within))

    def _narrowed(self, matches: Iterable[Match], within: Tests) -> Tests:
        may, sure = within
        for match in matches:
            tests = self.test(match)
            certain = may is sure and tests.may is tests.sure
            may = may & tests.may
            sure = may if certain else sure & tests.sure
        return Tests(may, sure)

    def test(self, match: Match) -> Tests:
        known = self._cache.get(match)
        if known is None:
            known = self._cache[match] = self._test(match)
        return known

    def _test(self, match: Match) -> Tests:
        match match:
            case Within(field, ranges):
                return self._of_field(match, self.space.ranges(field, ranges))
            case Masked(field, mask, value):
                return self._of_field(match, self.space.masked(field, mask, value))
            case Interface(field, name):
                packets = self.space.interface(field, name, wildcard=match.wildcard)
                return self._of_field(match, packets)
            case Opaque() if not looks_into(match, self.changes.sets):
                return _certain(self.space.opaque(match))
            case Decided(key) if self.by_decision:
                packets = self.space.decided(key)
                return _certain(~packets if match.negated else packets)
            case AnyOf():
                return self._any_of(match)
            case Uncertain() as uncertain if uncertain.names_senders:
                return Tests(self.space.universe & ~anybodys(self.space), self.space.false)
            case Uncertain() | Opaque() | Decided():
                return self._anything

    def _any_of(self, match: AnyOf) -> Tests:
        each = [self.all_of(alternative, self.space.true) for alternative in match.alternatives]
        may = union([tests.may for tests in each], self.space.false)
        if all(tests.may is tests.sure for tests in each):
            return _certain(~may if match.negated else may)
        sure = union([tests.sure for tests in each], self.space.false)
        return Tests(~sure, ~may) if match.negated else Tests(may, sure)

    def _of_field(self, match: Within | Masked | Interface, packets: PacketSet) -> Tests:
        if match.field in self.changes.fields:
            return self._anything
        matching = ~packets if match.negated else packets
        if match.field is not Field.CT_MARK:
            return _certain(matching)
        # Without a connection no test of its mark holds (xt_connmark.c, nft_ct.c).
        return _certain(matching & connected(self.space))


class EarlyMatcher(Matcher):
    """For chains before connection tracking, where a packet has no connection yet: its state is
    invalid (nft_ct.c, xt_conntrack.c). What comes over lo may have kept the one that it was sent
    with (nf_conntrack_in)."""

    def is_told(self, match: Match) -> bool:
        return super().is_told(match) and _field_of(match) not in CONNTRACK_FIELDS

    def _of_field(self, match: Within | Masked | Interface, packets: PacketSet) -> Tests:
        tests = super()._of_field(match, packets)
        if match.field not in CONNTRACK_FIELDS or match.field in self.changes.fields:
            return tests
        number = _WITHOUT_CONNECTION.get(match.field, 0)
        alone = self.space.value(match.field, number) & ~connected(self.space)
        fits = (tests.may & alone).satisfiable()
        home = self.space.interface(Field.IIF, "lo")
        if fits:
            return Tests(self.space.true, ~home | tests.sure)
        return Tests(home & tests.may, self.space.false)


_WITHOUT_CONNECTION = {Field.CT_STATE: CT_STATES.index("invalid")}


def _field_of(match: Match) -> Field | None:
    """The one that the test asks for, and it is no more than that."""
    match match:
        case Within(field) | Masked(field) | Interface(field):
            return field
        case _:
            return None


def _certain(packets: PacketSet) -> Tests:
    return Tests(packets, packets)
