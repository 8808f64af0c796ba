"""Rules that get no packet, in words: where the packets went instead."""

from __future__ import annotations

from collections.abc import Sequence

from iptlint.analysis.cut_off import CutOff, differing_first
from iptlint.analysis.occasions import occasion
from iptlint.analysis.shadowing import Shadowed, may_end_in
from iptlint.findings import Label, phrases
from iptlint.model import Chain, Rule
from iptlint.netfilter.table_analysis import TableAnalysis
from iptlint.packets.bdd import union


def name(shadowed: Shadowed) -> str:
    """What to call the rule by its verdict: ``DROP``, ``jump to web``, ``rule``."""
    return "rule" if shadowed.dead.mixed else phrases.name(shadowed.rule)


def actions(analysis: TableAnalysis, shadowed: Shadowed, ending: str) -> str:
    """``line 9 accepts all of these packets first``; ``that get so far`` where still other rules
    take some of them before, unless they do the same or what the lost rule would do."""
    bases = analysis.calls.bases_of(shadowed.chain.name)
    entering = union(
        [analysis.entries[base.name].reachable for base in bases], analysis.space.false
    )
    of_this_table = [taker for taker in shadowed.blockers if taker in analysis.places]
    taken = union([analysis.matched(taker) for taker in of_this_table], analysis.space.false)
    rest = analysis.intended(shadowed.rule) & entering & ~taken
    packets = f"all of these packets {ending}"
    if rest.satisfiable():
        kinds = {rule.verdict.kind for rule in (shadowed.rule, *shadowed.blockers)}
        alike = [may_end_in(analysis, base, kind, rest) for base in bases for kind in kinds]
        otherwise = (rest & ~union(alike, analysis.space.false)).satisfiable()
        packets = "all of these packets that get so far" if otherwise else f"these packets {ending}"
    return phrases.actions(
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
    return f"{time}, this {name(shadowed)}" if time else f"this {name(shadowed)}"


def message(analysis: TableAnalysis, cut: CutOff) -> str:
    time = occasion(analysis, cut.by)
    if time:
        return _message_of_loop(analysis, cut, time)
    what = phrases.name(cut.by) if cut.by.verdict.chain else f"the {phrases.name(cut.by)}"
    others = phrases.counted(len(cut.shadowed) + cut.copies - 1, "other rule")
    return (
        f"nothing gets past line {phrases.line(cut.by)}, {what}: this {name(cut.shadowed[0])} and "
        f"{others} below, to line {phrases.line(cut.last)}, never see a packet"
    )


def _message_of_loop(analysis: TableAnalysis, cut: CutOff, time: str) -> str:
    """Of rules behind one that a command made which makes several: their order is no order of
    lines."""
    first = this_one(analysis, cut.shadowed[0])
    others = phrases.counted(len(cut.shadowed) + cut.copies - 1, "other rule")
    return (
        f"nothing gets past line {phrases.line(cut.by)}, the {phrases.name(cut.by)}, {time}: "
        f"{first}, and {others} made later never see a packet"
    )


def advice(analysis: TableAnalysis, cut: CutOff) -> str:
    if occasion(analysis, cut.by):
        return f"carry out line {phrases.line(cut.by)} once, behind what is to count"
    return f"move what should count above line {phrases.line(cut.by)}, and delete the rest"


def labels_of(cut: CutOff) -> tuple[Label, ...]:
    return (Label(cut.by.origin.span, "nothing gets past this"),)
