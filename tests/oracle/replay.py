"""One packet through a ruleset, rule by rule: does it come where somebody says it comes?

Interprets the model, with plain numbers and no sets of packets: nothing of ``iptlint.packets``,
``iptlint.netfilter`` or ``iptlint.analysis`` is imported. A test whose answer the packet does not
tell (a limit, a list that rules change, a field that a translation chose) may hold or not, so one
packet may have several ways; all of them are walked.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Protocol

from iptlint.model import (
    AnyOf,
    Chain,
    Decided,
    Effect,
    EffectKind,
    Family,
    Field,
    Hook,
    Interface,
    Masked,
    Match,
    Opaque,
    Rule,
    Ruleset,
    Table,
    Uncertain,
    VerdictKind,
    Within,
)
from iptlint.model.matches import AddressType, SetLookup

_ROUTES = {
    "input": (Hook.INGRESS, Hook.PREROUTING, Hook.INPUT),
    "forward": (Hook.INGRESS, Hook.PREROUTING, Hook.FORWARD, Hook.POSTROUTING, Hook.EGRESS),
    "output": (Hook.OUTPUT, Hook.POSTROUTING, Hook.EGRESS),
    "prerouting": (Hook.INGRESS, Hook.PREROUTING),
    "ingress": (Hook.INGRESS,),
    "egress": (Hook.EGRESS,),
}
_COMES_IN = (Hook.INGRESS, Hook.PREROUTING, Hook.INPUT, Hook.FORWARD, Hook.POSTROUTING)
_GOES_OUT = (Hook.FORWARD, Hook.OUTPUT, Hook.POSTROUTING, Hook.EGRESS)
_DESTINATION = (Hook.PREROUTING, Hook.OUTPUT)
"""Here a destination is translated, elsewhere a source."""
_FAMILIES = ("ip", "ip6", "arp", "other")
_STATES = ("new", "established", "related", "invalid", "untracked")
_FLAGS = ("fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr")
_PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "ipv6-icmp": 58}
_OF_A_CONNECTION = (Field.CT_STATE, Field.CT_DIRECTION, Field.CT_SNAT, Field.CT_DNAT, Field.CT_MARK)
_SAID: tuple[tuple[Field, str, Callable[[str], int]], ...] = (
    (Field.CT_MARK, "ct mark (0x[0-9a-f]+)", lambda text: int(text, 16)),
    (Field.CT_DIRECTION, "ct direction (reply)", lambda _: 1),
    (Field.CT_SNAT, "ct status (snat)", lambda _: 1),
    (Field.CT_DNAT, "ct status (dnat)", lambda _: 1),
    (Field.FRAGMENT, "a later (fragment)", lambda _: 1),
    (Field.PKTTYPE, "pkttype (.*)", ("unicast", "broadcast", "multicast", "other").index),
    (Field.TOS, "tos (0x[0-9a-f]+)", lambda text: int(text, 16)),
    (Field.TTL, r"ttl (\d+)", int),
    (Field.LENGTH, r"length (\d+)", int),
    (Field.MAC_SOURCE, "mac source ([0-9a-f:]+)", lambda text: int(text.replace(":", ""), 16)),
)
"""How a condition says what no other part of a shown packet does."""

_WAYS = 400
"""More than so many ways of one packet are not walked: a packet that depends on so much luck may
come anywhere."""


class Shown(Protocol):
    """A packet as a report shows it."""

    family: str
    hook: str | None
    iif: str | None
    oif: str | None
    saddr: str | None
    daddr: str | None
    proto: str | None
    sport: int | None
    dport: int | None
    tcp_flags: tuple[str, ...] | None
    icmp_type: int | None
    icmp_code: int | None
    ct_state: str | None
    mark: int | None
    conditions: tuple[str, ...]


@dataclass
class Replay:
    """``taken``: the rules that took the packet on some way, ``decided``: how its ways ended, and
    by which rule, or the policy of which chain."""

    taken: set[Rule] = field(default_factory=set)
    decided: set[tuple[VerdictKind, Chain | None, Rule | None]] = field(default_factory=set)
    given_up: bool = False


Values = Mapping[Field, "int | None"]
"""None where nobody knows."""


@dataclass(frozen=True)
class _Packet:
    values: Values
    names: Mapping[Field, str | None]
    conditions: frozenset[str]
    translated: frozenset[bool] = frozenset()
    tracked: Values | None = None
    """What of a connection it has, while it is in a chain before connection tracking."""

    def with_values(self, values: Values) -> _Packet:
        return replace(self, values={**self.values, **values})


def replay(
    ruleset: Ruleset, shown: Shown, way: str | None = None, arrived: Shown | None = None
) -> Replay:
    """All ways that the packet may take, on its way with its hook; through chains of one priority
    in either order, as the kernel asks first what was loaded last. ``way``: where it is routed once
    it is translated, if not where it set out to; ``arrived``: what it is then, which a packet of
    a running connection becomes without any rule."""
    family = Family(shown.family) if shown.family in ("ip", "ip6") else Family.BRIDGE
    both = Replay()
    for last_first in (True, False):
        walk = _Walk(ruleset, family, both, last_first)
        walk.routed = way is not None
        packets = [_running(packet_of(shown), shown, arrived)]
        for hook in _routed(route_of(shown), way):
            packets = walk.at_hook(hook, packets)
            if hook is Hook.PREROUTING and arrived is not None:
                packets = [_sent_on(packet, shown, arrived) for packet in packets]
        for _ in packets:
            both.decided.add((VerdictKind.ACCEPT, None, None))
    return both


def route_of(shown: Shown) -> Sequence[Hook]:
    """What a packet has, it has as it sets out: at postrouting, too."""
    if shown.hook == "postrouting":
        return _ROUTES["output" if shown.iif is None else "forward"]
    return _ROUTES[shown.hook or "input"]


def _routed(route: Sequence[Hook], way: str | None) -> Sequence[Hook]:
    if way is None or Hook.PREROUTING not in route:
        return route
    there = _ROUTES[way]
    if Hook.PREROUTING not in there:
        return route  # it ends before it is routed
    behind = there[there.index(Hook.PREROUTING) :]
    return (*route[: route.index(Hook.PREROUTING)], *behind)


def _running(packet: _Packet, shown: Shown, arrived: Shown | None) -> _Packet:
    """The packet with the status that its running connection has."""
    if arrived is None or shown.ct_state != "established":
        return packet
    dnat = (shown.daddr, shown.dport) != (arrived.daddr, arrived.dport)
    snat = (shown.saddr, shown.sport) != (arrived.saddr, arrived.sport)
    return packet.with_values({Field.CT_DNAT: int(dnat), Field.CT_SNAT: int(snat)})


def _sent_on(packet: _Packet, shown: Shown, arrived: Shown) -> _Packet:
    """The packet once it is routed: with the interface that it leaves by, and with the destination
    that its running connection has."""
    there = packet_of(arrived)
    packet = replace(packet, names={**packet.names, Field.OIF: arrived.oif})
    if shown.ct_state != "established":
        return packet
    sides = _STATUS[Field.CT_DNAT]
    return packet.with_values({one: there.values[one] for one in sides})


def packet_of(shown: Shown) -> _Packet:
    """What a report does not say of a packet is nothing out of the ordinary: zero."""
    six = shown.family == "ip6"
    values: dict[Field, int | None] = dict.fromkeys(Field, 0)
    values[Field.FAMILY] = _FAMILIES.index(shown.family)
    values[Field.TTL], values[Field.LENGTH] = 64, 60
    for one, text in ((Field.SADDR, shown.saddr), (Field.DADDR, shown.daddr)):
        if text is not None:
            at = {Field.SADDR: Field.SADDR6, Field.DADDR: Field.DADDR6}[one] if six else one
            values[at] = int(ip_address(text))
    values[Field.PROTO] = _protocol(shown.proto)
    for one, number in (
        (Field.SPORT, shown.sport),
        (Field.DPORT, shown.dport),
        (Field.ICMP_TYPE, shown.icmp_type),
        (Field.ICMP_CODE, shown.icmp_code),
        (Field.MARK, shown.mark),
    ):
        values[one] = number or 0
    values[Field.TCP_FLAGS] = sum(1 << _FLAGS.index(name) for name in shown.tcp_flags or ())
    values[Field.CT_STATE] = _STATES.index(shown.ct_state or "new")
    for condition in shown.conditions:
        for one, pattern, number_of in _SAID:
            if said := re.fullmatch(pattern, condition):
                values[one] = number_of(said[1])
    return _Packet(
        values, {Field.IIF: shown.iif, Field.OIF: shown.oif}, frozenset(shown.conditions)
    )


def _protocol(name: str | None) -> int:
    if name is None:
        return 0
    if name.isdecimal():
        return int(name)
    return _PROTOCOLS[name] if name in _PROTOCOLS else socket.getprotobyname(name)


class _Walk:
    def __init__(self, ruleset: Ruleset, family: Family, replay: Replay, last_first: bool) -> None:
        self.ruleset = ruleset
        self.family = family
        self.replay = replay
        self.last_first = last_first
        self.changed = frozenset(
            effect.name
            for _, _, rule in ruleset.rules()
            for effect in rule.effects
            if effect.kind is EffectKind.SET and effect.name
        )
        self.steps = 0
        self.routed = False
        """Whether what kind of address its destination is depends on how it was translated."""

    # -- hooks ----------------------------------------------------------------------------

    def at_hook(self, hook: Hook, packets: Sequence[_Packet]) -> list[_Packet]:
        chains = [
            (table, chain)
            for table in self.ruleset.tables
            for chain in table.base_chains()
            if chain.hook is hook and self._sees(table)
        ]
        if self.last_first:
            chains.reverse()
        chains.sort(key=lambda place: place[1].priority or 0)
        going = [*packets]
        for table, chain in chains:
            early = hook in (Hook.PREROUTING, Hook.OUTPUT) and (chain.priority or 0) <= -200
            before = [
                one for each in going for one in (_before(each) if early else (_tracked(each),))
            ]
            going = [after for each in before for after in self._at_chain(table, chain, hook, each)]
            going = going[:_WAYS]
        return [_tracked(packet) for packet in going]

    def _sees(self, table: Table) -> bool:
        return not {*table.family.packets}.isdisjoint(self.family.packets)

    def _at_chain(
        self, table: Table, chain: Chain, hook: Hook, packet: _Packet
    ) -> Iterator[_Packet]:
        """The packet as it may leave the base chain."""
        if not _is_shown(table, chain, hook, packet):
            yield packet
            return
        for kind, after, rule, at in self._through(table, chain, hook, packet, ()):
            if kind is None:
                kind = chain.policy.kind if chain.policy else VerdictKind.ACCEPT
                rule, at = None, chain
            self.replay.decided.add((VerdictKind.ACCEPT if kind.passes else kind, at, rule))
            if kind is VerdictKind.NAT:
                yield replace(after, translated=after.translated | {hook in _DESTINATION})
            elif kind.may_pass:
                yield after

    # -- chains ---------------------------------------------------------------------------

    def _through(
        self, table: Table, chain: Chain, hook: Hook, packet: _Packet, open_: tuple[str, ...]
    ) -> Iterator[tuple[VerdictKind | None, _Packet, Rule | None, Chain]]:
        """How the packet may leave the chain: with a verdict, or back to who called it."""
        yield from self._from(table, chain, 0, hook, packet, (*open_, chain.name))

    def _from(
        self,
        table: Table,
        chain: Chain,
        start: int,
        hook: Hook,
        packet: _Packet,
        open_: tuple[str, ...],
    ) -> Iterator[tuple[VerdictKind | None, _Packet, Rule | None, Chain]]:
        for number in range(start, len(chain.rules)):
            rule = chain.rules[number]
            answer = self._all(rule.matches, hook, packet)
            if answer is False:
                continue
            self.steps += 1
            if answer is None and self.steps < _WAYS:
                yield from self._from(table, chain, number + 1, hook, packet, open_)
            elif answer is None:
                self.replay.given_up = True
            self.replay.taken.add(rule)
            yield from self._take(table, chain, number, hook, packet, open_)
            return
        yield None, packet, None, chain

    def _take(
        self,
        table: Table,
        chain: Chain,
        number: int,
        hook: Hook,
        packet: _Packet,
        open_: tuple[str, ...],
    ) -> Iterator[tuple[VerdictKind | None, _Packet, Rule | None, Chain]]:
        rule = chain.rules[number]
        kind = rule.verdict.kind
        if kind is VerdictKind.NAT:
            packet = _translated(packet, rule.effects, hook)
        else:
            packet = _after(packet, rule.effects)
        match kind:
            case VerdictKind.CONTINUE:
                yield from self._from(table, chain, number + 1, hook, packet, open_)
            case VerdictKind.RETURN:
                yield None, packet, None, chain
            case VerdictKind.UNKNOWN:
                yield kind, packet, rule, chain
                yield from self._from(table, chain, number + 1, hook, packet, open_)
            case VerdictKind.JUMP | VerdictKind.GOTO:
                callee = table.chains.get(rule.verdict.chain or "")
                if callee is None or callee.name in open_:
                    yield VerdictKind.UNKNOWN, packet, rule, chain
                    return
                for end, after, by, at in self._through(table, callee, hook, packet, open_):
                    if end is None and kind is VerdictKind.JUMP:
                        behind = _behind(chain, number)
                        yield from self._from(table, chain, behind, hook, after, open_)
                    else:
                        yield end, after, by, at
            case _:
                yield kind, packet, rule, chain

    # -- tests ----------------------------------------------------------------------------

    def _all(self, matches: Sequence[Match], hook: Hook, packet: _Packet) -> bool | None:
        answers = [self._test(match, hook, packet) for match in matches]
        if False in answers:
            return False
        return None if None in answers else True

    def _test(self, match: Match, hook: Hook, packet: _Packet) -> bool | None:
        match match:
            case Uncertain() | Decided():
                return None
            case Opaque(key, negated, asks=SetLookup(name)) if name in self.changed:
                return None
            case Opaque(key, negated, asks=AddressType()) if self.routed and key not in (
                packet.conditions
            ):
                return None  # it depends on where the packet is sent
            case Opaque(key, negated):
                return (key in packet.conditions) is not negated
            case AnyOf(alternatives, negated):
                answers = [self._all(tests, hook, packet) for tests in alternatives]
                holds = True if True in answers else None if None in answers else False
                return None if holds is None else holds is not negated
            case Interface(field=one, name=name, wildcard=wildcard, negated=negated):
                there = hook in (_COMES_IN if one is Field.IIF else _GOES_OUT)
                own = (packet.names[one] or "") if there else ""
                return (own.startswith(name) if wildcard else own == name) is not negated
            case Within(one, ranges, negated):
                value = packet.values[one]
                if value is None:
                    return None
                return any(low <= value <= high for low, high in ranges) is not negated
            case Masked(one, mask, wanted, negated):
                value = packet.values[one]
                return None if value is None else (value & mask == wanted) is not negated


def _is_shown(table: Table, chain: Chain, hook: Hook, packet: _Packet) -> bool:
    """Whether the kernel shows the packet to the base chain: one of type nat sees the first packet
    of a connection, if no other has translated it on the same side."""
    if _FAMILIES[packet.values[Field.FAMILY] or 0] not in table.family.packets:
        return False
    if chain.devices:
        name = packet.names[Field.OIF if hook is Hook.EGRESS else Field.IIF]
        return name in chain.devices
    if chain.type == "nat":
        first = packet.values[Field.CT_STATE] in (_STATES.index("new"), _STATES.index("related"))
        return first and (hook in _DESTINATION) not in packet.translated
    return True


def _behind(chain: Chain, number: int) -> int:
    """Where a packet goes on that a called chain gives back: behind the whole statement."""
    statement = chain.rules[number].statement
    while number < len(chain.rules) and chain.rules[number].statement is statement:
        number += 1
    return number


def _translated(packet: _Packet, effects: Sequence[Effect], hook: Hook) -> _Packet:
    """The packet behind a translation, of the side that the hook is for (NETMAP has both): its
    connection has the status of one that really was (nf_nat_setup_info looks whether the tuple is
    another one)."""
    other = Field.CT_SNAT if hook in _DESTINATION else Field.CT_DNAT
    effects = [each for each in effects if each.field not in (other, *_STATUS[other])]
    after = _after(packet, [effect for effect in effects if effect.field not in _STATUS])
    for status, sides in _STATUS.items():
        if not any(effect.field is status for effect in effects):
            continue
        pairs = [(packet.values[one], after.values[one]) for one in sides]
        moved = any(None not in pair and pair[0] != pair[1] for pair in pairs)
        unknown = any(None in pair for pair in pairs)
        if moved or unknown:
            after = after.with_values({status: 1 if moved else None})
    return after


_STATUS = {
    Field.CT_DNAT: (Field.DADDR, Field.DADDR6, Field.DPORT),
    Field.CT_SNAT: (Field.SADDR, Field.SADDR6, Field.SPORT),
}


def _after(packet: _Packet, effects: Sequence[Effect]) -> _Packet:
    """The packet with what the rule changes of it."""
    for effect in effects:
        match effect.kind:
            case EffectKind.NOTRACK if packet.values[Field.CT_STATE] == _STATES.index("invalid"):
                packet = packet.with_values({Field.CT_STATE: _STATES.index("untracked")})
            case EffectKind.WRITE if effect.field is not None:
                packet = packet.with_values({effect.field: _written(packet, effect)})
            case _:
                pass
    return packet


def _written(packet: _Packet, effect: Effect) -> int | None:
    assert effect.field is not None
    before = packet.values[effect.field]
    if effect.added is not None:
        return None if before is None else max(0, min(255, before + effect.added))
    if effect.value is None:
        return None
    flipped: int | None = effect.value
    if effect.source is not None:
        source = packet.values[effect.source]
        flipped = None if source is None else source & effect.value
    if flipped is None:
        return None
    if effect.mask is None:
        return flipped
    return None if before is None else (before & ~effect.mask) ^ flipped


def _before(packet: _Packet) -> Iterator[_Packet]:
    """As it may be before connection tracking: what comes over lo may have kept the connection that
    it was sent with."""
    yield _untracked(packet)
    if packet.names[Field.IIF] == "lo" and packet.tracked is None:
        yield packet


def _later(packet: _Packet) -> Iterator[_Packet]:
    yield _tracked(packet)


def _untracked(packet: _Packet) -> _Packet:
    """As it is before connection tracking: of no connection (nf_ct_get gives none)."""
    if packet.tracked is not None:
        return packet
    kept = {one: packet.values[one] for one in _OF_A_CONNECTION}
    values = {**packet.values, **dict.fromkeys(_OF_A_CONNECTION, 0)}
    values[Field.CT_STATE] = _STATES.index("invalid")
    return replace(packet, values=values, tracked=kept)


def _tracked(packet: _Packet) -> _Packet:
    """As connection tracking leaves it, which lets alone what nobody is to track."""
    if packet.tracked is None:
        return packet
    values = {**packet.values}
    if values[Field.CT_STATE] != _STATES.index("untracked"):
        values.update(packet.tracked)
    return replace(packet, values=values, tracked=None)
