"""What leaves a host, or goes through it, over IPv6 alone: over IPv4 it is denied by default."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.default_verdict import (
    accepted_by_default,
    dropped_by_default,
    forwards_on_its_own,
    is_policy_assumed,
)
from iptlint.analysis.hook_verdicts import may_pass
from iptlint.analysis.ipv6_counterpart import counterpart
from iptlint.analysis.session import Context
from iptlint.model import Family, Field, Hook, Interface, Rule, Ruleset, VerdictKind
from iptlint.model.names import is_tunnel
from iptlint.model.ownership import is_user_rule

if TYPE_CHECKING:
    from iptlint.netfilter.base_chain import BaseChain
    from iptlint.netfilter.firewall import Hooks
    from iptlint.packets.bdd import PacketSet


class OpenWay(NamedTuple):
    """``beside``: where the IPv6 rules are, or would be; ``tunnel``: whether IPv4 may leave by a
    tunnel, so that what leaves past it is a leak."""

    hook: Hook
    ip: Hooks
    beside: Ruleset
    ip6: Hooks
    tunnel: bool


def open_ways(context: Context) -> Iterator[OpenWay]:
    """Where someone closed the hook over IPv4, and nobody wrote anything for it over IPv6."""
    for ruleset in context.rulesets:
        beside = counterpart(context, ruleset)
        ip = context.hooks(ruleset, Family.IP)
        ip6 = None if beside is None else context.hooks(beside, Family.IP6)
        if beside is None or ip is None or ip6 is None:
            continue
        for hook in (Hook.OUTPUT, Hook.FORWARD):
            if _is_closed(ip, hook) and _is_open(ip6, hook):
                yield OpenWay(hook, ip, beside, ip6, hook is Hook.OUTPUT and _by_tunnel(ip))


def _is_closed(ip: Hooks, hook: Hook) -> bool:
    """Whether it denies by default, and lets something through that a person named: a host that
    forwards nothing over IPv4 forwards nothing over IPv6 either."""
    main = ip.deciding_chain(hook)
    if main is None or not dropped_by_default(ip, hook).satisfiable():
        return False
    return not forwards_on_its_own(ip) and _lets_through(ip, main, hook)


def _lets_through(ip: Hooks, main: BaseChain, hook: Hook) -> bool:
    space, table = ip.space, main.analysis.table
    if hook is Hook.OUTPUT:
        return True
    new = ip.hook_packets(hook) & space.state("new")
    written = any(is_user_rule(table, main.chain.name, rule) for rule in main.chain.rules)
    return written and may_pass(ip, hook, new).satisfiable()


def _is_open(ip6: Hooks, hook: Hook) -> bool:
    """Whether all of it passes, and no rule says that this was thought about."""
    main = ip6.deciding_chain(hook)
    if main is not None and (
        _asks(main, ip6.hook_packets(hook)) or is_policy_assumed(ip6.ruleset, main.chain)
    ):
        return False
    accepted = accepted_by_default(ip6, hook).satisfiable()
    return accepted and not dropped_by_default(ip6, hook).satisfiable()


def _asks(main: BaseChain, packets: PacketSet) -> bool:
    """Whether some rule of the chain is for any of the packets: in a table for both families those
    that name addresses of IPv4 are for none of IPv6."""
    tests = map(main.analysis.tests, main.chain.rules)
    return any((test.may & packets).satisfiable() for test in tests)


def _by_tunnel(ip: Hooks) -> bool:
    main = ip.deciding_chain(Hook.OUTPUT)
    rules = main.chain.rules if main else ()
    tests = (match for rule in rules if _accepts(rule) for match in rule.matches)
    return any(
        isinstance(match, Interface) and match.field is Field.OIF and is_tunnel(match.name)
        for match in tests
    )


def _accepts(rule: Rule) -> bool:
    return rule.verdict.kind is VerdictKind.ACCEPT
