"""Packets of running connections pass many rules before one accepts them.

## What it does
Follows an ordinary packet of an established connection through INPUT and FORWARD, into the
chains it is sent to, and counts the rules it is compared with before one accepts it by its
state. More than 8 are reported, at the rule that accepts. Rules that only deny are not
counted (bans stand before it on purpose), nor are jumps to chains that only deny, nor tests
of the loopback interface.

## Why it matters
Nearly all packets belong to a running connection, so these comparisons are made for nearly
every packet. With the rule at the top, each costs one.

## Example
```
*filter
:INPUT DROP [0:0]
-A INPUT -p tcp --dport 21 -j ACCEPT
-A INPUT -p tcp --dport 22 -j ACCEPT
-A INPUT -p tcp --dport 25 -j ACCEPT
-A INPUT -p tcp --dport 53 -j ACCEPT
-A INPUT -p tcp --dport 80 -j ACCEPT
-A INPUT -p tcp --dport 110 -j ACCEPT
-A INPUT -p tcp --dport 143 -j ACCEPT
-A INPUT -p tcp --dport 443 -j ACCEPT
-A INPUT -p tcp --dport 993 -j ACCEPT
-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
COMMIT
```

## Fix
Move the rule that accepts ESTABLISHED to the top of the chain, below bans that must cut
running connections too.

## When it is wrong
Where the rules above count traffic, or where a host sees so little of it that order is a
matter of taste. Silent where each service has a rule of its own for its answers (`--sport 443
--state ESTABLISHED`), and where a program reads the packets of a queue. FORWARD is left out where
Docker, Kubernetes and the like manage it.

## References
- iptables(8): rules are examined in order: https://man7.org/linux/man-pages/man8/iptables.8.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from iptlint.analysis.comparisons import Stretch, compared_in, on_one_way
from iptlint.analysis.default_verdict import forwards_on_its_own, outside, probes
from iptlint.analysis.evidence import shown_for
from iptlint.analysis.hook_verdicts import surely_accepted
from iptlint.analysis.session import Context
from iptlint.analysis.shares import Share, deciding_shares, largest_first
from iptlint.findings import Confidence, Finding, Severity, phrases
from iptlint.findings.fix import Fix
from iptlint.findings.per_family import for_each_family
from iptlint.findings.suggestions import ESTABLISHED, behind_first, puts_itself_first
from iptlint.memo import memo
from iptlint.model import Chain, Field, Hook, Interface, Rule, VerdictKind
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks
    from iptlint.netfilter.table_analysis import TableAnalysis
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT202",
    name="late-established",
    severity=Severity.INFO,
    confidence=Confidence.CERTAIN,
    group=Group.STATE,
    since="0.1.0",
    fixable=True,
)

LIMIT = 8


def check(context: Context) -> Iterator[Finding]:
    by_place = {
        finding.span: finding for finding in reversed([*for_each_family(context, _check_family)])
    }
    yield from reversed(by_place.values())  # of a rule for both families once


def _check_family(hooks: Hooks) -> Iterator[Finding]:
    for hook in (Hook.INPUT, Hook.FORWARD):
        yield from _check_hook(hooks, hook)


def _check_hook(hooks: Hooks, hook: Hook) -> Iterator[Finding]:
    main = hooks.deciding_chain(hook)
    if main is None or (hook is Hook.FORWARD and forwards_on_its_own(hooks)):
        return
    analysis, base = main.analysis, main.chain
    if not base.rules:
        return
    packet = next(probes(hooks, hook, "established", "ack"))
    accepted = _accepted_by_state(hooks, hook, packet & outside(hooks.space))
    if accepted is None or accepted.rule is None or _is_for_a_service(accepted):
        return
    if any(_is_made_again(accepted.rule, each) for each in base.rules):
        return
    if any(rule.verdict.kind is VerdictKind.QUEUE for rule in base.rules):
        return  # who reads a queue watches running connections, too
    one = on_one_way(hooks, accepted.packets)
    way = [*compared_in(analysis, base, one)]
    counted = sum(_for_nothing(stretch, base) for stretch in way)
    if counted - 1 <= LIMIT:
        return
    above = sum(stretch.times * len(stretch.rules) for stretch in way) - 1
    bans = (
        f" ({above - counted + 1} of which ban someone, only count, log or mark, or are for lo)"
        if above >= counted
        else ""
    )
    first = _first_in_the_way(analysis, base)
    yield META.finding(
        accepted.rule.origin.span,
        f"each packet of a running connection is compared with {above} rules{bans} "
        "before this one accepts it",
        _advice(analysis, base, accepted.rule, first),
        witness=shown_for(hooks, hook, replace(accepted, packets=one)),
        fix=_fix(analysis, base, accepted.rule, first),
    )


def _is_made_again(rule: Rule, other: Rule) -> bool:
    """Whether a command of a script that may be carried out several times makes both."""
    return other is not rule and other.origin.span == rule.origin.span


def _advice(analysis: TableAnalysis, base: Chain, accepting: Rule, first: Rule | None) -> str:
    """A rule of another chain, to which only some are sent, cannot be moved."""
    where = f"above line {phrases.line(first)}" if first else f"to the top of {base.name}"
    if accepting in base.rules:
        return f"move this rule {where}"
    if first and puts_itself_first(analysis.ruleset, first):
        return behind_first(first, base.name, analysis.ruleset, analysis.table, ESTABLISHED)
    place = where if first else f"at the top of {base.name}"
    return f"add {place}: {ESTABLISHED.into(base.name, analysis.ruleset, analysis.table)}"


def _first_in_the_way(analysis: TableAnalysis, base: Chain) -> Rule | None:
    return next((rule for rule in base.rules if _stands_in_the_way(analysis, rule)), None)


def _fix(analysis: TableAnalysis, base: Chain, accepting: Rule, first: Rule | None) -> Fix | None:
    """Below the bans, which may have to cut running connections, and what counts all packets. Not
    safe where other rules would no longer count or log these."""
    if first is None or accepting not in base.rules or first is accepting:
        return None
    edits = analysis.syntax.move_before(accepting, first)
    if edits is None:
        return None
    passed = base.rules[base.rules.index(first) : base.rules.index(accepting)]
    safe = not any(rule.verdict.kind.goes_on for rule in passed)
    return Fix(f"move it above line {phrases.line(first)}", edits, safe)


def _accepted_by_state(hooks: Hooks, hook: Hook, packet: PacketSet) -> Share | None:
    """The rule that accepts the packet for certain, and no new connection."""
    new = hooks.space.state("new")

    def by_state(share: Share) -> bool:
        rule = share.rule
        return rule is not None and not (share.analysis.tests(rule).may & new).satisfiable()

    deciding = [*deciding_shares(hooks, hook, surely_accepted(hooks, hook, packet))]
    several = [*filter(by_state, deciding)]
    # Which is the largest is dear to tell of many, and mostly there is one, or none.
    ordered = largest_first(deciding, hook) if len(several) > 1 else several
    return next(filter(by_state, ordered), None)


def _is_for_a_service(accepted: Share) -> bool:
    """Whether the rule is half of a pair that lets one service work: there is one for each, and to
    move this one would help no other."""
    rule = accepted.rule
    return rule is not None and any(
        accepted.analysis.restricts(rule, field) for field in (Field.SPORT, Field.DPORT)
    )


def _for_nothing(stretch: Stretch, base: Chain) -> int:
    """How often the packet is compared with a rule that stands in its way."""
    if stretch.chain is not base and _only_denies(stretch.analysis, stretch.chain.name):
        return 0
    standing = sum(_stands_in_the_way(stretch.analysis, rule) for rule in stretch.rules)
    return stretch.times * standing


def _stands_in_the_way(analysis: TableAnalysis, rule: Rule) -> bool:
    """Not a ban, nor what is for lo, nor what is to count, log or mark every packet."""
    if rule.verdict.chain is not None:
        return not _only_denies(analysis, rule.verdict.chain)
    kind = rule.verdict.kind
    return not kind.denies and not kind.goes_on and not _is_loopback(rule)


@memo
def _only_denies(analysis: TableAnalysis, name: str) -> bool:
    """Whether the chain is there, and it and what it calls let nobody in."""
    return name in analysis.table.chains and all(
        rule.verdict.chain in analysis.table.chains
        if rule.verdict.chain is not None
        else rule.verdict.kind.denies or rule.verdict.kind.goes_on
        for _, rule in analysis.calls.rules_from(name)
    )


def _is_loopback(rule: Rule) -> bool:
    return any(isinstance(m, Interface) and m.name == "lo" for m in rule.matches)
