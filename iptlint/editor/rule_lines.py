"""What comes to a line, by proof: the words above it, and those that appear over it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import inf

from lsprotocol import types as lsp

from iptlint.analysis.blockers import blockers
from iptlint.analysis.delivery import delivery
from iptlint.analysis.reach import Matched, Reach, Reason, RuleReach, Status, why_dead
from iptlint.editor.desk import Seen
from iptlint.findings import Finding
from iptlint.linter.budget import Budget, OverBudgetError, Watch
from iptlint.model import Chain, Family, Field, Hook, Rule, Table, VerdictKind
from iptlint.model.call_graph import calls_in
from iptlint.netfilter.routes import at_hook
from iptlint.packets.describe import clause
from iptlint.packets.describe.lists import few
from iptlint.packets.diagrams import DDMemoryError
from iptlint.reports.rule_docs import document
from iptlint.reports.safe import visible
from iptlint.reports.witness import describe
from iptlint.rules.registry import rule_of

_DECIDED_ON_THE_WAY = (Hook.INPUT, Hook.FORWARD, Hook.OUTPUT)
_MOST_LINES = 8
_DOES = {VerdictKind.ACCEPT: "accepts", VerdictKind.DROP: "drops", VerdictKind.REJECT: "rejects"}


@dataclass(frozen=True, slots=True)
class Statement:
    """``above``: how many statements stand before it in its chain."""

    table: Table
    chain: Chain
    parts: tuple[Rule, ...]
    above: int

    @property
    def rule(self) -> Rule:
        return self.parts[0]


def statements(seen: Seen) -> Iterator[Statement]:
    """Those that are written in the document."""
    for table in seen.ruleset.tables:
        for chain in table.chains.values():
            for above, parts in enumerate(chain.statements()):
                if seen.is_here(parts[0].statement.span):
                    yield Statement(table, chain, parts, above)


def _statement_at(seen: Seen, position: lsp.Position) -> Statement | None:
    """The one that the position is in; of several on a line, that; else the first of the line."""
    offset = seen.lines.offset(position)
    of_line = [s for s in statements(seen) if _is_on(seen, s, position.line)]
    for statement in of_line:
        span = statement.rule.statement.span
        if span.start <= offset <= span.end:
            return statement
    return next(iter(of_line), None)


def _is_on(seen: Seen, statement: Statement, line: int) -> bool:
    place = seen.lines.of(statement.rule.statement.span)
    return place.start.line <= line <= place.end.line


_MOST_SECONDS = 10.0
"""Longer nobody looks at a line; the worker has other questions waiting."""
_NOT_IN_TIME = f"{_MOST_SECONDS:g} s, or the memory, were not enough"
_TOO_MUCH = (
    f"What reaches this line was not worked out: {_NOT_IN_TIME}. `iptlint reach` takes the time "
    "that it is given."
)
_IN_ITS_TABLE = (
    f"This is what its table alone says. What comes there through the others was not worked out: "
    f"{_NOT_IN_TIME}."
)


def _worked_out(
    seen: Seen, statement: Statement, work: Callable[[], str], *, alone: bool = False
) -> str | None:
    """None where that takes too much; then it is not tried again of another line to which packets
    come by the same hooks, unless it is about a table ``alone``."""
    hooks = frozenset(calls_in(statement.table).hooks_of(statement.chain.name))
    if hooks in seen.too_much and not alone:
        return None
    budget = Budget(min(seen.host.budget.seconds or inf, _MOST_SECONDS), seen.host.budget.memory)
    try:
        with Watch(budget, 1) as watch, watch.over(whole=True):
            return work()
    except (OverBudgetError, DDMemoryError, MemoryError):
        seen.too_much.add(hooks)
        return None


# -- over a line ------------------------------------------------------------------------------


def lenses(seen: Seen) -> list[lsp.Range]:
    """The lines that accept something: what each takes is worked out when it is seen."""
    return [
        seen.lines.of(statement.rule.statement.span)
        for statement in statements(seen)
        if any(rule.verdict.kind is VerdictKind.ACCEPT for rule in statement.parts)
    ]


def lens(seen: Seen, position: lsp.Position) -> str:
    """``accepts tcp from 203.0.113.0/24 to port 22, 14 rules above``"""
    statement = _statement_at(seen, position)
    if statement is None:
        return ""
    said = _worked_out(seen, statement, lambda: _in_short(seen, statement))
    return visible(f"{said or 'what it accepts was not worked out'}, {_above(statement)}")


def _in_short(seen: Seen, statement: Statement) -> str:
    reach = seen.reach(statement.table, statement.chain, statement.parts)
    for rule in statement.parts:
        if rule.verdict.kind is VerdictKind.ACCEPT:
            matched = next(_new_first(reach, rule), None)
            if matched is not None:
                may = "" if reach.is_certain(statement.table, rule) else "may accept "
                return f"{may or 'accepts '}{_packets(reach, matched, limit=1)}"
    answer = reach.of(statement.table, statement.chain, statement.parts)
    if answer is None:
        return "could not be read"
    if answer.status is Status.DEAD:
        return f"accepts nothing: {_why_dead(answer)}"
    return "accepts what something left open lets come here"


def _new_first(reach: Reach, rule: Rule) -> Iterator[Matched]:
    """Where new connections come there first; where nothing surely comes, not at all."""
    new = reach.space.state("new")
    surely = [each for each in reach.matched(rule) if each.surely.satisfiable()]
    return iter(sorted(surely, key=lambda each: not (each.surely & new).satisfiable()))


def _packets(reach: Reach, matched: Matched, limit: int) -> str:
    """Of new connections where there are some, else of any packets; of what comes from outside
    where there is some."""
    space = reach.space
    within = at_hook(space, matched.hook)
    for usual in (space.state("new"), ~space.interface(Field.IIF, "lo")):
        if (matched.surely & within & usual).satisfiable():
            within = within & usual
    return clause(space, matched.surely, within, limit)


def _above(statement: Statement) -> str:
    noun = "rule" if statement.above == 1 else "rules"
    return f"{statement.above or 'no'} {noun} above"


# -- beside a line ----------------------------------------------------------------------------


def hover(seen: Seen, position: lsp.Position) -> str:
    """Markdown: what reaches the line, and the documentation of what was found there."""
    said = []
    statement = _statement_at(seen, position)
    if statement is not None:
        text = _worked_out(seen, statement, lambda: "\n\n".join(_reaching(seen, statement)))
        text = text or _worked_out(
            seen, statement, lambda: "\n\n".join(_in_its_table(seen, statement)), alone=True
        )
        said.append(text or _TOO_MUCH)
    codes = dict.fromkeys(f.code for f in _found_at(seen, position))
    said += (document(rule_of(code)) for code in codes)
    return "\n\n---\n\n".join(said)


def _found_at(seen: Seen, position: lsp.Position) -> Iterator[Finding]:
    for finding in seen.report.findings:
        if seen.is_here(finding.span):
            place = seen.lines.of(finding.span)
            if place.start.line <= position.line <= place.end.line:
                yield finding


def _reaching(seen: Seen, statement: Statement) -> Iterator[str]:
    yield _heading(statement)
    reach = seen.reach(statement.table, statement.chain, statement.parts)
    answer = reach.of(statement.table, statement.chain, statement.parts)
    if answer is None:
        yield "This could not be read, so it may match any packet and do anything with it."
        return
    if answer.status is Status.DEAD:
        yield f"No packet gets here and matches: {_why_dead(answer)}."
        return
    if answer.status is Status.CONDITIONAL:
        yield "Only what a limit, or something else that is left open, lets come here matches."
    if answer.witness is not None:
        yield f"A packet that does: {quoted(describe(answer.witness))}"
    for rule in statement.parts:
        for matched in _new_first(reach, rule):
            yield from _at_hook(seen, reach, statement, rule, matched)


def _in_its_table(seen: Seen, statement: Statement) -> Iterator[str]:
    """What needs no packet followed through all tables: each translation there is makes that
    longer, as the thousands of a node of kube-proxy."""
    firewall = seen.context.firewall(seen.ruleset).by_decision()
    analysis = firewall.analysis(statement.table)
    yield _heading(statement)
    for rule in (rule for rule in statement.parts if rule.read):
        reason = why_dead(analysis, rule)
        if reason is None:
            packets = clause(firewall.space, analysis.matched(rule), firewall.space.universe, 3)
            yield f"These packets may get here and match: {quoted(packets)}"
        else:
            taken_by = blockers(analysis, rule) if reason is Reason.TAKEN else ()
            yield f"No packet gets here and matches: {_by_lines(reason, taken_by)}."
    yield _IN_ITS_TABLE


def _heading(statement: Statement) -> str:
    where = f"{statement.table.family.value} {statement.table.name} {statement.chain.name}"
    return f"**In {quoted(where)}, {_above(statement)}**"


def _why_dead(answer: RuleReach) -> str:
    return _by_lines(answer.reason, answer.taken_by)


def _by_lines(why: Reason | None, taken_by: Sequence[Rule]) -> str:
    lines = [str(rule.origin.span.line) for rule in taken_by]
    reason = why.value if why is not None else "nothing comes here"
    return f"{reason} (line {few(lines, _MOST_LINES)})" if lines else reason


def _at_hook(
    seen: Seen, reach: Reach, statement: Statement, rule: Rule, matched: Matched
) -> Iterator[str]:
    does = _DOES.get(rule.verdict.kind)
    perhaps = "" if reach.is_certain(statement.table, rule) else ", if its own limit lets it"
    new = (matched.surely & reach.space.state("new")).satisfiable()
    kind = "new connections" if new else "packets"
    whose = f"it {does} these {kind}" if does else f"these {kind} come to it and match"
    packets = quoted(_packets(reach, matched, limit=3))
    yield f"At {matched.hook.value} {whose}{perhaps}: {packets}"
    if (matched.perhaps & ~matched.surely).satisfiable():
        yield "More may come, as something above leaves open."
    if rule.verdict.kind is VerdictKind.ACCEPT:
        yield from _in_the_end(seen, matched)


def _in_the_end(seen: Seen, matched: Matched) -> Iterator[str]:
    """What becomes of what the line accepts: another chain may drop it all the same."""
    if matched.hook not in _DECIDED_ON_THE_WAY:
        return
    for family in (Family.IP, Family.IP6):
        hooks = seen.context.hooks(seen.ruleset, family)
        packets = matched.surely & seen.context.firewall(seen.ruleset).space.family(family.value)
        if hooks is None or not packets.satisfiable():
            continue
        fate = delivery(hooks, matched.hook, packets)
        if not fate.lost.satisfiable():
            yield f"In the end all of them come through ({family.value})."
        elif not fate.through.satisfiable():
            by = f" by {fate.droppers[0].name}" if fate.droppers else ""
            yield f"In the end none of them comes through ({family.value}): dropped{by}."
        else:
            yield f"Not all of them come through in the end ({family.value})."


_BACKQUOTES = re.compile("`+")


def quoted(text: str) -> str:
    """Of a user's file, in Markdown: nothing in it is markup."""
    plain = visible(text)
    longest = max((len(run) for run in _BACKQUOTES.findall(plain)), default=0)
    fence = "`" * (longest + 1)
    blank = " " if longest else ""
    return f"{fence}{blank}{plain}{blank}{fence}"
