"""A rule stands in a chain that software writes, and is not one that the software would write.

## What it does
Looks in the chains of docker, kube-proxy, calico, fail2ban, libvirt and tailscale for rules with
something that the owner never writes: a comment where it writes none, or none where each of its
rules has one, a log, a limit, a drop of an address among docker's, an accept among bans. What
might be the owner's is left alone.

## Why it matters
The owner empties or rebuilds its chains, at a restart or every few seconds: the rule is gone
then, and nobody is told. Until then it may stand behind those that take its packets.

## Example
```
*filter
-A DOCKER -p tcp --dport 5432 -m comment --comment "office only" -j DROP
COMMIT
```

## Fix
Write it where the software leaves room: `DOCKER-USER` for docker (by the port a packet comes
with: `-m conntrack --ctorigdstport 5432`), a NetworkPolicy for Kubernetes and calico, `ignoreip`
for fail2ban, else the built-in chain, above the jump.

## When it is wrong
Where a plug-in or a patched version of the owner writes such rules. Chains that are left to you
(`DOCKER-USER`, `CNI-ADMIN`) are not looked at.

## References
- Docker, packet filtering and firewalls:
  https://docs.docker.com/engine/network/packet-filtering-firewalls/
- kube-proxy writes its chains at every sync: pkg/proxy/iptables/proxier.go
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from iptlint.analysis.log_flood import logs
from iptlint.analysis.session import Context
from iptlint.analysis.shadowing import later_copies
from iptlint.findings import Confidence, Finding, Severity
from iptlint.model import AnyOf, Field, Match, Rule, Uncertain, VerdictKind, Within
from iptlint.model.owners import owner_of_name, owner_of_table
from iptlint.model.protocols import TCP
from iptlint.rules.meta import Group, Meta

META = Meta(
    code="IPT852",
    name="rule-in-owned-chain",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.NAT,
    since="0.1.0",
)

_LIMITS = ("limit", "hashlimit", "recent", "connlimit", "quota", "time")
_SOURCES = (Field.SADDR, Field.SADDR6)
_ADDRESSES = (Field.SADDR, Field.DADDR, Field.SADDR6, Field.DADDR6)


def _has_comment(rule: Rule) -> bool:
    return rule.comment is not None


def _has_no_comment(rule: Rule) -> bool:
    """Of rules that decide about an address or a port: others may go without."""
    decides = rule.verdict.kind.decides and _tests(rule, *_ADDRESSES, Field.DPORT)
    return decides and rule.comment is None and not _hides_comment(rule)


def _is_not_calicos(rule: Rule) -> bool:
    """Felix writes its hash of the rule as the first of its comments."""
    return "cali:" not in rule.statement.span.text and not _hides_comment(rule)


def _hides_comment(rule: Rule) -> bool:
    """nft prints what iptables-nft wrote as a match that it does not know."""
    return any(isinstance(match, Uncertain) and match.kind == "comment" for match in rule.matches)


def _is_limited(rule: Rule) -> bool:
    return any(map(_is_uncertain, rule.matches))


def _is_uncertain(match: Match) -> bool:
    if isinstance(match, AnyOf):
        return any(_is_uncertain(test) for tests in match.alternatives for test in tests)
    return isinstance(match, Uncertain) and match.kind in _LIMITS


def _accepts(rule: Rule) -> bool:
    return rule.verdict.kind is VerdictKind.ACCEPT


def _rejects(rule: Rule) -> bool:
    return rule.verdict.kind is VerdictKind.REJECT


def _drops_by_source(rule: Rule) -> bool:
    """From an address, that is: docker drops what is not from its network, and by interfaces."""
    tests = (m for m in rule.matches if getattr(m, "field", None) in _SOURCES)
    drops = rule.verdict.kind is VerdictKind.DROP
    return drops and any(not getattr(match, "negated", True) for match in tests)


def _drops_by_port(rule: Rule) -> bool:
    return rule.verdict.kind is VerdictKind.DROP and _names_port(rule)


def _names_port(rule: Rule) -> bool:
    return _tests(rule, Field.DPORT, Field.SPORT)


_SERVED = (53, 67, 68, 69, 546, 547)
"""What libvirt's dnsmasq serves its guests (virNetworkAddGeneralFirewallRules)."""
_TAILNET = {
    Field.SADDR: (0x64400000, 0x647FFFFF),  # 100.64.0.0/10
    Field.SADDR6: (0xFD7A115CA1E0 << 80, (0xFD7A115CA1E1 << 80) - 1),  # fd7a:115c:a1e0::/48
}
_TAILNET |= {Field.DADDR: _TAILNET[Field.SADDR], Field.DADDR6: _TAILNET[Field.SADDR6]}


def _opens_other_port(rule: Rule) -> bool:
    ranges = (span for match in _within(rule, Field.DPORT) for span in match.ranges)
    return any(low != high or low not in _SERVED for low, high in ranges)


def _is_for_others(rule: Rule) -> bool:
    return any(
        not _TAILNET[match.field][0] <= low <= high <= _TAILNET[match.field][1]
        for match in _within(rule, *_ADDRESSES)
        for low, high in match.ranges
    )


def _names_tcp_port(rule: Rule) -> bool:
    tcp = any((TCP, TCP) in match.ranges for match in _within(rule, Field.PROTO))
    return tcp and _names_port(rule)


def _within(rule: Rule, *fields: Field) -> Iterator[Within]:
    tests = (match for match in rule.matches if isinstance(match, Within))
    return (match for match in tests if match.field in fields)


def _tests(rule: Rule, *fields: Field) -> bool:
    return any(getattr(match, "field", None) in fields for match in rule.matches)


class _Sign(NamedTuple):
    """Something that the owner never writes, as the message says it."""

    shows: Callable[[Rule], bool]
    words: str


_COMMENT = _Sign(_has_comment, "has a comment, and {owner} writes none")
_LOG = _Sign(logs, "logs, which {owner} does not")
_LIMIT = _Sign(_is_limited, "has a limit or a list of its own, which {owner} does not write")
_NO_COMMENT = _Sign(_has_no_comment, "has no comment, and {owner} writes one with each like it")

_SIGNS: dict[str, tuple[_Sign, ...]] = {
    "docker": (
        _COMMENT,
        _LOG,
        _LIMIT,
        _Sign(_rejects, "rejects, and {owner} only drops"),
        _Sign(_drops_by_source, "drops what some address sends, which {owner} does not"),
        _Sign(_drops_by_port, "drops by port, which {owner} does not"),
    ),
    "kube-proxy": (_NO_COMMENT,),
    "calico": (_Sign(_is_not_calicos, "lacks the comment cali:… of all rules of {owner}"),),
    "fail2ban": (
        _Sign(_accepts, "accepts, and {owner} bans"),
        _Sign(_names_port, "names a port, and {owner} bans addresses"),
    ),
    "cilium": (_NO_COMMENT,),
    "libvirt": (
        _COMMENT,
        _LOG,
        _LIMIT,
        _Sign(_opens_other_port, "names a port that is not of DHCP, DNS or TFTP"),
    ),
    "tailscale": (
        _COMMENT,
        _LOG,
        _LIMIT,
        _Sign(_is_for_others, "names an address that is not {owner}'s"),
        _Sign(_names_tcp_port, "names a tcp port, and {owner} comes by udp"),
    ),
}

_BETTER = {
    "docker": "write it into DOCKER-USER, which docker leaves to you",
    "kube-proxy": "write it into the built-in chain, above the jump, or use a NetworkPolicy",
    "calico": "use a network policy of calico's, or write it into the built-in chain",
    "fail2ban": "write it into the built-in chain, above the jump, or use ignoreip",
}
_NWFILTER = ("FI-", "FO-", "HI-")
"""Chains of libvirt's for one guest: whatever its user has in a network filter stands there."""
_ELSEWHERE = "write it into the built-in chain, above the jump"


def check(context: Context) -> Iterator[Finding]:
    for analysis in context.analyses():
        if owner_of_table(analysis.table.name) is not None:
            continue
        for chain in analysis.table.chains.values():
            owner = owner_of_name(chain.name)
            if owner is None or owner.leaves_to_user(chain.name):
                continue
            if chain.name.startswith(_NWFILTER):
                continue
            for parts in chain.statements():
                sign = _sign(parts, owner.name)
                if sign is not None and parts[0] not in later_copies(analysis):
                    yield _finding(parts[0], chain.name, owner.name, sign)


def _sign(parts: Sequence[Rule], owner: str) -> _Sign | None:
    if not all(rule.read for rule in parts):
        return None
    signs = (s for s in _SIGNS.get(owner, ()) if any(map(s.shows, parts)))
    return next(signs, None)


def _finding(rule: Rule, chain: str, owner: str, sign: _Sign) -> Finding:
    return META.finding(
        rule.statement.span,
        f"{chain} is a chain of {owner}'s, and this rule is not of its making (it"
        f" {sign.words.format(owner=owner)}): it is lost when {owner} writes the chain anew",
        _BETTER.get(owner, _ELSEWHERE),
        likeness=f"{owner} {sign.words}",
    )
