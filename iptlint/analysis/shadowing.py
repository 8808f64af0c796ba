"""Which rules are dead, which rules take their packets, and which are copies of others."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from iptlint.analysis import duplicates
from iptlint.analysis.before_conntrack import untestable_state
from iptlint.analysis.blockers import blockers
from iptlint.analysis.reach import Reason, why_unmatched
from iptlint.memo import memo
from iptlint.model import Chain, Field, Interface, Masked, Match, Rule, VerdictKind, Within
from iptlint.model.ownership import DOCKER_USER, is_called_from_outside
from iptlint.model.verdicts import CONTINUE
from iptlint.netfilter.base_chain import BaseChain
from iptlint.netfilter.table_analysis import TableAnalysis
from iptlint.packets.bdd import union
from iptlint.source import Span

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


_GENERAL = (Field.PROTO, Field.CT_STATE, Field.TCP_FLAGS, Field.FRAGMENT, Field.PKTTYPE)


@dataclass(frozen=True, slots=True)
class Dead:
    """``span``: where a finding points. ``mixed``: it stands for parts with several verdicts."""

    chain: Chain
    rule: Rule
    reason: Reason
    span: Span
    mixed: bool = False


@memo
def dead_rules(analysis: TableAnalysis) -> tuple[Dead, ...]:
    """The rules that no packet can match, of the chains that packets enter: where none does,
    the fault is with the calls. Where all parts of a statement are dead, the last stands for
    them."""
    unmatched: list[Dead] = []
    for chain in analysis.table.chains.values():
        if not dead_in(analysis, chain):
            continue
        for parts in chain.statements():
            dead = [part for rule in parts if (part := _dead_parts(analysis).get(rule))]
            unmatched += dead if len(dead) < len(parts) else _as_one(dead)
    return tuple(unmatched)


def _as_one(parts: Sequence[Dead]) -> Iterator[Dead]:
    last = parts[-1]
    verdicts = {dead.rule.verdict for dead in parts} - {CONTINUE}
    yield replace(last, span=last.rule.statement.span, mixed=len(verdicts) > 1)


@memo
def _dead_parts(analysis: TableAnalysis) -> dict[Rule, Dead]:
    return {
        rule: Dead(chain, rule, why_unmatched(analysis, rule), rule.origin.span)
        for name, chain in analysis.table.chains.items()
        if analysis.entries[name].is_reachable
        if not is_called_from_outside(analysis.calls, name)
        for rule in analysis.unmatched(chain)
        if not rule.is_policy
    }


@memo
def _dead_by_chain(analysis: TableAnalysis) -> dict[str, list[Dead]]:
    by_chain: dict[str, list[Dead]] = {}
    for dead in _dead_parts(analysis).values():
        by_chain.setdefault(dead.chain.name, []).append(dead)
    return by_chain


def dead_in(analysis: TableAnalysis, chain: Chain) -> list[Dead]:
    return _dead_by_chain(analysis).get(chain.name, [])


@memo
def unmatched_rules(analysis: TableAnalysis) -> frozenset[Rule]:
    """The rules of ``dead_rules``, all dead parts of a statement among them."""
    return frozenset(_dead_parts(analysis))


@memo
def copies(analysis: TableAnalysis) -> tuple[tuple[Rule, ...], ...]:
    """Rules that are the same one, two or more each time."""
    return tuple(duplicates.duplicates(analysis))


@memo
def later_copies(analysis: TableAnalysis) -> frozenset[Rule]:
    """The copies that follow their like."""
    return frozenset(rule for rules in copies(analysis) for rule in rules[1:])


@dataclass(frozen=True, slots=True)
class Earlier:
    """A base chain with its table's name."""

    table: str
    chain: Chain


@dataclass(frozen=True, slots=True, eq=False)
class Shadowed:
    """A rule all of whose packets the ``blockers`` take first.

    ``differs``: some packet that it was for gets another verdict. ``is_lost_to_accepts``: it is a
    ban, and all that takes its packets accepts. ``policy``: of a base chain at the same hook that
    denies some of its packets before.
    """

    dead: Dead
    blockers: tuple[Rule, ...]
    differs: bool
    is_lost_to_accepts: bool
    policy: Earlier | None = None

    @property
    def chain(self) -> Chain:
        return self.dead.chain

    @property
    def rule(self) -> Rule:
        return self.dead.rule

    @property
    def span(self) -> Span:
        return self.dead.span

    @property
    def is_whole(self) -> bool:
        """Whether all of its statement is lost."""
        return self.rule.whole is None or self.span == self.rule.statement.span


def is_lost_each_time(analysis: TableAnalysis, shadowed: Shadowed) -> bool:
    """Whether all rules that its command makes are lost to the same ones."""
    dead = _dead_parts(analysis)
    made = _by_command(analysis)[shadowed.rule.origin.span]
    if len(made) > _MADE or not all(r in dead and dead[r].reason is Reason.TAKEN for r in made):
        return False
    return all(blockers(analysis, rule) == shadowed.blockers for rule in made)


@memo
def _by_command(analysis: TableAnalysis) -> Mapping[Span, list[Rule]]:
    rules: dict[Span, list[Rule]] = {}
    for _, _, rule in analysis.ruleset.rules():
        rules.setdefault(rule.origin.span, []).append(rule)
    return rules


_MADE = 64
"""Of more rules that one command makes nobody wants to know."""


@memo
def shadowed_rules(analysis: TableAnalysis) -> tuple[Shadowed, ...]:
    """The rules that earlier ones left nothing to; copies, jumps to nowhere, and those that could
    only match where connections are known, left out."""
    return tuple(
        _lost(analysis, dead)
        for dead in dead_rules(analysis)
        if dead.reason is Reason.TAKEN
        and dead.rule not in later_copies(analysis)
        and not _undefined(analysis, dead.rule)
        and untestable_state(analysis, dead.rule) is None
        and not any(dead.rule is rule for rule in behind_return(dead.chain))
    )


def behind_return(chain: Chain) -> tuple[Rule, ...]:
    """Of DOCKER-USER, the RETURN for every packet with which docker closes it, and the rules
    behind. Empty for other chains, and where nothing is behind."""
    if chain.name != DOCKER_USER:
        return ()
    closing = [n for n, rule in enumerate(chain.rules) if _returns_all(rule)]
    behind = chain.rules[closing[0] + 1 :] if closing else ()
    behind = tuple(rule for rule in behind if not _returns_all(rule))
    return (chain.rules[closing[0]], *behind) if behind else ()


def _returns_all(rule: Rule) -> bool:
    return rule.verdict.kind is VerdictKind.RETURN and not rule.matches


def _undefined(analysis: TableAnalysis, rule: Rule) -> bool:
    return rule.verdict.chain is not None and rule.verdict.chain not in analysis.table.chains


def _lost(analysis: TableAnalysis, dead: Dead) -> Shadowed:
    blocking = blockers(analysis, dead.rule)
    policy = _denying_policy(analysis, dead)
    if policy is not None:  # a rule that sees no packet either takes none away
        blocking = tuple(each for each in blocking if _is_met(analysis, each)) or blocking
    differs = not all(_same(analysis, dead.rule, taker) for taker in blocking)
    differs = differs or (policy is not None and not dead.rule.verdict.kind.denies)
    accepting = {taker.verdict.kind for taker in blocking} == {VerdictKind.ACCEPT}
    return Shadowed(dead, blocking, differs, accepting and is_ban(dead.rule), policy)


def _is_met(analysis: TableAnalysis, taker: Rule) -> bool:
    return taker not in analysis.places or analysis.is_matched(taker)


def _denying_policy(analysis: TableAnalysis, dead: Dead) -> Earlier | None:
    """That of a base chain before the rule's, which denies what no rule of it is for."""
    name = dead.chain.name
    if analysis.entries[name].intended == analysis.entries[name].reachable:
        return None
    for base in analysis.calls.bases_of(name):
        for earlier in analysis.before(base):
            policy = earlier.chain.policy
            if policy is None or not policy.kind.denies:
                continue
            meant = analysis.intended(dead.rule) & analysis.base_packets(base)
            returning = earlier.analysis.flows[earlier.chain.name].returns
            if (meant & returning & ~earlier.surviving(meant)).satisfiable():
                return Earlier(earlier.analysis.table.name, earlier.chain)
    return None


def _same(analysis: TableAnalysis, rule: Rule, taker: Rule) -> bool:
    place = analysis.places.get(taker)  # none where it is of a table asked before
    if place and taker.verdict.kind.terminates and place.chain == rule.verdict.chain:
        return True  # another jump leads the packets to where this one would
    if rule.verdict.kind is VerdictKind.RETURN:
        same_chain = place is not None and analysis.place(rule).chain == place.chain
        return same_chain and taker.verdict.kind is VerdictKind.RETURN
    if rule.verdict.kind is VerdictKind.QUEUE:  # each queue has its own reader
        return rule.verdict == taker.verdict
    if rule.verdict.kind.terminates and rule.verdict.kind is not VerdictKind.NAT:
        return rule.verdict.kind is taker.verdict.kind
    return rule.verdict == taker.verdict and rule.verdict.kind.terminates


def may_end_in(
    analysis: TableAnalysis, base: Chain, kind: VerdictKind, packets: PacketSet
) -> PacketSet:
    """Those of the packets that may end so in the base chain."""
    return base_chain(analysis, base).ends_of(packets).get(kind, analysis.space.false)


class Elsewhere(Enum):
    """What becomes of those of a lost rule's packets that none of its blockers takes: there are
    none, they end as with one of these, or as with the rule; or some do not."""

    NOTHING = "nothing"
    ALIKE = "alike"
    OTHERWISE = "otherwise"


def elsewhere(analysis: TableAnalysis, shadowed: Shadowed) -> Elsewhere:
    name, kinds = shadowed.chain.name, {shadowed.rule.verdict.kind}
    kinds |= {blocker.verdict.kind for blocker in shadowed.blockers}
    bases = analysis.calls.bases_of(name)
    entering = [analysis.entries[base.name].reachable for base in bases]
    meant = analysis.intended(shadowed.rule) & union(entering, analysis.space.false)
    taker = _taker_at_sight(analysis, shadowed)
    if taker is not None:  # what it takes itself ends alike
        if base_chain(analysis, shadowed.chain).some_end_otherwise(kinds, meant):
            return Elsewhere.OTHERWISE
        before = analysis.flows[name].some_taken_before(taker, meant)
        return Elsewhere.ALIKE if before else Elsewhere.NOTHING
    takers = [taker for taker in shadowed.blockers if taker in analysis.places]
    taken = [analysis.matched(taker, meant) for taker in takers]
    rest = meant & ~union(taken, analysis.space.false)
    if not rest.satisfiable():
        return Elsewhere.NOTHING
    alike = [may_end_in(analysis, base, kind, rest) for base in bases for kind in kinds]
    otherwise = (rest & ~union(alike, analysis.space.false)).satisfiable()
    return Elsewhere.OTHERWISE if otherwise else Elsewhere.ALIKE


def _taker_at_sight(analysis: TableAnalysis, shadowed: Shadowed) -> int | None:
    """The number of the one rule that blocks, where it is seen what it does."""
    (first, *others) = shadowed.blockers
    seen = not others and are_at_sight(analysis, shadowed, shadowed.blockers)
    return analysis.place(first).number if seen else None


def differs_at_sight(analysis: TableAnalysis, shadowed: Shadowed, takers: Collection[Rule]) -> bool:
    """Whether it is seen that each packet which one of the takers gets ends otherwise than the rule
    meant it to."""
    kind = shadowed.rule.verdict.kind
    others = all(taker.verdict.kind is not kind for taker in takers)
    return others and kind.terminates and are_at_sight(analysis, shadowed, takers)


def are_at_sight(analysis: TableAnalysis, shadowed: Shadowed, takers: Collection[Rule]) -> bool:
    """Whether the takers stand in the same base chain and end the way of packets, which alone
    decide what becomes of them."""
    name = shadowed.chain.name
    if shadowed.chain.hook is None or not analysis.flows[name].decides_at_sight:
        return False
    return all(
        taker.verdict.kind.terminates
        and taker in analysis.places
        and analysis.place(taker).chain == name
        for taker in takers
    )


@memo
def base_chain(analysis: TableAnalysis, base: Chain) -> BaseChain:
    return BaseChain.of(analysis, base)


def is_ban(rule: Rule) -> bool:
    """Whether a DROP or REJECT is for someone or something. One that closes a chain, or an
    interface, or a protocol is not: the accepts above it are its exceptions."""
    return rule.verdict.kind.denies and not all(map(_is_general, rule.matches))


def _is_general(match: Match) -> bool:
    match match:
        case Interface():
            return True
        case Within(field) | Masked(field):
            return field in _GENERAL
        case _:
            return False
