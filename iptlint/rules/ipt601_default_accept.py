"""What no rule names is accepted: INPUT, or FORWARD of a router, is open by default.

## What it does
Sends connections from public addresses to ports that no rule would name through INPUT, and
through FORWARD where the ruleset translates addresses or has rules there. If most are
accepted, the policy (or the line that accepts them) is reported. Where the chain holds
accept rules too, says how many of them decide nothing.

## Why it matters
Every service that is installed later, or listens where nobody looked, is reachable at once.
Accept rules above an accept policy look like protection and are none.

## Example
```
*filter
:INPUT ACCEPT [0:0]
-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A INPUT -p tcp --dport 22 -j ACCEPT
COMMIT
```

## Fix
First make sure that what you need is accepted (SSH, `lo`, established connections), then
`:INPUT DROP [0:0]`, or end the chain with `-A INPUT -j REJECT`. In nft a chain without a
policy accepts: write `policy drop;`, or `reject` as its last rule.

## When it is wrong
Where another firewall stands before the host. A chain that closes one interface, one address
of the host or one network behind it is not reported. Chains that only ban (nothing in them or in
what they call but DROP and REJECT), and FORWARD where Docker, Kubernetes, libvirt and the
like manage it, are not reported. A rule that lets everyone in above a policy or a rule that denies
is told of by IPT602, in FORWARD by IPT605.

## References
- NIST SP 800-41 Rev. 1, 4.2 (deny by default): https://csrc.nist.gov/pubs/sp/800/41/r1/final
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from iptlint.findings import Confidence, Finding, Severity
from iptlint.model import Chain, Family, Field, Hook, Rule, Ruleset, Table, VerdictKind
from iptlint.model.owners import owner_of_table
from iptlint.netfilter.deciders import deciders
from iptlint.netfilter.path import Path
from iptlint.netfilter.posture import (
    accepted_by_default,
    accepted_strangers,
    denied_by_default,
    denied_destinations,
    forwards_on_its_own,
)
from iptlint.netfilter.station import Station
from iptlint.netfilter.walk import Walk
from iptlint.netfilter.world import let_in_anyway
from iptlint.packets.bits import union
from iptlint.packets.witness import witness
from iptlint.rules import remedies
from iptlint.rules.hosts import each_path
from iptlint.rules.meta import Context, Group, Meta
from iptlint.rules.sides import left_open

if TYPE_CHECKING:
    from iptlint.packets.bits import PacketSet

META = Meta(
    code="IPT601",
    name="default-accept",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.EXPOSURE,
    since="0.1.0",
)

_TRANSLATING = ("MASQUERADE", "SNAT", "DNAT")
_NETWORK = 8
"""Fewer addresses than this, where FORWARD denies them, are banned, not protected."""

_DENYING = (VerdictKind.DROP, VerdictKind.REJECT)
_NOT_VERDICTS = (VerdictKind.CONTINUE, VerdictKind.RETURN)


def check(context: Context) -> Iterator[Finding]:
    graver = [side.ip6 for side in left_open(context)]  # IPT701 tells of these
    return each_path(context, partial(_check_path, graver))


def _check_path(graver: list[Path | None], path: Path) -> Iterator[Finding]:
    for hook in (Hook.INPUT, Hook.FORWARD):
        main = path.main(hook)
        if main is None or (hook is Hook.INPUT and path in graver):
            continue
        if (main.chain.origin or main.chain.rules) and _concerned(path, hook, main):
            yield from _check_chain(path, hook, main)


def _concerned(path: Path, hook: Hook, main: Station) -> bool:
    chain, owner = main.chain, owner_of_table(main.walk.table.name)
    if owner is not None and owner.transient and path.ruleset.is_nft:
        return False
    if hook is Hook.FORWARD and (
        forwards_on_its_own(path) or not (chain.rules or _translates(path))
    ):
        return False
    return not _only_bans(main.walk.table, chain)


def _translates(path: Path) -> bool:
    """Whether it is a router's; one that translates IPv4 forwards what comes to a chain for both
    families too."""
    shared = Family.INET in path.ruleset.families
    tables = path.ruleset.tables if shared else path.tables()
    rules = (rule for table in tables for _, rule in table.rules())
    return any(rule.verdict.name.upper() in _TRANSLATING for rule in rules)


def _only_bans(table: Table, chain: Chain) -> bool:
    """Whether the verdicts of the chain and what it calls are all DROP or REJECT."""
    kinds = {rule.verdict.kind for rule in _verdict_rules(table, chain)}
    return bool(kinds) and kinds <= set(_DENYING)


def _verdict_rules(table: Table, chain: Chain) -> Iterator[Rule]:
    """Those of the chain and of the chains it calls, each once."""
    pending, seen = [chain], {chain.name}
    while pending:
        for rule in pending.pop().rules:
            called = table.chains.get(rule.verdict.chain or "")
            if called and called.name not in seen:
                seen.add(called.name)
                pending.append(called)
            elif called is None and rule.verdict.kind not in _NOT_VERDICTS:
                yield rule


def _check_chain(path: Path, hook: Hook, main: Station) -> Iterator[Finding]:
    if _closes(path, hook) or not _is_open(path, hook) or let_in_anyway(path, hook):
        return  # who is let in past rules that deny, IPT602 and IPT605 tell
    walk, chain = main.walk, main.chain
    strangers = accepted_strangers(path, hook)
    decider = deciders(path, hook, strangers)[0]
    by = f"line {decider.rule.origin.span.line} accepts" if decider.rule else "its policy accepts"
    yield META.finding(
        decider.span,
        f"{chain.name} is open: {by} every new connection that no rule denies"
        f"{'' if decider.rule else _idle_rules(walk, chain)}",
        _advice(chain, path.ruleset),
        witness=witness(walk.space, decider.packets, hook),
    )


def _is_open(path: Path, hook: Hook) -> bool:
    """Whether strangers are accepted on interfaces that no rule names. That none is denied for
    certain does not say so."""
    space = path.space
    accepted = accepted_by_default(path, hook)
    for field in (Field.IIF, Field.OIF) if hook is Hook.FORWARD else (Field.IIF,):
        accepted = accepted & space.value(field, space.interfaces.count - 1)
    return accepted.satisfiable()


def _closes(path: Path, hook: Hook) -> bool:
    """Whether strangers are turned away on some interface, or from a host or a network."""
    if denied_by_default(path, hook).satisfiable():
        return True
    addresses = denied_destinations(path, hook)
    count = addresses.sat_count_float(path.space.fields[path.family.daddr].width)
    return count >= (1 if hook is Hook.INPUT else _NETWORK)


def _idle_rules(walk: Walk, chain: Chain) -> str:
    """How many accept rules of the chain decide nothing, for the message."""
    accepting = [rule for rule in chain.rules if rule.verdict.kind is VerdictKind.ACCEPT]
    idle = _idle(walk, chain)
    if not idle:
        return ""
    if idle < len(accepting):
        return f"; {idle} of its {len(accepting)} accept rules decide nothing"
    if idle == 1:
        return "; its accept rule decides nothing: what it does not name is accepted as well"
    return f"; its {idle} accept rules decide nothing: what they do not name is accepted as well"


def _idle(walk: Walk, chain: Chain) -> int:
    """How many accept rules take only packets that nothing after them would deny."""
    space, flow = walk.space, walk.flows[chain.name]
    open_end = chain.policy is None or chain.policy.kind is VerdictKind.ACCEPT
    denied_later = space.false if open_end else space.universe
    idle = 0
    for rule, tests in reversed(list(zip(chain.rules, flow.tests, strict=True))):
        match rule.verdict.kind:
            case VerdictKind.ACCEPT:
                taken = tests.may & walk.base_packets(chain)
                idle += not (taken & denied_later).satisfiable()
                denied_later &= ~tests.sure
            case VerdictKind.CONTINUE:
                pass
            case VerdictKind.RETURN:
                denied_later |= space.false if open_end else tests.may
            case VerdictKind.JUMP | VerdictKind.GOTO if rule.verdict.chain in walk.flows:
                denied_later |= tests.may & _not_accepted(walk, rule.verdict.chain, open_end)
            case _:
                denied_later |= tests.may
    return idle


def _not_accepted(walk: Walk, chain: str, open_end: bool) -> PacketSet:
    """What the chain may do otherwise than accept; with a policy that denies, coming back
    (after a goto) is that too."""
    through = (VerdictKind.ACCEPT, VerdictKind.RETURN) if open_end else (VerdictKind.ACCEPT,)
    outcomes = walk.flows[chain].outcomes.items()
    return union([p for kind, p in outcomes if kind not in through], walk.space.false)


def _advice(chain: Chain, ruleset: Ruleset) -> str:
    needed = (
        "what your networks may send, and established"
        if chain.hook is Hook.FORWARD
        else ("what you need (SSH, lo, established)")
    )
    return f"accept {needed}, then `{remedies.drop_policy(chain, ruleset)}`"
