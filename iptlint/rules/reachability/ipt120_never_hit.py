"""A rule accepts what nobody has sent since its counters began.

## What it does
Looks at dumps with counters (`iptables-save -c`, `nft list ruleset` where rules count, or
`iptlint live`). An accept rule for new connections with no packet is reported where other rules
of its chain have counted thousands.

## Why it matters
An opening that nobody uses is one that nobody would miss: a service that moved, a colleague's
old address, a test. It is a door all the same, and each one makes the ruleset harder to read.

## Example
```
*filter
:INPUT DROP [48211:3016904]
[913377:1290041222] -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
[20412:1224720] -A INPUT -p tcp -m tcp --dport 443 -j ACCEPT
[0:0] -A INPUT -s 198.51.100.9/32 -p tcp -m tcp --dport 8443 -j ACCEPT
COMMIT
```

## Fix
Ask who it was for, then delete it: `-D INPUT -s 198.51.100.9/32 -p tcp -m tcp --dport 8443 -j
ACCEPT`.

## When it is wrong
Where the rule is for rare events (a yearly audit, a fallback), or was added after the others
began to count: counters start at each load. Rules that drop, rules for the loopback interface,
ICMP, DHCP, VPN protocols and states, rules of software, and chains that have counted little are
left alone.

## References
- iptables-save(8), "-c": https://man7.org/linux/man-pages/man8/iptables-save.8.html
- nft(8), "COUNTER"
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iptlint.analysis.session import Context
from iptlint.analysis.shadowing import later_copies, unmatched_rules
from iptlint.analysis.ssh_access import accepts_ports
from iptlint.findings import Confidence, Finding, Severity
from iptlint.findings.phrases import counted
from iptlint.model import AnyOf, Chain, Field, Hook, Interface, Match, Opaque, Rule, Table, Within
from iptlint.model.kinds import numbers_where
from iptlint.model.ownership import writer_of
from iptlint.model.protocols import TCP, UDP
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.table_analysis import TableAnalysis

META = Meta(
    code="IPT120",
    name="never-hit",
    severity=Severity.INFO,
    confidence=Confidence.CERTAIN,
    group=Group.REACHABILITY,
    since="0.2.0",
)

_SEEN = 1000
"""Packets that other rules of the chain have to have decided: less is a fresh counter."""

_NEW = 100
"""Of those, packets of new connections: the rules of established ones count by the million."""

_TCP_UDP = ((TCP, TCP), (UDP, UDP))
_DHCP = {67, 68, 546, 547}
_FILTERS = (Hook.INPUT, Hook.FORWARD)


def check(context: Context) -> Iterator[Finding]:
    for analysis in context.analyses():
        for chain in analysis.table.chains.values():
            if any(base.hook in _FILTERS for base in analysis.calls.bases_of(chain.name)):
                yield from _check_chain(analysis, chain)


def _check_chain(analysis: TableAnalysis, chain: Chain) -> Iterator[Finding]:
    opening = (chain.rules[number] for number in numbers_where(chain, accepts_ports))
    idle = [rule for rule in opening if _is_idle(rule)]
    if not idle:
        return
    seen, new = _seen(analysis.table, chain)
    if seen < _SEEN or new < _NEW:
        return
    silent = unmatched_rules(analysis) | later_copies(analysis)
    for rule in idle:
        if rule not in silent and writer_of(analysis.table, chain.name, rule) is None:
            yield META.finding(
                rule.statement.span,
                f"no packet has matched this rule since its counters began, while the others of"
                f" {chain.name} decided {counted(seen, 'packet')}: it may be for something that is"
                " no longer there",
                "if nobody needs it, delete it",
                likeness=f"{analysis.table.name} {chain.name}",
            )


def _is_idle(rule: Rule) -> bool:
    zero = rule.counters is not None and rule.counters[0] == 0
    return zero and rule.read and rule.whole is None and not any(map(_is_rare, rule.matches))


def _is_rare(match: Match) -> bool:
    """Whether what passes the test may be seldom in any case."""
    match match:
        case Interface(name="lo"):
            return True
        case Within(field=Field.PROTO, ranges=ranges):
            return any(one not in _TCP_UDP for one in ranges)
        case Within(field=Field.DPORT, ranges=ranges):
            return any(low == high and low in _DHCP for low, high in ranges)
        case Within(field=Field.CT_STATE, ranges=ranges, negated=negated):
            return negated or not any(low == 0 for low, _ in ranges)
        case AnyOf() | Opaque():
            return False
        case _:
            return False


def _seen(table: Table, chain: Chain) -> tuple[int, int]:
    """The packets that rules of the chain have decided, and those of them that no rule for
    running connections did; the policy too."""
    counts = [
        (rule, rule.counters[0])
        for rule in chain.rules
        if rule.counters is not None and rule.verdict.kind.decides
    ]
    policy = chain.counters[0] if chain.counters else 0
    everything = sum(count for _, count in counts) + policy
    new = sum(count for rule, count in counts if not any(map(_is_state, rule.matches))) + policy
    return everything, new


def _is_state(match: Match) -> bool:
    match match:
        case Within(field=Field.CT_STATE, ranges=ranges, negated=False):
            return not any(low == 0 for low, _ in ranges)
        case Interface(name="lo"):
            return True
        case _:
            return False
