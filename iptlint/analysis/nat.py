"""Which rules translate destinations, and what becomes of the packets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    summarize_address_range,
)
from typing import TYPE_CHECKING

from iptlint.analysis.exposure import outward
from iptlint.analysis.shadowing import unmatched_rules
from iptlint.memo import memo
from iptlint.model import Effect, EffectKind, Field, Hook, Match, Rule, VerdictKind, Within
from iptlint.model.matches import Ranges
from iptlint.model.verdicts import Choice
from iptlint.netfilter.firewall import Hooks
from iptlint.netfilter.rewriting import side_of
from iptlint.netfilter.table_analysis import TableAnalysis
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.netfilter.base_chain import BaseChain
    from iptlint.packets.bdd import PacketSet

_MOST_PORTS = 64
_REWRITTEN_LATER = (Field.OIF, Field.MARK, Field.CT_MARK, Field.TTL, Field.CT_DNAT)
"""What packets may have otherwise when they come to the hooks behind PREROUTING."""


@dataclass(frozen=True, slots=True, eq=False)
class DestinationNat:
    """A rule that gives new packets another destination before they are routed.

    ``address`` and ``port``: what they get if it is one for all of them; ``moves``: whether the
    address becomes another one.
    """

    analysis: TableAnalysis
    rule: Rule
    moves: bool
    address: IPv4Address | IPv6Address | None
    port: int | None

    @property
    def stays(self) -> bool:
        """Whether the packets are for this host for certain, as those of REDIRECT are."""
        return not self.moves or (self.address is not None and self.address.is_loopback)

    @property
    def chain(self) -> str:
        """The name of the one that the rule is in."""
        return self.analysis.place(self.rule).chain

    @property
    def ports(self) -> frozenset[int]:
        """The ports that the rule names."""
        return named_ports(self.rule)

    @property
    def is_dead(self) -> bool:
        return self.rule in unmatched_rules(self.analysis)

    def taken(self, hooks: Hooks) -> PacketSet:
        """The packets, as they come."""
        coming = hooks.hook_packets(Hook.PREROUTING) & hooks.space.state("new")
        return self.analysis.intended(self.rule) & coming

    def setting_out(self, hooks: Hooks, hook: Hook) -> PacketSet:
        """The packets, as they come, on the way with the hook; by which interface they are to leave
        is not known when they are translated."""
        free = hooks.space.forget(self.taken(hooks), (Field.OIF,))
        return free & hooks.hook_packets(hook)

    def arriving(self, hooks: Hooks, hook: Hook) -> PacketSet:
        """What the packets may be when they come to the hook."""
        return _arriving(hooks, self, hook)


def translated(base_chain: BaseChain) -> PacketSet:
    """The packets that the base chain may translate."""
    return base_chain.end(VerdictKind.NAT)


def named_ports(rule: Rule) -> frozenset[int]:
    """The destination ports that the rule tests; none where they are many, or an exception."""
    tests = [match for match in rule.matches if is_port_test(match)]
    if len(tests) != 1 or not isinstance(tests[0], Within) or tests[0].negated:
        return frozenset()
    ranges = tests[0].ranges
    if sum(high - low + 1 for low, high in ranges) > _MOST_PORTS:
        return frozenset()
    return frozenset(port for low, high in ranges for port in range(low, high + 1))


def is_port_test(match: Match) -> bool:
    return getattr(match, "field", None) is Field.DPORT


@memo
def destination_nats(hooks: Hooks, hook: Hook = Hook.PREROUTING) -> tuple[DestinationNat, ...]:
    """The rules at PREROUTING, or at OUTPUT, that translate the destination of packets of the
    family."""
    return tuple(_destinations(hooks, hook))


def _destinations(hooks: Hooks, hook: Hook) -> Iterator[DestinationNat]:
    for base_chain in hooks.base_chains(hook):
        analysis = base_chain.analysis
        if base_chain.chain.type == "nat":
            for _, rule in base_chain.rules_testing(_sets_destination):
                yield _translation(hooks, analysis, rule)


def _sets_destination(rule: Rule) -> bool:
    translates = rule.verdict.kind is VerdictKind.NAT
    return translates and any(effect.field is Field.CT_DNAT for effect in rule.effects)


def _translation(hooks: Hooks, analysis: TableAnalysis, rule: Rule) -> DestinationNat:
    written = {effect.field: effect for effect in reversed(_writes(rule))}
    address, port = written.get(hooks.family.daddr), written.get(Field.DPORT)
    redirects = rule.verdict.name.upper() == "REDIRECT"
    one = address.value if _is_one(address, hooks.family.address_bits) and address else None
    return DestinationNat(
        analysis,
        rule,
        address is not None and not redirects,
        None if one is None else _address(hooks, one),
        port.value if port else None,
    )


def _written(rule: Rule, field: Field) -> Effect | None:
    return next((effect for effect in _writes(rule) if effect.field is field), None)


def _writes(rule: Rule) -> tuple[Effect, ...]:
    """What the rule writes before routing: NETMAP has both ends among its effects, and at this hook
    only the destination is meant."""
    fields = side_of(Hook.PREROUTING).fields
    return tuple(e for e in rule.effects if e.kind is EffectKind.WRITE and e.field in fields)


def _is_one(effect: Effect | None, width: int) -> bool:
    """Whether it writes the whole number."""
    return effect is not None and effect.value is not None and effect.mask == (1 << width) - 1


def _address(hooks: Hooks, number: int) -> IPv4Address | IPv6Address:
    return ip_address(number.to_bytes(hooks.family.address_bits // 8, "big"))


def _arriving(hooks: Hooks, translation: DestinationNat, hook: Hook) -> PacketSet:
    space, rule = hooks.space, translation.rule
    written = {effect.field: effect for effect in _writes(rule) if effect.field is not None}
    # Tests that are not interpreted are free behind it: most are of the address it had.
    kept = [f for f in space.fields if f not in written and f not in _REWRITTEN_LATER]
    packets = space.project(translation.taken(hooks), *kept) & hooks.hook_packets(hook)
    for field, effect in written.items():
        if field in space.fields:
            packets = packets & _one_of(space, field, effect)
    return packets


def _one_of(space: Space, field: Field, effect: Effect) -> PacketSet:
    """The packets that have what was written."""
    match effect.choice:
        case Choice(int(low), int(high)):
            return space.ranges(field, ((low, high),))
        case None if effect.value is not None and effect.mask is not None:
            return space.masked(field, effect.mask, effect.value)
        case _:
            return space.true


def to(translation: DestinationNat) -> str:
    """Where the packets are sent: ``192.0.2.7:80``, ``[2001:db8::7]:80``, ``another machine``."""
    address, port = translation.address, translation.port
    if address is None:
        return "another machine" if port is None else f"port {port} of another machine"
    shown = f"[{address}]" if address.version == 6 and port is not None else str(address)
    return shown if port is None else f"{shown}:{port}"


def uplink(hooks: Hooks) -> str:
    """The name of an interface that faces the world; a usual one where the rules name none."""
    space, facing = hooks.space, outward(hooks)
    names = (
        cls.name
        for number, cls in enumerate(space.interfaces.classes, start=1)
        if cls.name and not cls.wildcard and (facing & space.value(Field.IIF, number)).satisfiable()
    )
    return next(names, "eth0")


def address_range(hooks: Hooks, ranges: Ranges) -> str:
    """The first range of addresses, as a network where it is one: ``10.244.0.0/16``."""
    first, last = (_address(hooks, number) for number in ranges[0])
    networks = (str(network) for network in _networks_between(first, last))
    shown, *others = (*networks,)
    return f"{first}-{last}" if others else shown


def _networks_between(
    first: IPv4Address | IPv6Address, last: IPv4Address | IPv6Address
) -> Iterator[IPv4Network | IPv6Network]:
    match first, last:
        case IPv4Address(), IPv4Address():
            yield from summarize_address_range(first, last)
        case IPv6Address(), IPv6Address():
            yield from summarize_address_range(first, last)
