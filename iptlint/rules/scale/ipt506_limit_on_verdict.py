"""A limit that was meant for the log, or for nothing, decides how many packets are dropped.

## What it does
Finds rules that drop or reject packets up to a rate (`limit rate 5/minute log drop`, `-m limit
--limit 5/min -j DROP`) where what comes above that rate is accepted behind them for certain.

## Why it matters
`limit` matches as long as the packets are few. A rule with it and with `drop` drops those few, and
lets the many go on: in a flood nearly all of them come through. In nft, where `log` and `drop` fit
into one rule, a limit for the log becomes one for the drop.

## Example
```
table inet filter {
    chain input {
        type filter hook input priority filter; policy accept;
        tcp dport 3306 limit rate 5/minute log prefix "mysql: " drop
    }
}
```

## Fix
Two rules: `tcp dport 3306 limit rate 5/minute log prefix "mysql: "`, and `tcp dport 3306 drop`
behind it. Where the packets are to be dropped that are too many, it is `limit rate over 5/minute
drop`; in iptables, `-m limit … -j ACCEPT` and a DROP behind it.

## When it is wrong
Where a program stands in for the drop. Silent where a later rule, or the policy, drops the rest.

## References
- nft(8), "LIMIT STATEMENT": https://www.netfilter.org/projects/nftables/manpage.html
- iptables-extensions(8), limit: https://man7.org/linux/man-pages/man8/iptables-extensions.8.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from iptlint.analysis.evidence import shown_by
from iptlint.analysis.fates import fates, surely_taken
from iptlint.analysis.includes import has_unseen_includes
from iptlint.analysis.session import Context
from iptlint.analysis.shares import Share, largest_first
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.model import EffectKind, Match, Rule, Uncertain, VerdictKind
from iptlint.model.kinds import rules_testing
from iptlint.model.matches import Threshold
from iptlint.model.ownership import is_generated
from iptlint.packets.bdd import union
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Firewall
    from iptlint.netfilter.table_analysis import TableAnalysis

META = Meta(
    code="IPT506",
    name="limit-on-verdict",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.SCALE,
    since="0.2.0",
)

_RATES = ("limit", "hashlimit")


def check(context: Context) -> Iterator[Finding]:
    for ruleset in context.rulesets:
        if has_unseen_includes(ruleset):
            continue
        firewall = context.firewall(ruleset)
        for analysis in firewall.by_decision().analyses():
            for chain, rule in rules_testing(analysis.table, lambda rule: _limit(rule) is not None):
                number = _limit(rule)
                if number is not None and not is_generated(analysis.table, chain.name):
                    yield from _check_rule(firewall, analysis, rule, number)


def _limit(rule: Rule) -> int | None:
    """The number of the test that holds as long as packets are few, of a rule that denies them;
    None where that is not all that it leaves open."""
    uncertain = [n for n, match in enumerate(rule.matches) if isinstance(match, Uncertain)]
    if not rule.verdict.kind.denies or len(uncertain) != 1:
        return None
    return uncertain[0] if _is_rate(rule.matches[uncertain[0]]) else None


def _is_rate(match: Match) -> bool:
    match match:
        case Uncertain(kind, asks=Threshold(over=False)):
            return kind in _RATES
        case _:
            return False


def _check_rule(
    firewall: Firewall, analysis: TableAnalysis, rule: Rule, number: int
) -> Iterator[Finding]:
    deciders = fates(firewall, analysis, rule) or ()
    others = [share for share in deciders if share.rule is not rule]
    stopping = [share for share in others if share.kind is not VerdictKind.ACCEPT]
    kept = union([surely_taken(share) for share in stopping], analysis.space.false)
    accepting = [
        replace(share, packets=surely_taken(share) & ~kept)
        for share in others
        if share.kind is VerdictKind.ACCEPT
    ]
    accepting = [share for share in accepting if share.packets.satisfiable()]
    if accepting:
        by = largest_first(accepting)[0]
        alone = not any((share.packets & by.packets).satisfiable() for share in stopping)
        yield _finding(analysis, rule, number, by, all_of_them=alone and len(accepting) == 1)


def _finding(
    analysis: TableAnalysis, rule: Rule, number: int, by: Share, *, all_of_them: bool
) -> Finding:
    logs = any(effect.kind is EffectKind.LOG for effect in rule.effects)
    does = "dropped" if rule.verdict.kind is VerdictKind.DROP else "rejected"
    which = "them" if all_of_them else "those that nothing else stops"
    return META.finding(
        rule.origin.part(number),
        f"only as many packets are {does} as the limit says: above it, {by.name} {by.does} {which}",
        "two rules: one that logs, with the limit, and one behind it without"
        if logs
        else "leave the limit out; where only too many are to be dropped, "
        + analysis.syntax.pick(
            iptables="accept up to the limit and drop behind it", nft="write `limit rate over`"
        ),
        related=(Label(by.span, f"{by.does} them here"),),
        witness=shown_by(analysis, analysis.place(rule).chain, [rule], by.packets),
        likeness="limit",
    )
