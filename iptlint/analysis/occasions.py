"""Which of several times a command of a script made a rule, and what became of refused commands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from itertools import pairwise

from iptlint.memo import memo
from iptlint.model import Rule, Ruleset
from iptlint.netfilter.table_analysis import TableAnalysis
from iptlint.source import Span

_NAMES_A_CHAIN = frozenset(
    {"-j", "--jump", "-g", "--goto", "-A", "--append", "-I", "--insert", "-R", "--replace"}
)


def occasion(analysis: TableAnalysis, rule: Rule) -> str:
    """``in round 2 (i=443)``: what tells the rule from others that the same command made; empty
    where there is none."""
    if not rule.occasions:
        return ""
    telling = _telling(analysis)[rule.origin.span]
    known = [text for n, text in enumerate(rule.occasions) if n in telling]
    return " and ".join((*known[:1], *(text.removeprefix("in ") for text in known[1:])))


@memo
def _telling(analysis: TableAnalysis) -> Mapping[Span, frozenset[int]]:
    """For each command the places in their occasions by which its rules are not all alike."""
    return {
        span: frozenset(
            number
            for number in range(max(len(rule.occasions) for rule in rules))
            if len({rule.occasions[number : number + 1] for rule in rules}) > 1
        )
        for span, rules in _together(analysis).items()
    }


@memo
def _together(analysis: TableAnalysis) -> dict[Span, list[Rule]]:
    """The rules that one command made, where it was carried out several times."""
    rules: dict[Span, list[Rule]] = defaultdict(list)
    for _, _, rule in analysis.ruleset.rules():
        if rule.occasions:
            rules[rule.origin.span].append(rule)
    return rules


def is_refused(ruleset: Ruleset, chain: str) -> bool:
    """Whether a command of a script failed that was to call the chain, or to put a rule into it:
    that it is not called, or is empty, is no fault of its own then."""
    return chain in _refused(ruleset)


@memo
def _refused(ruleset: Ruleset) -> frozenset[str]:
    """The chains that commands name which failed."""
    steps = () if ruleset.script is None else ruleset.script.steps
    failed = (step for step in steps if step.failed)
    return frozenset(b for step in failed for a, b in pairwise(step.words) if a in _NAMES_A_CHAIN)
