"""What lint rules on the state of connections share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
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
from iptlint.source import Span

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


def tests_state(match: Match) -> bool:
    """Whether the test asks for the state of the packet's connection."""
    match match:
        case AnyOf(alternatives):
            return any(tests_state(test) for tests in alternatives for test in tests)
        case _:
            return getattr(match, "field", None) is Field.CT_STATE


_STATES = re.compile(
    r"(?P<start>(?P<option>--(?:ct)?state[\s=]+)|ct\s+state\s+(?:\{\s*)?)"
    r"(?P<states>\w+(?:\s*,\s*\w+)*)(?P<end>\s*\}?)$",
    re.ASCII,
)
"""A list of states that a rule takes; with a negation, or in a map, it reads otherwise."""


def state_test(rule: Rule) -> Span | None:
    """Where the rule asks for the state, if it does so once and in its own words."""
    tests = [number for number, match in enumerate(rule.matches) if tests_state(match)]
    whole = rule.statement.span
    if len(tests) != 1 or "\n" in whole.text:
        return None
    span = rule.origin.part(tests[0])
    inside = span.source is whole.source and whole.start <= span.start <= span.end <= whole.end
    return span if inside else None


def with_test(rule: Rule, span: Span, text: str) -> str:
    """The text of the rule with another one in the span."""
    whole = rule.statement.span
    start, end = span.start - whole.start, span.end - whole.start
    return f"{whole.text[:start]}{text}{whole.text[end:]}".strip()


def with_state(rule: Rule, state: str) -> str | None:
    """The rule as it is written, with one more state that it takes."""
    return _with_states(rule, lambda states: [*states, state])


def without_state(rule: Rule, state: str) -> str | None:
    return _with_states(rule, lambda states: [each for each in states if each.lower() != state])


def _with_states(rule: Rule, change: Callable[[list[str]], list[str]]) -> str | None:
    """The rule with other states in its list; None where it has none, or none is left."""
    span = state_test(rule)
    found = _STATES.match(span.text) if span else None
    if span is None or found is None:
        return None
    before = re.split(r"\s*,\s*", found["states"])
    states = change(before)
    if not states or states == before:
        return None
    joint = ", " if ", " in found["states"] else ","
    text = joint.join(states)
    shown = text.upper() if found["option"] else text
    return with_test(rule, span, f"{found['start']}{shown}{found['end']}")


_CHAINS = ("PREROUTING", "OUTPUT")
_PAIRS = (
    *(("-i", "-o"), ("-s", "-d"), ("--sport", "--dport"), ("--sports", "--dports")),
    *(("sport", "dport"), ("saddr", "daddr"), ("iifname", "oifname"), ("iif", "oif")),
)
_MIRRORED = {one: other for pair in (_CHAINS, *_PAIRS) for one, other in (pair, pair[::-1])}
_WORDS = re.compile(rf"(?<!\S)(?:{'|'.join(map(re.escape, _MIRRORED))})(?!\S)")


def other_way(share: Share, *, forwarded: bool) -> str:
    """The rule for the answers to its packets, in its own words; answers to what is forwarded
    come by the same chain."""
    assert share.rule is not None

    def mirror(word: re.Match[str]) -> str:
        return word[0] if forwarded and word[0] in _CHAINS else _MIRRORED[word[0]]

    return _WORDS.sub(mirror, share.rule.statement.span.text)


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
