"""Accept rules that decide nothing: what they do not name is accepted as well."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.default_verdict import (
    accepted_strangers,
    dropped_by_default,
    is_policy_assumed,
)
from iptlint.analysis.shares import Share, shares
from iptlint.memo import memo
from iptlint.model import Chain, Field, Hook, Interface, Rule, Table, VerdictKind, Within
from iptlint.model.kinds import numbers_where
from iptlint.model.names import is_tunnel
from iptlint.model.ownership import interface_names, writer_of
from iptlint.packets.bdd import union

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks
    from iptlint.netfilter.table_analysis import TableAnalysis
    from iptlint.packets.bdd import PacketSet

_LOOPBACK = "lo"
_DHCP = {67, 68, 546, 547}


class IdleOutput(NamedTuple):
    """``share``: the policy that lets out what no rule names; ``rules``: those that say what may
    leave. ``tunnel``: whether one says so of a tunnel, which may be down."""

    share: Share
    rules: tuple[Rule, ...]
    tunnel: bool


def idle_output(hooks: Hooks) -> IdleOutput | None:
    """None where the policy denies, or is one that nobody has set, and where no rule but such as
    every firewall has accepts anything."""
    main = hooks.deciding_chain(Hook.OUTPUT)
    if main is None:
        return None
    analysis, chain = main.analysis, main.chain
    if (
        is_policy_assumed(hooks.ruleset, chain)
        or dropped_by_default(hooks, Hook.OUTPUT).satisfiable()
    ):
        return None
    saying = set(numbers_where(chain, partial(_says_what_may_leave, hooks)))
    if not saying:
        return None
    rules = tuple(
        chain.rules[number]
        for number in idle_accepts(analysis, chain)
        if number in saying and _is_of_people(analysis.table, chain.name, chain.rules[number])
    )
    if not rules:
        return None
    strangers = accepted_strangers(hooks, Hook.OUTPUT)
    strangers &= hooks.space.value(Field.OIF, hooks.space.interfaces.count - 1)  # of no name
    share = next(iter(shares(hooks, Hook.OUTPUT, strangers)), None)
    if share is None or share.rule is not None:
        return None
    names = (name for rule in rules for name in interface_names(rule))
    return IdleOutput(share, rules, any(map(is_tunnel, names)))


def _is_of_people(table: Table, chain: str, rule: Rule) -> bool:
    """Whether no software wrote it, nor whoever sets up a host to ask for its address."""
    return not _asks_for_address(rule) and writer_of(table, chain, rule) is None


def _says_what_may_leave(hooks: Hooks, rule: Rule) -> bool:
    """Whether it lets out new connections of some kind, not answers, errors or the host's own,
    whatever addresses and ports it names."""
    new = hooks.firewall.plain(rule) & hooks.space.state("new")
    return new.satisfiable() and any(map(_names_a_way, rule.matches))


def _asks_for_address(rule: Rule) -> bool:
    return any(
        isinstance(match, Within)
        and match.field is Field.DPORT
        and not match.negated
        and all(high - low <= 1 and {low, high} <= _DHCP for low, high in match.ranges)
        for match in rule.matches
    )


def _names_a_way(match: object) -> bool:
    match match:
        case Interface(Field.OIF, name, negated=False):
            return name != _LOOPBACK
        case Within(Field.DPORT | Field.DADDR | Field.DADDR6, negated=False):
            return True
    return False


@memo
def idle_accepts(analysis: TableAnalysis, chain: Chain) -> tuple[int, ...]:
    """The numbers of the accept rules that take only packets which nothing after them would
    deny."""
    space, tests = analysis.space, analysis.flows[chain.name].tests
    open_end = chain.policy is None or chain.policy.kind is VerdictKind.ACCEPT
    denied_later = space.false if open_end else space.universe
    idle: list[int] = []
    for number, rule in reversed([*enumerate(chain.rules)]):
        match rule.verdict.kind:
            case VerdictKind.ACCEPT if not denied_later.satisfiable():
                idle.append(number)
            case VerdictKind.ACCEPT:
                taken = tests[number].may & analysis.base_packets(chain)
                if not (taken & denied_later).satisfiable():
                    idle.append(number)
                denied_later &= ~tests[number].sure
            case VerdictKind.CONTINUE:
                pass
            case VerdictKind.RETURN:
                denied_later |= space.false if open_end else tests[number].may
            case VerdictKind.JUMP | VerdictKind.GOTO if rule.verdict.chain in analysis.flows:
                denying = _not_accepted(analysis, rule.verdict.chain, open_end)
                denied_later |= tests[number].may & denying
            case _:
                denied_later |= tests[number].may
    return tuple(reversed(idle))


def _not_accepted(analysis: TableAnalysis, chain: str, open_end: bool) -> PacketSet:
    """What the chain may do otherwise than accept; with a policy that denies, coming back
    (after a goto) is that too."""
    through = (VerdictKind.ACCEPT, VerdictKind.RETURN) if open_end else (VerdictKind.ACCEPT,)
    outcomes = analysis.flows[chain].outcomes.items()
    return union([p for kind, p in outcomes if kind not in through], analysis.space.false)
