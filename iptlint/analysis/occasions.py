"""Which of several times a command of a script made a rule, and what became of refused commands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
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
    others = _together(analysis).get(rule.origin.span, ())
    if not rule.occasions or len(others) < 2:
        return ""
    known = [text for n, text in enumerate(rule.occasions) if _tells(n, text, others)]
    return " and ".join((*known[:1], *(text.removeprefix("in ") for text in known[1:])))


def _tells(number: int, text: str, others: Sequence[Rule]) -> bool:
    return any(other.occasions[number : number + 1] != (text,) for other in others)


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
