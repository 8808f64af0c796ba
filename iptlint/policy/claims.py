"""What a test claims, taken apart: nobody of these may get there, or each of those does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import permutations
from typing import TYPE_CHECKING

from iptlint.analysis.hook_verdicts import interpret_tests
from iptlint.model import Family, Field, Hook, addresses
from iptlint.model.addresses import AddressKind
from iptlint.model.matches import AddressType
from iptlint.model.protocols import TCP, tcp_flag_bits
from iptlint.netfilter.firewall import Hooks
from iptlint.packets.address_types import LOCAL, TYPE_AT, of_type
from iptlint.packets.conntrack import untracked_anyway
from iptlint.packets.original import as_connections_begin
from iptlint.packets.unseen import UNSEEN
from iptlint.policy.services import ANY, Part, Service
from iptlint.policy.tests import PolicyTest, Verb
from iptlint.policy.zones import (
    ANYONE,
    Reach,
    Zone,
    ZoneKind,
    destination_side,
    has_own_addresses,
    members,
    source_side,
)

if TYPE_CHECKING:
    from iptlint.netfilter.packet_group import Outcome
    from iptlint.packets.bdd import PacketSet
    from iptlint.packets.space import Space

EPHEMERAL = (1024, 65535)
_NEIGHBOURS_TTL = 255  # RFC 4861, 7.1


class Quantity(Enum):
    """How many of the packets."""

    NONE = "none"
    EVERY = "every"


@dataclass(frozen=True, slots=True)
class Claim:
    """``but``: all are meant but those of ``source``. ``target``: None where it is not said."""

    quantity: Quantity
    source: Zone
    target: Zone | None
    service: Service
    but: bool = False

    @property
    def is_elsewhere(self) -> bool:
        """Whether the target is some other host."""
        kinds = (ZoneKind.HOST, ZoneKind.ANYONE)
        return self.target is not None and self.target.kind not in kinds

    def is_by_translation(self, way: Hook) -> bool:
        """Whether packets that are sent to this host are to get to another."""
        return self.is_elsewhere and way is Hook.INPUT

    def is_of(self, family: Family) -> bool:
        """Whether there are such packets of the family at all."""
        coming = self.but or self.source.is_of(family)
        going = self.target is None or self.target.is_of(family)
        return coming and going and any(part.is_of(family) for part in self.service.parts)


def claims_of(test: PolicyTest) -> Iterator[Claim]:
    """Those that together are the test; `same as` is none of packets alone."""
    match test.verb:
        case Verb.DENY:
            yield Claim(Quantity.NONE, test.source, test.target, test.service)
        case Verb.ALLOW:
            yield from _allowing(test)
        case Verb.ONLY:
            yield Claim(Quantity.NONE, test.source, test.target, test.service, but=True)
            yield from _allowing(test)
        case Verb.ISOLATED:
            for one, other in permutations(test.zones, 2):
                yield Claim(Quantity.NONE, one, other, ANY)


def _allowing(test: PolicyTest) -> Iterator[Claim]:
    """Each zone by itself, and each part of the service: they may come another way."""
    targets = test.target.members or (test.target,) if test.target else (None,)
    for source in test.source.members or (test.source,):
        for target in targets:
            for part in test.service.parts:
                name = test.service.name if len(test.service.parts) == 1 else part.text
                yield Claim(Quantity.EVERY, source, target, Service(name, (part,)))


# -- ways -------------------------------------------------------------------------------------


def ways_of(
    claim: Claim, hooks: Hooks, asked: Sequence[Hook] = (Hook.INPUT, Hook.FORWARD)
) -> tuple[Hook, ...]:
    """The ways that packets of the claim may set out on, that which says most first; ``asked``:
    those that somebody asks about: who names forwarding alone means it."""
    if claim.source.is_host:
        return (Hook.OUTPUT,)
    if claim.target is not None and claim.target.is_host:
        return (Hook.INPUT,)
    if claim.is_elsewhere:
        by_translation = hooks.translates and _may_be_translated_to(claim, hooks.family)
        return (Hook.FORWARD, Hook.INPUT) if by_translation else (Hook.FORWARD,)
    if claim.quantity is Quantity.EVERY:
        return (Hook.INPUT,) if claim.target is None else (Hook.FORWARD,)
    forwards = speaks_of_forwarding(hooks) or Hook.INPUT not in asked
    return (Hook.INPUT, Hook.FORWARD) if forwards else (Hook.INPUT,)


def _may_be_translated_to(claim: Claim, family: Family) -> bool:
    """Nobody may get to a zone by a detour; that each does is so of one port of one address: what
    is translated to some of a zone says nothing of all of it."""
    if claim.quantity is Quantity.NONE or claim.target is None:
        return True
    networks = [n for n in claim.target.networks if has_own_addresses(family, n)]
    single = len(networks) == 1 and networks[0].num_addresses == 1
    return single and all(_is_one_thing(part) for part in claim.service.parts)


def _is_one_thing(part: Part) -> bool:
    return bool(part.icmp_type) or (len(part.ports) == 1 and part.ports[0][0] == part.ports[0][1])


def speaks_of_forwarding(hooks: Hooks) -> bool:
    """Whether the rules are those of a host that forwards, as far as they show."""
    chains = [base.chain for base in hooks.base_chains(Hook.FORWARD) if base.chain.filters]
    denies = (chain.policy is not None and chain.policy.kind.denies for chain in chains)
    return any(chain.rules for chain in chains) or any(denies)


# -- packets ----------------------------------------------------------------------------------


def setting_out(hooks: Hooks, claim: Claim, way: Hook, *, usual: bool) -> PacketSet:
    """First packets of connections, as they are sent. ``usual``: only those that clients send,
    else whatever may be. Where rules translate they may be sent to any port and address: what
    counts is then said by ``wanted``."""
    space, family = hooks.space, hooks.family
    interpret_tests(hooks, way)
    reach = Reach.LIKELY if usual else Reach.MOST
    packets = _opening(space) & space.family(family.value) & _coming(hooks, claim, way, reach)
    if usual:
        packets = packets & _usual(space)
    if not hooks.translates or (usual and not claim.is_by_translation(way)):
        packets = packets & claim.service.packets(space, family)
    if way is Hook.INPUT:
        return packets & _to_host(hooks, usual=usual)
    if way in TYPE_AT:
        packets = packets & of_type(space, TYPE_AT[way])
    if claim.target is not None and (usual or not hooks.translates):
        packets = packets & members(hooks, claim.target, destination_side(family))
    return packets & _hosts(hooks)


def _opening(space: Space) -> PacketSet:
    """Of no connection yet. A connection of tcp begins with SYN alone, whatever else a firewall
    may take for new (tcp_v4_conn_request, tcp_rcv_state_process)."""
    packets = space.state("new") | (space.state("untracked") & untracked_anyway(space))
    for field in (Field.CT_DIRECTION, Field.CT_SNAT, Field.CT_DNAT, Field.CT_MARK):
        packets = packets & space.value(field, 0)
    packets = packets & as_connections_begin(space)
    mask, syn = tcp_flag_bits("syn", "ack", "rst", "fin"), tcp_flag_bits("syn")
    return packets & (~space.value(Field.PROTO, TCP) | space.masked(Field.TCP_FLAGS, mask, syn))


def _usual(space: Space) -> PacketSet:
    packets = space.ranges(Field.SPORT, (EPHEMERAL,)) & space.value(Field.ICMP_CODE, 0)
    for field, usual, _ in UNSEEN:
        if field is not Field.TTL:
            packets = packets & space.value(field, usual)
    neighbours = untracked_anyway(space)
    packets = packets & (
        (neighbours & space.value(Field.TTL, _NEIGHBOURS_TTL))
        | (~neighbours & space.value(Field.TTL, 64))
    )
    syn = space.value(Field.TCP_FLAGS, tcp_flag_bits("syn"))
    return packets & (~space.value(Field.PROTO, TCP) | syn)


def _coming(hooks: Hooks, claim: Claim, way: Hook, reach: Reach) -> PacketSet:
    """By their source. What comes from a wire has no mark."""
    space, side = hooks.space, source_side(hooks.family)
    if way is Hook.OUTPUT:
        return members(hooks, claim.source, side) & space.value(Field.MARK, 0)
    unmarked = space.value(Field.MARK, 0)
    if claim.but:
        mine = members(hooks, claim.source, side, Reach.LEAST)
        return members(hooks, ANYONE, side) & ~mine & unmarked & _from_others(space)
    return members(hooks, claim.source, side, reach) & unmarked & _from_others(space)


def _from_others(space: Space) -> PacketSet:
    """Nobody else has an address of the host: the kernel drops such a packet (martian source)."""
    packets = space.true
    for test, variable in space.opaques.items():
        match test.asks:
            case AddressType(Field.SADDR, ("LOCAL",)):
                packets = packets & ~variable
    return packets


def _hosts(hooks: Hooks) -> PacketSet:
    """The packets to an address that a host may have."""
    kinds = (AddressKind.LOOPBACK, AddressKind.NOBODY)
    return ~hooks.space.ranges(hooks.family.daddr, addresses.ranges(hooks.family, *kinds))


def _to_host(hooks: Hooks, *, usual: bool) -> PacketSet:
    """To an address of the host, or, unless that has to be usual, to a group of hosts."""
    space, family = hooks.space, hooks.family
    single = _hosts(hooks) & of_type(space, LOCAL)
    if hooks.addresses.complete:
        own = [n for n in hooks.addresses.own if n.version == (4 if family is Family.IP else 6)]
        ranges = tuple((int(network[0]), int(network[-1])) for network in own)
        single = single & space.ranges(family.daddr, ranges)
    if usual:
        return single
    groups = space.ranges(family.daddr, addresses.ranges(family, AddressKind.NOBODY))
    return single | groups


def wanted(hooks: Hooks, claim: Claim, way: Hook, outcome: Outcome) -> PacketSet:
    """The packets of the outcome, as they came, that get to what the claim is about: by what they
    ask for, or by what translation makes of that."""
    space, family = hooks.space, hooks.family
    asked = claim.service.packets(space, family)
    if claim.is_elsewhere and (claim.quantity is Quantity.NONE or way is Hook.INPUT):
        target = members(hooks, claim.target or ANYONE, destination_side(family))
        return space.false if outcome.hook is Hook.INPUT else outcome.rewrite.now(asked & target)
    asked = asked | outcome.rewrite.now(asked)
    if claim.quantity is Quantity.EVERY and way is Hook.FORWARD:
        asked = asked & _by_its_way(hooks, outcome)
    to_host = claim.target is not None and claim.target.is_host
    return space.false if to_host and outcome.hook is not Hook.INPUT else asked


def _by_its_way(hooks: Hooks, outcome: Outcome) -> PacketSet:
    """Of packets that are sent elsewhere on their way through, those that leave by the interface
    which is known to lead there; all others."""
    space, family, rewrite = hooks.space, hooks.family, outcome.rewrite
    packets = space.true
    if outcome.hook is Hook.INPUT or not rewrite.changes(family.daddr):
        return packets
    by_ways = space.false
    for each in hooks.addresses.ways(family):
        there = rewrite.now(space.ranges(family.daddr, ((each.low, each.high),))) & ~by_ways
        by_ways = by_ways | there
        if each.interface is not None:
            number = space.interfaces.class_of(each.interface)
            packets = packets & (~there | rewrite.now(space.value(Field.OIF, number)))
    return packets
