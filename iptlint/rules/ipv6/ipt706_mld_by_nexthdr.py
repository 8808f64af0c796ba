"""`ip6 nexthdr icmpv6` is to accept all of ICMPv6, and never sees multicast listener discovery.

## What it does
Where input denies by default and a rule accepts ICMPv6 by `ip6 nexthdr icmpv6`, asks whether the
queries of multicast listener discovery (MLD) get in by another rule. If none do, the test is
reported.

## Why it matters
`ip6 nexthdr` compares the header that follows that of IPv6. MLD has to carry a hop-by-hop header
there (RFC 2710, RFC 3810), so these packets are none of `icmpv6` for this test. A host that does
not answer queries is forgotten by switches that snoop on multicast, and after some minutes
neighbours do not find it either.

## Example
```
table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        ip6 nexthdr icmpv6 accept
    }
}
```

## Fix
`meta l4proto ipv6-icmp accept`: it goes past extension headers, as `icmpv6 type { … }` does.

## When it is wrong
Where no switch of the network looks at multicast, nothing is felt of it.

## References
- RFC 3810 (MLDv2), 5: https://www.rfc-editor.org/rfc/rfc3810#section-5
- RFC 4890 (filtering ICMPv6), 4.4.1: https://www.rfc-editor.org/rfc/rfc4890#section-4.4.1
- nft(8), "IPV6 HEADER EXPRESSION": https://www.netfilter.org/projects/nftables/manpage.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iptlint.analysis.default_verdict import dropped_by_default, outside
from iptlint.analysis.hook_verdicts import may_pass
from iptlint.analysis.session import Context
from iptlint.analysis.shadowing import unmatched_rules
from iptlint.findings import Confidence, Finding, Severity
from iptlint.findings.per_family import for_each_family
from iptlint.model import AnyOf, Family, Field, Hook, Match, Opaque, Rule, VerdictKind, Within
from iptlint.model.addresses import AddressKind, ranges
from iptlint.model.matches import FirstHeader
from iptlint.model.protocols import ICMP6
from iptlint.rules.meta import Group, Meta, Needs
from iptlint.source import Span

if TYPE_CHECKING:
    from iptlint.netfilter.base_chain import BaseChain
    from iptlint.netfilter.firewall import Hooks
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT706",
    name="mld-by-nexthdr",
    severity=Severity.INFO,
    confidence=Confidence.CERTAIN,
    group=Group.IPV6,
    since="0.2.0",
    needs=Needs.IPV6,
)

_QUERY = 130
_LINK_LOCAL = ranges(Family.IP6, AddressKind.LINK_LOCAL)


def check(context: Context) -> Iterator[Finding]:
    return for_each_family(context, _check_family)


def _check_family(hooks: Hooks) -> Iterator[Finding]:
    main = hooks.deciding_chain(Hook.INPUT)
    if hooks.family is not Family.IP6 or main is None:
        return
    test = next(_tests(main), None)
    if test is None or not dropped_by_default(hooks, Hook.INPUT).satisfiable():
        return
    if may_pass(hooks, Hook.INPUT, _query(hooks)).satisfiable():
        return
    yield META.finding(
        test,
        "this test does not see multicast listener discovery (MLD): its packets have a hop-by-hop"
        " header first, and nothing else accepts them",
        "meta l4proto ipv6-icmp goes past such headers",
    )


def _query(hooks: Hooks) -> PacketSet:
    """Queries of a router, which no test of the first header takes for ICMPv6."""
    space = hooks.space
    packets = (
        hooks.hook_packets(Hook.INPUT)
        & outside(space)
        & space.state("untracked")
        & space.value(Field.PROTO, ICMP6)
        & space.value(Field.ICMP_TYPE, _QUERY)
        & space.ranges(Field.SADDR6, _LINK_LOCAL)
    )
    for test, variable in space.opaques.items():
        if isinstance(test.asks, FirstHeader):
            packets = packets & (variable if _holds(test.asks, 0) else ~variable)
    return packets


def _tests(main: BaseChain) -> Iterator[Span]:
    """Those of the first header by which rules accept ICMPv6, and queries among it if it were not
    for the header."""
    analysis = main.analysis
    silent = unmatched_rules(analysis)
    for _, rule in main.rules_testing(lambda rule: rule.verdict.kind is VerdictKind.ACCEPT):
        if rule in silent:
            continue
        for number, match in enumerate(rule.matches):
            if _is_first_header(match) and _is_meant(rule):
                yield rule.origin.part(number)


def _is_first_header(match: Match) -> bool:
    match match:
        case Opaque(negated=False, asks=FirstHeader() as asks):
            return _holds(asks, ICMP6) and not _holds(asks, 0)
        case AnyOf(alternatives, negated=False):
            return any(_is_first_header(test) for tests in alternatives for test in tests)
        case _:
            return False


def _holds(asks: FirstHeader, header: int) -> bool:
    return asks.low <= header <= asks.high


def _is_meant(rule: Rule) -> bool:
    """Whether the rule is for all of ICMPv6, or names the type of queries."""
    of_type = (
        match
        for match in rule.matches
        if isinstance(match, Within) and match.field is Field.ICMP_TYPE
    )
    return all(
        not match.negated and any(low <= _QUERY <= high for low, high in match.ranges)
        for match in of_type
    )
