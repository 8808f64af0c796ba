"""What ``reach`` leaves out, so that a witness of it may fail: each gap is a test of its own.

``test_regressions`` has a test of every gap that fails as long as the gap is there; then its
function here has to go too, and the judge becomes stricter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from iptlint.model import AnyOf, Chain, EffectKind, Match, Rule
from iptlint.netfilter.reach import RuleReach
from iptlint.netfilter.stack import Stack
from iptlint.netfilter.walk import Walk
from iptlint.packets.matcher import changed_on_the_way
from tests.kernel.trial import Trial
from tests.kernel.wire import is_fragment

_CHANGING = (EffectKind.WRITE, EffectKind.NOTRACK)


@dataclass(frozen=True)
class Surroundings:
    """By the line of a rule: ``hooks`` that send packets to its chain; ``changing``: the rules
    that change packets; ``behind_chance``: those behind another table that is not certain."""

    hooks: dict[int, frozenset[str]]
    changing: frozenset[int]
    behind_chance: frozenset[int]

    @classmethod
    def of(cls, stack: Stack) -> Surroundings:
        hooks, changing, behind = {}, set(), set()
        for walk in stack.walks():
            for chain, rule in walk.table.rules():
                line = rule.statement.span.line
                hooks[line] = frozenset(hook.value for hook in walk.hooks_of(chain.name))
                if any(effect.kind in _CHANGING for effect in rule.effects):
                    changing.add(line)
                if any(_is_behind_chance(walk, base) for base in walk.bases_of(chain.name)):
                    behind.add(line)
        return cls(hooks, frozenset(changing), frozenset(behind))


def _is_behind_chance(walk: Walk, base: Chain) -> bool:
    flows = (flow for station in walk.before(base) for flow in station.walk.flows.values())
    return any(tests.may is not tests.sure for flow in flows for tests in flow.tests)


def gap(answer: RuleReach, trial: Trial, around: Surroundings) -> str | None:
    """Why the witness may not have matched; None where it should have."""
    assert answer.witness is not None
    hook = str(answer.witness.hook)
    if _asks_for_what_is_written(answer):
        return "a rule asks for what its own table writes"
    if hook == "prerouting" and "input" in around.hooks[answer.line]:
        return "a chain is called from prerouting and input, and the witness is one of either"
    if hook in ("input", "forward") and hook not in trial.hooks:
        return "a packet is stopped at an earlier hook"
    if _changed_before(answer, hook, trial, around):
        return "a packet is changed at an earlier hook, or by an earlier table of the hook"
    if is_fragment(answer.witness):
        return "a later fragment: nft reads its ports all the same, or defragments without need"
    if answer.line in around.behind_chance:
        return "a packet passes an earlier table of the hook by chance only"
    return None


def _changed_before(answer: RuleReach, hook: str, trial: Trial, around: Surroundings) -> bool:
    own = {rule.statement.span.line for _, rule in answer.table.rules()}
    changers = trial.moved & around.changing
    return any(hook not in around.hooks[line] or line not in own for line in changers)


def _asks_for_what_is_written(answer: RuleReach) -> bool:
    written = changed_on_the_way(rule for _, rule in answer.table.rules()).fields
    asked = {getattr(test, "field", None) for test in tests_within(_parts(answer))}
    return bool(asked & written)


def _parts(answer: RuleReach) -> Iterator[Match]:
    """The tests of the rule as written, whichever part of it answers."""
    same: Iterator[Rule] = (r for r in answer.chain.rules if r.statement is answer.rule.statement)
    return (match for rule in same for match in rule.matches)


def tests_within(matches: Iterable[Match]) -> Iterator[Match]:
    """The tests, with those of alternatives."""
    for match in matches:
        yield match
        if isinstance(match, AnyOf):
            for alternative in match.alternatives:
                yield from tests_within(alternative)
