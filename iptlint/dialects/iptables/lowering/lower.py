"""Tree to model: executes the lines as iptables-restore does.

A ``*table`` line starts its table anew, rules are put, replaced and deleted in
order, and what is there after the last line is the ruleset. A rule that is
refused is a diagnostic and is not in the model.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from iptlint.dialects.diagnostics import Diagnostic, Fate, SyntaxDiagnostic
from iptlint.dialects.iptables.lowering import chain_names, placement, read_before
from iptlint.dialects.iptables.lowering.diagnostics import IptablesDiagnostics
from iptlint.dialects.iptables.lowering.line_checks import rule_number
from iptlint.dialects.iptables.lowering.plan import Plan
from iptlint.dialects.iptables.lowering.read_before import Before
from iptlint.dialects.iptables.lowering.rules import RuleMaker
from iptlint.dialects.iptables.lowering.self_modified import with_changes
from iptlint.dialects.iptables.lowering.tables import (
    ACCEPT,
    DROP,
    OpenChain,
    OpenTable,
    alike,
)
from iptlint.dialects.iptables.parsing.guess_table import guess_table
from iptlint.dialects.iptables.parsing.shapes import resolve
from iptlint.dialects.iptables.parsing.tree import (
    ChainLine,
    Command,
    CommandLine,
    CommitLine,
    Line,
    SaveFile,
    Shape,
    TableLine,
    WordPlace,
    Words,
)
from iptlint.dialects.iptables.parsing.words import words_of
from iptlint.dialects.iptables.syntax import IPTABLES
from iptlint.dialects.placeholders import brings_lines, is_placeholder
from iptlint.model import (
    Family,
    Rule,
    Ruleset,
    Verdict,
    VerdictKind,
)
from iptlint.source import SourceFile, Span, WholeOrigin


def lower(tree: SaveFile, source: SourceFile) -> tuple[Ruleset, tuple[Diagnostic, ...]]:
    """The ruleset after the last line, and what is wrong with the text, in its order."""
    execution = _Execution(tree, source)
    lines = sorted((*tree.lines, *tree.diagnostics), key=_start) if tree.diagnostics else tree.lines
    for line in lines:
        execution.execute(line)
    return execution.finish()


class _Execution:
    def __init__(self, tree: SaveFile, source: SourceFile) -> None:
        self.tree = tree
        self.source = source
        self.diagnostics = IptablesDiagnostics(source, tree)
        self.tables: dict[tuple[Family, str], OpenTable] = {}
        self.table: OpenTable | None = None
        self.plans: dict[Shape, Plan] = {}  # a shape is of one family
        self.rules = RuleMaker(source, self.diagnostics)
        self.before, self.pool = read_before.last(source.path)
        if tree.bare:
            self.table = self._open(guess_table(tree), tree.family)

    # -- lines ----------------------------------------------------------------

    def execute(self, line: Line | SyntaxDiagnostic) -> None:
        match line:
            case CommandLine():
                self._command(line)
            case SyntaxDiagnostic(fate=Fate.CHANGED):
                pass  # the line is in the tree all the same
            case SyntaxDiagnostic():
                self._broken(line)
            case ChainLine():
                self._declare(line)
            case TableLine():
                self._start(line)
            case CommitLine():
                self.table = None

    def finish(self) -> tuple[Ruleset, tuple[Diagnostic, ...]]:
        read_before.keep(self.source.path, Before(self.rules.appended, self.pool))
        tables = tuple(table.finished() for table in self.tables.values())
        for open_table, table in zip(self.tables.values(), tables, strict=True):
            placement.check_table(self.diagnostics, open_table.placed, table)
        if self.rules.changes:
            tables = with_changes(tables)
        dialect = "iptables-S" if self.tree.bare else "iptables-save"
        return Ruleset(self.source, dialect, IPTABLES, tables), self.diagnostics.sorted()

    # -- tables ---------------------------------------------------------------

    def _open(self, name: str, family: Family) -> OpenTable:
        return self.tables.setdefault((family, name), OpenTable(family, name, None))

    def _start(self, line: TableLine) -> None:
        before = self.tables.pop((line.family, line.name), None)
        if before is not None:
            self.diagnostics.declared_again(before, line)
        origin = WholeOrigin(self.source, line.start, line.end)
        self.table = OpenTable(line.family, line.name, origin, line.start, line.end)
        self.tables[line.family, line.name] = self.table
        if not self.table.built_in:
            self.diagnostics.unknown_table(line)

    def _table_for(self, line: CommandLine | ChainLine) -> OpenTable | None:
        shape = line.shape if isinstance(line, CommandLine) else None
        if shape is not None and shape.table is not None and isinstance(line, CommandLine):
            name = shape.table.text(line.words)
            if self.tree.bare:
                return self._open(name, self.tree.family)
            self.diagnostics.table_option(line, shape.table)
        return self.table

    # -- chains ---------------------------------------------------------------

    def _declare(self, line: ChainLine) -> None:
        table = self._table_for(line)
        if table is None:
            return
        if line.name in table.built_in:
            chain = table.chain(line.name)
            if line.policy != "-":
                self._set_policy(table, chain, line.policy, line.start, line.end)
        else:
            chain_names.check_declared(self.diagnostics, table, line)
            if line.policy != "-" and table.built_in:
                self.diagnostics.policy_without_hook(table, line)
            chain = table.chain(line.name)
            chain.rules.clear()
        chain.origin = WholeOrigin(self.source, line.start, line.end)
        chain.declared = True
        chain.counters = line.counters

    def _set_policy(
        self, table: OpenTable, chain: OpenChain, policy: str, start: int, end: int
    ) -> None:
        known = {"ACCEPT": ACCEPT, "DROP": DROP}
        if policy not in known:
            self.diagnostics.bad_policy(chain.name, policy, start, end)
        chain.policy = known.get(policy) or Verdict(VerdictKind.UNKNOWN, policy)

    # -- commands -------------------------------------------------------------

    def _command(self, line: CommandLine) -> None:
        table = self._table_for(line)
        if table is None:
            return
        if self._is_appended_again(table, line):
            return
        plan = self._plan(line.shape, table.family)
        if plan.other_family:
            return
        _COMMANDS[line.shape.command](self, table, line, plan)

    def _is_appended_again(self, table: OpenTable, line: CommandLine) -> bool:
        """Appends the rule of a line that was read before."""
        if not self.before:
            return False
        key = table.family, table.name, self.source.text[line.start : line.end]
        known = self.before.get(key)
        chain = table.chains.get(known.chain) if known is not None else None
        if known is None or chain is None:
            return False
        self.rules.appended[key] = known
        chain.rules.append(self.rules.made(line, known.plan, known.meaning))
        return True

    def _plan(self, shape: Shape, family: Family) -> Plan:
        plan = self.plans.get(shape)
        if plan is None:
            plan = self.plans[shape] = Plan(shape, family, self.pool)
        return plan

    def _name(self, place: WordPlace | None, line: CommandLine) -> str:
        return "" if place is None else place.text(line.words)

    def _chain_of(self, table: OpenTable, line: CommandLine, words: Words) -> OpenChain:
        place = line.shape.chain
        name = "" if place is None else place.text(words)
        chain = table.chains.get(name)
        if chain is None:
            chain = table.chain(name)
            if name not in table.built_in and not self.tree.bare:
                self.diagnostics.undeclared_chain(line, table, name)
        return chain

    def _number(self, line: CommandLine, last: int, variant: str = "") -> int | None:
        """The rule number of -I, -R and -D as an index, if a rule may be there."""
        if line.shape.number is None:
            return 0
        text = line.shape.number.text(line.words)
        number = rule_number(text) or 0
        if not 1 <= number <= last:
            self.diagnostics.no_such_rule(line, line.shape.number, last, variant)
            return None
        return number - 1

    def _append(self, table: OpenTable, line: CommandLine, plan: Plan) -> None:
        chain, rule = self._rule(table, line, plan)
        chain.rules.append(rule)

    def _insert(self, table: OpenTable, line: CommandLine, plan: Plan) -> None:
        chain, rule = self._rule(table, line, plan)
        index = self._number(line, len(chain.rules) + 1)
        if index is not None:
            chain.rules.insert(index, rule)

    def _replace(self, table: OpenTable, line: CommandLine, plan: Plan) -> None:
        chain, rule = self._rule(table, line, plan)
        index = self._number(line, len(chain.rules))
        if rule.copies > 1:
            self.diagnostics.replaced_by_many(line)
        elif index is not None:
            chain.rules[index] = rule

    def _delete(self, table: OpenTable, line: CommandLine, plan: Plan) -> None:
        if line.shape.number is None:
            chain, index = self._equal_rule(table, line, plan)
        else:
            chain = self._chain_of(table, line, line.words)
            index = self._number(line, len(chain.rules))
        if index is not None:
            del chain.rules[index]

    def _check(self, table: OpenTable, line: CommandLine, plan: Plan) -> None:
        self._equal_rule(table, line, plan)

    def _equal_rule(
        self, table: OpenTable, line: CommandLine, plan: Plan
    ) -> tuple[OpenChain, int | None]:
        """Where the rule of the line is in its chain; None, and a diagnostic, where it is not."""
        chain, rule = self._rule(table, line, plan)
        if not rule.read:
            return chain, None
        same = (i for i, other in enumerate(chain.rules) if alike(other, rule))
        index = next(same, None)
        if index is None:
            self.diagnostics.no_equal_rule(line, chain.name, len(chain.rules))
        return chain, index

    def _zero(self, table: OpenTable, line: CommandLine, _plan: Plan) -> None:
        name = self._name(line.shape.chain, line)
        if name and name not in table.chains and not self.tree.bare:
            if name in table.built_in:
                self.diagnostics.chain_not_made(line, table, name)
            else:
                self.diagnostics.undeclared_chain(line, table, name)
        elif line.shape.number is not None:
            self._number(line, len(self._chain_of(table, line, line.words).rules), variant="legacy")

    def _flush(self, table: OpenTable, line: CommandLine, _plan: Plan) -> None:
        name = self._name(line.shape.chain, line)
        for chain in [self._chain_of(table, line, line.words)] if name else table.chains.values():
            chain.rules.clear()

    def _new_chain(self, table: OpenTable, line: CommandLine, _plan: Plan) -> None:
        name = self._name(line.shape.chain, line)
        if table.has(name) and (name in table.built_in or table.chains[name].declared):
            self.diagnostics.chain_exists(line, name)
            return
        chain_names.check_new(self.diagnostics, table, name, line.start, line.end)
        chain = table.chain(name)
        chain.declared = True
        chain.origin = WholeOrigin(self.source, line.start, line.end)

    def _delete_chain(self, table: OpenTable, line: CommandLine, _plan: Plan) -> None:
        name = self._name(line.shape.chain, line)
        own = [each for each in table.chains if each not in table.built_in]
        if name and name not in own:
            self.diagnostics.no_chain_to_delete(line, table, name)
            return
        for each in [name] if name else own:
            if table.chains[each].rules or table.calls(each):
                self.diagnostics.chain_in_use(line, each)
                return
            del table.chains[each]

    def _rename_chain(self, table: OpenTable, line: CommandLine, _plan: Plan) -> None:
        old, new = (self._name(p, line) for p in (line.shape.chain, line.shape.new_name))
        if table.has(new):
            self.diagnostics.chain_exists(line, new)
        elif old in table.chains and old not in table.built_in:
            chain_names.check_new(self.diagnostics, table, new, line.start, line.end)
            table.rename(old, new)
        else:
            self.diagnostics.undeclared_chain(line, table, old)

    def _policy(self, table: OpenTable, line: CommandLine, _plan: Plan) -> None:
        name, policy = (self._name(p, line) for p in (line.shape.chain, line.shape.policy))
        if name not in table.built_in:
            self.diagnostics.policy_of_user_chain(line, name)
            return
        chain = table.chain(name)
        chain.origin = WholeOrigin(self.source, line.start, line.end)
        chain.declared = True
        if policy == "DROP" and table.name == "nat":
            # The tool takes it of a line that declares the chain, not of the command.
            self.diagnostics.drop_in_nat(line.start, line.end)
        else:
            self._set_policy(table, chain, policy, line.start, line.end)

    def _nothing(self, _table: OpenTable, _line: CommandLine, _plan: Plan) -> None:
        """-L and -S change nothing."""

    # -- rules ----------------------------------------------------------------

    def _broken(self, diagnostic: SyntaxDiagnostic) -> None:
        """A line that is no command still holds the place of the rule it was to be."""
        span = self.source.line_span(self.source.line_of(diagnostic.start))
        command = _TO_CHAIN.match(span.text)
        if self.table is None:
            return
        if command is None or is_placeholder(command[1]):
            self._filled_in(self.table, span)
            return
        meant = self._behind_tool(self.table.family, span)
        if meant is not None:
            self._command(meant)
        else:
            self.table.chain(command[1]).rules.append(self.rules.unread(span.start, span.end))

    def _filled_in(self, table: OpenTable, line: Span) -> None:
        """What a template puts there may be rules for whichever chain."""
        may_be_any = brings_lines(line.text) or _TO_CHAIN.match(line.text)
        for chain in table.chains.values() if may_be_any else ():
            chain.rules.append(self.rules.unread(line.start, line.end))

    def _behind_tool(self, family: Family, span: Span) -> CommandLine | None:
        """The rule of a line which is that of a script, the name of the tool included."""
        tool = _TOOL.match(span.text)
        if tool is None:
            return None
        start = span.start + tool.end()
        shape = resolve(words_of(self.source.text[start : span.end]), family, in_table=True)
        if not isinstance(shape, Shape) or shape.valued:
            return None
        return CommandLine(shape, self.source, None, start, span.end)

    def _rule(self, table: OpenTable, line: CommandLine, plan: Plan) -> tuple[OpenChain, Rule]:
        """The rule of a line, and the chain that it is for."""
        words = line.words
        chain = self._chain_of(table, line, words)
        return chain, self.rules.rule(table, chain, line, plan, words)


_TOOL = re.compile(r"\s*(?:sudo\s+)?(?:\S*/)?ip6?tables\s+")
_TO_CHAIN = re.compile(
    rf"\s*(?:\[\d+:\d+\]\s*|{_TOOL.pattern})?(?:-[AI]|--append|--insert)\s*([^\s\"]+)"
)


def _start(line: Line | SyntaxDiagnostic) -> int:
    return line.start


_COMMANDS: dict[Command, Callable[[_Execution, OpenTable, CommandLine, Plan], None]] = {
    Command.APPEND: _Execution._append,
    Command.INSERT: _Execution._insert,
    Command.REPLACE: _Execution._replace,
    Command.DELETE: _Execution._delete,
    Command.FLUSH: _Execution._flush,
    Command.NEW_CHAIN: _Execution._new_chain,
    Command.DELETE_CHAIN: _Execution._delete_chain,
    Command.RENAME_CHAIN: _Execution._rename_chain,
    Command.POLICY: _Execution._policy,
    Command.CHECK: _Execution._check,
    Command.LIST: _Execution._nothing,
    Command.LIST_RULES: _Execution._nothing,
    Command.ZERO: _Execution._zero,
}
