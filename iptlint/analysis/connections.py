"""Connections: which tests ask for their state, and packets of a given state from the world."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial, reduce
from itertools import combinations
from operator import and_
from typing import TYPE_CHECKING

from iptlint.analysis.default_verdict import ODD_PORTS, outside, probes, public_hosts
from iptlint.analysis.exposure import outward
from iptlint.analysis.external_interfaces import only_card
from iptlint.model import (
    AnyOf,
    Effect,
    EffectKind,
    Field,
    Hook,
    Match,
    Rule,
    Ruleset,
    VerdictKind,
    Within,
)
from iptlint.model.kinds import testing_by_chain
from iptlint.model.matches import CT_STATES
from iptlint.model.protocols import TCP
from iptlint.model.writes import CONNTRACK_FIELDS, reads, reads_conntrack
from iptlint.netfilter.firewall import Hooks
from iptlint.packets.bdd import union
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


def tests_state(match: Match) -> bool:
    """Whether the test asks for the state of the packet's connection."""
    match match:
        case AnyOf(alternatives):
            return any(tests_state(test) for tests in alternatives for test in tests)
        case _:
            return getattr(match, "field", None) is Field.CT_STATE


def decides_by_connections(hooks: Hooks) -> bool:
    """Whether a rule for packets of the family decides by their connection."""
    return any(reads_conntrack(rule.matches) for rule in hooks.testing())


def may_favour(hooks: Hooks, hook: Hook, state: str, other: str) -> bool:
    """Whether the rules of the hook may let a packet through in the one state that they would not
    let through in the other, were it the same in all else. False is certain: no rule tells the two
    apart, but one that lets the other through, or turns this one away."""
    favours = partial(_may_favour, state=CT_STATES.index(state), other=CT_STATES.index(other))
    bases = hooks.base_chains(hook)
    # Of each table once: it may have a thousand base chains at the hook.
    favouring = {table: testing_by_chain(table, favours) for table in {b.table for b in bases}}
    called = ((b.table, b.analysis.calls.reachable_from(b.chain.name)) for b in bases)
    return any(not names.isdisjoint(favouring[table]) for table, names in called)


def _may_favour(rule: Rule, state: int, other: int) -> bool:
    if any(_is_of_connection(effect) for effect in rule.effects):
        return True
    asking = [test for test in rule.matches if reads(test, CONNTRACK_FIELDS)]
    changes = any(effect.kind is not EffectKind.LOG for effect in rule.effects)
    if not asking or (rule.verdict.kind is VerdictKind.CONTINUE and not changes):
        return False
    if not all(isinstance(test, Within) and test.field is Field.CT_STATE for test in asking):
        return True
    takes, takes_other = (
        all(_is_in(number, test) for test in asking if isinstance(test, Within))
        for number in (state, other)
    )
    if takes == takes_other:
        return False
    kind = rule.verdict.kind
    harmless = kind is VerdictKind.ACCEPT if takes_other else kind.denies
    return changes or not harmless


def _is_of_connection(effect: Effect) -> bool:
    return effect.kind in (EffectKind.NOTRACK, EffectKind.ZONE) or bool(
        {effect.field, effect.source} & CONNTRACK_FIELDS
    )


def _is_in(number: int, test: Within) -> bool:
    return any(low <= number <= high for low, high in test.ranges) is not test.negated


def refused_answers(ruleset: Ruleset) -> bool:
    """Whether a script has a command to accept running connections that is refused: what is wrong
    with it is told there."""
    return ruleset.script is not None and any(
        step.failed and "ACCEPT" in step.words and any("ESTABLISHED" in w for w in step.words)
        for step in ruleset.script.steps
    )


def from_world(
    hooks: Hooks,
    hook: Hook,
    state: str,
    *flags: str,
    protocol: int = TCP,
    free: tuple[Field, ...] = (),
    by_only_card: bool = False,
) -> tuple[PacketSet, ...]:
    """Packets of the state from the world, a set for each of a few public addresses; like
    ``exposure.external_probes``, whose packets are new. ``by_only_card``: by it, too."""
    space, daddr = hooks.space, hooks.family.daddr
    packets = (outward(hooks) | only_card(space) if by_only_card else outward(hooks)) & outside(
        space
    )
    if hook is Hook.INPUT:
        packets = packets & public_hosts(hooks, daddr)
    kept = (Field.IIF, Field.OIF, Field.DPORT, daddr, *free)
    values = {Field.PROTO: protocol}
    asked = probes(hooks, hook, state, *flags, free=kept, values=values)
    return tuple(packets & each for each in asked)


def most(space: Space, asked: Sequence[PacketSet], packets: PacketSet, *fields: Field) -> PacketSet:
    """The values of ``fields`` for which ``packets`` holds most of the five probes."""
    each = [space.project(one & packets, *fields) for one in asked]
    return union([a & b & c for a, b, c in combinations(each, 3)], space.false)


def any_port(space: Space, packets: PacketSet, *kept: Field) -> PacketSet:
    """The values of ``kept`` for which ``packets`` holds every port that is nobody's."""
    each = [space.project(packets & space.value(Field.DPORT, port), *kept) for port in ODD_PORTS]
    return reduce(and_, each)


def few_ports(space: Space, packets: PacketSet, field: Field, limit: int = 6) -> list[int]:
    """The ports of the packets, in order; empty where they are more than ``limit``."""
    bits = space.fields[field]
    left = space.project(packets, field)
    ports: list[int] = []
    while (cube := left.pick_cube()) is not None:
        if len(ports) == limit:
            return []
        places = zip(reversed(bits.variables), range(bits.width), strict=True)
        ports.append(sum(1 << place for variable, place in places if cube[variable]))
        left = left & ~space.value(field, ports[-1])
    return sorted(ports)
