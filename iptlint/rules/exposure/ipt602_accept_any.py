"""A rule accepts everything from the world, above the rules that were to deny the rest.

## What it does
Sends connections from public addresses to ports that no rule would name through INPUT. If a
rule, not the policy, accepts most of them although the policy, or a rule behind it, would
deny them, that rule is reported: everything after it is moot. A rule for one interface counts
where its name, or an address translation, says that the world is behind it.

## Why it matters
The policy and the closing rule look like protection and never see a packet. It is mostly what
is left of a test, or a line that was meant for another interface.

## Example
```
*filter
:INPUT DROP [0:0]
-A INPUT -m conntrack --ctstate NEW,ESTABLISHED,RELATED -j ACCEPT
-A INPUT -p tcp --dport 22 -j ACCEPT
COMMIT
```
The first rule accepts new connections as well.

## Fix
Delete the rule, or give it what it was meant for: an interface (`-i lo`), a source (`-s`), a
state (`--ctstate ESTABLISHED,RELATED`).

## When it is wrong
Where another firewall stands before the host. Rules for `lo`, for VPNs, bridges and the
networks of a home or an office are not reported. A chain that accepts what no rule denies,
and has nothing behind that which denies, is told of by IPT601.

## References
- NIST SP 800-41 Rev. 1, 4.2 (deny by default): https://csrc.nist.gov/pubs/sp/800/41/r1/final
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from iptlint.analysis.exposure import (
    accept_any,
    accepted_from_uplinks,
    interface_name,
    responsible_call,
)
from iptlint.analysis.ipv6_counterpart import only_ipv6_open
from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.findings.per_family import for_each_family
from iptlint.model import Field, Hook
from iptlint.model.protocols import PROTOCOL_NAMES, TCP, UDP
from iptlint.netfilter.decision import Share
from iptlint.netfilter.hooks import Hooks
from iptlint.packets.witness import witness
from iptlint.rules.meta import Group, Meta

META = Meta(
    code="IPT602",
    name="accept-any",
    severity=Severity.ERROR,
    confidence=Confidence.CERTAIN,
    group=Group.EXPOSURE,
    since="0.1.0",
)


def check(context: Context) -> Iterator[Finding]:
    graver = [side.ip6 for side in only_ipv6_open(context)]  # IPT701 tells of these
    return for_each_family(context, partial(_check_family, graver))


def _check_family(graver: list[Hooks | None], hooks: Hooks) -> Iterator[Finding]:
    if hooks in graver:
        return
    if found := accept_any(hooks, Hook.INPUT):
        denied = found.denied
        behind = [Label(denied.span, "would deny them")] if denied.rule else []
        yield _finding(hooks, found.by, "", f"{denied.name}, which was to deny them,", behind)
    elif by := accepted_from_uplinks(hooks):
        name = interface_name(hooks.space, by.packets)
        yield _finding(hooks, by, f" by {name}, which faces the world", "what follows it", [])


def _finding(hooks: Hooks, by: Share, where: str, moot: str, related: list[Label]) -> Finding:
    by = responsible_call(by)
    return META.finding(
        by.span,
        f"{by.name} accepts {every(by)} new {kind_of(by)}connection from anywhere{where}: {moot} "
        "sees none of them",
        "delete it, or say what it is for: an interface, a source, or established connections only",
        related=tuple(related),
        witness=witness(hooks.space, by.packets & hooks.hook_packets(Hook.INPUT), Hook.INPUT),
        severity=Severity.WARNING if where else None,
        confidence=Confidence.POSSIBLE if where else None,
    )


def kind_of(share: Share) -> str:
    """``tcp `` if the rule is for that protocol alone; nothing if for all."""
    assert share.rule is not None
    space, tests = share.analysis.space, share.analysis.tests(share.rule).may
    return next(
        (
            f"{PROTOCOL_NAMES[number]} "
            for number in (TCP, UDP)
            if not (tests & ~space.value(Field.PROTO, number)).satisfiable()
        ),
        "",
    )


def every(share: Share) -> str:
    """``almost every`` where the rule leaves out some addresses or the like."""
    assert share.rule is not None
    space, tests = share.analysis.space, share.analysis.tests(share.rule).may
    asked = (Field.FAMILY, Field.IIF, Field.OIF, Field.PROTO, Field.CT_STATE, Field.TCP_FLAGS)
    general = space.project(tests, *asked) & space.universe
    return "almost every" if (general & ~tests).satisfiable() else "every"
