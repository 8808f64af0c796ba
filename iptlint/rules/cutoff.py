"""What findings on rules that get no packet share: where the packets went instead, in words; and
the rules of a chain behind one that nothing gets past, which are one fault."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from iptlint.findings import Label
from iptlint.model import Chain, Rule, VerdictKind
from iptlint.netfilter.walk import Walk
from iptlint.packets.bits import union
from iptlint.rules import wording
from iptlint.rules.dead import Lost, copies, ends, is_softwares, lost_rules, per_walk
from iptlint.rules.logs import only_logs


@dataclass(frozen=True, slots=True)
class CutOff:
    """Several rules that no packet gets to, because none gets past the rule ``by`` above them.
    ``copies``: how many more are copies of these; ``last``: the last of all."""

    by: Rule
    lost: tuple[Lost, ...]
    copies: int
    last: Rule


@per_walk
def cut_off(walk: Walk) -> tuple[CutOff, ...]:
    """For each chain the rules that are lost behind the one that nothing gets past, where they are
    more than one. A ban that was lost before has its own cause, and is not among them."""
    return tuple(_cut_off(walk))


@per_walk
def single(walk: Walk) -> tuple[Lost, ...]:
    """The other lost rules, each with its own cause."""
    together = {id(lost) for cut in cut_off(walk) for lost in cut.lost}
    return tuple(lost for lost in _peoples(walk) if id(lost) not in together)


@per_walk
def _peoples(walk: Walk) -> tuple[Lost, ...]:
    """The lost rules that a person may mend; what only logs is told of by IPT902."""
    return tuple(
        lost
        for lost in lost_rules(walk)
        if lost.takers
        and not only_logs(lost.rule)
        and not _is_closing_return(lost)
        and not _is_softwares(walk, lost)
    )


def _is_closing_return(lost: Lost) -> bool:
    """A RETURN at the end says what happens there anyway."""
    return lost.rule.verdict.kind is VerdictKind.RETURN and lost.rule is lost.chain.rules[-1]


def _is_softwares(walk: Walk, lost: Lost) -> bool:
    chains = lost.chain.name, lost.rule.verdict.chain or ""
    return any(is_softwares(walk.ruleset, walk.table, chain) for chain in chains)


def _cut_off(walk: Walk) -> Iterator[CutOff]:
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
            end = max((*(lost.rule for lost in cut), *again), key=wording.line)
            yield CutOff(walk.table.chains[name].rules[last], tuple(cut), len(again), end)


def is_copy_behind(walk: Walk, rule: Rule) -> bool:
    """Whether it is the copy of a rule that, like itself, is behind one that nothing gets past."""
    first = _first_copies(walk).get(id(rule))
    if first is None:
        return False
    chain, number = walk.place(first)
    last = _last_met(walk, chain)
    return last is not None and number > last


@per_walk
def _first_copies(walk: Walk) -> dict[int, Rule]:
    """By the ids of the later copies."""
    return {id(rule): first for first, *later in copies(walk) for rule in later}


def _last_met(walk: Walk, chain: str) -> int | None:
    """The number of the rule that nothing gets past, of what enters the chain."""
    known = _last_known(walk)
    if chain not in known:
        known[chain] = _found_last(walk, chain)
    return known[chain]


@per_walk
def _last_known(_: Walk) -> dict[str, int | None]:
    return {}


def _found_last(walk: Walk, chain: str) -> int | None:
    """By bisection: what arrives only shrinks."""
    arrives, entry = walk.flows[chain].arrives, walk.entries[chain].may
    rules = len(arrives) - 1
    first = bisect_left(
        range(rules), True, key=lambda number: not (arrives[number + 1] & entry).satisfiable()
    )
    return first if first < rules else None


def _lost_before(walk: Walk, lost: Lost, last: int) -> bool:
    """Whether it is a ban whose packets were let in above the rule that nothing gets past."""
    arriving = walk.flows[lost.chain.name].arrives[last]
    return lost.accepted.satisfiable() and not (walk.sent(lost.rule) & arriving).satisfiable()


def deeds(walk: Walk, lost: Lost, ending: str) -> str:
    """``line 9 accepts all of these packets first``. Where other rules take some of them before
    that, not all are said to be its own; to do the same, or what the lost rule would do, is no
    matter."""
    bases = walk.bases_of(lost.chain.name)
    entering = union([walk.entries[base.name].may for base in bases], walk.space.false)
    here = [taker for taker in lost.takers if id(taker) in walk.places]
    taken = union([walk.matched(taker) for taker in here], walk.space.false)
    rest = walk.sent(lost.rule) & entering & ~taken
    packets = f"all of these packets {ending}"
    if rest.satisfiable():
        kinds = {rule.verdict.kind for rule in (lost.rule, *lost.takers)}
        alike = [ends(walk)[base.name].end(kind) for base in bases for kind in kinds]
        otherwise = (rest & ~union(alike, walk.space.false)).satisfiable()
        packets = "all of these packets that get so far" if otherwise else f"these packets {ending}"
    return wording.deeds(lost.takers, packets, lambda rules: _elsewhere(walk, lost.chain, rules))


def _elsewhere(walk: Walk, chain: Chain, rules: Sequence[Rule]) -> str:
    """`` of web`` for rules that all are of another chain."""
    names = {walk.places[id(rule)].chain if id(rule) in walk.places else "" for rule in rules}
    name = names.pop()
    return f" of {name}" if name and not names and name != chain.name else ""


def labels(lost: Lost) -> tuple[Label, ...]:
    """Those that do something else before the others."""
    ending = "them here" if len(lost.takers) == 1 else "some of them here"
    return wording.labels(differing_first(lost), ending)


def differing_first(lost: Lost) -> list[Rule]:
    """The takers, in the order of the text, those that do something else before the others."""
    return sorted(lost.takers, key=lambda taker: taker.verdict.kind is lost.rule.verdict.kind)


def leading_to(walk: Walk, lost: Lost, taker: Rule) -> Rule | None:
    """The taker, or the call that leads to it, in the chain of the lost rule and above it."""
    if id(taker) not in walk.places:  # it is of another table
        return None
    chain, number = walk.place(lost.rule)
    before = walk.table.chains[chain].rules[:number]
    if walk.place(taker).chain == chain:
        return taker
    above = _above(walk, walk.place(taker).chain)
    return next((rule for rule in before if rule.verdict.chain in above), None)


def _above(walk: Walk, chain: str) -> set[str]:
    """The chain, and those from which calls lead to it."""
    pending, found = [chain], {chain}
    while pending:
        callers = {place.chain for place in walk.callers.get(pending.pop(), ())} - found
        found |= callers
        pending += callers
    return found


def message(cut: CutOff) -> str:
    what = wording.name(cut.by) if cut.by.verdict.chain else f"the {wording.name(cut.by)}"
    others = wording.counted(len(cut.lost) + cut.copies - 1, "other rule")
    return (
        f"nothing gets past line {wording.line(cut.by)}, {what}: this {cut.lost[0].name} and "
        f"{others} below, to line {wording.line(cut.last)}, never see a packet"
    )


def advice(cut: CutOff) -> str:
    return f"move what should count above line {wording.line(cut.by)}, and delete the rest"


def labels_of(cut: CutOff) -> tuple[Label, ...]:
    return (Label(cut.by.origin.span, "nothing gets past this"),)
