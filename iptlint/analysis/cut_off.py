"""What findings on rules that get no packet share: where the packets went instead, in words; and
the rules of a chain behind one that nothing gets past, which are one fault."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from iptlint.analysis.log_flood import only_logs
from iptlint.analysis.shadowing import (
    Shadowed,
    copies,
    is_generated,
    per_walk,
    shadowed_rules,
)
from iptlint.model import Rule, VerdictKind
from iptlint.netfilter.table_analysis import TableAnalysis


@dataclass(frozen=True, slots=True)
class CutOff:
    """Several rules that no packet gets to, because none gets past the rule ``by`` above them.
    ``copies``: how many more are copies of these; ``last``: the last of all."""

    by: Rule
    lost: tuple[Shadowed, ...]
    copies: int
    last: Rule


@per_walk
def cut_off_runs(walk: TableAnalysis) -> tuple[CutOff, ...]:
    """For each chain the rules that are lost behind the one that nothing gets past, where they are
    more than one. A ban that was lost before has its own cause, and is not among them."""
    return tuple(_cut_off(walk))


@per_walk
def shadowed_alone(walk: TableAnalysis) -> tuple[Shadowed, ...]:
    """The other lost rules, each with its own cause."""
    together = {id(lost) for cut in cut_off_runs(walk) for lost in cut.lost}
    return tuple(lost for lost in _peoples(walk) if id(lost) not in together)


@per_walk
def _peoples(walk: TableAnalysis) -> tuple[Shadowed, ...]:
    """The lost rules that a person may mend; what only logs is told of by IPT902."""
    return tuple(
        lost
        for lost in shadowed_rules(walk)
        if lost.blockers
        and not only_logs(lost.rule)
        and not _is_closing_return(lost)
        and not _is_softwares(walk, lost)
    )


def _is_closing_return(lost: Shadowed) -> bool:
    """A RETURN at the end says what happens there anyway."""
    return lost.rule.verdict.kind is VerdictKind.RETURN and lost.rule is lost.chain.rules[-1]


def _is_softwares(walk: TableAnalysis, lost: Shadowed) -> bool:
    chains = lost.chain.name, lost.rule.verdict.chain or ""
    return any(is_generated(walk.ruleset, walk.table, chain) for chain in chains)


def _cut_off(walk: TableAnalysis) -> Iterator[CutOff]:
    for name, several in groupby(_peoples(walk), key=lambda lost: lost.chain.name):
        last = _last_met(walk, name)
        if last is None:
            continue
        whole = walk.table.chains[name].rules[last].statement
        behind = [
            lost
            for lost in several
            if walk.place(lost.rule).number > last and lost.rule.statement is not whole
        ]
        cut = [lost for lost in behind if not _lost_before(walk, lost, last)]
        again = [rule for rule in walk.table.chains[name].rules if is_copy_behind(walk, rule)]
        if cut and len(cut) + len(again) > 1:
            end = max(
                (*(lost.rule for lost in cut), *again), key=lambda rule: rule.origin.span.line
            )
            yield CutOff(walk.table.chains[name].rules[last], tuple(cut), len(again), end)


def is_copy_behind(walk: TableAnalysis, rule: Rule) -> bool:
    """Whether it is the copy of a rule that, like itself, is behind one that nothing gets past."""
    first = _first_copies(walk).get(id(rule))
    if first is None:
        return False
    chain, number = walk.place(first)
    last = _last_met(walk, chain)
    return last is not None and number > last


@per_walk
def _first_copies(walk: TableAnalysis) -> dict[int, Rule]:
    """By the ids of the later copies."""
    return {id(rule): first for first, *later in copies(walk) for rule in later}


def _last_met(walk: TableAnalysis, chain: str) -> int | None:
    """The number of the rule that nothing gets past, of what enters the chain."""
    known = _last_known(walk)
    if chain not in known:
        known[chain] = _found_last(walk, chain)
    return known[chain]


@per_walk
def _last_known(_: TableAnalysis) -> dict[str, int | None]:
    return {}


def _found_last(walk: TableAnalysis, chain: str) -> int | None:
    """By bisection: what arrives only shrinks."""
    arrives, entry = walk.flows[chain].arrives, walk.entries[chain].may
    rules = len(arrives) - 1
    first = bisect_left(
        range(rules), True, key=lambda number: not (arrives[number + 1] & entry).satisfiable()
    )
    return first if first < rules else None


def _lost_before(walk: TableAnalysis, lost: Shadowed, last: int) -> bool:
    """Whether it is a ban whose packets were let in above the rule that nothing gets past."""
    arriving = walk.flows[lost.chain.name].arrives[last]
    return lost.accepted.satisfiable() and not (walk.sent(lost.rule) & arriving).satisfiable()


def leading_to(walk: TableAnalysis, lost: Shadowed, taker: Rule) -> Rule | None:
    """The taker, or the call that leads to it, in the chain of the lost rule and above it."""
    if id(taker) not in walk.places:  # it is of another table
        return None
    chain, number = walk.place(lost.rule)
    before = walk.table.chains[chain].rules[:number]
    if walk.place(taker).chain == chain:
        return taker
    above = _above(walk, walk.place(taker).chain)
    return next((rule for rule in before if rule.verdict.chain in above), None)


def _above(walk: TableAnalysis, chain: str) -> set[str]:
    """The chain, and those from which calls lead to it."""
    pending, found = [chain], {chain}
    while pending:
        callers = {place.chain for place in walk.callers.get(pending.pop(), ())} - found
        found |= callers
        pending += callers
    return found


def differing_first(lost: Shadowed) -> list[Rule]:
    """The takers, in the order of the text, those that do something else before the others."""
    return sorted(lost.blockers, key=lambda taker: taker.verdict.kind is lost.rule.verdict.kind)
