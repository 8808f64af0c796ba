"""What ``nft -f`` does with a text: its commands carried out, one after the other.

The ruleset is empty at first. Texts are also written for hosts that have more than what they
declare, so what they delete, empty or add to without having made it is taken as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from iptlint import model
from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.block_items import BlockReader
from iptlint.dialects.nft.execution.declarations import OBJECTS, SETS, Declarations, origin_of
from iptlint.dialects.nft.execution.references import mark_references
from iptlint.dialects.nft.execution.renames import rename_jumps
from iptlint.dialects.nft.execution.rule_list import RuleList
from iptlint.dialects.nft.execution.rule_places import PUT, at
from iptlint.dialects.nft.execution.state import BlockContext, Key, State, TableWork
from iptlint.dialects.nft.execution.unparsed import UnparsedFragment, references
from iptlint.dialects.nft.execution.unread import leave_command_open, open_to_anything
from iptlint.dialects.nft.execution.variables import Binding, VariableScope
from iptlint.dialects.nft.tables import ElementsChange, OpenTable
from iptlint.dialects.nft.walking import everything
from iptlint.model import Family
from iptlint.source import WholeOrigin


@dataclass(frozen=True, slots=True, eq=False)
class ExecutionResult:
    """The tables at the end, in the order in which they were made.

    ``flush``: the last ``flush ruleset``. ``diagnostics``: what is wrong with the commands; what
    could not be read is in the file's own. ``missing``: text that may declare anything, or use
    it, could not be read, so that nothing may be called undeclared or unused.
    """

    tables: tuple[OpenTable, ...]
    defines: tuple[model.Named, ...]
    flush: WholeOrigin | None
    diagnostics: tuple[Diagnostic, ...]
    missing: bool = False


def execute(file: t.NftFile) -> ExecutionResult:
    state = State(file.source, any(p.hides_text for p in file.diagnostics))
    reader = BlockReader(state, file.diagnostics)
    items = reader.each(
        file.items, context := BlockContext(file.source, VariableScope()), 0, len(file.source.text)
    )
    _Commands(state, reader).run(items, context)
    tables = tuple(_finished(work) for work in state.tables.values())
    missing = state.missing
    _mark(tables, reader, file, missing)
    return ExecutionResult(
        tables, _defines(reader, missing), state.flush, tuple(state.diagnostics), missing
    )


def _finished(work: TableWork) -> OpenTable:
    table = work.finished()
    rename_jumps(table, work.renamed)
    return table


def _mark(tables: Iterable[OpenTable], reader: BlockReader, file: t.NftFile, missing: bool) -> None:
    """Objects of JSON have no text, and what could not be read of it may have stood anywhere."""
    for table in tables:
        unplaced = bool(file.diagnostics) and table.origin.end == table.origin.start
        mark_references(table, reader.unread, everything=missing or unplaced)
        if unplaced:
            open_to_anything(table)


_FEW = 16
"""Of the words of a definition: no host has more interfaces, and a list has more addresses."""


def _defines(reader: BlockReader, missing: bool) -> tuple[model.Named, ...]:
    unread = {name for text in reader.unread for name in references(text, "$")}

    def named(binding: Binding) -> model.Named:
        used = binding.used or missing or binding.name in unread
        nodes = () if binding.value is None else everything(binding.value)
        words = tuple(node.text for node in nodes if isinstance(node, t.Value))[:_FEW]
        return model.Named("define", binding.name, binding.origin, used, devices=words)

    return tuple(map(named, reader.bindings))


class _Commands:
    def __init__(self, state: State, reader: BlockReader) -> None:
        self._state = state
        self._reader = reader
        self._declaring = Declarations(state, reader)

    def run(self, items: Iterable[t.Item | UnparsedFragment], context: BlockContext) -> None:
        for item in items:
            match item:
                case t.Command():
                    verb = _SAME.get(item.verb, item.verb)
                    handler = _HANDLERS.get((verb or "add", item.kind))
                    if handler is not None and (item.path or item.kind == "ruleset"):
                        handler(self, item, context)
                case t.Include():
                    for included, inner in self._reader.files(item, context):
                        self.run(included, inner)
                case UnparsedFragment():
                    leave_command_open(self._state, item)

    def _work(self, command: t.Command, context: BlockContext) -> TableWork:
        """The table that a command is about; the host's, unless the text has deleted that."""
        key = _key(command)
        if self._state.is_gone(key):
            self._state.no_table(context.source, command)
        return self._state.table(key, origin_of(command, context))

    # -- tables ---------------------------------------------------------------------------

    def _add_table(self, command: t.Command, context: BlockContext) -> None:
        key = _key(command)
        if command.verb == "create" and key in self._state.tables:
            self._state.exists(context.source, command)
        work = self._state.table(key, origin_of(command, context))
        work.whole |= command.verb == "create"
        self._declaring.table(work, command, context)

    def _delete_table(self, command: t.Command, context: BlockContext) -> None:
        self._state.delete(_key(command))

    def _flush_table(self, command: t.Command, context: BlockContext) -> None:
        self._state.empty(_key(command))

    def _flush_ruleset(self, command: t.Command, context: BlockContext) -> None:
        self._state.clear(Family if command.family is None else (Family(command.family),))
        self._state.flush = WholeOrigin(context.source, command.start, command.end)

    # -- what is in them --------------------------------------------------------------------

    def _add(self, command: t.Command, context: BlockContext) -> None:
        work = self._work(command, context)
        if command.verb == "create" and _is_there(work.table, command):
            self._state.exists(context.source, command)
        self._declaring.declare(work, command, context)

    def _delete(self, command: t.Command, context: BlockContext) -> None:
        """By name; what has a handle the text does not tell is the host's."""
        work = self._state.tables.get(_key(command))
        if work is None or len(command.path) < 2:
            return
        name = command.path[1].text
        if command.kind == "chain":
            work.rules.pop(name, None)
            work.table.chains.pop(name, None)
        elif command.kind in SETS:
            work.table.sets.pop(name, None)
        else:
            work.table.objects.pop((command.kind, name), None)

    def _flush_chain(self, command: t.Command, context: BlockContext) -> None:
        work = self._state.tables.get(_key(command))
        if work is not None:
            work.rules.pop(command.path[-1].text, None)

    def _flush_set(self, command: t.Command, context: BlockContext) -> None:
        work = self._state.tables.get(_key(command))
        open_set = work.table.sets.get(command.path[-1].text) if work else None
        if open_set is not None:
            open_set.changes.clear()

    def _rename_chain(self, command: t.Command, context: BlockContext) -> None:
        work = self._state.tables.get(_key(command))
        match command.path, command.body:
            case (_, t.Value(old)), (t.Value(new),) if work is not None:
                work.rename(old, new)

    # -- rules ------------------------------------------------------------------------------

    def _put_rule(self, command: t.Command, context: BlockContext) -> None:
        rules = self._rules(command, context)
        for item in command.body or ():
            if isinstance(item, t.Rule):
                PUT[command.verb or "add"](
                    rules, self._reader.rule(item, context), command.position
                )

    def _rules(self, command: t.Command, context: BlockContext) -> RuleList:
        """Those of the chain that a rule is for, which is made if there is none."""
        work = self._work(command, context)
        name = command.path[1]
        if name.text not in work.table.chains:
            self._state.undeclared(context.source, work, name, "chain", work.table.chains)
        chain = work.add_chain(name.text, origin_of(command, context), declared=False)
        return work.rules_of(chain)

    def _delete_rule(self, command: t.Command, context: BlockContext) -> None:
        work = self._state.tables.get(_key(command))
        if work is None or len(command.path) < 2 or command.position is None:
            return
        rules = work.rules.get(command.path[1].text)
        placed = at(rules, command.position) if rules is not None else None
        if rules is not None and placed is not None:
            rules.remove(placed)

    # -- elements -----------------------------------------------------------------------------

    def _change_elements(self, command: t.Command, context: BlockContext) -> None:
        """Elements for a set of the host's say nothing of what else is in it."""
        adds = _SAME.get(command.verb, command.verb) == "add"
        changes = [self._reader.substituted(item, context) for item in command.body or ()]
        work = self._state.tables.get(_key(command))
        if work is None:
            return
        name = command.path[-1]
        open_set = work.table.sets.get(name.text)
        if open_set is None:
            if adds:
                self._state.undeclared(context.source, work, name, "set", work.table.sets)
            return
        for literal, whole in changes:
            if whole and isinstance(literal, t.SetLiteral):
                open_set.changes.append(ElementsChange(adds, literal))
            else:
                open_set.updated = True


def _key(command: t.Command) -> Key:
    return Family(command.family or "ip"), command.path[0].text


def _is_there(table: OpenTable, command: t.Command) -> bool:
    name = command.path[-1].text
    if command.kind == "chain":
        return name in table.chains
    if command.kind in SETS:
        return name in table.sets
    return (command.kind, name) in table.objects


_SAME = {None: "add", "create": "add", "destroy": "delete"}
"""Verbs that do what another one does; what else they say is looked at beside that."""

_HANDLERS: dict[tuple[str, str], Callable[[_Commands, t.Command, BlockContext], None]] = {
    ("add", "table"): _Commands._add_table,
    ("delete", "table"): _Commands._delete_table,
    ("flush", "table"): _Commands._flush_table,
    ("flush", "ruleset"): _Commands._flush_ruleset,
    **{("add", kind): _Commands._add for kind in ("chain", *SETS, *OBJECTS)},
    **{("delete", kind): _Commands._delete for kind in ("chain", *SETS, *OBJECTS)},
    ("flush", "chain"): _Commands._flush_chain,
    **{("flush", kind): _Commands._flush_set for kind in (*SETS, "flow table")},
    ("rename", "chain"): _Commands._rename_chain,
    **{(verb, "rule"): _Commands._put_rule for verb in ("add", "insert", "replace")},
    ("delete", "rule"): _Commands._delete_rule,
    ("add", "element"): _Commands._change_elements,
    ("delete", "element"): _Commands._change_elements,
}
"""By verb and kind; what is not here shows something and changes nothing."""
