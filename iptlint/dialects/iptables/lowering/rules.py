"""A line to the rule that it makes."""

from __future__ import annotations

from iptlint.dialects.iptables.lowering import placement
from iptlint.dialects.iptables.lowering.diagnostics import IptablesDiagnostics
from iptlint.dialects.iptables.lowering.named_protocols import names_protocol
from iptlint.dialects.iptables.lowering.origins import RuleOrigin
from iptlint.dialects.iptables.lowering.parts import Part
from iptlint.dialects.iptables.lowering.plan import Plan
from iptlint.dialects.iptables.lowering.read_before import Appended, Lines, Meaning
from iptlint.dialects.iptables.lowering.tables import OpenChain, OpenTable, RestrictedExtension
from iptlint.dialects.iptables.parsing.tree import Command, CommandLine, Shape, Words
from iptlint.maker import maker
from iptlint.model import Effect, Match, Rule, Verdict, VerdictKind, unread_rule
from iptlint.model.verdicts import CONTINUE
from iptlint.source import SourceFile, WholeOrigin

_rule = maker(Rule)
_rule_origin = maker(RuleOrigin)
_verdict = maker(Verdict)


class RuleMaker:
    """Makes the rules of one source. ``changes``: whether one of them may change anything;
    ``appended``: the lines that mean the same wherever they stand."""

    def __init__(self, source: SourceFile, diagnostics: IptablesDiagnostics) -> None:
        self.source = source
        self.diagnostics = diagnostics
        self.changes = False
        self.appended: Lines = {}

    def rule(
        self, table: OpenTable, chain: OpenChain, line: CommandLine, plan: Plan, words: Words
    ) -> Rule:
        """The rule of a line; one that stands for it where it is refused."""
        parts = [known(key(words)) or learn(words) for key, known, learn in plan.readers]
        fit = plan.fit(tuple([part.terms for part in parts]))
        if not (fit.plain or self._stands(line, plan, parts)):
            return self.unread(line.start, line.end)
        free = not fit.placed and plan.is_free_in(table.name, chain.name)
        if not free:
            self._place(table, chain, line, plan, parts)
        meaning = _meaning(line.shape, words, parts, fit.copies)
        if fit.plain and free and _is_appended(line):
            text = self.source.text[line.start : line.end]
            self.appended[table.family, table.name, text] = Appended(chain.name, plan, meaning)
        return self.made(line, plan, meaning)

    def made(self, line: CommandLine, plan: Plan, meaning: Meaning) -> Rule:
        """The rule of a line that has the meaning."""
        matches, verdict, effects, comment, copies = meaning
        if effects or verdict.kind is VerdictKind.CONTINUE:
            self.changes = True
        origin = _rule_origin(line, plan)
        return _rule(origin, matches, verdict, effects, comment, line.counters, copies)

    def unread(self, start: int, end: int) -> Rule:
        return unread_rule(WholeOrigin(self.source, start, end), self.source.text[start:end])

    def _place(
        self,
        table: OpenTable,
        chain: OpenChain,
        line: CommandLine,
        plan: Plan,
        parts: list[Part],
    ) -> None:
        for cell, part in zip(plan.cells, parts, strict=True):
            if part.terms.chains:
                chains = part.terms.chains
                placed = RestrictedExtension(chain.name, line, cell, chains, by_options=True)
                table.placed.append(placed)
        placement.check_rule(self.diagnostics, table, chain, line, plan)

    def _stands(self, line: CommandLine, plan: Plan, parts: list[Part]) -> bool:
        """Says what is wrong with a line; whether it makes a rule all the same."""
        protocol: int | None = None
        excluded: int | None = None
        for cell, part in zip(plan.cells, parts, strict=True):
            terms = part.terms
            if terms.refused is not None:
                self.diagnostics.refused(line, cell, terms.refused)
                return False
            if terms.remark is not None:
                self.diagnostics.refused(line, cell, terms.remark)
            protocol = terms.protocol or protocol
            excluded = terms.excluded or excluded
            if terms.needs and not names_protocol(
                self.diagnostics, line, plan, cell, terms.needs, protocol, excluded
            ):
                return False
        if plan.repeated is not None:
            self.diagnostics.given_twice(line, plan.repeated)
            return False
        if any(part.terms.copies > 1 for part in parts) and plan.negated_address is not None:
            self.diagnostics.negated_beside_list(line, plan.negated_address)
            return False
        if plan.unknown:
            self.diagnostics.unknown(line, plan)
        return True


def _is_appended(line: CommandLine) -> bool:
    """Whether its text, looked at by itself, appends a rule."""
    shape = line.shape
    return shape.command is Command.APPEND and not shape.valued and line.given is None


def _meaning(shape: Shape, words: Words, parts: list[Part], copies: int) -> Meaning:
    matches: tuple[Match, ...] = ()
    effects: tuple[Effect, ...] = ()
    verdict: Verdict | None = None
    comment: str | None = None
    for part in parts:
        matches += part.matches
        action = part.action
        if action is not None:
            effects += action.effects
            verdict = action.verdict or verdict
            comment = action.comment if comment is None else comment
    return Meaning(matches, verdict or _jump(shape, words), effects, comment, copies)


def _jump(shape: Shape, words: Words) -> Verdict:
    """The call of a chain that the line makes, or that it goes on."""
    if shape.jump is None:
        return CONTINUE
    name = shape.jump.text(words)
    kind = VerdictKind.GOTO if shape.goto else VerdictKind.JUMP
    verdict = _JUMPS.get((kind, name))
    if verdict is None:
        verdict = _JUMPS[kind, name] = _verdict(kind, name, name)
    return verdict


_JUMPS: dict[tuple[VerdictKind, str], Verdict] = {}
