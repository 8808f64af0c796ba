"""What is let in of that which a ban was to stop, because accepting rules take it first."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from iptlint.analysis.shadowing import Shadowed, are_at_sight, base_chain, shadowed_rules
from iptlint.memo import memo
from iptlint.model import Chain, Family, Field, Rule, VerdictKind, addresses
from iptlint.netfilter.table_analysis import TableAnalysis
from iptlint.packets.bdd import union

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


def accepted(analysis: TableAnalysis, ban: Shadowed, among: PacketSet | None = None) -> PacketSet:
    """The packets of new connections that are accepted for certain, of those meant for the ban;
    none where other rules than accepting ones take some of them. ``among``: those that are asked
    about, where there are few."""
    if not ban.is_lost_to_accepts:
        return analysis.space.false
    meant = analysis.intended(ban.rule)
    asked = meant if among is None else among
    bases = analysis.calls.bases_of(ban.chain.name)
    let_in = [_new_accepted(analysis, base, asked) for base in bases]
    return meant & union(let_in, analysis.space.false)


@memo
def _new_accepted(analysis: TableAnalysis, base: Chain, packets: PacketSet) -> PacketSet:
    first = _first_of_a_connection(analysis)
    return base_chain(analysis, base).surely_accepted(packets & first)


def accepted_by(analysis: TableAnalysis, ban: Shadowed, takers: Collection[Rule]) -> PacketSet:
    """The same, of packets that come to the takers."""
    accepting = all(taker.verdict.kind is VerdictKind.ACCEPT for taker in takers)
    if ban.is_lost_to_accepts and accepting and are_at_sight(analysis, ban, takers):
        return analysis.intended(ban.rule) & _first_of_a_connection(analysis)
    return accepted(analysis, ban)


def is_some_accepted(
    analysis: TableAnalysis, ban: Shadowed, packets: PacketSet | None = None
) -> bool:
    """Whether there are such; some of the packets, where these are given."""
    if not ban.is_lost_to_accepts:
        return False
    among = analysis.space.true if packets is None else packets
    place = analysis.place(ban.rule)
    if place.number in _seen_accepted(analysis, place.chain, among):
        return True
    meant = analysis.intended(ban.rule) & _first_of_a_connection(analysis) & among
    bases = analysis.calls.bases_of(ban.chain.name)
    return any(base_chain(analysis, base).accepts_some(meant) for base in bases)


@memo
def _seen_accepted(analysis: TableAnalysis, chain: str, packets: PacketSet) -> frozenset[int]:
    """The numbers of the bans of which it is seen at a glance."""
    if analysis.table.chains[chain].hook is None:
        return frozenset()
    flow, entry = analysis.flows[chain], analysis.entries[chain]
    numbers = [
        analysis.place(ban.rule).number
        for ban in shadowed_rules(analysis)
        if ban.is_lost_to_accepts and ban.chain.name == chain
    ]
    takers = {number: flow.sole_taker(number, entry.reachable) for number in numbers}
    known = {number: taker for number, taker in takers.items() if taker is not None}
    asked = entry.intended & _first_of_a_connection(analysis) & packets
    return flow.seen_to_come(known, asked) if known else frozenset()


@memo
def _first_of_a_connection(analysis: TableAnalysis) -> PacketSet:
    """What comes to a host has no mark; whoever marks it has let it in already."""
    return analysis.space.state("new") & analysis.space.value(Field.MARK, 0)


@memo
def from_the_world(analysis: TableAnalysis) -> PacketSet:
    """The packets from public addresses, not on the loopback interface."""
    space = analysis.space
    world = space.false
    for family in (Family.IP, Family.IP6):
        elsewhere = space.ranges(family.saddr, addresses.ranges(family, *addresses.NOT_PUBLIC))
        world = world | (space.family(family.value) & ~elsewhere)
    return world & ~space.interface(Field.IIF, "lo") & ~space.no_interface(Field.IIF)
