"""The least change of a text after which a test holds: looked for among simple edits, and proved.

Nothing is proposed that has not been read again and judged. An edit above the line that decides
concerns only the packets of the test; taking that line out may concern more, so it comes second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from iptlint.analysis.session import Context
from iptlint.findings.phrases import counted
from iptlint.model import Family, Hook, Rule, Ruleset
from iptlint.model.call_graph import calls_in
from iptlint.netfilter.packet_group import Decision
from iptlint.policy.claims import Claim, Quantity
from iptlint.policy.hosts import PolicyHost
from iptlint.policy.results import LeastChange, Result
from iptlint.policy.rule_texts import suggestions
from iptlint.policy.tests import PolicyTest
from iptlint.policy.zones import ZoneKind
from iptlint.source import Edit, edited

_MOST_TESTS = 60
"""Of more, it is not looked at whether others would fail."""

Passes = Callable[[PolicyHost, PolicyTest], bool]


def least_change(
    result: Result, host: PolicyHost, passes: Passes, holding: Sequence[PolicyTest]
) -> LeastChange | None:
    """The first edit that holds the test and fails none of those that are ``holding``; else the
    first that holds it, with what it breaks; None where none does."""
    breaking: LeastChange | None = None
    for change in _candidates(result):
        changed = _after(host, change)
        if changed is None or not passes(changed, result.test):
            continue
        broken = [t.sentence for t in holding[:_MOST_TESTS] if not passes(changed, t)]
        if not broken:
            return change
        breaking = breaking or replace(change, breaks=tuple(broken))
    return breaking


def _after(host: PolicyHost, change: LeastChange) -> PolicyHost | None:
    """The host with the edits; None where they are not of one of its own texts."""
    assert host.reread is not None
    rulesets: list[Ruleset] = []
    touched = False
    for ruleset in host.rulesets:
        own = [edit for edit in change.edits if edit.span.source is ruleset.source]
        if not own:
            rulesets.append(ruleset)
            continue
        again = host.reread(edited(ruleset.source, own))
        if again is None:
            return None
        rulesets.append(again)
        touched = True
    if not touched:
        return None
    before = host.context
    context = Context(tuple(rulesets), before.settings, before.sets, before.host)
    return PolicyHost(host.name, context, host.addresses)


def _candidates(result: Result) -> Iterator[LeastChange]:
    claim, decision, family = result.claim, result.decision, result.family
    if claim is None or decision is None or family is None or result.way is None:
        return
    verdict = "drop" if claim.quantity is Quantity.NONE else "accept"
    for rule in dict.fromkeys(_places(decision, claim, result.way)):
        yield from _above(decision, rule, claim, family, result.way, verdict)
    if decision.rule is not None:
        yield from _without(decision, decision.rule)


def _places(decision: Decision, claim: Claim, way: Hook) -> Iterator[Rule]:
    """The rules that another one might stand above: who decides, or of a chain whose policy does,
    the last where that is enough; else the first of the base chain that leads there."""
    rules = decision.chain.rules
    if decision.rule is not None:
        yield decision.rule
    elif rules and claim.quantity is Quantity.EVERY:
        yield rules[-1]
    bases = calls_in(decision.table).bases_of(decision.chain.name)
    for base in bases:
        if base.rules and (len(bases) == 1 or base.hook is way):
            yield base.rules[0]


def _above(
    decision: Decision, rule: Rule, claim: Claim, family: Family, way: Hook, verdict: str
) -> Iterator[LeastChange]:
    added = suggestions(claim, family, way, verdict)
    syntax = decision.ruleset.syntax
    if not added:
        return
    edits: list[Edit] = []
    for suggestion in added:
        edit = syntax.put_before(rule, suggestion)
        if edit is None:
            return
        edits.append(edit)
    lines = [edit.text.strip() for edit in edits]
    span = rule.statement.span
    where = f"{span.source.path}:{span.line}"
    noun = "" if len(lines) == 1 else f"{counted(len(lines), 'rule')}: "
    whose = ", which is for everyone" if _is_for_everyone(claim) else ""
    yield LeastChange(f"above {where}, add {noun}{'; '.join(lines)}{whose}", tuple(edits))


def _is_for_everyone(claim: Claim) -> bool:
    """Whether the rule says less than the claim: the internet is no network."""
    source = claim.source
    return source.kind is ZoneKind.INTERNET and not source.interfaces


def _without(decision: Decision, rule: Rule) -> Iterator[LeastChange]:
    edit = decision.ruleset.syntax.take_out(rule)
    if edit is not None:
        span = rule.statement.span
        yield LeastChange(f"take out {span.source.path}:{span.line}", (edit,))
