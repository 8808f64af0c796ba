"""No packet can match a rule: earlier rules take them all, and do something else with them.

## What it does
Proves, over every packet and through every call, that the rules before this one leave
nothing to it, and that some of what it was meant for gets another verdict. It names the
rules that take the packets; it also reports a mark or a counter that sees no packet (a log that
sees none is IPT902). Where nothing gets past one rule of a chain, all rules behind it are one
finding.
It is an error where a DROP or REJECT that names whom or what it bans is lost to rules that
accept, and new connections from the world come in.

## Why it matters
The file says one thing and the firewall does another. A ban that stands below the accept it
should guard against bans nobody.

## Example
```
*filter
-A INPUT -p tcp --dport 22 -j ACCEPT
-A INPUT -s 203.0.113.0/24 -p tcp --dport 22 -j DROP
COMMIT
```

## Fix
Move the rule above those that take its packets, or delete it.

## When it is wrong
Where another program inserts or deletes the rules above at run time, so that the file
is not what runs; the chains of software that writes them anew at every start (docker,
kube-proxy, istio …) are left out. Rules with a rate limit, a list that changes or an
extension that iptlint does not know never count as taking packets.

## References
- iptables(8): https://man7.org/linux/man-pages/man8/iptables.8.html
- E. Al-Shaer, H. Hamed, *Discovery of Policy Anomalies in Distributed Firewalls*, INFOCOM
  2004 (shadowing)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from iptlint.analysis import cut_off
from iptlint.analysis.cut_off import CutOff, cut_off_runs, shadowed_alone
from iptlint.analysis.evidence import meant_for
from iptlint.analysis.later_fragments import may_be_misread
from iptlint.analysis.occasions import occasion
from iptlint.analysis.session import Context
from iptlint.analysis.shadowing import Shadowed, may_end_in
from iptlint.findings import Cause, Confidence, Finding, Severity, phrases, shadowing
from iptlint.memo import memo
from iptlint.model import Family, Field, Rule, VerdictKind, addresses
from iptlint.packets.packet import Packet
from iptlint.packets.witness import witness
from iptlint.rules.meta import Group, Meta

if TYPE_CHECKING:
    from iptlint.netfilter.table_analysis import TableAnalysis
    from iptlint.packets.bdd import PacketSet

META = Meta(
    code="IPT101",
    name="shadowed-rule",
    severity=Severity.WARNING,
    confidence=Confidence.CERTAIN,
    group=Group.REACHABILITY,
    since="0.1.0",
    leaves_to=dict.fromkeys(
        ("IPT106", "IPT853", "IPT902"),
        "the rules behind one that nothing gets past are one finding, these left out",
    ),
)


_TRIED = 8
"""Of the rules that one other cuts off so many are tried for a packet that this one takes."""


def check(context: Context) -> Iterator[Finding]:
    for analysis in context.analyses():
        for cut in cut_off_runs(analysis):
            if any(shadowed.differs for shadowed in cut.shadowed):
                yield _cut_off(analysis, cut)
        for shadowed in shadowed_alone(analysis):
            if shadowed.differs:
                finding = _finding(analysis, shadowed)
                misread = may_be_misread(analysis, shadowed.rule, shadowed.blockers)
                yield phrases.but_for_fragments(finding) if misread else finding


def _cut_off(analysis: TableAnalysis, cut: CutOff) -> Finding:
    let_in = [shadowed for shadowed in cut.shadowed if _let_in(analysis, shadowed).satisfiable()]
    shown = let_in or [shadowed for shadowed in cut.shadowed if shadowed.differs]
    packets = (_witness(analysis, each, (cut.by,)) for each in shown[:_TRIED])
    packet, labels = next(filter(None, packets), None), shadowing.labels_of(cut)
    if packet is None:  # none comes even so far
        packet = _witness(analysis, shown[0], shown[0].blockers)
        labels += phrases.labels(shown[0].blockers, "the packet that is shown")
    return META.finding(
        cut.shadowed[0].span,
        shadowing.message(analysis, cut),
        shadowing.advice(analysis, cut),
        related=labels,
        witness=packet,
        severity=Severity.ERROR if let_in else None,
        causes=tuple(Cause(analysis.ruleset, part=each.rule) for each in cut.shadowed),
    )


def _finding(analysis: TableAnalysis, shadowed: Shadowed) -> Finding:
    lines = ",".join(str(phrases.line(taker)) for taker in shadowed.blockers)
    return META.finding(
        shadowed.span,
        f"{_fate(analysis, shadowed)}: {shadowing.actions(analysis, shadowed, 'first')}",
        _advice(analysis, shadowed),
        related=shadowing.labels(shadowed),
        witness=_witness(analysis, shadowed, shadowed.blockers),
        severity=Severity.ERROR if _let_in(analysis, shadowed).satisfiable() else None,
        likeness=f"{lines} {shadowed.accepted.satisfiable()}",
        causes=(Cause(analysis.ruleset, part=shadowed.rule),),
    )


def _let_in(analysis: TableAnalysis, shadowed: Shadowed) -> PacketSet:
    """What a ban was to stop from public addresses, and the host lets in."""
    none = analysis.space.false
    return shadowed.accepted & _world(analysis) if _decides(analysis, shadowed) else none


def _decides(analysis: TableAnalysis, shadowed: Shadowed) -> bool:
    """Whether the chain is one, or is called by one, that decides what a host lets in."""
    return any(base.filters for base in analysis.calls.bases_of(shadowed.chain.name))


def _fate(analysis: TableAnalysis, shadowed: Shadowed) -> str:
    this = shadowing.this_one(analysis, shadowed)
    if shadowed.dead.mixed or shadowed.rule.verdict.kind is VerdictKind.CONTINUE:
        return f"{this} sees no packet"
    return f"{this} never happens"


def _advice(analysis: TableAnalysis, shadowed: Shadowed) -> str:
    first = cut_off.differing_first(shadowed)[0]
    if occasion(analysis, shadowed.rule):
        return _advice_for_one_of_several(analysis, first)
    above = cut_off.leading_to(analysis, shadowed, first)
    if above is not None:
        return f"if it should win, move it above line {phrases.line(above)}; else delete it"
    return (
        f"if it should win, decide these packets before line {phrases.line(first)}; else delete it"
    )


def _advice_for_one_of_several(analysis: TableAnalysis, first: Rule) -> str:
    """The command makes other rules too."""
    if occasion(analysis, first):
        return f"if it should win, carry out line {phrases.line(first)} only behind the loop"
    return "leave out the value that makes this one, or carry the command out before that line"


@memo
def _world(analysis: TableAnalysis) -> PacketSet:
    """The packets from public addresses, not on the loopback interface."""
    space = analysis.space
    world = space.false
    for family in (Family.IP, Family.IP6):
        elsewhere = space.ranges(family.saddr, addresses.ranges(family, *addresses.NOT_PUBLIC))
        world = world | (space.family(family.value) & ~elsewhere)
    return world & ~space.interface(Field.IIF, "lo") & ~space.no_interface(Field.IIF)


def _witness(analysis: TableAnalysis, shadowed: Shadowed, takers: Sequence[Rule]) -> Packet | None:
    """A packet that the rule was for and a taker takes; one whose fate differs, if there is."""
    meant, world = analysis.intended(shadowed.rule), _let_in(analysis, shadowed)
    for base in analysis.calls.bases_of(shadowed.chain.name):
        seen = analysis.base_packets(base)
        alike = may_end_in(analysis, base, shadowed.rule.verdict.kind, meant & seen)
        otherwise = meant & seen & ~alike
        for packets in (world, shadowed.accepted, otherwise, meant):
            come = meant_for(analysis, base, shadowed.rule, takers, packets & meant & seen)
            packet = witness(analysis.space, come, base.hook)
            if packet is not None:
                return packet
    return None
