"""The rules of a chain behind one that nothing gets past, which are one fault; and the other
rules that earlier ones leave no packet to, each with its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from iptlint.analysis.log_flood import only_logs
from iptlint.analysis.lost_bans import is_some_accepted
from iptlint.analysis.shadowing import Shadowed, copies, shadowed_rules
from iptlint.memo import memo
from iptlint.model import Rule, VerdictKind
from iptlint.model.ownership import is_generated
from iptlint.netfilter.table_analysis import TableAnalysis


@dataclass(frozen=True, slots=True)
class CutOff:
    """Several rules that no packet gets to, because none gets past the rule ``by`` above them.
    ``copies``: how many more are copies of these; ``last``: the last of all."""

    by: Rule
    shadowed: tuple[Shadowed, ...]
    copies: int
    last: Rule


@memo
def cut_off_runs(analysis: TableAnalysis) -> tuple[CutOff, ...]:
    """For each chain the rules that are lost behind the one that nothing gets past, where they are
    more than one. A ban that was lost before has its own cause, and is not among them."""
    return tuple(_cut_off(analysis))


@memo
def shadowed_alone(analysis: TableAnalysis) -> tuple[Shadowed, ...]:
    """The other lost rules, each with its own cause."""
    together = {shadowed for cut in cut_off_runs(analysis) for shadowed in cut.shadowed}
    return tuple(shadowed for shadowed in _peoples(analysis) if shadowed not in together)


@memo
def _peoples(analysis: TableAnalysis) -> tuple[Shadowed, ...]:
    """The lost rules that a person may mend, save those that only log."""
    return tuple(
        shadowed
        for shadowed in shadowed_rules(analysis)
        if shadowed.blockers
        and not only_logs(shadowed.rule)
        and not _is_closing_return(shadowed)
        and not _is_generated(analysis, shadowed)
    )


def _is_closing_return(shadowed: Shadowed) -> bool:
    """A RETURN at the end says what happens there anyway."""
    return (
        shadowed.rule.verdict.kind is VerdictKind.RETURN
        and shadowed.rule is shadowed.chain.rules[-1]
    )


def _is_generated(analysis: TableAnalysis, shadowed: Shadowed) -> bool:
    """Whether software writes the chain, or the one that the rule calls."""
    chains = shadowed.chain.name, shadowed.rule.verdict.chain or ""
    return any(is_generated(analysis.table, chain) for chain in chains)


def _cut_off(analysis: TableAnalysis) -> Iterator[CutOff]:
    for name, several in groupby(_peoples(analysis), key=lambda shadowed: shadowed.chain.name):
        last = _last_met(analysis, name)
        if last is None:
            continue
        whole = analysis.table.chains[name].rules[last].statement
        behind = [
            shadowed
            for shadowed in several
            if analysis.place(shadowed.rule).number > last and shadowed.rule.statement is not whole
        ]
        cut = [shadowed for shadowed in behind if not _lost_before(analysis, shadowed, last)]
        again = [
            rule for rule in analysis.table.chains[name].rules if is_copy_behind(analysis, rule)
        ]
        if cut and len(cut) + len(again) > 1:
            end = max(
                (*(shadowed.rule for shadowed in cut), *again),
                key=lambda rule: rule.origin.span.line,
            )
            yield CutOff(analysis.table.chains[name].rules[last], tuple(cut), len(again), end)


def is_copy_behind(analysis: TableAnalysis, rule: Rule) -> bool:
    """Whether it is the copy of a rule that, like itself, is behind one that nothing gets past."""
    first = _first_copies(analysis).get(rule)
    if first is None:
        return False
    chain, number = analysis.place(first)
    last = _last_met(analysis, chain)
    return last is not None and number > last


@memo
def _first_copies(analysis: TableAnalysis) -> dict[Rule, Rule]:
    """By the later copies."""
    return {rule: first for first, *later in copies(analysis) for rule in later}


@memo
def _last_met(analysis: TableAnalysis, chain: str) -> int | None:
    """The number of the rule that nothing gets past, of what enters the chain."""
    flow = analysis.flows[chain]
    last = flow.blocked_at(analysis.entries[chain].reachable)
    return last if last < len(flow.chain.rules) else None


def _lost_before(analysis: TableAnalysis, shadowed: Shadowed, last: int) -> bool:
    """Whether it is a ban whose packets were let in above the rule that nothing gets past."""
    flow, meant = analysis.flows[shadowed.chain.name], analysis.intended(shadowed.rule)
    some = is_some_accepted(analysis, shadowed)
    return some and not flow.arriving_at(last, meant).satisfiable()


def leading_to(analysis: TableAnalysis, shadowed: Shadowed, taker: Rule) -> Rule | None:
    """The taker, or the call that leads to it, in the chain of the lost rule and above it."""
    if taker not in analysis.places:  # it is of another table
        return None
    chain, number = analysis.place(shadowed.rule)
    if analysis.place(taker).chain == chain:
        return taker
    before = analysis.table.chains[chain].rules[:number]
    above = analysis.calls.leading_to(analysis.place(taker).chain)
    meant = analysis.intended(shadowed.rule)
    calls = (rule for rule in before if rule.verdict.chain in above)
    return next((c for c in calls if (meant & analysis.tests(c).may).satisfiable()), None)


def differing_first(shadowed: Shadowed) -> list[Rule]:
    """The takers, in the order of the text, those that do something else before the others."""
    return sorted(
        shadowed.blockers, key=lambda taker: taker.verdict.kind is shadowed.rule.verdict.kind
    )
