"""Whether the answers of connections come back: what each first packet would be answered by, sent
the other way.

Of an answer its source is where the packet was sent in the end, and its destination where it came
from: as chains see it between the two places where conntrack translates. A chain that comes before
may see another address; where one might drop answers for that, nothing is said of them here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.arrivals import Arrivals
from iptlint.analysis.delivery import delivery
from iptlint.analysis.handshake import untracks
from iptlint.memo import memo
from iptlint.model import EffectKind, Field, Hook
from iptlint.model.protocols import ICMP, ICMP6, TCP, UDP, tcp_flag_bits
from iptlint.netfilter.firewall import Hooks
from iptlint.netfilter.packet_group import Outcome
from iptlint.packets.bdd import union
from iptlint.packets.mirror import mirrored
from iptlint.packets.ordinary import ordinary
from iptlint.packets.rewrite import Rewrite
from iptlint.packets.unseen import UNSEEN

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_BACK = {Hook.INPUT: Hook.OUTPUT, Hook.OUTPUT: Hook.INPUT, Hook.FORWARD: Hook.FORWARD}
_DESTINATION = (Field.DADDR, Field.DADDR6, Field.DPORT, Field.OIF)
_OF_CONNECTION = (Field.CT_SNAT, Field.CT_DNAT, Field.CT_MARK, Field.CT_DIRECTION)
_STATUS = {
    Field.CT_DNAT: (Field.DADDR, Field.DADDR6, Field.DPORT),
    Field.CT_SNAT: (Field.SADDR, Field.SADDR6, Field.SPORT),
}
_ECHO = ((ICMP, 0), (ICMP6, 129))


class Lost(NamedTuple):
    """The packets whose answers may not come back, and those whose surely do not."""

    perhaps: PacketSet
    surely: PacketSet


def lost_answers(hooks: Hooks, way: Hook, found: Arrivals, packets: PacketSet) -> Lost:
    """Of the packets, which all get there. Where rules look for connections in zones of their own,
    nothing is said of any: the answer may be looked for in another one."""
    nothing = hooks.space.false
    if _sets_zones(hooks):
        return Lost(packets, nothing)
    perhaps, surely = [nothing], [nothing]
    for outcome in found.outcomes:
        part = outcome.packets.exists(found.open) & packets
        if outcome.kind.passes and part.satisfiable():
            went = Hook.INPUT if outcome.hook is Hook.INPUT else _onwards(way)
            past = _turned_back(hooks, outcome, part)
            lost = _lost(hooks, went, outcome, part)
            perhaps += (past, lost.perhaps)
            surely += (past, lost.surely)
    return Lost(union(perhaps, nothing), union(surely, nothing))


@memo
def _sets_zones(hooks: Hooks) -> bool:
    rules = (rule for table in hooks.tables() for _, rule in table.rules())
    return any(effect.kind is EffectKind.ZONE for rule in rules for effect in rule.effects)


def _turned_back(hooks: Hooks, outcome: Outcome, packets: PacketSet) -> PacketSet:
    """Those that are sent on, with their source, to another host behind the interface that they
    came by: that one answers past this host, from an address that nobody has asked."""
    space, family = hooks.space, hooks.family
    moved = outcome.rewrite.changes(family.daddr) and not outcome.rewrite.changes(family.saddr)
    if not moved or outcome.hook is Hook.INPUT:
        return space.false
    classes = enumerate(space.interfaces.classes, start=1)
    same = [
        space.value(Field.IIF, number) & outcome.rewrite.now(space.value(Field.OIF, number))
        for number, cls in classes
        if not cls.wildcard
    ]
    return packets & union(same, space.false)


def _onwards(way: Hook) -> Hook:
    return Hook.OUTPUT if way is Hook.OUTPUT else Hook.FORWARD


def _lost(hooks: Hooks, went: Hook, outcome: Outcome, packets: PacketSet) -> Lost:
    back, space = _BACK[went], hooks.space
    every = hooks.hook_packets(back) & _answering(hooks, outcome, packets)
    if not _dropped(hooks, back, every).perhaps.satisfiable():
        return Lost(space.false, space.false)
    fields = [field for field in _DESTINATION if field in space.fields]
    if went is Hook.INPUT:
        fields.remove(Field.OIF)
    numbers = {number for field in fields for number in space.fields[field].variables}
    sent = Rewrite(space, {n: bit for n, bit in outcome.rewrite.bits.items() if n in numbers})
    answers = mirrored(space, sent.image(packets)) & every
    dropped = _dropped(hooks, back, answers)
    return Lost(*(packets & sent.now(mirrored(space, each)) for each in dropped))


def _dropped(hooks: Hooks, back: Hook, answers: PacketSet) -> Lost:
    """The answers that may be dropped, and those that surely are."""
    delivered = delivery(hooks, back, answers)
    lost = delivered.lost & ordinary(hooks.space, back)
    return Lost(lost, lost & ~delivered.through)


def _answering(hooks: Hooks, outcome: Outcome, packets: PacketSet) -> PacketSet:
    """Packets such as answers are: of the connection, or, where it is not tracked, as they look to
    who knows of none."""
    space = hooks.space
    usual = space.value(Field.MARK, 0)
    for field, value, _ in UNSEEN:
        if field not in _OF_CONNECTION:
            usual = usual & space.value(field, value)
    syn_ack = space.value(Field.TCP_FLAGS, tcp_flag_bits("syn", "ack"))
    kinds = [space.value(Field.PROTO, TCP) & syn_ack, space.value(Field.PROTO, UDP)]
    kinds += (
        space.value(Field.PROTO, protocol) & space.value(Field.ICMP_TYPE, number)
        for protocol, number in _ECHO
    )
    asked = space.project(packets, Field.PROTO)
    return usual & asked & union(kinds, space.false) & _states(hooks, outcome, packets)


def _states(hooks: Hooks, outcome: Outcome, packets: PacketSet) -> PacketSet:
    space = hooks.space
    tracked = space.state("established") & space.value(Field.CT_DIRECTION, 1)
    for status, fields in _STATUS.items():
        tracked = tracked & space.value(status, int(outcome.rewrite.changes(*fields)))
    mark = outcome.rewrite.number(Field.CT_MARK)
    if not outcome.rewrite.changes(Field.CT_MARK) or mark is not None:
        tracked = tracked & space.value(Field.CT_MARK, mark or 0)
    if not untracks(hooks):
        return tracked
    untracked = packets & outcome.rewrite.now(space.state("untracked"))
    if not untracked.satisfiable():
        return tracked
    by_udp = space.value(Field.PROTO, UDP)
    alone = (by_udp & space.state("new")) | (~by_udp & space.state("invalid"))
    return alone & space.value(Field.CT_DIRECTION, 0)
