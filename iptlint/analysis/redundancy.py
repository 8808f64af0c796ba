"""Rules that could go: later rules of the same chain decide the same for all their packets.

The packets a rule was written for are followed down its chain. They have to meet nothing
but rules of the same verdict: a log, a mark, a counter, a limit, a call or a RETURN on the
way would be something new for them. Neither the policy nor a closing rule that takes
everything stands in for a rule; they are there for what nobody named.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.at_a_glance import are_apart_by
from iptlint.analysis.blockers import Blocker, needed
from iptlint.model import Rule, VerdictKind
from iptlint.model.kinds import kinds
from iptlint.model.ownership import is_called_from_outside
from iptlint.netfilter.chain_flow import ChainFlow
from iptlint.netfilter.table_analysis import TableAnalysis

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


_SHORT = 64


class Redundant(NamedTuple):
    """A rule, and the later rules that decide the same for its packets."""

    rule: Rule
    later: tuple[Rule, ...]


def needless(
    analysis: TableAnalysis, wanted: Callable[[Rule], bool], dead: Container[Rule]
) -> Iterator[Redundant]:
    """The rules, of those ``wanted``, that packets reach and that change no decision.

    ``dead``: the rules that no packet reaches; they may go too, so they do not stand
    in for another.
    """
    for flow in analysis.flows.values():
        chain = _Chain(analysis, flow, dead)
        numbers = chain.perhaps_needless()
        for number in chain.not_hindered(numbers):
            rule = flow.chain.rules[number]
            if wanted(rule):
                later = chain.deciding_instead(number)
                if later and not is_called_from_outside(analysis.calls, flow.chain.name):
                    yield Redundant(rule, later)


class _Chain:
    def __init__(self, analysis: TableAnalysis, flow: ChainFlow, dead: Container[Rule]) -> None:
        self.analysis = analysis
        self.flow = flow
        self.dead = dead

    def perhaps_needless(self) -> Sequence[int]:
        """The rules that would be if no other rule stood between."""
        rules = self.flow.chain.rules
        if len(rules) <= _SHORT and are_apart_by(rules, _plain_decision):
            return ()
        decisions: list[object] = [None] * len(rules)
        for kind in kinds(self.flow.chain):
            if _is_plain(kind.first):
                decision = _decision(kind.first)
                for number in kind.numbers:
                    if rules[number] not in self.dead and self.flow.is_certain(number):
                        decisions[number] = decision
        if not self.flow.is_long and not self._some_meet(decisions):
            return ()
        entering = self.analysis.entries[self.flow.chain.name].intended
        return [*self.flow.perhaps_covered(decisions, entering)]

    def not_hindered(self, numbers: Sequence[int]) -> Iterator[int]:
        """Those of the rules of which it is not seen that something new comes next for some of
        their packets."""
        if numbers:
            entering = self.analysis.entries[self.flow.chain.name].intended
            following, rules = self.flow.first_sharing(numbers, entering), self.flow.chain.rules
            for number in numbers:
                first = following.get(number)
                if first is None or self._same(rules[number], first):
                    yield number

    def _some_meet(self, decisions: Sequence[object]) -> bool:
        """Whether two rules of one decision may take the same packet: so cheap to tell of a short
        chain that most need not be asked who enters them."""
        if len([decision for decision in decisions if decision is not None]) < 2:
            return False
        taken: dict[object, PacketSet] = {}
        for decision, tests in zip(decisions, self.flow.tests, strict=True):
            if decision is not None:
                before = taken.get(decision, self.flow.space.false)
                if (before & tests.may).satisfiable():
                    return True
                taken[decision] = before | tests.may
        return False

    def decides(self, number: int) -> bool:
        """Whether the rule decides for certain, about packets that it names."""
        return _is_plain(self.flow.chain.rules[number]) and self.flow.is_certain(number)

    def deciding_instead(self, number: int) -> tuple[Rule, ...]:
        """The later rules that decide the same for all that is sent to the rule, earlier rules
        or not (so several rules may go together); none where some packet fares otherwise."""
        rules = self.flow.chain.rules
        packets = self.analysis.intended(rules[number])
        meant, deciders = packets, list[Blocker]()
        other = number
        while packets.satisfiable():
            following = self.flow.first_for(packets, other + 1)
            if following is None or not self._same(rules[number], following):
                return ()
            other = following
            deciders.append(Blocker(rules[other], self.flow.tests[other].may))
            packets = packets & ~self.flow.tests[other].may
        return tuple(taker.rule for taker in needed(deciders, meant))

    def _same(self, rule: Rule, number: int) -> bool:
        other = self.flow.chain.rules[number]
        same = _decision(other) == _decision(rule)
        return same and self.decides(number) and other not in self.dead


def _plain_decision(rule: Rule) -> Hashable | None:
    return _decision(rule) if _is_plain(rule) else None


def _is_plain(rule: Rule) -> bool:
    return rule.verdict.kind.decides and not rule.effects and bool(rule.matches)


def _decision(rule: Rule) -> tuple[VerdictKind, str]:
    """The verdict; of a REJECT, also what it answers."""
    return rule.verdict.kind, rule.verdict.options
