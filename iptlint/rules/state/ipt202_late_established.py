"""Packets of running connections pass many rules before one accepts them.

## What it does
Follows an ordinary packet of an established connection through INPUT and FORWARD, into the
chains it is sent to, and counts the rules it is compared with before one accepts it by its
state. More than 8 are reported, at the rule that accepts. Rules that only deny are not
counted (bans stand before it on purpose), nor are jumps to chains that only deny, nor tests
of the loopback interface.

## Why it matters
Nearly all packets belong to a running connection, so these comparisons are made for nearly
every packet. With the rule at the top, each costs one.

## Example
```
*filter
:INPUT DROP [0:0]
-A INPUT -p tcp --dport 21 -j ACCEPT
-A INPUT -p tcp --dport 22 -j ACCEPT
-A INPUT -p tcp --dport 25 -j ACCEPT
-A INPUT -p tcp --dport 53 -j ACCEPT
-A INPUT -p tcp --dport 80 -j ACCEPT
-A INPUT -p tcp --dport 110 -j ACCEPT
-A INPUT -p tcp --dport 143 -j ACCEPT
-A INPUT -p tcp --dport 443 -j ACCEPT
-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
COMMIT
```

## Fix
Move the rule that accepts ESTABLISHED to the top of the chain, below bans that must cut
running connections too.

## When it is wrong
Where the rules above count traffic, or where a host sees so little of it that order is a
matter of taste. FORWARD is left out where Docker, Kubernetes and the like manage it.

## References
- iptables(8): rules are examined in order: https://man7.org/linux/man-pages/man8/iptables.8.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.default_verdict import forwards_on_its_own, outside, probes
from iptlint.analysis.session import Context
from iptlint.findings import Confidence, Finding, Severity
from iptlint.findings.per_family import for_each_family
from iptlint.model import Field, Hook, Interface, Rule, VerdictKind
from iptlint.netfilter.chain_flow import ChainFlow
from iptlint.netfilter.decision import Share, shares
from iptlint.netfilter.hooks import Hooks
from iptlint.netfilter.table_analysis import TableAnalysis
from iptlint.packets.witness import witness
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT202",
    name="late-established",
    severity=Severity.INFO,
    confidence=Confidence.CERTAIN,
    group=Group.STATE,
    since="0.1.0",
)

LIMIT = 8


class _Cost(NamedTuple):
    """Rules a packet is compared with; ``counted``: those that stand in its way for nothing."""

    examined: int
    counted: int


def check(context: Context) -> Iterator[Finding]:
    by_place = {
        finding.span: finding for finding in reversed([*for_each_family(context, _check_family)])
    }
    yield from reversed(by_place.values())  # of a rule for both families once


def _check_family(hooks: Hooks) -> Iterator[Finding]:
    for hook in (Hook.INPUT, Hook.FORWARD):
        yield from _check_hook(hooks, hook)


def _check_hook(hooks: Hooks, hook: Hook) -> Iterator[Finding]:
    main = hooks.deciding_chain(hook)
    if main is None or (hook is Hook.FORWARD and forwards_on_its_own(hooks)):
        return
    analysis, base = main.analysis, main.chain
    if not base.rules:
        return
    packet = next(probes(hooks, hook, "established", "ack"))
    accepted = _accepted_by_state(hooks, hook, packet & outside(hooks.space))
    if accepted is None or accepted.rule is None:
        return
    one = _one_way(hooks, accepted.packets)
    examined, counted = _Way(analysis, one).cost(base.name)
    if counted - 1 <= LIMIT:
        return
    above = examined - 1
    bans = (
        f" ({above - counted + 1} of which ban someone or are for lo)" if above >= counted else ""
    )
    yield META.finding(
        accepted.rule.origin.span,
        f"each packet of a running connection is compared with {above} rules{bans} "
        "before this one accepts it",
        f"move this rule to the top of {base.name}",
        witness=witness(hooks.space, one, hook),
    )


def _accepted_by_state(hooks: Hooks, hook: Hook, packet: PacketSet) -> Share | None:
    """The rule that accepts the packet for certain, and no new connection."""
    surely = packet & hooks.outcome(hook, VerdictKind.ACCEPT) & ~hooks.may_be_dropped(hook)
    new = hooks.space.state("new")
    return next(
        (
            share
            for share in shares(hooks, hook, surely)
            if share.rule and not (share.analysis.tests(share.rule).may & new).satisfiable()
        ),
        None,
    )


def _one_way(hooks: Hooks, packets: PacketSet) -> PacketSet:
    """The packets on one interface, or from one to one: an unnamed one where they may be."""
    for field in (Field.IIF, Field.OIF):
        for number in range(hooks.space.interfaces.count - 1, -1, -1):
            narrowed = packets & hooks.space.value(field, number)
            if narrowed.satisfiable():
                packets = narrowed
                break
    return packets


class _Way:
    """One packet's way through the chains of a table."""

    def __init__(self, analysis: TableAnalysis, packet: PacketSet) -> None:
        self.analysis = analysis
        self.packet = packet
        self._costs: dict[str, _Cost] = {}
        self._denying: dict[str, bool] = {}

    def cost(self, chain: str) -> _Cost:
        """Of entering the chain, what it calls included."""
        if chain not in self._costs:
            self._costs[chain] = _Cost(0, 0)  # a loop ends here
            self._costs[chain] = self._cost(self.analysis.flows[chain])
        return self._costs[chain]

    def _cost(self, flow: ChainFlow) -> _Cost:
        examined = counted = 0
        compared = flow.chain.rules[: flow.blocked_at(self.packet) + 1]
        for number, rule in enumerate(compared):
            examined, counted = examined + 1, counted + self._counts(rule)
            called = rule.verdict.chain or ""
            if called in self.analysis.flows and self._meets(flow.tests[number].may):
                inside = self.cost(called)
                examined += inside.examined
                counted += 0 if self._only_denies(called) else inside.counted
        return _Cost(examined, counted)

    def _meets(self, packets: PacketSet) -> bool:
        return (self.packet & packets).satisfiable()

    def _counts(self, rule: Rule) -> bool:
        if rule.verdict.chain is not None:
            return not self._only_denies(rule.verdict.chain)
        return not rule.verdict.kind.denies and not _is_loopback(rule)

    def _only_denies(self, chain: str) -> bool:
        if chain not in self._denying:
            self._denying[chain] = True
            known = self.analysis.table.chains.get(chain)
            self._denying[chain] = known is not None and all(
                self._only_denies(rule.verdict.chain)
                if rule.verdict.chain is not None
                else rule.verdict.kind.denies or rule.verdict.kind.goes_on
                for rule in known.rules
            )
        return self._denying[chain]


def _is_loopback(rule: Rule) -> bool:
    return any(isinstance(m, Interface) and m.name == "lo" for m in rule.matches)
