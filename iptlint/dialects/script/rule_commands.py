"""The commands of iptables that put rules into a chain, and take them out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from iptlint.dialects.iptables.lowering.line_checks import rule_number
from iptlint.dialects.script.iptables_execution import Execution, is_doubted
from iptlint.dialects.script.symbolic_text import is_known
from iptlint.dialects.script.tables import (
    ChainState,
    InsertRule,
    SetChain,
    TableChange,
    doubtful,
)
from iptlint.dialects.script.truths import is_doubt, opposite
from iptlint.model import Rule
from iptlint.model.matches import is_decided

MAX_POSSIBLE_COPIES = 8


def append(execution: Execution) -> Iterator[TableChange]:
    state = execution.chain_state()
    if state is None or not execution.target_exists():
        return
    copies = _possible_copies(execution, state)
    if copies > MAX_POSSIBLE_COPIES:
        return
    yield from _created(execution, state)
    rule = execution.rule()
    if copies == MAX_POSSIBLE_COPIES:
        rule = replace(rule, matches=(*_without_doubts(rule).matches, execution.perhaps()))
    yield InsertRule(execution.key, state.name, rule)


def _possible_copies(execution: Execution, state: ChainState) -> int:
    """How often the command has perhaps put the same rule there before, where it does so again.
    After a few times all that is known of the next is that it may be there."""
    if not (execution.doubt and execution.call.again):
        return 0
    new = _without_doubts(execution.rule())
    span = execution.call.span
    before = (rule for rule in state.rules if rule.origin.span == span and is_doubted(rule))
    return sum(_alike(_without_doubts(rule), new) for rule in before)


def insert(execution: Execution) -> Iterator[TableChange]:
    state = execution.chain_state()
    if state is None or not execution.target_exists():
        return
    number = _number(execution)
    if number is None:
        yield from _created(execution, state)
        yield from _insert_somewhere(execution, state)
        return
    index = state.index(number)
    if index and _is_shifted(state, index):
        yield from _insert_somewhere(execution, state)
        return
    if index is None and number != state.number(len(state.rules)) + 1:
        execution.report_no_rule(number, state)
        if not execution.failed:
            yield from _insert_somewhere(execution, state)
        return
    yield from _created(execution, state)
    yield InsertRule(execution.key, state.name, execution.rule(), index)


def replace_rule(execution: Execution) -> Iterator[TableChange]:
    state = execution.chain_state()
    if state is None or not execution.target_exists():
        return
    number = _number(execution)
    index = None if number is None else state.index(number)
    if number is None:
        yield execution.all_only_if(execution.perhaps(), execution.key, state)
        yield from _insert_somewhere(execution, state)
    elif index is None:
        execution.report_no_rule(number, state)
    elif _is_shifted(state, index):
        yield execution.only_if(execution.perhaps(), state, index)
        yield from _insert_somewhere(execution, state)
    elif execution.doubt:
        yield execution.only_if(opposite(execution.doubt), state, index)
        yield InsertRule(execution.key, state.name, execution.rule(), index)
    else:
        rules = (*state.rules[:index], execution.rule(), *state.rules[index + 1 :])
        yield SetChain(execution.key, state.name, replace(state, rules=rules))


def delete(execution: Execution) -> Iterator[TableChange]:
    state = execution.chain_state()
    if state is None:
        return
    if execution.shape.number is not None:
        yield from _delete_number(execution, state)
        return
    rule = execution.parsed.rule
    assert rule is not None
    if execution.parsed.unknown or not rule.read:
        yield execution.all_only_if(execution.perhaps(), execution.key, state)
        return
    fitting = [i for i, other in enumerate(state.rules) if _alike(_without_doubts(other), rule)]
    execution.failed = not fitting
    if fitting:
        yield _delete_first(execution, state, rule, fitting)


def _delete_first(
    execution: Execution, state: ChainState, rule: Rule, fitting: Sequence[int]
) -> TableChange:
    """The first of them that is there."""
    plain = [index for index in fitting if _alike(state.rules[index], rule)]
    first = fitting[0]
    if plain[:1] == [first] or (len(fitting) == 1 and _alike(_certain(state.rules[first]), rule)):
        return _without(execution, state, first)
    last = plain[0] if plain else fitting[-1]
    candidates = [index for index in fitting if index <= last]
    return execution.only_if(execution.perhaps(), state, *candidates)


def check(execution: Execution) -> Iterator[TableChange]:
    """Fails where there is no such rule; asks, and changes nothing."""
    state = execution.chains.get(execution.chain or "")
    rule = execution.parsed.rule
    rules = () if state is None else state.rules
    execution.failed = rule is None or not any(_alike(other, rule) for other in rules)
    execution.diagnostics.clear()
    return iter(())


def _created(execution: Execution, state: ChainState) -> Iterator[TableChange]:
    if state.name not in execution.chains:
        yield SetChain(execution.key, state.name, state)


def _insert_somewhere(execution: Execution, state: ChainState) -> Iterator[TableChange]:
    """Somewhere in the chain: before all the others it may do what it does."""
    rule = doubtful(execution.rule(), execution.perhaps())
    yield InsertRule(execution.key, state.name, rule, 0)


def _number(execution: Execution) -> int | None:
    """The place that is given, from 1 on; None where it is not known."""
    text = execution.parsed.text(execution.shape.number, execution.call.words)
    if text is None:
        return 1
    if not is_known(text):
        return None
    return rule_number(text)


def _delete_number(execution: Execution, state: ChainState) -> Iterator[TableChange]:
    number = _number(execution)
    index = None if number is None else state.index(number)
    if number is None:
        yield execution.all_only_if(execution.perhaps(), execution.key, state)
    elif index is None:
        execution.report_no_rule(number, state)
    elif _is_shifted(state, index) or state.rules[index].copies > 1:
        yield execution.only_if(execution.perhaps(), state, *range(index, len(state.rules)))
    else:
        yield _without(execution, state, index)


def _without(execution: Execution, state: ChainState, index: int) -> TableChange:
    if execution.doubt:
        return execution.only_if(opposite(execution.doubt), state, index)
    rules = state.rules[:index] + state.rules[index + 1 :]
    return SetChain(execution.key, state.name, replace(state, rules=rules))


def _is_shifted(state: ChainState, index: int) -> bool:
    """Whether the number may be that of another rule, for one before it may not be there."""
    return any(is_doubted(rule) for rule in state.rules[:index])


def _alike(one: Rule, other: Rule) -> bool:
    return one.read == other.read and (one.matches, one.verdict, one.effects, one.comment) == (
        other.matches,
        other.verdict,
        other.effects,
        other.comment,
    )


def _certain(rule: Rule) -> Rule:
    """The rule without the conditions that it is there under."""
    return replace(rule, matches=tuple(m for m in rule.matches if not is_decided(m)))


def _without_doubts(rule: Rule) -> Rule:
    return replace(rule, matches=tuple(m for m in rule.matches if not is_doubt(m)))
