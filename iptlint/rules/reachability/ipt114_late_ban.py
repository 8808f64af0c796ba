"""A ban stands below the rules that let in whom it bans, and stops nothing.

## What it does
Looks at the rules that deny senders (addresses, or a list of them: an ipset, a set of nft),
whatever they send, below the last rule of the chain that accepts or passes on anything. All that
comes as far is denied in any case, by the policy or a closing rule; so it is with bans behind the
closing rule, if nothing else stands there. Where new connections from the
banned addresses to this host, or through it, are accepted for certain by a rule above that is for
everybody, it is reported.

## Why it matters
Rules are asked from the top. `iptables -A` adds to the end, and so does a script that reads a list
of bans last: the addresses are in the list, and whoever is banned goes on with every service that
is open.

## Example
```
*filter
:INPUT DROP [0:0]
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT
-A INPUT -s 203.0.113.0/24 -j DROP
COMMIT
```

## Fix
Move the bans above the first rule that accepts new connections.

## When it is wrong
Where the ban is to be counted only. Silent where a rule below the ban accepts anything, where the
accepting rule names senders itself (an exception from the ban), and for bans of private addresses.

## References
- iptables(8): https://man7.org/linux/man-pages/man8/iptables.8.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iptlint.analysis.bans import LateBans, late_bans
from iptlint.analysis.session import Context
from iptlint.findings import Cause, Confidence, Finding, Label, Severity, phrases
from iptlint.findings.fix import Change, Fix
from iptlint.findings.per_family import for_each_family
from iptlint.model import Hook
from iptlint.packets.witness import witness
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks

META = Meta(
    code="IPT114",
    name="late-ban",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.REACHABILITY,
    since="0.2.0",
    fixable=True,
)


def check(context: Context) -> Iterator[Finding]:
    return for_each_family(context, _check_family)


def _check_family(hooks: Hooks) -> Iterator[Finding]:
    for hook in (Hook.INPUT, Hook.FORWARD):
        late = late_bans(hooks, hook)
        if late is not None:
            yield _finding(hooks, hook, late)


def _finding(hooks: Hooks, hook: Hook, late: LateBans) -> Finding:
    ban, *others = late.asked
    more = phrases.counted(len(others), "more rule")
    so_is_it = f", and so it is with {more} of the chain" if others else ""
    denied = "what comes as far as this is denied in any case"
    if late.closing is not None:
        denied = f"line {phrases.line(late.closing)} denies all that is left"
    says = f"move {'them' if others else 'it'} above line {phrases.line(late.accepting)}"
    return META.finding(
        ban.origin.span,
        f"who is banned here gets in all the same: line {phrases.line(late.accepting)} accepts new"
        f" connections from everybody before, and {denied}{so_is_it}",
        says,
        related=(Label(late.accepting.origin.span, "accepts them here"),),
        witness=witness(hooks.space, late.packets, hook),
        fix=None if others else _moved(late, hook, says),
        causes=tuple(Cause(hooks.ruleset, part=rule) for rule in late.asked),
    )


def _moved(late: LateBans, hook: Hook, says: str) -> Fix | None:
    edits = late.analysis.syntax.move_before(late.asked[0], late.accepting)
    kinds = {ban.verdict.kind for ban, _ in late.bans}
    if not edits or len(kinds) > 1:
        return None
    change = Change(kinds.pop(), (hook,), tuple(tests for _, tests in late.bans))
    return Fix(says, edits, False, (change,))
