"""Packets that belong to no connection (state invalid) are let in where new ones are not.

## What it does
Where INPUT or FORWARD denies by default, sends packets of state invalid from public addresses
to every port, on the whole way, and reports the rule that accepts them for ports to which the
same host could not open a connection: a list of states with INVALID among the accepted ones, or a
test that only shuts out NEW. That a port which is open anyway takes such packets too is not
reported.

## Why it matters
Invalid are packets that connection tracking can not place: out of sequence, forged, or probing.
Whoever sends them gets past the rule that denies strangers, and learns from the answers
which ports and hosts are there.

## Example
```
*filter
:INPUT DROP [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack ! --ctstate NEW -j ACCEPT
-A INPUT -p tcp --dport 22 -j ACCEPT
COMMIT
```

## Fix
Name the states that are meant:
```
-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
```
in nft `ct state established,related accept`.

## When it is wrong
Where packets of a connection take different ways through two firewalls, so that each sees half of
it and calls the rest invalid.

## References
- iptables-extensions(8), conntrack: https://man7.org/linux/man-pages/man8/iptables-extensions.8.html
- RFC 9293, 3.10.7 (segments out of the window): https://www.rfc-editor.org/rfc/rfc9293
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from iptlint.analysis.connections import any_port, from_world, may_favour, most
from iptlint.analysis.default_verdict import dropped_by_default, forwards_on_its_own
from iptlint.analysis.evidence import shown_for
from iptlint.analysis.exposure import Exposure
from iptlint.analysis.hook_verdicts import may_pass
from iptlint.analysis.session import Context
from iptlint.analysis.shares import Share
from iptlint.analysis.user_rules import is_user_decision
from iptlint.findings import Confidence, Finding, Label, Severity
from iptlint.findings.per_family import for_each_family
from iptlint.findings.phrases import MAX_LABELS
from iptlint.model import Field, Hook
from iptlint.model.syntax import Suggestion
from iptlint.packets.bdd import union
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT203",
    name="invalid-accepted",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.STATE,
    since="0.1.0",
)

_DROP_INVALID = Suggestion("-m conntrack --ctstate INVALID -j DROP", "ct state invalid drop")
_OF_THE_WAY = (Field.IIF, Field.OIF, Field.DPORT)


def check(context: Context) -> Iterator[Finding]:
    return for_each_family(context, _check_family)


def _check_family(hooks: Hooks) -> Iterator[Finding]:
    for hook in (Hook.INPUT, Hook.FORWARD):
        if hooks.deciding_chain(hook) is None or (
            hook is Hook.FORWARD and forwards_on_its_own(hooks)
        ):
            continue
        if not may_favour(hooks, hook, "invalid", "new"):
            continue
        if dropped_by_default(hooks, hook).satisfiable():
            yield from _check_hook(hooks, hook)


def _check_hook(hooks: Hooks, hook: Hook) -> Iterator[Finding]:
    space = hooks.space
    stray = from_world(hooks, hook, "invalid", "ack")
    everyone = union(stray, space.false) & dropped_by_default(hooks, hook)
    # Asked of this hook alone: that new ones are translated before says nothing of the rules here.
    opening = [from_world(hooks, hook, "new", flag) for flag in ("syn", "ack")]
    others = union(
        [most(space, new, _passing(hooks, hook, new), *_OF_THE_WAY) for new in opening], space.false
    )
    passing = _passing(hooks, hook, stray) & everyone
    if not (most(space, stray, passing, *_OF_THE_WAY) & ~others).satisfiable():
        return
    admission = Exposure(hooks, hook, stray)
    accepted = admission.accepted & everyone
    surplus = most(space, stray, accepted, *_OF_THE_WAY) & ~others
    if not surplus.satisfiable():
        return
    accepters = admission.accepters(accepted & surplus)
    if accepters and is_user_decision(accepters[0]):
        yield _finding(hooks, hook, accepters, any_port(space, surplus, Field.IIF, Field.OIF))


def _passing(hooks: Hooks, hook: Hook, each: Sequence[PacketSet]) -> PacketSet:
    return may_pass(hooks, hook, union([*each], hooks.space.false))


def _finding(hooks: Hooks, hook: Hook, accepters: list[Share], anywhere: PacketSet) -> Finding:
    share = accepters[0]
    ports = "any port" if anywhere.satisfiable() else "closed ports"
    by = "" if share.rule else f" by {share.name}"
    return META.finding(
        share.span,
        f"stray and forged packets (state invalid) are accepted{by} from anyone, to {ports}, where "
        "new connections are denied",
        _advice(hooks, share),
        related=tuple(Label(d.span, "and this") for d in accepters[1:MAX_LABELS]),
        witness=shown_for(hooks, hook, share),
    )


def _advice(hooks: Hooks, share: Share) -> str:
    syntax, rule = share.analysis.syntax, share.rule
    mended = rule and (syntax.answers_only(rule) or syntax.without_state(rule, "invalid"))
    if mended:
        return f"write: {mended}"
    drop = _DROP_INVALID.into(share.chain.name, hooks.ruleset, share.analysis.table)
    return f"add before it: {drop}" if share.rule else f"add: {drop}"
