"""`reach` against the naive oracle: the same dead rules, the same conditional ones.

A failure prints the ruleset, the disputed lines, and the packet the oracle says gets there.
"""

from __future__ import annotations

import pytest

import iptlint
from tests.oracle.generate import Family, RandomRuleset, Rule, random_ruleset
from tests.oracle.interpret import Judgement, judge
from tests.parts import Part

SEEDS_OF_A_BLOCK = 25
BLOCKS: list[tuple[Family, int]] = [
    *(("ip", block) for block in range(24)),
    *(("ip6", block) for block in range(6)),
]


def statuses_by_line(text: str) -> dict[int, str]:
    """What the product says: reachable, conditional or dead for the rule of each line.

    The only place of this test that knows the product's API.
    """
    answers = iptlint.reach(iptlint.read(text))
    return {answer.line: getattr(answer.status, "value", answer.status) for answer in answers}


@pytest.mark.parametrize(("family", "block"), BLOCKS)
def test_same_as_the_oracle(family: Family, block: int, part: Part) -> None:
    first = block * SEEDS_OF_A_BLOCK
    seeds = part.of(range(first, first + SEEDS_OF_A_BLOCK), 8)
    disputes = [dispute for seed in seeds for dispute in disputes_of(seed, family)]
    assert not disputes, f"{len(disputes)} disputed rulesets, the first:\n{disputes[0]}"


def disputes_of(seed: int, family: Family) -> list[str]:
    """Nothing, or one text that tells what is disputed about this ruleset."""
    ruleset = random_ruleset(seed, family=family)
    said = statuses_by_line(ruleset.text)
    judged = judge(ruleset).rules
    wrong = {
        rule: said.get(ruleset.line_of(rule), "nothing")
        for rule, judgement in judged.items()
        if said.get(ruleset.line_of(rule)) != judgement.status
    }
    extra = said.keys() - {ruleset.line_of(rule) for rule in judged}
    if not wrong and not extra:
        return []
    claims = [_dispute(ruleset, rule, saying, judged[rule]) for rule, saying in wrong.items()]
    claims += [f"line {line}: there is no rule" for line in sorted(extra)]
    return ["\n".join([*_numbered(ruleset, wrong), f"{family} seed {seed}", *claims])]


def _numbered(ruleset: RandomRuleset, wrong: dict[Rule, str]) -> list[str]:
    disputed = {ruleset.line_of(rule) for rule in wrong}
    return [
        f"{'>>' if number in disputed else '  '} {number:3} {line}"
        for number, line in enumerate(ruleset.lines, 1)
    ]


def _dispute(ruleset: RandomRuleset, rule: Rule, saying: str, judgement: Judgement) -> str:
    packet = judgement.sure_witness or judgement.witness or "no packet"
    line = ruleset.line_of(rule)
    return f"line {line}: product says {saying}, oracle {judgement.status}: {packet}"
