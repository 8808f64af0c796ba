"""Rules that get no packet, in words: where the packets went instead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from iptlint.analysis.cut_off import CutOff, differing_first
from iptlint.analysis.lost_bans import is_some_accepted
from iptlint.analysis.occasions import occasion
from iptlint.analysis.shadowing import Elsewhere, Shadowed, elsewhere, is_lost_each_time
from iptlint.findings import Label, phrases
from iptlint.model import Chain, Interface, Rule
from iptlint.netfilter.table_analysis import TableAnalysis


def name(shadowed: Shadowed) -> str:
    """What to call the rule by its verdict: ``DROP``, ``jump to web``, ``rule``."""
    return "rule" if shadowed.dead.mixed else phrases.name(shadowed.rule)


def actions(analysis: TableAnalysis, shadowed: Shadowed, ending: str) -> str:
    """``line 9 accepts all of these packets first``; ``that reach it`` where still other rules
    take some of them before, unless they do the same or what the lost rule would do."""
    if shadowed.policy:
        return _deeds(analysis, shadowed, "the others")
    match elsewhere(analysis, shadowed):
        case Elsewhere.NOTHING:
            packets = f"all of these packets {ending}"
        case Elsewhere.ALIKE:
            packets = f"these packets {ending}"
        case Elsewhere.OTHERWISE:
            packets = "all of these packets that reach it"
    return _deeds(analysis, shadowed, packets)


def in_short(analysis: TableAnalysis, shadowed: Shadowed) -> str:
    """``line 9 accepts these packets``: what can be said without a look at them."""
    return _deeds(analysis, shadowed, "these packets")


def _deeds(analysis: TableAnalysis, shadowed: Shadowed, packets: str) -> str:
    before = f"{policy(shadowed)} denies some, and " if shadowed.policy else ""
    return before + phrases.actions(
        shadowed.blockers, packets, lambda rules: _which(analysis, shadowed.chain, rules)
    )


def _which(analysis: TableAnalysis, chain: Chain, rules: Sequence[Rule]) -> str:
    """`` of web in round 2``: what is to be said of rules besides their lines."""
    time = occasion(analysis, rules[0]) if len(rules) == 1 else ""
    return _elsewhere(analysis, chain, rules) + (f", {time}," if time else "")


def _elsewhere(analysis: TableAnalysis, chain: Chain, rules: Sequence[Rule]) -> str:
    """`` of web`` for rules that all are of another chain."""
    names = {analysis.places[rule].chain if rule in analysis.places else "" for rule in rules}
    owner = names.pop()
    return f" of {owner}" if owner and not names and owner != chain.name else ""


def labels(shadowed: Shadowed) -> tuple[Label, ...]:
    """Those that do something else before the others."""
    ending = "them here" if len(shadowed.blockers) == 1 else "some of them here"
    others = [rule for rule in differing_first(shadowed) if rule.origin.span != shadowed.span]
    return phrases.labels(others, ending)


def this_one(analysis: TableAnalysis, shadowed: Shadowed) -> str:
    """``this DROP``, and in which round of a loop, where its command makes several."""
    time = occasion(analysis, shadowed.rule)
    if time and is_lost_each_time(analysis, shadowed):
        time = "each time"
    return f"{time}, this {name(shadowed)}" if time else f"this {name(shadowed)}"


def likenesses(analysis: TableAnalysis, of: Iterable[Shadowed]) -> dict[Rule, str]:
    """What findings about lost rules have in common."""
    several = [*of]
    known = together(
        analysis,
        [
            (each.rule, f"{cause(each.rule, each.blockers)} {_let_in(analysis, each)}".strip())
            for each in several
        ],
    )
    return {**known, **{each.rule: _OF_LO for each in several if _is_of_lo(each)}}


_OF_LO = "lo, accepted before"
"""In each chain the same mistake: who denies other addresses on lo does so below its accept."""


def _is_of_lo(shadowed: Shadowed) -> bool:
    by = [match for rule in shadowed.blockers for match in rule.matches]
    return (
        shadowed.rule.verdict.kind.denies
        and all(
            isinstance(match, Interface) and match.name == "lo" and not match.negated
            for match in by
        )
        and bool(by)
    )


def cause(rule: Rule, deciders: Sequence[Rule]) -> str:
    """The lines that decide of its packets, and what it would do with them."""
    lines = ",".join(str(phrases.line(decider)) for decider in deciders)
    return f"{lines} {rule.verdict.kind.value}"


def _let_in(analysis: TableAnalysis, shadowed: Shadowed) -> str:
    return "let in" if is_some_accepted(analysis, shadowed) else ""


def together(analysis: TableAnalysis, causes: Sequence[tuple[Rule, str]]) -> dict[Rule, str]:
    """The causes of the rules: the same where they are lost to the same lines, and for a block of
    rules that stand below each other and do the same: there is one more block that they are lost
    to."""
    known: dict[Rule, str] = {}
    by_cause: dict[str, str] = {}
    before: tuple[Rule, str] | None = None
    for rule, why in causes:
        kind = why.partition(" ")[2]
        adjoins = before is not None and kind == before[1] and _adjoin(analysis, before[0], rule)
        lines = why.partition(" ")[0]
        key = known[before[0]] if before and adjoins else by_cause.get(lines, why)
        known[rule] = key
        by_cause.setdefault(lines, key)
        before = rule, kind
    return known


def _adjoin(analysis: TableAnalysis, one: Rule, other: Rule) -> bool:
    """Whether the one stands right above the other."""
    place = analysis.place(one)
    below = analysis.table.chains[place.chain].rules[place.number + 1 : place.number + 2]
    return any(rule.statement is other.statement for rule in below)


def message(analysis: TableAnalysis, cut: CutOff) -> str:
    time = occasion(analysis, cut.by)
    if time:
        return _message_of_loop(analysis, cut, time)
    what = phrases.name(cut.by) if cut.by.verdict.chain else f"the {phrases.name(cut.by)}"
    others = phrases.counted(len(cut.shadowed) + cut.copies - 1, "other rule")
    first = cut.shadowed[0]
    where = "which stands above it" if is_put_above(cut.by, first.rule) else what
    nothing = f"nothing that {policy(first)} lets through" if first.policy else "nothing"
    return (
        f"{nothing} gets past line {phrases.line(cut.by)}, {where}: this {name(first)} and "
        f"{others} below, to line {phrases.line(cut.last)}, never see a packet"
    )


def policy(shadowed: Shadowed) -> str:
    """``the policy of INPUT of the mangle table``; empty where none before denies."""
    before = shadowed.policy
    return f"the policy of {before.chain.name} of the {before.table} table" if before else ""


def _message_of_loop(analysis: TableAnalysis, cut: CutOff, time: str) -> str:
    """Of rules behind one that a command made which makes several: their order is no order of
    lines."""
    first = this_one(analysis, cut.shadowed[0])
    others = phrases.counted(len(cut.shadowed) + cut.copies - 1, "other rule")
    return (
        f"nothing gets past line {phrases.line(cut.by)}, the {phrases.name(cut.by)}, {time}: "
        f"{first}, and {others} made later never see a packet"
    )


def is_put_above(taker: Rule, lost: Rule) -> bool:
    """Whether a later command put the taker in front (-I)."""
    here, there = lost.origin.span, taker.origin.span
    return here.source is there.source and here.start < there.start


def exception(shadowed: Shadowed) -> str:
    """What to do where the policy of a chain before denies what the rule is for."""
    before = shadowed.policy
    return (
        f"let {before.chain.name} of the {before.table} table accept what is to come here, or let "
        "its policy accept: what it denies no later table sees"
        if before
        else ""
    )


def advice(analysis: TableAnalysis, cut: CutOff) -> str:
    if cut.shadowed[0].policy:
        return exception(cut.shadowed[0])
    if is_put_above(cut.by, cut.shadowed[0].rule):
        return (
            f"line {phrases.line(cut.by)} puts its rule above these: let it append the rule (-A), "
            "behind what should count, or accept less there"
        )
    if occasion(analysis, cut.by):
        return f"carry out line {phrases.line(cut.by)} once, behind what is to count"
    return f"move what should count above line {phrases.line(cut.by)}, and delete the rest"


def labels_of(cut: CutOff) -> tuple[Label, ...]:
    return (Label(cut.by.origin.span, "nothing gets past this"),)
