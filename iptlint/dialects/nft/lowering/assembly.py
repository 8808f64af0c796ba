"""The statements of one rule, put together to one model rule or to several parts.

Statements work from left to right: what does something works on the packets that passed the
tests before it. Where more tests follow, what was done is a part of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.lowering.actions import STEPS, unknown
from iptlint.dialects.nft.lowering.rule_position import NftOrigin
from iptlint.dialects.nft.lowering.statement_result import (
    Matches,
    RuleScope,
    StatementResult,
    VerdictBranch,
)
from iptlint.dialects.nft.lowering.written_state import outlived, unsure_of_written
from iptlint.dialects.nft.nodes import Node
from iptlint.dialects.nft.tables import PlacedRule
from iptlint.model import Effect, Match, Rule, Verdict, VerdictKind, unread_rule
from iptlint.model.numbers import c_number
from iptlint.model.verdicts import CONTINUE
from iptlint.model.writes import Things, fields_written
from iptlint.source import SourceFile


def assembled(placed: PlacedRule, scope: RuleScope, changed: Things) -> Sequence[Rule]:
    """The parts of a rule, mostly one. ``changed``: what rules of the text write."""
    statements = placed.rule.statements
    unread = next((s for s in statements if type(s) is t.Foreign and s.kind == "unread"), None)
    if unread is not None:
        origin = NftOrigin(placed.source, placed.rule.start, placed.rule.end)
        return (unread_rule(origin, unread.name),)
    assembly = _Assembly(placed, changed)
    for statement in statements:
        result = STEPS.get(type(statement), unknown)(statement, scope)
        if not assembly.take(result, statement):
            break
    return assembly.finished()


@dataclass(slots=True)
class _Part:
    """A rule of the model in the making; ``start`` and ``end`` are where it is written."""

    verdict: Verdict
    start: int
    end: int
    actor: Node | None
    tests: Matches
    nodes: tuple[Node, ...]
    effects: tuple[Effect, ...]
    counters: tuple[int, int] | None


class _Assembly:
    def __init__(self, placed: PlacedRule, changed: Things) -> None:
        self.placed = placed
        self.changed = changed
        self.parts: list[_Part] = []
        self.tests: list[Match] = []
        self.nodes: list[Node] = []  # for each test the statement that makes it
        self.deferred: tuple[Matches, Node] | None = None
        self.continued = False  # whether elements of a map say that their packets go on
        self.effects: list[Effect] = []
        self.name = ""
        self.texts: list[str] = []  # of what is done
        self.incomplete: list[str] = []  # those that effects do not say all of
        self.actor: Node | None = None
        self.begin: Node | None = None  # the first statement that is in no part yet
        self.ended = False
        self.counters: tuple[int, int] | None = None

    def take(self, result: StatementResult, node: Node) -> bool:
        """Add one statement; false where no packet goes on behind it."""
        if self.deferred is not None and (
            result.before or result.acts or result.verdict or result.branches
        ):
            (matches, before), self.deferred = self.deferred, None
            self._test(matches, before)
        if self.begin is None:
            self.begin = node
        if type(node) is t.Counter:
            self._count(node)
        if result.front:
            self._put_first(result.front, node)
        if result.before:
            self._test(unsure_of_written(result.before, node, self.changed), node)
        if result.acts:
            self._act(result, node)
        if result.branches:
            return self._verdict_branch(result, node)
        if result.verdict is not None:
            self._emit(result.verdict, node, node)
            self.ended = result.verdict.kind is not VerdictKind.UNKNOWN
        if result.after:
            self.deferred = result.after, node
        return not self.ended

    def finished(self) -> tuple[Rule, ...]:
        rule, source = self.placed.rule, self.placed.source
        if not self.ended and (self.begin is not None or not self.parts):
            self._emit_going_on(rule.statements[-1] if rule.statements else rule)
        elif self.continued and self.deferred is not None:
            self._test(*self.deferred)
            self._append(CONTINUE, self.deferred[1].start, self.deferred[1].end, self.deferred[1])
        comment = None if rule.comment is None else rule.comment.text
        whole = NftOrigin(source, rule.start, rule.end)
        if len(self.parts) == 1:
            (part,) = self.parts
            part.start, part.end = rule.start, rule.end
            return (_rule(part, source, comment, None),)
        return tuple(_rule(part, source, comment, whole) for part in self.parts)

    # -- what a statement adds --------------------------------------------------------

    def _count(self, counter: t.Counter) -> None:
        if counter.packets is not None and counter.bytes is not None:
            numbers = c_number(counter.packets.text), c_number(counter.bytes.text)
            self.counters = numbers[0] or 0, numbers[1] or 0

    def _test(self, matches: Matches, node: Node) -> None:
        if not matches:
            return
        if self.texts or self.effects:
            self._emit_going_on(self.actor or node)
            self.begin = node
        self.tests += matches
        self.nodes += [node] * len(matches)

    def _put_first(self, matches: Matches, node: Node) -> None:
        """Before all other statements; the parts so far are for such packets only, too."""
        asked = {getattr(test, "field", None) for test in self.tests}
        new = tuple(match for match in matches if getattr(match, "field", None) not in asked)
        self.tests[:0] = new
        self.nodes[:0] = [node] * len(new)
        if new:
            for part in self.parts:
                part.tests = (*new, *part.tests)
                part.nodes = (*[node] * len(new), *part.nodes)

    def _act(self, result: StatementResult, node: Node) -> None:
        self.effects += result.effects
        if result.text:
            self.name = result.name
            self.texts.append(result.text)
            if not result.complete:
                self.incomplete.append(result.text)
        self.actor = node

    def _verdict_branch(self, result: StatementResult, node: Node) -> bool:
        if self.texts or self.effects:
            self._emit_going_on(self.actor or node)
        branches = [branch for branch in result.branches if branch.verdict is not None]
        for branch in branches:
            self._emit_branch(branch, node)
        self.continued = len(branches) < len(result.branches)
        goes_on = self.continued or _unknown(branches)
        self.ended = not goes_on
        self.begin = None
        if goes_on:
            self.deferred = unsure_of_written(result.after, node, self.changed), node
        return goes_on

    # -- parts ---------------------------------------------------------------------------

    def _emit_branch(self, branch: VerdictBranch, node: Node) -> None:
        assert branch.verdict is not None
        tests, nodes = list(self.tests), list(self.nodes)
        key = node.key if isinstance(node, t.VerdictMap) else node
        matches = unsure_of_written(branch.matches, key, self.changed)
        self.tests += matches
        self.nodes += [node] * len(matches)
        place = branch.place
        inside = place is not None and node.start <= place.start < place.end <= node.end
        at = place if place is not None and inside else node
        self.effects = list(branch.effects)
        self._append(branch.verdict, at.start, at.end, at)
        self.tests, self.nodes, self.effects = tests, nodes, []

    def _emit_going_on(self, last: Node) -> None:
        verdict = CONTINUE
        if self.texts:
            verdict = Verdict(VerdictKind.CONTINUE, self.name, None, " ".join(self.texts))
            self.incomplete = []
        self._emit(verdict, last, self.actor)

    def _emit(self, verdict: Verdict, last: Node, actor: Node | None) -> None:
        """A part, from the first statement that is in none to the last one."""
        if self.incomplete:
            options = " ".join(filter(None, (*self.incomplete, verdict.options)))
            verdict = replace(verdict, options=options)
        first = self.begin or last
        self._append(verdict, first.start, max(first.end, last.end), actor)
        changed = fields_written(self.effects)
        if changed:
            self.tests = [outlived(test, changed) for test in self.tests]
        self.effects, self.texts, self.incomplete, self.name = [], [], [], ""
        self.begin = self.actor = None

    def _append(self, verdict: Verdict, start: int, end: int, actor: Node | None) -> None:
        tests, nodes, effects = tuple(self.tests), tuple(self.nodes), tuple(self.effects)
        part = _Part(verdict, start, end, actor, tests, nodes, effects, self.counters)
        self.parts.append(part)


def _rule(part: _Part, source: SourceFile, comment: str | None, whole: NftOrigin | None) -> Rule:
    origin = NftOrigin(source, part.start, part.end, part.nodes, part.actor)
    return Rule(
        origin,
        part.tests,
        part.verdict,
        part.effects,
        comment,
        part.counters,
        whole=whole,
    )


def _unknown(branches: Sequence[VerdictBranch]) -> bool:
    return any(f.verdict is not None and f.verdict.kind is VerdictKind.UNKNOWN for f in branches)
