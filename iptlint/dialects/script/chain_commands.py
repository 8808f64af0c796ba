"""The commands of iptables that make chains, empty them, and set their policies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from iptlint.dialects.iptables.lowering.tables import ACCEPT, BUILT_IN, DROP
from iptlint.dialects.script.iptables_execution import Execution
from iptlint.dialects.script.symbolic_text import is_known
from iptlint.dialects.script.tables import (
    ChainState,
    OnlyKnown,
    SetChain,
    SpanOrigin,
    TableChange,
)
from iptlint.dialects.script.truths import opposite
from iptlint.model import Rule, Verdict


def flush(execution: Execution) -> Iterator[TableChange]:
    if execution.chain is not None and execution.chain not in execution.chains:
        execution.failed = True
        return
    every = tuple(execution.chains.values())
    for state in every if execution.chain is None else (execution.chains[execution.chain],):
        if state.rules and execution.doubt:
            yield execution.all_only_if(opposite(execution.doubt), execution.key, state)
        elif not execution.doubt and (state.rules or not state.emptied):
            emptied = replace(state, rules=(), emptied=True)
            yield SetChain(execution.key, state.name, emptied)


def new_chain(execution: Execution) -> Iterator[TableChange]:
    assert execution.chain is not None
    known = execution.chains.get(execution.chain)
    named = (execution.key, execution.chain)
    if execution.diagnostics and known is None:
        execution.tool.refused[named] = execution.call.span
    else:
        execution.tool.created.add(named)
    if execution.diagnostics or (known is not None and known.made):
        execution.failed = True
        if known is not None and known.origin is not None:
            execution.why = (
                f"there is a chain {known.name} already: this command fails",
                "delete the line, or empty the chain (-F) where it is there",
            )
        return
    execution.tool.refused.pop(named, None)
    origin = SpanOrigin(execution.call.span)
    state = known or ChainState(execution.chain, emptied=True)
    yield SetChain(execution.key, execution.chain, replace(state, origin=origin, made=True))


def delete_chain(execution: Execution) -> Iterator[TableChange]:
    """One that others jump to stays, and so does one with rules in it."""
    called = {rule.verdict.chain for s in execution.chains.values() for rule in s.rules}
    names = [execution.chain] if execution.chain is not None else [*execution.chains]
    for name in names:
        state = execution.chains.get(name)
        if state is None or name in BUILT_IN[execution.table] or state.rules or name in called:
            execution.failed |= execution.chain is not None
            if state is not None and state.origin is not None and execution.chain is not None:
                what = "has rules" if state.rules else "is called by a rule"
                execution.why = (
                    f"chain {name} {what}, so it stays: this command fails",
                    "empty it with -F, and delete what jumps to it, before",
                )
        elif execution.doubt is None:
            yield SetChain(execution.key, name, None)
    if execution.chain is None and execution.doubt is None:
        yield OnlyKnown(execution.key)


def rename(execution: Execution) -> Iterator[TableChange]:
    """Jumps follow: the kernel keeps them by chain, not by name."""
    old = execution.chain
    new = execution.parsed.text(execution.shape.new_name, execution.call.words)
    assert old is not None
    assert new is not None
    state = execution.chains.get(old)
    if state is None or new in execution.chains or old in BUILT_IN[execution.table]:
        execution.failed = True
        return
    yield SetChain(execution.key, old, None)
    yield SetChain(
        execution.key, new, replace(state, name=new, rules=_renamed(state.rules, old, new))
    )
    for other in execution.chains.values():
        if other is not state and any(rule.verdict.chain == old for rule in other.rules):
            rules = _renamed(other.rules, old, new)
            yield SetChain(execution.key, other.name, replace(other, rules=rules))


def set_policy(execution: Execution) -> Iterator[TableChange]:
    text = execution.parsed.text(execution.shape.policy, execution.call.words) or ""
    state = execution.chains.get(execution.chain or "")
    if state is None or state.name not in BUILT_IN[execution.table]:
        execution.failed = True
        return
    policy = {"ACCEPT": ACCEPT, "DROP": DROP}.get(text)
    if not is_known(text):
        yield execution.open_policy(state)
    elif policy is None or execution.diagnostics:
        execution.failed = True
    elif execution.doubt:
        last = Rule(SpanOrigin(execution.call.span), (execution.doubt,), policy, is_policy=True)
        yield SetChain(execution.key, state.name, replace(state, tail=(last, *state.tail)))
    else:
        origin = SpanOrigin(execution.call.span)
        changed = replace(state, policy=policy, tail=(), origin=origin)
        yield SetChain(execution.key, state.name, changed)


def list_rules(execution: Execution) -> Iterator[TableChange]:
    """-L and -S fail where there is no such chain."""
    execution.failed = execution.chain is not None and execution.chain not in execution.chains
    return iter(())


def _renamed(rules: tuple[Rule, ...], old: str, new: str) -> tuple[Rule, ...]:
    def follow(verdict: Verdict) -> Verdict:
        return replace(verdict, name=new, chain=new) if verdict.chain == old else verdict

    return tuple(replace(rule, verdict=follow(rule.verdict)) for rule in rules)
