"""Traffic is not tracked, and the rules that are to accept it ask for the state of its connection.

## What it does
Follows packets on the whole way through rules that turn connection tracking off (NOTRACK, `-j CT
--notrack`, `notrack`). Where filter drops them, untracked as they are, and would accept the very
same packets as new ones, or as answers to a connection that is allowed, the rule that turns
tracking off is reported; so it is where tracking is off one way only, and the answers, which then
belong to no connection, are dropped the other way.

## Why it matters
A packet that is not tracked is neither NEW nor ESTABLISHED. Turning tracking off to help a busy
service shuts the service off, or cuts its answers.

## Example
```
*raw
-A PREROUTING -p udp --dport 53 -j CT --notrack
-A OUTPUT -p udp --sport 53 -j CT --notrack
COMMIT
*filter
:INPUT DROP [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A INPUT -p udp --dport 53 -m conntrack --ctstate NEW -j ACCEPT
COMMIT
```

## Fix
Accept the state UNTRACKED too, or the port whatever the state:
```
-A INPUT -p udp --dport 53 -m conntrack --ctstate NEW,UNTRACKED -j ACCEPT
```
in nft `udp dport 53 ct state new,untracked accept`.

## When it is wrong
Where tracking is turned off so that the traffic is dropped at little cost, while a general rule
for established connections would have let it pass.

## References
- iptables-extensions(8), CT, conntrack (UNTRACKED):
  https://man7.org/linux/man-pages/man8/iptables-extensions.8.html
- nft(8), "NOTRACK STATEMENT": https://www.netfilter.org/projects/nftables/manpage.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iptlint.analysis.session import Context
from iptlint.analysis.untracked import UntrackedLoss, untracked_losses
from iptlint.analysis.user_rules import is_user_decision
from iptlint.findings import Confidence, Finding, Label, Severity, suggestions
from iptlint.findings.per_family import for_each_family
from iptlint.model import Hook, Rule
from iptlint.model.writes import CONNTRACK_FIELDS
from iptlint.packets.witness import witness
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks

META = Meta(
    code="IPT204",
    name="untracked-state",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.STATE,
    since="0.1.0",
    leaves_to={
        "IPT201": "the answers that are followed next depend on it",
    },
)


def check(context: Context) -> Iterator[Finding]:
    return for_each_family(context, _check_family)


def _check_family(hooks: Hooks) -> Iterator[Finding]:
    reported: set[Rule | None] = set()
    for lost in untracked_losses(hooks):
        if lost.notrack.rule not in reported and is_user_decision(lost.notrack):
            reported.add(lost.notrack.rule)
            yield _finding(hooks, lost)


def _finding(hooks: Hooks, lost: UntrackedLoss) -> Finding:
    assert lost.notrack.rule is not None
    space = hooks.space
    dropped = space.forget(lost.by.packets, CONNTRACK_FIELDS) & space.state(lost.instead)
    return META.finding(
        lost.notrack.rule.statement.span,
        _message(lost),
        _advice(hooks, lost),
        related=(
            Label(lost.accepting.span, f"accepts state {lost.state}"),
            Label(lost.by.span, f"{lost.by.does} state {lost.instead}"),
        ),
        witness=witness(space, dropped, lost.hook),
        likeness="untracked",
    )


def _message(lost: UntrackedLoss) -> str:
    accepting, dropping = lost.accepting.name, f"{lost.by.name} {lost.by.does} them"
    if lost.instead != "untracked":
        return (
            "packets are not tracked because of this, and the answers to them come to nothing: "
            f"they belong to no known connection (state {lost.instead}), {accepting} accepts only "
            f"established ones, and {dropping}"
        )
    if lost.state == "new":
        return (
            "new packets that are not tracked because of this come to nothing: "
            f"{accepting} would accept them in state new, which they never have, and {dropping}"
        )
    return (
        "answers that are not tracked because of this come to nothing: they never have the state "
        f"established, in which {accepting} would accept them, and {dropping}"
    )


def _advice(hooks: Hooks, lost: UntrackedLoss) -> str:
    main, syntax = hooks.deciding_chain(lost.hook), lost.accepting.analysis.syntax
    assert main is not None
    if lost.instead != "untracked":
        assert lost.notrack.rule is not None
        mirrored = syntax.reply_of(lost.notrack.rule, forwarded=lost.hook is Hook.FORWARD)
        return f"leave the answers untracked as well, and accept them so: {mirrored}"
    accepting = lost.accepting.rule
    mended = syntax.with_state(accepting, "untracked") if accepting else None
    if mended is not None:
        return f"write: {mended}"
    return suggestions.first(lost.by, main.chain.name, suggestions.UNTRACKED)
