"""A limit on traffic sees the first packets of connections only, as the others are accepted before.

## What it does
Finds limits that are meant for the flow of a connection: so many bytes a second (`limit rate over
10 mbytes/second`, `--hashlimit-above 512kb/s`), a quota, `connbytes`. Where the tests of such a
rule take packets of running connections too, and earlier rules accept every one of them, it is
reported with the rule that does.

## Why it matters
Nearly all bytes are in established connections. The limit counts what is left, the first packets,
and never strikes.

## Example
```
table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        iifname "wan0" limit rate over 10 mbytes/second drop
        tcp dport 443 accept
    }
}
```

## Fix
Move the limit above the rule that accepts established connections.

## When it is wrong
Limits in packets, of new connections (`limit rate 4/minute`, connlimit, recent) belong behind that
rule and are never reported. A limit in bytes may be meant for udp of new connections, or for
untracked packets; then test the state in it.

## References
- nft(8), "LIMIT STATEMENT", "QUOTA": https://www.netfilter.org/projects/nftables/manpage.html
- iptables-extensions(8), hashlimit, quota, connbytes:
  https://man7.org/linux/man-pages/man8/iptables-extensions.8.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iptlint.analysis.session import Context
from iptlint.analysis.shares import shares_of
from iptlint.analysis.user_rules import user_rules_testing
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.model import Chain, Field, Match, Rule, Uncertain, VerdictKind
from iptlint.model.matches import Threshold
from iptlint.model.protocols import TCP, UDP
from iptlint.rules.meta import Group, Meta
from iptlint.source import Span

if TYPE_CHECKING:
    from iptlint.netfilter.table_analysis import TableAnalysis
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT208",
    name="limit-after-established",
    severity=Severity.INFO,
    confidence=Confidence.CERTAIN,
    group=Group.STATE,
    since="0.1.0",
)

_OF_A_FLOW = ("quota", "connbytes")
"""The kinds of uncertain tests that are meant for all packets, as those are that count bytes."""


def check(context: Context) -> Iterator[Finding]:
    for analysis in context.analyses():
        for chain, rule in user_rules_testing(analysis, _decides_by_a_limit):
            yield from _check_rule(analysis, chain, rule, rule.origin.part(next(_limits(rule))))


def _decides_by_a_limit(rule: Rule) -> bool:
    return rule.verdict.kind.decides and next(_limits(rule), None) is not None


def _limits(rule: Rule) -> Iterator[int]:
    """The numbers of its tests that are limits."""
    for number, match in enumerate(rule.matches):
        match match:
            case Uncertain(kind) if kind in _OF_A_FLOW:
                yield number
            case Uncertain(asks=Threshold(of_bytes=True)):
                yield number
            case _:
                pass


def _check_rule(
    analysis: TableAnalysis, chain: Chain, rule: Rule, limit: Span
) -> Iterator[Finding]:
    running = analysis.space.state("established")
    meant = analysis.intended(rule) & running & _streams(analysis)
    if not meant.satisfiable() or analysis.matched(rule, running).satisfiable():
        return
    accepting = _accepting(analysis, chain, rule)
    if accepting is not None:
        line = accepting.origin.span.line
        yield META.finding(
            limit,
            "this limit sees no packet of a running connection, and nearly all traffic is that: "
            f"line {line} accepts them all before",
            _advice(rule, line),
            related=(Label(accepting.origin.span, "accepts running connections"),),
        )


def _streams(analysis: TableAnalysis) -> PacketSet:
    """The packets of tcp and udp: others come a few at a time."""
    space = analysis.space
    return space.value(Field.PROTO, TCP) | space.value(Field.PROTO, UDP)


def _advice(rule: Rule, line: int) -> str:
    if rule.verdict.kind is VerdictKind.ACCEPT:
        return f"above line {line}, drop what is over the limit"
    if rule.verdict.kind.denies and any(map(_holds_below, rule.matches)):
        return f"above line {line}, drop what is over the limit: this drops what is within it"
    return f"move it above line {line}: {rule.statement.span.text}"


def _holds_below(match: Match) -> bool:
    """Whether the test holds as long as packets are few."""
    match match:
        case Uncertain(asks=Threshold(over=False)):
            return True
        case _:
            return False


def _accepting(analysis: TableAnalysis, chain: Chain, rule: Rule) -> Rule | None:
    """The one rule that accepts all that the limit is meant for of running connections."""
    meant = analysis.intended(rule) & analysis.space.state("established")
    for base in analysis.calls.bases_of(chain.name):
        at_base = meant & analysis.base_packets(base) & ~analysis.space.interface(Field.IIF, "lo")
        first = next(shares_of(analysis, base, at_base), None)
        if first is None or first.kind is not VerdictKind.ACCEPT or first.rule is None:
            continue
        if not (at_base & ~first.packets).satisfiable():
            return first.rule
    return None
