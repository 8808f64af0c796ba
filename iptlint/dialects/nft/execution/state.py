"""The ruleset while commands are carried out, and what is said about them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.rule_list import RuleList
from iptlint.dialects.nft.execution.variables import Binding, Fit, UnusableVariable, VariableScope
from iptlint.dialects.nft.nodes import Node
from iptlint.dialects.nft.tables import OpenChain, OpenSet, OpenTable
from iptlint.model import Family
from iptlint.model.near_words import nearest
from iptlint.model.owners import owner_of_name
from iptlint.source import SourceFile, Span, WholeOrigin

Key = tuple[Family, str]

SYNTAX, UNDEFINED, REFUSED, LIMIT = "IPT001", "IPT003", "IPT006", "IPT010"


@dataclass(frozen=True, slots=True)
class BlockContext:
    """The file that is read, and the variables that are visible in the block that is."""

    source: SourceFile
    scope: VariableScope

    def inside(self) -> BlockContext:
        return BlockContext(self.source, VariableScope(self.scope))


@dataclass(slots=True, eq=False)
class TableWork:
    """A table in the making.

    ``made``: the text declares it, so that it is there on a host that did not have it.
    ``whole``: all that is in it is of the text, which deleted it before.
    """

    table: OpenTable
    made: bool = False
    whole: bool = False
    rules: dict[str, RuleList] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)

    def rules_of(self, chain: OpenChain) -> RuleList:
        return self.rules.setdefault(chain.name, RuleList())

    def add_chain(self, name: str, origin: WholeOrigin, declared: bool = True) -> OpenChain:
        """The chain, new if there is none of that name."""
        chain = self.table.chains.get(name)
        if chain is None:
            chain = self.table.chains[name] = OpenChain(name, origin, declared=declared)
        elif declared and not chain.declared:
            chain.origin, chain.declared = origin, True
        return chain

    def add_set(self, kind: str, name: str, origin: WholeOrigin) -> OpenSet:
        """The set, new if there is none of that name."""
        return self.table.sets.setdefault(name, OpenSet(kind, name, origin))

    def rename(self, old: str, new: str) -> None:
        """Nothing happens to a chain that is not of the text."""
        chain = self.table.chains.pop(old, None)
        if chain is not None:
            self.rules[new] = self.rules_of(chain)
            self.rules.pop(old, None)
            chain.name = new
            self.table.chains[new] = chain
            self.renamed[old] = new

    def finished(self) -> OpenTable:
        for chain in self.table.chains.values():
            chain.rules = list(self.rules_of(chain).all())
        return self.table


def line_seen_from(span: Span, source: SourceFile) -> str:
    """What to call the line of the span where ``source`` is spoken of."""
    return f"line {span.line}" + ("" if span.source is source else f" of {span.source.path}")


@dataclass(slots=True, eq=False)
class State:
    """``main`` is the file that was asked for. ``missing``: text that may say anything, also
    declare what the rest uses, could not be read. ``uses``: what each variable stands for, by
    where it is used."""

    main: SourceFile
    missing: bool
    uses: dict[Span, Binding] = field(default_factory=dict)
    tables: dict[Key, TableWork] = field(default_factory=dict)
    flush: WholeOrigin | None = None
    diagnostics: list[Diagnostic] = field(default_factory=list)
    _deleted: set[Key] = field(default_factory=set)
    _emptied: set[Key] = field(default_factory=set)
    _cleared: set[Family] = field(default_factory=set)
    _unknown: set[str] = field(default_factory=set)

    # -- tables ---------------------------------------------------------------------------

    def table(self, key: Key, origin: WholeOrigin) -> TableWork:
        """The table, new if there is none of that name."""
        if key not in self.tables:
            family, name = key
            whole = self.is_gone(key)
            fresh = whole or key in self._emptied
            self.tables[key] = TableWork(OpenTable(family, name, origin, fresh), whole=whole)
        return self.tables[key]

    def is_gone(self, key: Key) -> bool:
        """Whether the text has deleted it, so that no host has it at this place."""
        return key not in self.tables and (key in self._deleted or key[0] in self._cleared)

    def delete(self, key: Key) -> None:
        self.tables.pop(key, None)
        self._deleted.add(key)

    def empty(self, key: Key) -> None:
        """Take the rules out of all chains."""
        self._emptied.add(key)
        work = self.tables.get(key)
        if work is not None:
            work.table.fresh = True
            work.rules.clear()

    def clear(self, families: Iterable[Family]) -> None:
        cleared = set(families)
        self._cleared |= cleared
        self.tables = {key: work for key, work in self.tables.items() if key[0] not in cleared}

    # -- what is said -----------------------------------------------------------------------

    def report(
        self,
        source: SourceFile,
        node: Node,
        code: str,
        message: str,
        help: str = "",
        severity: str = "error",
        says: str = "",
        *,
        alone: bool = False,
    ) -> None:
        included = None if source is self.main else source
        place = (node.start, node.end)
        self.diagnostics.append(
            Diagnostic(code, severity, *place, message, help, included, says=says, alone=alone)
        )

    def report_variable(self, context: BlockContext, variable: UnusableVariable) -> None:
        """A name that nobody defined is said once, and not where an include is missing."""
        if variable.fit is not None:
            self._report_unfit(context, variable, variable.fit)
            return
        if variable.too_large:
            self._report_too_large(context, variable)
            return
        if self.missing or variable.name in self._unknown:
            return
        self._unknown.add(variable.name)
        near = context.scope.near(variable.name)
        meant = f"did you mean ${near}? Else define" if near else "define"
        message = f"there is no variable ${variable.name}"
        advice = f"{meant} it before the line that uses it"
        self.report(context.source, variable.node, SYNTAX, message, advice, alone=True)

    def _report_unfit(self, context: BlockContext, variable: UnusableVariable, fit: Fit) -> None:
        source, node, binding = context.source, variable.node, variable.binding
        message = f"${variable.name} cannot stand here: expected {fit.wanted}"
        advice = f"let ${variable.name} stand for {fit.wanted}" if fit.kinds else "write it so"
        if fit.at_value and binding is not None and binding.value is not None:
            use = Span(source, node.start, node.end)
            source, node = binding.origin.source, binding.value
            place = line_seen_from(use, source)
            message = f"${variable.name} cannot be this in {place}: expected {fit.wanted}"
        self.report(source, node, REFUSED, message, advice, says=fit.says)

    def _report_too_large(self, context: BlockContext, variable: UnusableVariable) -> None:
        """Once: what stands for that much stands for more wherever it is used again."""
        if any(diagnostic.code == LIMIT for diagnostic in self.diagnostics):
            return
        message = (
            f"${variable.name} stands for so much that it is not looked at, and neither is what "
            "uses it"
        )
        advice = "put the values into a named set"
        self.report(context.source, variable.node, LIMIT, message, advice, "warning")

    def exists(self, source: SourceFile, command: t.Command) -> None:
        """``create`` of what is there."""
        name = command.path[-1]
        message = f"there is a {command.kind} {name.text} already, so create is refused"
        self.report(source, name, REFUSED, message, "write add, which takes what is there")

    def no_table(self, source: SourceFile, command: t.Command) -> None:
        if self.missing:
            return
        name = command.path[0]
        family = command.family or "ip"
        message = f"there is no table {family} {name.text}: the text deleted it before"
        advice = f"write `add table {family} {name.text}` before this line"
        self.report(source, name, UNDEFINED, message, advice)
        self._unknown.add(f"table {family} {name.text}")

    def undeclared(
        self, source: SourceFile, work: TableWork, name: t.Value, kind: str, known: Iterable[str]
    ) -> None:
        """A chain or set that the text uses as if it were there.

        Texts for a host that has it are not complained about: where the table is not of the
        text, or the name is that of other software. Nor is one in a table that is missing itself.
        """
        others = owner_of_name(name.text) is not None and not work.whole
        if self.missing or others or not (work.made or work.whole):
            return
        table = work.table
        where = f"{table.family.value} {table.name}"
        key = f"{kind} {where} {name.text}"
        if not self._unknown.isdisjoint((key, f"table {where}")):
            return
        self._unknown.add(key)
        message = f"there is no {kind} {name.text} in table {where}"
        near = nearest(name.text, known)
        declare = f"declare it before this line: `add {kind} {where} …`"
        advice = f"did you mean {near}? Else {declare}" if near else declare
        severity = "error" if work.whole else "warning"
        self.report(source, name, UNDEFINED, message, advice, severity)
