"""Tables, chains, sets and objects declared by a command or in a table's block."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.block_items import BlockReader
from iptlint.dialects.nft.execution.properties import (
    device_names,
    take_hook,
    take_policy,
    take_set_item,
)
from iptlint.dialects.nft.execution.state import REFUSED, SYNTAX, BlockContext, State, TableWork
from iptlint.dialects.nft.execution.unparsed import UnparsedFragment, unread_rule
from iptlint.dialects.nft.execution.unread import leave_chain_open, leave_table_open
from iptlint.dialects.nft.nodes import Node
from iptlint.dialects.nft.tables import OpenChain, OpenObject, OpenSet
from iptlint.source import WholeOrigin

Items = Iterable[t.Item | UnparsedFragment]

SETS = ("set", "map", "meter")
OBJECTS = (
    *("counter", "quota", "limit", "secmark", "synproxy", "tunnel", "flowtable"),
    *("ct helper", "ct timeout", "ct expectation"),
)


class Declarations:
    """Puts declarations into a table; what is there already is continued."""

    def __init__(self, state: State, reader: BlockReader) -> None:
        self._state = state
        self._reader = reader

    def declare(self, work: TableWork, command: t.Command, context: BlockContext) -> None:
        """A chain, a set, an object, by the kind that the command names."""
        handler = _DECLARE.get(command.kind)
        if handler is not None:
            handler(self, work, command, context)
            return
        message = f"a {command.kind} cannot be declared in the block of a table"
        self._state.report(
            context.source, command.path[-1], SYNTAX, message, "end the table before it"
        )

    def table(self, work: TableWork, command: t.Command, context: BlockContext) -> None:
        work.made = True
        # A declaration without the flag wakes the table up again.
        work.table.dormant = False
        if command.body is not None:
            inner = context.inside()
            self._table_items(work, self._reader.body(command, inner), inner)

    def _table_items(self, work: TableWork, items: Items, context: BlockContext) -> None:
        for item in items:
            match item:
                case t.Command():
                    self.declare(work, item, context)
                case t.Flags(flags):
                    work.table.dormant |= any(flag.text == "dormant" for flag in flags)
                case t.Include():
                    for included, inner in self._reader.files(item, context):
                        self._table_items(work, included, inner)
                case UnparsedFragment():
                    leave_table_open(self._state, work, item)

    # -- chains ---------------------------------------------------------------------------

    def _chain(self, work: TableWork, command: t.Command, context: BlockContext) -> None:
        chain = work.add_chain(command.path[-1].text, origin_of(command, context))
        inner = context.inside()
        chain.settled = chain.hook is not None
        self._chain_items(work, chain, self._reader.body(command, inner), inner)

    def _chain_items(
        self, work: TableWork, chain: OpenChain, items: Items, context: BlockContext
    ) -> None:
        rules = work.rules_of(chain)
        for item in items:
            match item:
                case t.Rule():
                    rules.append(self._reader.rule(item, context))
                case t.Hook() | t.Policy() | t.Devices():
                    self._base(work, chain, item, context)
                case t.Include():
                    if not self._reader.is_whole(item, context):
                        rules.append(unread_rule(context.source, item.start, item.end))
                    for included, inner in self._reader.files(item, context):
                        self._chain_items(work, chain, included, inner)
                case UnparsedFragment():
                    leave_chain_open(work, chain, item)

    def _base(
        self,
        work: TableWork,
        chain: OpenChain,
        item: t.Hook | t.Policy | t.Devices,
        context: BlockContext,
    ) -> None:
        """What makes it the chain of a hook; variables nobody knows are left out."""
        made, whole = self._reader.substituted(item, context)

        def refuse(node: Node, message: str, advice: str) -> None:
            if whole:
                self._state.report(context.source, node, REFUSED, message, advice)

        match made:
            case t.Hook():
                place = {"start": made.start, "end": made.end}
                known = made if whole else t.Hook(made.type, made.hook, None, None, **place)
                take_hook(chain, known, work.table.family, refuse)
            case t.Policy():
                take_policy(chain, made, refuse)
            case t.Devices(devices):
                chain.devices = (*chain.devices, *device_names(devices))

    # -- sets and objects -------------------------------------------------------------------

    def _set(self, work: TableWork, command: t.Command, context: BlockContext) -> None:
        """Its block is no scope of its own."""
        open_set = work.add_set(command.kind, command.path[-1].text, origin_of(command, context))
        before = len(open_set.changes)
        self._set_items(open_set, self._reader.body(command, context), context)
        open_set.changes[before:-1] = []  # of several lists in a block nft takes the last

    def _set_items(self, open_set: OpenSet, items: Items, context: BlockContext) -> None:
        for item in items:
            match item:
                case t.Include():
                    open_set.updated |= not self._reader.is_whole(item, context)
                    for included, inner in self._reader.files(item, context):
                        self._set_items(open_set, included, inner)
                case Node():
                    made, whole = self._reader.substituted(item, context)
                    if whole:
                        take_set_item(open_set, made)
                    else:
                        open_set.updated = True
                case UnparsedFragment():
                    open_set.updated = True

    def _object(self, work: TableWork, command: t.Command, context: BlockContext) -> None:
        key = (command.kind, command.path[-1].text)
        made = OpenObject(*key, origin_of(command, context))
        kept = work.table.objects.setdefault(key, made)
        for item in self._reader.body(command, context):
            if isinstance(item, Node):
                inside, whole = self._reader.substituted(item, context)
                if isinstance(inside, t.Devices) and whole:
                    kept.devices = (*kept.devices, *device_names(inside.devices))


def origin_of(command: t.Command, context: BlockContext) -> WholeOrigin:
    """The declaration without its block; else the whole command."""
    text = context.source.text
    end = command.end
    if command.body is not None and command.kind not in ("rule", "element"):
        brace = text.find("{", command.path[-1].end, command.end)
        end = command.start + len(text[command.start : brace].rstrip()) if brace > 0 else end
    return WholeOrigin(context.source, command.start, end)


_DECLARE: dict[str, Callable[[Declarations, TableWork, t.Command, BlockContext], None]] = {
    "chain": Declarations._chain,
    **dict.fromkeys(SETS, Declarations._set),
    **dict.fromkeys(OBJECTS, Declarations._object),
}
