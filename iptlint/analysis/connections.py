"""What lint rules on the state of connections share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import combinations
from operator import and_
from typing import TYPE_CHECKING

from iptlint.analysis.default_verdict import ODD_PORTS, outside, probes, public_hosts
from iptlint.analysis.exposure import outward
from iptlint.analysis.shadowing import dead_ids, later_copies, owner_of_chain
from iptlint.model import AnyOf, Chain, Field, Hook, Interface, Match, Rule
from iptlint.model.ownership import owner_of, owner_of_interface
from iptlint.netfilter.decision import Share
from iptlint.netfilter.hooks import Hooks
from iptlint.netfilter.table_analysis import TableAnalysis
from iptlint.packets.bdd import union
from iptlint.packets.space import Space
from iptlint.packets.witness import TCP

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


def tests_state(match: Match) -> bool:
    """Whether the test asks for the state of the packet's connection."""
    match match:
        case AnyOf(alternatives):
            return any(tests_state(test) for tests in alternatives for test in tests)
        case _:
            return getattr(match, "field", None) is Field.CT_STATE


def user_rules(analysis: TableAnalysis) -> Iterator[tuple[Chain, Rule]]:
    """The rules that people wrote, that packets may match, and that are no copies of others."""
    silent = dead_ids(analysis) | later_copies(analysis)
    for chain in analysis.table.chains.values():
        if _is_owned(analysis, chain) or not analysis.calls.is_called(chain.name):
            continue
        for rule in chain.rules:
            if rule.read and id(rule) not in silent and not _is_softwares(rule):
                yield chain, rule


def _is_owned(analysis: TableAnalysis, chain: Chain) -> bool:
    """Whether software writes the chain, and does not leave it to people (as DOCKER-USER)."""
    owner = owner_of_chain(analysis.ruleset, analysis.table, chain.name)
    return owner is not None and not owner.leaves_to_user(chain.name)


def _is_softwares(rule: Rule) -> bool:
    """Whether software put the rule into a chain that is not its own."""
    if rule.verdict.chain is not None and owner_of(rule.verdict.chain):
        return True
    names = (match.name for match in rule.matches if isinstance(match, Interface))
    return any(map(owner_of_interface, names))


def from_world(
    hooks: Hooks,
    hook: Hook,
    state: str,
    *flags: str,
    protocol: int = TCP,
    free: tuple[Field, ...] = (),
) -> tuple[PacketSet, ...]:
    """Packets of the state from the world, a set for each of a few public addresses; like
    ``world.callers``, whose packets are new."""
    space, daddr = hooks.space, hooks.family.daddr
    packets = outward(hooks) & outside(space)
    if hook is Hook.INPUT:
        packets = packets & public_hosts(hooks, daddr)
    kept = (Field.IIF, Field.OIF, Field.DPORT, daddr, *free)
    values = {Field.PROTO: protocol}
    asked = probes(hooks, hook, state, *flags, free=kept, values=values)
    return tuple(packets & each for each in asked)


def most(space: Space, asked: Sequence[PacketSet], packets: PacketSet, *fields: Field) -> PacketSet:
    """Over ``fields``: the values with which ``packets`` has most of the five that are asked."""
    each = [space.project(one & packets, *fields) for one in asked]
    return union([a & b & c for a, b, c in combinations(each, 3)], space.false)


def any_port(space: Space, packets: PacketSet, *kept: Field) -> PacketSet:
    """Over ``kept``: the values with which ``packets`` has every port that is nobody's."""
    each = [space.project(packets & space.value(Field.DPORT, port), *kept) for port in ODD_PORTS]
    return reduce(and_, each)


def is_user_decision(share: Share) -> bool:
    """Whether people wrote the rule, or the policy."""
    analysis, rule = share.analysis, share.rule
    if _is_owned(analysis, share.chain):
        return False
    return rule is None or (rule.read and not _is_softwares(rule))


def few_ports(space: Space, packets: PacketSet, field: Field, limit: int = 6) -> list[int]:
    """The ports of the packets, in order; empty where they are more than ``limit``."""
    bits = space.fields[field]
    left = space.project(packets, field)
    found: list[int] = []
    while (cube := left.pick_cube()) is not None:
        if len(found) == limit:
            return []
        places = zip(reversed(bits.variables), range(bits.width), strict=True)
        found.append(sum(1 << place for variable, place in places if cube[variable]))
        left = left & ~space.value(field, found[-1])
    return sorted(found)
