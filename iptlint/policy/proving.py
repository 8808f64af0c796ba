"""Whether a claim holds for the packets of one family, on all ways, and a packet where it does not.

"None gets there" is asked of any host that may have the rules, and of whatever may be sent; "each
does" of the likely host, of what clients send, and by some interface or address where it is not
said by which.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.arrivals import OutcomesOfOne, Where, arrivals, usual
from iptlint.analysis.default_verdict import likened
from iptlint.analysis.one_packet import one_of, values
from iptlint.model import Field, Hook, addresses
from iptlint.model.addresses import AddressKind
from iptlint.netfilter.firewall import Hooks
from iptlint.netfilter.packet_group import Decision, Outcome
from iptlint.packets.describe import clause
from iptlint.packets.interfaces import Interfaces
from iptlint.packets.ordinary import ordinary
from iptlint.packets.packet import Packet
from iptlint.packets.witness import packet_of
from iptlint.policy.answers import lost_answers
from iptlint.policy.claims import Claim, Quantity, setting_out, wanted, ways_of
from iptlint.policy.zones import Reach, ZoneKind, members, source_side

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


@dataclass(frozen=True, slots=True)
class Proof:
    """``holds``: in every case; ``may_hold``: in some. Where it does not, ``witness`` shows it on
    the ``way``, and ``decision`` is who decides under the ``conditions``; ``unanswered``: it gets
    there, and its answer does not come back. ``by``: where only some interface or address does,
    which, in words."""

    claim: Claim
    holds: bool
    may_hold: bool
    way: Hook | None = None
    witness: Packet | None = None
    decision: Decision | None = None
    conditions: tuple[str, ...] = ()
    unanswered: bool = False
    by: str = ""
    assumed: tuple[str, ...] = ()


class _Shown(NamedTuple):
    packet: Packet
    decision: Decision | None = None
    conditions: tuple[str, ...] = ()


def prove(hooks: Hooks, claim: Claim, ways: Sequence[Hook]) -> Proof:
    """On the ways that packets of the claim may take, and that are among ``ways``."""
    taken = [way for way in ways_of(claim, hooks, ways) if way in ways]
    if claim.quantity is Quantity.NONE:
        return _none(hooks, claim, taken)
    proofs = [_Every(hooks, claim, way).proof() for way in taken]
    best = sorted(proofs, key=lambda proof: (proof.holds, proof.may_hold), reverse=True)
    return best[0] if best else Proof(claim, holds=False, may_hold=False)


# -- nobody -----------------------------------------------------------------------------------


def _none(hooks: Hooks, claim: Claim, ways: Sequence[Hook]) -> Proof:
    failing: list[Proof] = []
    for way in ways:
        packets = setting_out(hooks, claim, way, usual=False)
        arrived = arrivals(hooks, way, packets, Where.ANY_HOST)
        counts = partial(wanted, hooks, claim, way)
        perhaps = arrived.may_arrive(counts)
        if perhaps.satisfiable():
            surely = arrived.surely_arrive(counts)
            some = _likely(hooks, claim, way, surely if surely.satisfiable() else perhaps)
            shown = _shown(hooks, way, some, Where.ANY_HOST, lambda end: not end.kind.denies)
            shown = shown._replace(packet=_named(hooks, claim, shown.packet))
            certain = surely.satisfiable()
            failing.append(Proof(claim, False, not certain, way, *shown))
    return min(failing, key=lambda proof: proof.may_hold, default=Proof(claim, True, True))


def _likely(hooks: Hooks, claim: Claim, way: Hook, packets: PacketSet) -> PacketSet:
    """Those of the packets that come by a likely interface, if some do."""
    if claim.but or way is Hook.OUTPUT:
        return packets
    likely = packets & members(hooks, claim.source, source_side(hooks.family), Reach.LIKELY)
    return likely if likely.satisfiable() else packets


def _shown(
    hooks: Hooks, way: Hook, packets: PacketSet, where: Where, fits: Callable[[Outcome], bool]
) -> _Shown:
    """One of the packets, the plainest, and who decides of it in one of the cases that fit."""
    plain = packets & ordinary(hooks.space, way)
    packets = likened(hooks, plain if plain.satisfiable() else packets) & packets
    point = one_of(hooks.space, packets, way)
    of_one = OutcomesOfOne(hooks, way, point, where)
    packet = packet_of(hooks.space, values(point), way)
    outcome = next(filter(fits, of_one.outcomes), None)
    if outcome is None:
        return _Shown(packet)
    return _Shown(packet, outcome.decision, of_one.conditions(outcome))


def _named(hooks: Hooks, claim: Claim, packet: Packet) -> Packet:
    """With the interfaces that the zones are said to be behind, where the rules name none of them
    and the example has just another one."""
    source = () if claim.but else claim.source.interfaces
    target = claim.target.interfaces if claim.target is not None else ()
    return replace(
        packet,
        iif=_as_said(hooks.space.interfaces, packet.iif, source),
        oif=_as_said(hooks.space.interfaces, packet.oif, target),
    )


def _as_said(interfaces: Interfaces, shown: str | None, said: Sequence[str]) -> str | None:
    if shown is None:
        return None
    names = [f"{name[:-1]}0" if name[-1] in "*+" else name for name in said]
    alike = (name for name in names if interfaces.class_of(name) == interfaces.class_of(shown))
    return shown if shown in names else next(alike, shown)


# -- everyone ---------------------------------------------------------------------------------


class _Every:
    """Whether each packet of a claim gets there on one way. ``free``: fields with a value that the
    claim leaves open; it holds if there is one value with which each packet does."""

    def __init__(self, hooks: Hooks, claim: Claim, way: Hook) -> None:
        self.hooks = hooks
        self.claim = claim
        self.way = way
        self.space = hooks.space
        self.free = tuple(f for f in _free(claim, way) if f in hooks.space.fields)
        asked = setting_out(hooks, claim, way, usual=True)
        self.found = arrivals(hooks, way, asked, Where.LIKELY_HOST)
        self.packets = self.found.packets & usual(hooks.space, way)

    def proof(self) -> Proof:
        if not self.packets.satisfiable():
            return Proof(self.claim, False, False, self.way)
        surely = self.found.surely_arrive(self._counting, by_ways=True)
        lacking = self._but_for_examples(self.packets & ~surely)
        good = self._values_without(lacking)
        if good.satisfiable():
            return self._answered(self.packets & good & surely, lacking)
        return self._failing(surely, lacking)

    def _counting(self, outcome: Outcome) -> PacketSet:
        return wanted(self.hooks, self.claim, self.way, outcome)

    def _answered(self, arriving: PacketSet, lacking: PacketSet) -> Proof:
        lost = lost_answers(self.hooks, self.way, self.found, arriving)
        good = self._values_without(lacking | lost.perhaps)
        if good.satisfiable():
            by = self._by(good)
            return Proof(self.claim, True, True, self.way, by=by, assumed=self.found.assumed)
        perhaps = self._values_without(lacking | lost.surely).satisfiable()
        shown = lost.perhaps if perhaps else lost.surely
        beside = shown & self.space.project(arriving & ~lost.perhaps, *self.free)
        shown = (beside if beside.satisfiable() else shown).exists(self.found.ways)
        witness = _shown(self.hooks, self.way, shown, Where.LIKELY_HOST, lambda end: True).packet
        witness = _named(self.hooks, self.claim, witness)
        return Proof(self.claim, False, perhaps, self.way, witness, unanswered=True)

    def _by(self, good: PacketSet) -> str:
        """By which interface, or to which address, if not by and to any."""
        ways = self.found.ways_in(good)
        said = [f"leaving by {ways}"] if ways else []
        good = good.exists(self.found.ways)
        if (self.packets & ~good).satisfiable():
            said.insert(0, clause(self.space, self.packets & good, self.packets, limit=2))
        return ", ".join(said)

    def _failing(self, surely: PacketSet, lacking: PacketSet) -> Proof:
        """With a packet that is turned away, if it can be one beside those that are let in."""
        perhaps = self.found.may_arrive(self._counting)
        surely = surely.forall(self.found.ways)
        lacking = lacking.exists(self.found.ways)
        impossible = self._but_for_examples(self.packets & ~perhaps)
        possible = self._values_without(impossible)
        bad = lacking & possible if possible.satisfiable() else impossible
        beside = bad & self.space.project(surely, *self.free)
        shown = beside if beside.satisfiable() else bad
        shown_way = _shown(self.hooks, self.way, shown, Where.LIKELY_HOST, self._is_other)
        shown_way = shown_way._replace(packet=_named(self.hooks, self.claim, shown_way.packet))
        return Proof(self.claim, False, possible.satisfiable(), self.way, *shown_way)

    def _is_other(self, end: Outcome) -> bool:
        return not end.kind.passes or not (self._counting(end) & end.packets).satisfiable()

    def _values_without(self, lacking: PacketSet) -> PacketSet:
        """The values of what is left open with which no packet is lacking."""
        project = self.space.project
        return project(self.packets, *self.free) & ~project(lacking, *self.free)

    def _but_for_examples(self, bad: PacketSet) -> PacketSet:
        """Of the internet the blocks of documentation, which nobody has, may be turned away as a
        whole."""
        source = self.claim.source
        if source.kind is not ZoneKind.INTERNET or not bad.satisfiable():
            return bad
        family = self.hooks.family
        for block in addresses.blocks(family, AddressKind.EXAMPLE):
            those = self.space.ranges(family.saddr, ((int(block[0]), int(block[-1])),))
            alike = self.space.project(bad & those, *self.free)
            if not (self.packets & those & ~bad & alike).satisfiable():
                bad = bad & ~those
        return bad


def _free(claim: Claim, way: Hook) -> tuple[Field, ...]:
    """What a claim leaves open: by which interface, and to which address of the host."""
    fields: list[Field] = []
    if way is Hook.OUTPUT:
        fields += (Field.SADDR, Field.SADDR6)
    elif not claim.source.interfaces and claim.source.kind is not ZoneKind.ANYONE:
        fields.append(Field.IIF)
    if way is Hook.INPUT:
        fields += (Field.DADDR, Field.DADDR6)
    elif claim.target is None or not claim.target.interfaces:
        fields.append(Field.OIF)
    if claim.is_by_translation(way):
        fields += (Field.DPORT, Field.PROTO)
    return tuple(fields)
