"""The commands of iptables that put rules into a chain, and take them out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from iptlint.dialects.script.iptables_execution import Execution, is_doubt, is_doubted
from iptlint.dialects.script.symbolic_text import is_known, shown
from iptlint.dialects.script.tables import (
    ChainState,
    InsertRule,
    SetChain,
    TableChange,
    doubt,
    doubtful,
)
from iptlint.model import Rule


def append(execution: Execution) -> Iterator[TableChange]:
    state = execution.chain_state()
    if state is not None and execution.target_exists():
        yield from _created(execution, state)
        yield InsertRule(execution.key, state.name, execution.rule())


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
    if index is None and number != state.number(len(state.rules)) + 1:
        execution.report_no_rule(number, state)
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
        yield execution.doubt_all(execution.key, state)
        yield from _insert_somewhere(execution, state)
    elif index is None:
        execution.report_no_rule(number, state)
    elif execution.doubt or _is_shifted(execution, state, index):
        yield execution.doubt_rules(state, index)
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
        yield execution.doubt_all(execution.key, state)
        return
    index = next((i for i, other in enumerate(state.rules) if _alike(other, rule)), None)
    if index is not None:
        yield _without(execution, state, index)
        return
    maybe = [i for i, other in enumerate(state.rules) if _alike(_certain(other), rule)]
    execution.failed = not maybe
    if maybe:
        yield execution.doubt_rules(state, *maybe)


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
    rule = doubtful(execution.rule(), doubt(shown(execution.generated.source.text)))
    yield InsertRule(execution.key, state.name, rule, 0)


def _number(execution: Execution) -> int | None:
    """The place that is given, from 1 on; None where it is not known."""
    text = execution.parsed.text(execution.shape.number, execution.call.words)
    if text is None:
        return 1
    if not is_known(text):
        return None
    return int(text, 16 if text.lower().startswith("0x") else 10)


def _delete_number(execution: Execution, state: ChainState) -> Iterator[TableChange]:
    number = _number(execution)
    index = None if number is None else state.index(number)
    if number is None:
        yield execution.doubt_all(execution.key, state)
    elif index is None:
        execution.report_no_rule(number, state)
    elif _is_shifted(execution, state, index) or state.rules[index].copies > 1:
        yield execution.doubt_rules(state, *range(index, len(state.rules)))
    else:
        yield _without(execution, state, index)


def _without(execution: Execution, state: ChainState, index: int) -> TableChange:
    if execution.doubt:
        return execution.doubt_rules(state, index)
    rules = state.rules[:index] + state.rules[index + 1 :]
    return SetChain(execution.key, state.name, replace(state, rules=rules))


def _is_shifted(execution: Execution, state: ChainState, index: int) -> bool:
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
    """The rule without what says that it may not be there."""
    return replace(rule, matches=tuple(m for m in rule.matches if not is_doubt(m)))
