"""The commands of a file, one after the other, against what is there by then."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.block_items import BlockReader
from iptlint.dialects.nft.execution.state import BlockContext, State
from iptlint.dialects.nft.execution.unparsed import UnparsedFragment
from iptlint.dialects.nft.execution.variables import VariableScope
from iptlint.loads.nft import checks
from iptlint.loads.nft.chains import ChainTrial
from iptlint.loads.nft.lookup import Lookup, key_of
from iptlint.loads.nft.names import check_comment, check_name
from iptlint.loads.nft.objects import ObjectTrial
from iptlint.loads.nft.positions import check_position
from iptlint.loads.nft.rules import RuleTrial
from iptlint.loads.nft.separators import check_separators
from iptlint.loads.nft.sets import SetTrial
from iptlint.loads.nft.shown import ShownTrial
from iptlint.loads.nft.state import CONTENTS, OBJECTS, SETS, KnownChain, KnownTable, Tables
from iptlint.loads.nft.table_flags import check_flags
from iptlint.loads.nft.trial import Trial
from iptlint.model import Family

_ADDING = {None, "add", "create"}

Placed = tuple[t.Item, BlockContext]


class CommandTrial:
    """Carries out the commands of one file after another on ``tables``."""

    def __init__(self, tables: Tables, trial: Trial) -> None:
        self._tables = tables
        self._trial = trial
        self._lookup = Lookup(tables, trial)
        self._shown = ShownTrial(self._lookup, trial)
        self._sets = SetTrial(trial)
        self._chains = ChainTrial(trial)
        self._objects = ObjectTrial(trial)
        self._rules = RuleTrial(trial)

    def run(self, file: t.NftFile) -> State:
        """The state has what is wrong with the variables of the file."""
        state = State(file.source, False)
        self._reader = BlockReader(state, file.diagnostics)
        context = BlockContext(file.source, VariableScope())
        for item, inner in self._flat(file.items, context, 0, len(file.source.text)):
            if isinstance(item, t.Command):
                self._command(item, inner)
            elif isinstance(item, t.Describe):
                self._reader.substituted(item, inner)
        return state

    def _flat(
        self, items: Iterable[t.Item], context: BlockContext, start: int, end: int
    ) -> Iterator[Placed]:
        """The items with those of included files in the place of an include."""
        yield from self._included(self._reader.each(tuple(items), context, start, end), context)

    def _included(
        self, items: Iterable[t.Item | UnparsedFragment], context: BlockContext
    ) -> Iterator[Placed]:
        for item in items:
            match item:
                case t.Include():
                    for included, inner in self._reader.files(item, context):
                        yield from self._included(included, inner)
                case UnparsedFragment():
                    continue
                case _:
                    yield item, context

    def _body(self, command: t.Command, context: BlockContext) -> Iterator[Placed]:
        """What the block holds, without variables; what has some that are unknown is left out.

        One by one: a definition holds from where it stands.
        """
        for item, inner in self._included(self._reader.body(command, context), context):
            if isinstance(item, t.Command):
                yield item, inner
                continue
            known, whole = self._reader.substituted(item, inner)
            if whole:
                yield known, inner

    # -- one command -------------------------------------------------------------------------

    def _command(self, command: t.Command, context: BlockContext) -> None:
        handler = _HANDLERS.get(("add" if command.verb in _ADDING else command.verb, command.kind))
        if handler is not None and (command.path or command.kind == "ruleset"):
            handler(self, command, context)

    # -- tables --------------------------------------------------------------------------------

    def _add_table(self, command: t.Command, context: BlockContext) -> None:
        key = key_of(command)
        if command.verb == "create" and self._tables.get(key) is not None:
            self._exists(command, context)
        is_new = self._tables.get(key) is None
        table = self._tables.add(key)
        table.whole |= command.verb == "create"
        items = list(self._body(command, context.inside())) if command.body is not None else []
        flags = [flag for item, _ in items if isinstance(item, t.Flags) for flag in item.flags]
        if is_new:
            table.flags = frozenset(flag.text for flag in flags)
        else:
            check_flags(self._trial, table, flags, context, command.path[-1])
        self._block(table, items)

    def _block(self, table: KnownTable, items: Iterable[Placed]) -> None:
        """nft looks at the sets of a block, then its chains, and all of them before the rules."""
        bodies = []
        for item, context in items:
            match item:
                case t.Command(_, "table"):
                    cause = "a table cannot stand in a table"
                    mend = "end the table before it"
                    self._trial.refuse(checks.SYNTAX, context, item, cause, mend)
                case t.Command():
                    bodies.append((item, context, self._declared(table, item, context)))
                case t.Flags(flags):
                    self._objects.table_flags(flags, context)
                case t.Comment(text):
                    check_comment(self._trial, context, text)
        for command, context, body in sorted(bodies, key=_order):
            self._define(table, command, body, context)
        for command, _, body in bodies:
            if command.kind == "chain":
                self._chain_rules(table, table.chains[command.path[-1].text], body)

    def _define(
        self, table: KnownTable, command: t.Command, body: list[Placed], context: BlockContext
    ) -> None:
        self._trial.part = _called(table, command.kind, command.path[-1].text)
        check_separators(self._trial, command, context)
        comments = [(item, where) for item, where in body if isinstance(item, t.Comment)]
        for item, where in comments:
            check_comment(self._trial, where, item.text)
        for item, where in comments[1:]:
            cause = "there is a comment already"
            self._trial.refuse(checks.GIVEN_TWICE, where, item, cause, "delete one of the two")
        if command.kind in SETS:
            self._sets.define(table, command, body, context)
        elif command.kind == "chain":
            self._chains.define(table, command, body, context)
        elif command.kind in OBJECTS:
            self._objects.define(table, command, body, context)

    def _declared(
        self, table: KnownTable, command: t.Command, context: BlockContext
    ) -> list[Placed]:
        """The name is known from here on; what its block holds."""
        check_name(self._trial, context, command.path[-1])
        name = command.path[-1].text
        inner = context.inside() if command.kind == "chain" else context
        if command.kind == "chain":
            table.chains.setdefault(name, KnownChain(name))
        elif command.kind in SETS:
            self._sets.declare(table, command)
        elif command.kind in OBJECTS:
            table.objects.add((command.kind, name))
        return list(self._body(command, inner))

    def _chain_rules(self, table: KnownTable, chain: KnownChain, items: list[Placed]) -> None:
        for item, context in items:
            if isinstance(item, t.Rule):
                chain.count_rule()
                self._trial.part = f"{_called(table, 'chain', chain.name)}, rule {chain.rules}"
                self._rules.rule(table, chain, item, context)

    def _delete_table(self, command: t.Command, context: BlockContext) -> None:
        key = key_of(command)
        if command.verb == "delete" and command.position is None:
            self._lookup.table(command, context)
        self._tables.delete(key)

    def _flush_table(self, command: t.Command, context: BlockContext) -> None:
        table = self._lookup.table(command, context)
        if table is not None:
            for chain in table.chains.values():
                chain.empty()

    def _flush_ruleset(self, command: t.Command, context: BlockContext) -> None:
        families = set(Family) if command.family is None else {Family(command.family)}
        self._tables.clear(families)

    def _exists(self, command: t.Command, context: BlockContext) -> None:
        name = command.path[-1]
        self._trial.refuse(
            checks.EXISTS,
            context,
            name,
            f"there is a {command.kind} {name.text} already, so create is refused",
            "write add, which takes what is there",
        )

    # -- what is in them -------------------------------------------------------------------------

    def _add(self, command: t.Command, context: BlockContext) -> None:
        table = self._lookup.table(command, context)
        if table is None:
            table = self._tables.add(key_of(command))
        if len(command.path) < 2:
            return
        if command.verb == "create" and table.has(command.kind, command.path[-1].text):
            self._exists(command, context)
        body = self._declared(table, command, context)
        self._define(table, command, body, context)
        if command.kind == "chain":
            self._chain_rules(table, table.chains[command.path[-1].text], body)

    def _delete(self, command: t.Command, context: BlockContext) -> None:
        key = key_of(command)
        table = self._tables.get(key)
        if table is None or len(command.path) < 2:
            if command.verb == "delete" and table is None:
                self._lookup.missing(
                    command, context, command.path[0], "table", self._tables.is_gone(key)
                )
            return
        name = command.path[-1]
        if not table.has(command.kind, command.path[-1].text):
            if command.verb == "delete":
                self._lookup.missing(command, context, name, command.kind, table.whole)
            return
        if table.uses(command.kind, name.text):
            self._busy(command, context, name)
        table.forget(command.kind, name.text)

    def _busy(self, command: t.Command, context: BlockContext, name: t.Value) -> None:
        self._trial.refuse(
            checks.BUSY,
            context,
            name,
            f"the {command.kind} {name.text} is in use, so it cannot be deleted",
            "delete the rules that refer to it first",
        )

    def _flush(self, command: t.Command, context: BlockContext) -> None:
        table = self._lookup.table(command, context)
        if table is None or len(command.path) < 2:
            return
        name = command.path[1]
        held = table.chains if command.kind == "chain" else table.sets
        known = held.get(name.text)
        if known is None:
            self._lookup.missing(command, context, name, command.kind, table.whole)
        else:
            known.empty()

    def _rename_chain(self, command: t.Command, context: BlockContext) -> None:
        table = self._lookup.table(command, context)
        if table is None or not command.body:
            return
        old, new = command.path[1], command.body[0]
        chain = table.chains.get(old.text)
        if chain is None:
            self._lookup.missing(command, context, old, "chain", table.whole)
        elif isinstance(new, t.Value) and new.text in table.chains:
            message = f"there is a chain {new.text} already"
            self._trial.refuse(checks.EXISTS, context, new, message, "choose another name")
        elif chain.listed is None:
            message = f"the kernel cannot rename {old.text}, which this file makes"
            mend = "declare the chain by its new name"
            self._trial.refuse(checks.MISSING, context, old, message, mend)
        elif isinstance(new, t.Value):
            del table.chains[old.text]
            chain.name = new.text
            table.chains[new.text] = chain

    # -- rules -------------------------------------------------------------------------------

    def _put_rule(self, command: t.Command, context: BlockContext) -> None:
        read = [self._reader.substituted(item, context) for item in command.body or ()]
        table = self._lookup.table(command, context)
        if table is None or len(command.path) < 2:
            return
        name = command.path[1]
        chain = table.chains.get(name.text)
        if chain is None:
            self._lookup.missing(command, context, name, "chain", table.whole)
            chain = KnownChain(name.text)
        check_position(self._trial, command, context, table, chain)
        for made, whole in read:
            if whole and isinstance(made, t.Rule):
                if command.verb != "replace":
                    chain.count_rule()
                self._rules.rule(table, chain, made, context)

    def _delete_rule(self, command: t.Command, context: BlockContext) -> None:
        table = self._lookup.table(command, context)
        if table is None or len(command.path) < 2:
            return
        chain = table.chains.get(command.path[1].text)
        if chain is None:
            self._lookup.missing(command, context, command.path[1], "chain", table.whole)
            return
        check_position(self._trial, command, context, table, chain)
        chain.rules = max(0, chain.rules - 1)
        chain.meters.clear()

    # -- elements ----------------------------------------------------------------------------

    def _change_elements(self, command: t.Command, context: BlockContext) -> None:
        table = self._lookup.table(command, context)
        if table is None or len(command.path) < 2:
            return
        name = command.path[-1]
        known = table.sets.get(name.text)
        if known is None:
            self._trial.refuse(
                checks.NO_SET,
                context,
                name,
                f"there is no set {name.text} in table {table.family.value} {table.name}",
                "declare the set before its elements",
                missing=not table.whole,
            )
            return
        for item in command.body or ():
            made, whole = self._reader.substituted(item, context)
            if whole and isinstance(made, t.SetLiteral):
                self._sets.elements.change(known, made, context, command.verb or "add")
            elif command.verb == "delete":
                known.put = None

    def _look(self, command: t.Command, context: BlockContext) -> None:
        self._shown.look(command, context)

    def _look_at_meter(self, command: t.Command, context: BlockContext) -> None:
        self._shown.meter(command, context)

    def _reset(self, command: t.Command, context: BlockContext) -> None:
        self._shown.reset(command, context)


def _order(declared: tuple[t.Command, BlockContext, list[Placed]]) -> bool:
    return declared[0].kind not in SETS


def _called(table: KnownTable, kind: str, name: str) -> str:
    return f"{kind} {name} of table {table.family.value} {table.name}"


_SHOWING = ("list", "reset")
Handler = Callable[[CommandTrial, t.Command, BlockContext], None]

_HANDLERS: dict[tuple[str | None, str], Handler] = {
    ("add", "table"): CommandTrial._add_table,
    ("flush", "table"): CommandTrial._flush_table,
    ("flush", "ruleset"): CommandTrial._flush_ruleset,
    **{("add", kind): CommandTrial._add for kind in ("chain", *SETS, *OBJECTS)},
    **{
        (verb, kind): CommandTrial._delete
        for verb in ("delete", "destroy")
        for kind in ("chain", *CONTENTS, *OBJECTS)
    },
    **{(verb, "table"): CommandTrial._delete_table for verb in ("delete", "destroy")},
    **{("flush", kind): CommandTrial._flush for kind in ("chain", *SETS)},
    ("rename", "chain"): CommandTrial._rename_chain,
    **{(verb, "rule"): CommandTrial._put_rule for verb in ("add", "insert", "replace")},
    ("delete", "rule"): CommandTrial._delete_rule,
    **{(verb, "element"): CommandTrial._change_elements for verb in ("add", "delete")},
    **{("list", kind): CommandTrial._look for kind in ("table", "chain", *SETS, *OBJECTS)},
    **{(verb, f"{kind}s"): CommandTrial._look for verb in _SHOWING for kind in OBJECTS},
    **{("list", kind): CommandTrial._look for kind in ("sets", "maps", "chains")},
    **{(verb, "meter"): CommandTrial._look_at_meter for verb in ("list", "flush")},
    **{("reset", kind): CommandTrial._reset for kind in OBJECTS},
    ("get", "element"): CommandTrial._look,
}
"""By verb and kind; what is not here shows something and changes nothing."""
