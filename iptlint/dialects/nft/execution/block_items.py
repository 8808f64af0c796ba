"""The items of a block, with variables out of them and with what could not be read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from iptlint.dialects.diagnostics import SyntaxDiagnostic
from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution import unparsed
from iptlint.dialects.nft.execution.state import REFUSED, BlockContext, State
from iptlint.dialects.nft.execution.unparsed import Unparsed, UnparsedFragment, unread_rule
from iptlint.dialects.nft.execution.variables import MOST_IN_ALL, MOST_NODES, Binding, Substitution
from iptlint.dialects.nft.tables import PlacedRule
from iptlint.dialects.nft.walking import AnyNode
from iptlint.model.numbers import decimal
from iptlint.source import SourceFile, Span, WholeOrigin

_HANDLE = re.compile(r"[ \t]*#[ \t]*handle[ \t]+([0-9]+)")


class BlockReader:
    """``bindings``: the definitions in the order of the text. ``unread``: what was not read."""

    def __init__(self, state: State, diagnostics: Sequence[SyntaxDiagnostic]) -> None:
        self._state = state
        self._unparsed = Unparsed(diagnostics)
        self._with_handles: dict[SourceFile, bool] = {}
        self.bindings: list[Binding] = []
        self.unread: list[str] = []
        self._room = MOST_IN_ALL

    def each(
        self, items: Sequence[t.Item], context: BlockContext, start: int, end: int
    ) -> Iterable[t.Item | UnparsedFragment]:
        """The items of a block and what was lost between them; definitions are carried out."""
        for item in self._unparsed.merged(items, context.source, start, end):
            match item:
                case t.Define():
                    self._define(item, context)
                case UnparsedFragment():
                    self.unread.append(item.text)
                    self._leave_define_open(item, context)
                    yield item
                case _:
                    yield item

    def body(
        self, command: t.Command, context: BlockContext
    ) -> Iterable[t.Item | UnparsedFragment]:
        opened = context.source.text.find("{", command.start, command.end) + 1
        start = max(opened, command.start)
        return self.each(command.body or (), context, start, command.end)

    def files(
        self, include: t.Include, context: BlockContext
    ) -> Iterable[tuple[Iterable[t.Item | UnparsedFragment], BlockContext]]:
        """The items of each file that is read in the place of an include.

        A pattern that no file fits is good to nft; where the text is meant for there are some.
        """
        self._state.missing |= not include.files
        for file in include.files:
            inner = BlockContext(file.source, context.scope)
            yield self.each(file.items, inner, 0, len(file.source.text)), inner

    def is_whole(self, node: t.Node, context: BlockContext) -> bool:
        """Whether all of it could be read."""
        return not self._unparsed.within(context.source, node.start, node.end)

    # -- variables --------------------------------------------------------------------

    def _define(self, item: t.Define, context: BlockContext) -> None:
        name, scope = item.name.text, context.scope
        if item.value is None:
            scope.unbind(name)
            return
        before = scope.find(name)
        if item.verb == "define" and before is not None and before.value is not None:
            message = f"${name} is defined already, and define does not replace it"
            self._state.report(
                *(context.source, item.name, REFUSED, message, "write redefine, or another name"),
                says=f"redefinition of symbol '{name}'",
            )
        value, whole = self.substituted(item.value, context)
        origin = WholeOrigin(context.source, item.start, item.end)
        binding = Binding(name, origin, value if whole else None, before)
        self.bindings.append(binding)
        scope.bind(binding)

    def _leave_define_open(self, fragment: UnparsedFragment, context: BlockContext) -> None:
        name = unparsed.define(fragment)
        if name is not None:
            origin = WholeOrigin(fragment.source, fragment.start, fragment.end)
            context.scope.bind(Binding(name, origin, None))

    def substituted(self, node: AnyNode, context: BlockContext) -> tuple[AnyNode, bool]:
        """The node without variables; false where one of them could not be had."""
        if context.source.text.find("$", node.start, node.end) < 0:
            return node, True
        room = min(self._room, MOST_NODES)
        substitution = Substitution(
            context.scope,
            lambda variable: self._state.report_variable(context, variable),
            lambda use, binding: self._used(context.source, use, binding),
            room,
        )
        made = substitution.made(node)
        self._room -= room - max(substitution.room, 0)
        return made, not substitution.failed

    def _used(self, source: SourceFile, use: t.Node, binding: Binding) -> None:
        self._state.uses[Span(source, use.start, use.end)] = binding

    # -- rules ------------------------------------------------------------------------

    def rule(self, rule: t.Rule, context: BlockContext) -> PlacedRule:
        handle = self._handle_of(rule, context.source)
        made, whole = self.substituted(rule, context)
        if whole and self.is_whole(rule, context):
            return PlacedRule(context.source, made, handle)
        self.unread.append(context.source.text[rule.start : rule.end])
        return unread_rule(context.source, rule.start, rule.end, handle)

    def _handle_of(self, rule: t.Rule, source: SourceFile) -> int | None:
        with_handles = self._with_handles.get(source)
        if with_handles is None:
            with_handles = self._with_handles[source] = "# handle" in source.text
        handle = _HANDLE.match(source.text, rule.end) if with_handles else None
        return decimal(handle[1]) if handle else None
