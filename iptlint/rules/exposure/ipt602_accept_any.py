"""A rule accepts everything from the world, above the rules that were to deny the rest.

## What it does
Sends connections from public addresses to ports that no rule would name through INPUT. If a
rule, not the policy, accepts most of them although the policy, or a rule behind it, would
deny them, that rule is reported: everything after it is moot. A rule for one interface counts
where its name, or an address translation, says that the world is behind it; one for the only card
that rules name is possibly so. So it is with a rule for udp alone. A rule that lets strangers in to
every port up to a limit is a warning: meant against floods, it opens what no rule names, to whoever
is slow enough.

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
state (`--ctstate ESTABLISHED,RELATED`). Against floods, drop what is over a limit, with
`--hashlimit-above`, in nft with `limit rate over`, and let the rules for the ports accept.

## When it is wrong
Where another firewall stands before the host, or its one card leads to a trusted network. Rules
for `lo`, for VPNs, bridges and the networks of a home or an office are not reported. A chain that
accepts what no rule denies, and has nothing behind that which denies, is told of by IPT601.

## References
- NIST SP 800-41 Rev. 1, 4.2 (deny by default): https://csrc.nist.gov/pubs/sp/800/41/r1/final
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from iptlint.analysis.accepts_anyone import accept_any, accepted_by_only_card, accepted_from_uplinks
from iptlint.analysis.default_verdict import ODD_PORTS, dropped_by_default
from iptlint.analysis.evidence import shown_for
from iptlint.analysis.exposure import exposure_among, external_probes, interface_name
from iptlint.analysis.session import Context
from iptlint.analysis.shares import Share, responsible_call
from iptlint.findings import Cause, Confidence, Finding, Label, Severity
from iptlint.findings.accepting import every, kind_of
from iptlint.findings.per_family import for_each_family
from iptlint.model import Field, Hook, Interface, Rule, VerdictKind, Within
from iptlint.model.matches import CT_STATES
from iptlint.model.protocols import UDP
from iptlint.model.rates import some_ask_a_rate
from iptlint.packets.bdd import union
from iptlint.packets.witness import number_in
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks

META = Meta(
    code="IPT602",
    name="accept-any",
    severity=Severity.ERROR,
    confidence=Confidence.CERTAIN,
    group=Group.EXPOSURE,
    since="0.1.0",
    yields_to=("IPT701",),
)


def check(context: Context) -> Iterator[Finding]:
    return for_each_family(context, _check_family)


def _check_family(hooks: Hooks) -> Iterator[Finding]:
    if let_in := accept_any(hooks, Hook.INPUT):
        denied = let_in.denied
        behind = [Label(denied.span, "would deny them")] if denied.rule else []
        yield _finding(hooks, let_in.by, "", f"{denied.name}, which was to deny them,", behind)
    elif by := accepted_from_uplinks(hooks):
        name = interface_name(hooks.space, by.packets)
        yield _finding(hooks, by, f" by {name}, which faces the world", "what follows it", [])
    elif by := accepted_by_only_card(hooks):
        where = f" by {interface_name(hooks.space, by.packets)}, the only card that rules name"
        yield _finding(hooks, by, where, "what follows it", [])
    elif by := _accepted_over_udp(hooks):
        yield _over_udp(hooks, by)
    elif by := _accepted_at_a_rate(hooks):
        yield _up_to_a_rate(hooks, by)


def _accepted_over_udp(hooks: Hooks) -> Share | None:
    """The rule that accepts what most strangers send over udp to any port, where the host denies by
    default what they send over tcp."""
    space = hooks.space
    if not dropped_by_default(hooks, Hook.INPUT).satisfiable():
        return None
    takes_most = partial(_takes_most, _sent_over_udp(hooks))
    # What is translated before is not what its rule asks for.
    if not (hooks.translates or any(map(takes_most, hooks.rules_testing(_accepts)))):
        return None
    odd = [space.value(Field.DPORT, port) & space.value(Field.PROTO, UDP) for port in ODD_PORTS]
    among = exposure_among(hooks, Hook.INPUT, union(odd, space.false))
    if among is None:
        return None
    taken = among.accepted & ~among.by_policy & union(odd, space.false)
    by = next((s for s in among.accepters(taken) if s.rule is not None), None)
    if by is None or by.rule is None or by.analysis.restricts(by.rule, Field.SPORT):
        return None
    ports = sum((by.packets & each).satisfiable() for each in odd)
    return by if 2 * ports > len(odd) and among.is_most(by.packets) else None


def _accepts(rule: Rule) -> bool:
    return rule.verdict.kind is VerdictKind.ACCEPT


def _sent_over_udp(hooks: Hooks) -> Mapping[Field, Sequence[int]]:
    """By field what strangers' packets have."""
    saddr = hooks.family.saddr
    variables = hooks.space.fields[saddr].variables
    cubes = [probe.pick_cube() for probe in external_probes(hooks, Hook.INPUT, UDP)]
    senders = [number_in(cube, variables) for cube in cubes if cube is not None]
    new = (CT_STATES.index("new"),)
    return {saddr: senders, Field.DPORT: ODD_PORTS, Field.PROTO: (UDP,), Field.CT_STATE: new}


def _takes_most(sent: Mapping[Field, Sequence[int]], rule: Rule) -> bool:
    """Whether it may take most of what is sent: told by its words, as following all packets costs
    much."""
    if any(isinstance(m, Interface) and m.name == "lo" and not m.negated for m in rule.matches):
        return False
    return all(
        2 * sum(any(low <= value <= high for low, high in match.ranges) for value in values)
        > len(values)
        for match in rule.matches
        if isinstance(match, Within) and not match.negated
        if (values := sent.get(match.field)) is not None
    )


def _over_udp(hooks: Hooks, by: Share) -> Finding:
    assert by.rule is not None
    if any(isinstance(match, Interface) for match in by.rule.matches):
        name = interface_name(hooks.space, by.packets)
        return _finding(hooks, by, f" by {name}", "what follows it", [])
    main = hooks.deciding_chain(Hook.INPUT)
    closed = main is not None and main.chain.policy is not None and main.chain.policy.kind.denies
    denied = f"the policy of {main.chain.name}, which" if main and closed else "what"
    return _finding(hooks, by, "", f"{denied} was to deny them{',' * closed}", [])


def _accepted_at_a_rate(hooks: Hooks) -> Share | None:
    """The rule that accepts most strangers at every port as long as they are few, and that nothing
    but a rate keeps from being for everybody."""
    if not some_ask_a_rate(hooks.ruleset):
        return None
    space, odd = hooks.space, tuple((port, port) for port in ODD_PORTS)
    among = exposure_among(hooks, Hook.INPUT, space.ranges(Field.DPORT, odd))
    if among is None:
        return None
    taken = among.accepted_at_a_rate & ~among.accepted & space.ranges(Field.DPORT, odd)
    by = next((s for s in among.accepters(taken) if s.rule is not None), None)
    if by is None or by.rule is None or by.analysis.restricts(by.rule, Field.DPORT):
        return None
    return by if among.is_most(by.packets) else None


def _up_to_a_rate(hooks: Hooks, by: Share) -> Finding:
    by = responsible_call(by)
    return META.finding(
        by.span,
        f"{by.name} accepts new {kind_of(by)}connections from anywhere to every port, as many as "
        "its limit says: the rules for single ports keep nobody out who is slow enough",
        "drop what is over the limit instead, and let the rules for the ports accept: "
        + by.analysis.syntax.pick(
            iptables="-m hashlimit --hashlimit-above … -j DROP", nft="limit rate over … drop"
        ),
        witness=shown_for(hooks, Hook.INPUT, by),
        severity=Severity.WARNING,
        causes=(Cause(hooks.ruleset, hooks.family, Hook.INPUT),),
    )


def _finding(hooks: Hooks, by: Share, where: str, moot: str, related: list[Label]) -> Finding:
    by, what = responsible_call(by), "a port" if where else "an interface"
    return META.finding(
        by.span,
        f"{by.name} accepts {every(by)} new {kind_of(by)}connection from anywhere{where}: {moot} "
        "sees none of them",
        f"delete it, or say what it is for: {what}, a source, or established connections only",
        related=tuple(related),
        witness=shown_for(hooks, Hook.INPUT, by),
        severity=Severity.WARNING if where else None,
        confidence=Confidence.POSSIBLE if where else None,
        causes=(Cause(hooks.ruleset, hooks.family, Hook.INPUT),),
    )
