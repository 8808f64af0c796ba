"""A script closes IPv4 and says nothing of IPv6.

## What it does
Reports a script after which the host denies new connections by default over IPv4, if the script has
no command for IPv6 and does not speak of it either. It points at what denies.

## Why it matters
`iptables` is for IPv4 alone. Where the host has an address of IPv6, and nearly every provider gives
one, every service that listens is open over it, past all these rules.

## Example
```
#!/bin/sh
iptables -P INPUT DROP
iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
iptables -A INPUT -p tcp --dport 22 -j ACCEPT
```

## Fix
The same with `ip6tables`: `ip6tables -P INPUT DROP` and the rules that accept, with
`ip6tables -A INPUT -p ipv6-icmp -j ACCEPT` among them. Or have one table of nft for both
(`table inet filter`).

## When it is wrong
Where the host has no IPv6, or another script closes it. A word of IPv6 in the script, in a comment
too, keeps the rule silent.

## References
- ip6tables(8): https://man7.org/linux/man-pages/man8/iptables.8.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iptlint.analysis.accepts_anyone import on_unnamed_interfaces
from iptlint.analysis.answer_ways import named
from iptlint.analysis.default_verdict import dropped_by_default
from iptlint.analysis.handshake import opening
from iptlint.analysis.session import Context
from iptlint.analysis.shares import shares
from iptlint.findings import Confidence, Finding, Severity
from iptlint.model import Family, Field, Hook, Ruleset
from iptlint.model.script import Script
from iptlint.rules.meta import Group, Meta, Needs
from iptlint.source import Span

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT705",
    name="ipv6-untouched",
    severity=Severity.INFO,
    confidence=Confidence.POSSIBLE,
    group=Group.IPV6,
    since="0.2.0",
    needs=Needs.IPV6,
)


def check(context: Context) -> Iterator[Finding]:
    for ruleset in context.rulesets:
        if len(context.rulesets) == 1 and ruleset.script is not None:
            yield from _check(context, ruleset, ruleset.script)


def _check(context: Context, ruleset: Ruleset, script: Script) -> Iterator[Finding]:
    ip = context.hooks(ruleset, Family.IP)
    if ip is None or ruleset.sees(Family.IP6) or script.hints.speaks_of_ipv6:
        return
    denied = dropped_by_default(ip, Hook.INPUT)
    if script.families is not None or script.lacks_files or not denied.satisfiable():
        return
    yield META.finding(
        _closing(ip, opening(ip) & denied),
        f"this denies by default over IPv4 only{_on_some(ip, denied)}: the script has no command "
        "for IPv6, and so every service is open over it, unless something else denies there",
        "write the same rules for IPv6 (ip6tables), with ICMPv6 accepted; or deny there: "
        "ip6tables -P INPUT DROP",
    )


def _on_some(hooks: Hooks, denied: PacketSet) -> str:
    """On which interfaces it does, where on those that no rule names it does not."""
    space = hooks.space
    if (denied & on_unnamed_interfaces(space, Hook.INPUT)).satisfiable():
        return ""
    names = named(space, Field.IIF, denied)
    return f", on {names}" if names else ""


def _closing(hooks: Hooks, packets: PacketSet) -> Span:
    """The policy, if that denies; else what denies most of the packets."""
    main = hooks.deciding_chain(Hook.INPUT)
    if main is not None and main.chain.policy is not None and main.chain.policy.kind.denies:
        return main.analysis.declaration_of(main.chain)
    deciding = shares(hooks, Hook.INPUT, packets)
    closing = next((share for share in deciding if share.kind.denies), None)
    return closing.span if closing else hooks.ruleset.source.line_span(1)
