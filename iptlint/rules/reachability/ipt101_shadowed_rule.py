"""No packet can match a rule: earlier rules take them all, and do something else with them.

## What it does
Proves, over every packet and through every call, that the rules before this one (for one that
accepts, at prerouting too) leave nothing to it, and that some of what it was meant for gets another
verdict. It names the rules that take the packets; it also reports a mark or a counter that sees no
packet (a log that sees none is IPT902). Where nothing gets past one rule of a chain, all rules
behind it are one finding, and so are all that are lost to the same lines, with those for the same
packets that would do what is done (IPT102).
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
Move the rule above those that take its packets, or delete it. A DROP that would leave no new
connection to an accept is not to be moved above that: delete the wider accept, and the limit below
it decides who gets in.

## When it is wrong
Where another program inserts or deletes the rules above at run time, so that the file
is not what runs; the chains of software that writes them anew at every start (docker,
kube-proxy, istio …) are left out, and so is what software accepts for its guests. Rules with a
rate limit, a list that changes or an extension that iptlint does not know never count as taking
packets.

## References
- iptables(8): https://man7.org/linux/man-pages/man8/iptables.8.html
- E. Al-Shaer, H. Hamed, *Discovery of Policy Anomalies in Distributed Firewalls*, INFOCOM
  2004 (shadowing)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from iptlint.analysis import cut_off, lost_bans
from iptlint.analysis.cut_off import CutOff, cut_off_runs, shadowed_alone
from iptlint.analysis.dropped_before import DroppedBefore, dropped_before
from iptlint.analysis.evidence import meant_for
from iptlint.analysis.handshake import flags
from iptlint.analysis.later_fragments import BUT_FOR_FRAGMENTS, may_be_misread
from iptlint.analysis.occasions import occasion
from iptlint.analysis.reordering import is_uncertain
from iptlint.analysis.script_lockouts import makes_more
from iptlint.analysis.session import Context
from iptlint.analysis.shadowing import Shadowed, differs_at_sight, may_end_in
from iptlint.findings import (
    Cause,
    Confidence,
    Finding,
    Label,
    Severity,
    Telling,
    phrases,
    shadowing,
)
from iptlint.findings.fix import Change, Fix, deletion
from iptlint.findings.per_family import for_each_family
from iptlint.memo import memo
from iptlint.model import Chain, Field, Hook, Rule, VerdictKind
from iptlint.model.ownership import writer_of
from iptlint.model.protocols import TCP
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
    fixable=True,
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
            if any(shadowed.differs and _is_ours(analysis, shadowed) for shadowed in cut.shadowed):
                yield _cut_off(analysis, cut)
        differing = (shadowed for shadowed in shadowed_alone(analysis) if shadowed.differs)
        alone = [each for each in differing if not _is_overruled(analysis, each)]
        likenesses = shadowing.likenesses(analysis, alone)
        for shadowed, idle in _with_idle(analysis, alone):
            yield _finding(analysis, shadowed, idle, likenesses[shadowed.rule])
    yield from for_each_family(context, lambda hooks: map(_before, dropped_before(hooks)))


def _before(dropped: DroppedBefore) -> Finding:
    rule, by = dropped.rule, dropped.by
    verb = phrases.verb(by[0].verdict.kind, plural=len(by) > 1)
    lines = phrases.lines(by)
    return META.finding(
        rule.origin.span,
        f"this {rule.verdict.meaning} never happens: at prerouting, {lines} {verb} these packets",
        f"delete it; or, if it should win, let these packets past {lines}",
        related=phrases.labels(by, "some of them here" if len(by) > 1 else "them here"),
        witness=witness(dropped.analysis.space, dropped.packets, Hook.PREROUTING),
        causes=(Cause(dropped.analysis.ruleset, part=rule),),
        likeness="before",
    )


def _is_ours(analysis: TableAnalysis, shadowed: Shadowed) -> bool:  # what software writes stays
    return writer_of(analysis.table, shadowed.chain.name, shadowed.rule) is None


def _is_overruled(analysis: TableAnalysis, shadowed: Shadowed) -> bool:
    """Whether software lets its guests out, or asks a chain of its own, and a person denies it."""
    verdict, is_ours = shadowed.rule.verdict, _is_ours(analysis, shadowed)
    return not is_ours and (verdict.kind is VerdictKind.ACCEPT or verdict.chain is not None)


def _cut_off(analysis: TableAnalysis, cut: CutOff) -> Finding:
    let_in = [shadowed for shadowed in cut.shadowed if _is_let_in(analysis, shadowed)]
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


def _finding(
    analysis: TableAnalysis, shadowed: Shadowed, idle: Sequence[Shadowed], likeness: str
) -> Finding:
    """``idle``: of the rules that are lost with it, those that no finding before names."""
    fix = _fix(analysis, shadowed)

    def later() -> Telling:
        actions = shadowing.actions(analysis, shadowed, "first")
        packet = _witness(analysis, shadowed, shadowed.blockers)
        places = _gets_nothing(_as_idle(analysis, shadowed))
        return Telling(_message(analysis, shadowed, actions), packet, places)

    return META.finding(
        shadowed.span,
        _message(analysis, shadowed, shadowing.in_short(analysis, shadowed)),
        "" if fix else _advice(analysis, shadowed),
        related=shadowing.labels(shadowed),
        severity=Severity.ERROR if _is_let_in(analysis, shadowed) else None,
        likeness=likeness,
        fix=fix,
        causes=tuple(Cause(analysis.ruleset, part=each.rule) for each in (shadowed, *idle)),
        later=later,
    )


def _message(analysis: TableAnalysis, shadowed: Shadowed, actions: str) -> str:
    message = f"{_fate(analysis, shadowed)}: {actions}"
    misread = may_be_misread(analysis, shadowed.rule, shadowed.blockers)
    return f"{message}, {BUT_FOR_FRAGMENTS}" if misread else message


def _gets_nothing(beside: Sequence[Shadowed]) -> tuple[Label, ...]:
    shown = beside[: phrases.MAX_LABELS]
    return tuple(Label(each.span, "gets no packet either") for each in shown)


def _with_idle(
    analysis: TableAnalysis, alone: Sequence[Shadowed]
) -> Iterator[tuple[Shadowed, Sequence[Shadowed]]]:
    """Each with the rules ``_as_idle`` as it, but for those that stand with one before."""
    left: dict[str, _Idle] = {}
    for shadowed in alone:
        chain = shadowed.chain.name
        if chain not in left:
            left[chain] = {lost_to: {**idle} for lost_to, idle in _idle(analysis, chain).items()}
        with_it = _as_idle(analysis, shadowed, left[chain])
        for other in with_it:
            del left[chain][frozenset(other.blockers)][analysis.place(other.rule).number]
        yield shadowed, with_it


_Idle = Mapping[frozenset[Rule], dict[int, Shadowed]]


def _as_idle(
    analysis: TableAnalysis, shadowed: Shadowed, among: _Idle | None = None
) -> list[Shadowed]:
    """The rules of its chain for some of its packets that would do what is done, and are lost to
    the same lines; some of these, where ``among`` says which."""
    chain, number = analysis.place(shadowed.rule)
    idle = _idle(analysis, chain) if among is None else among
    blockers = frozenset(shadowed.blockers)
    others = idle.get(blockers, {})
    if len(blockers) > 1:
        lost_to = (each for each in idle if each <= blockers)
        others = {n: other for each in lost_to for n, other in idle[each].items()}
    if not others:
        return []
    intended, flow = analysis.entries[chain].intended, analysis.flows[chain]
    return [others[n] for n in flow.sharing(number, sorted(others), intended)]


@memo
def _idle(analysis: TableAnalysis, chain: str) -> _Idle:
    """By whom they are lost to, and their numbers, the rules of the chain that would do what is
    done."""
    by_blockers: dict[frozenset[Rule], dict[int, Shadowed]] = {}
    for other in shadowed_alone(analysis):
        if not other.differs and other.chain.name == chain:
            number = analysis.place(other.rule).number
            by_blockers.setdefault(frozenset(other.blockers), {})[number] = other
    return by_blockers


def _fix(analysis: TableAnalysis, shadowed: Shadowed) -> Fix | None:
    """It goes; a lost ban, which somebody still wants, is moved above the rule that it is lost to.
    What it was meant to do goes with it, or is done, so that neither is safe."""
    if makes_more(analysis, shadowed.rule) or not shadowed.is_whole or shadowed.policy:
        return None
    if _is_let_in(analysis, shadowed):
        return _moved(analysis, shadowed)
    wins = f"if it should win, {_winning(analysis, shadowed)}"
    return deletion(analysis.ruleset, [shadowed.rule], "delete it", safe=False, otherwise=wins)


def _moved(analysis: TableAnalysis, shadowed: Shadowed) -> Fix | None:
    """None where the other rule would then be the lost one: somebody has to choose."""
    rule = shadowed.rule
    above = cut_off.leading_to(analysis, shadowed, cut_off.differing_first(shadowed)[0])
    if above is None or _ousts(analysis, rule, above) or shadowing.is_put_above(above, rule):
        return None
    edits = analysis.syntax.move_before(rule, above)
    if not edits:
        return None
    hooks = tuple(base.hook for base in analysis.calls.bases_of(shadowed.chain.name) if base.hook)
    change = Change(rule.verdict.kind, hooks, (rule.matches,))
    says = f"move it above line {phrases.line(above)}"
    return Fix(says, edits, False, (change,), otherwise="delete it, if it should not win")


def _ousts(analysis: TableAnalysis, rule: Rule, above: Rule) -> bool:
    """Whether the rule would leave no new connection to the one above, were it moved there: of tcp
    none begins without a SYN."""
    if any(map(is_uncertain, rule.matches)):
        return False
    one = _one_opened_by(analysis, above)
    if not analysis.may_be_for(rule, one):
        return False
    intended = analysis.intended(rule)
    if (one & ~intended).satisfiable():
        return False
    openings = _openings(analysis)
    if (one & openings).satisfiable():  # not all that is taken has to be told
        return not analysis.gets_some(above, openings & ~intended)
    return not (_opened_by(analysis, above) & ~intended).satisfiable()


@memo
def _opened_by(analysis: TableAnalysis, rule: Rule) -> PacketSet:
    """What begins a connection, of what the rule takes; all that it takes where none does."""
    matched = analysis.matched(rule)
    opened = matched & _openings(analysis)
    return opened if opened.satisfiable() else matched


@memo
def _one_opened_by(analysis: TableAnalysis, rule: Rule) -> PacketSet:
    """Some of these, fewer than all where there are any."""
    chain, number = analysis.place(rule)
    opening = _openings(analysis) & analysis.entries[chain].reachable
    one = analysis.flows[chain].one_that_comes(number, opening)
    return _opened_by(analysis, rule).pick_cube_dd() if one is None else one


@memo
def _openings(analysis: TableAnalysis) -> PacketSet:
    space = analysis.space
    return space.state("new") & (flags(space, "syn") | ~space.value(Field.PROTO, TCP))


def _is_let_in(analysis: TableAnalysis, shadowed: Shadowed) -> bool:
    """Whether the host lets in what a ban was to stop from public addresses."""
    world = lost_bans.from_the_world(analysis)
    return _decides(analysis, shadowed) and lost_bans.is_some_accepted(analysis, shadowed, world)


def _decides(analysis: TableAnalysis, shadowed: Shadowed) -> bool:
    """Whether the chain is one, or is called by one, that decides what a host lets in."""
    return any(base.filters for base in analysis.calls.bases_of(shadowed.chain.name))


def _fate(analysis: TableAnalysis, shadowed: Shadowed) -> str:
    this = shadowing.this_one(analysis, shadowed)
    if shadowed.dead.mixed or shadowed.rule.verdict.kind is VerdictKind.CONTINUE:
        return f"{this} sees no packet"
    return f"{this} never happens"


def _advice(analysis: TableAnalysis, shadowed: Shadowed) -> str:
    if shadowed.policy:
        return shadowing.exception(shadowed)
    first = cut_off.differing_first(shadowed)[0]
    if occasion(analysis, shadowed.rule):
        return _advice_for_one_of_several(analysis, first)
    above = cut_off.leading_to(analysis, shadowed, first)
    if above is not None and _closes_what_is_opened(analysis, shadowed, above):
        return _instead(analysis, shadowed, above)
    return f"if it should win, {_winning(analysis, shadowed)}; else delete it"


def _closes_what_is_opened(analysis: TableAnalysis, shadowed: Shadowed, above: Rule) -> bool:
    """Whether it would turn all away, moved up, that the accept above lets in: a lockout perhaps,
    where the limit that stands between them was to let some in."""
    denies = shadowed.rule.verdict.kind.denies and above.verdict.kind is VerdictKind.ACCEPT
    return denies and _ousts(analysis, shadowed.rule, above)


def _instead(analysis: TableAnalysis, shadowed: Shadowed, above: Rule) -> str:
    """What to do where moving would shut out whom the rule above lets in."""
    line, place = phrases.line(above), analysis.place(shadowed.rule)
    limits = [
        each.rule
        for each in _as_idle(analysis, shadowed)
        if analysis.place(each.rule) < place and any(map(is_uncertain, each.rule.matches))
    ]
    if limits:
        return (
            f"delete line {line}, so that line {phrases.line(limits[0])} decides who gets in and "
            "this turns the others away"
        )
    return f"delete line {line}, if nobody is to get in there; else delete this one"


def _winning(analysis: TableAnalysis, shadowed: Shadowed) -> str:
    first = cut_off.differing_first(shadowed)[0]
    above = cut_off.leading_to(analysis, shadowed, first)
    if above is not None and shadowing.is_put_above(above, shadowed.rule):
        return f"let line {phrases.line(above)} append its rule (-A), behind it"
    if above is not None:
        return f"move it above line {phrases.line(above)}"
    return f"decide these packets before line {phrases.line(first)}"


def _advice_for_one_of_several(analysis: TableAnalysis, first: Rule) -> str:
    """The command makes other rules too."""
    if occasion(analysis, first):
        return f"if it should win, carry out line {phrases.line(first)} only behind the loop"
    return "leave out the value that makes this one, or carry the command out before that line"


def _witness(analysis: TableAnalysis, shadowed: Shadowed, takers: Sequence[Rule]) -> Packet | None:
    """A packet that the rule was for and a taker takes; one whose fate differs, if there is."""
    for base in analysis.calls.bases_of(shadowed.chain.name):
        for packets in _telling(analysis, shadowed, takers, base):
            packet = meant_for(analysis, base, shadowed.rule, takers, packets)
            if packet is not None:
                return packet
    return None


def _telling(
    analysis: TableAnalysis, shadowed: Shadowed, takers: Sequence[Rule], base: Chain
) -> Iterator[PacketSet]:
    """Packets that the rule was for, those first that tell the most when they come to a taker."""
    meant = analysis.intended(shadowed.rule) & analysis.base_packets(base)
    accepted = lost_bans.accepted_by(analysis, shadowed, takers) & meant
    if _decides(analysis, shadowed):
        yield accepted & lost_bans.from_the_world(analysis)
    yield accepted
    if not differs_at_sight(analysis, shadowed, takers):
        yield meant & ~may_end_in(analysis, base, shadowed.rule.verdict.kind, meant)
    yield meant
