"""Which sets and objects of a table are used, and which sets its rules change."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.unparsed import references
from iptlint.dialects.nft.nodes import Node
from iptlint.dialects.nft.tables import OpenObject, OpenSet, OpenTable, PlacedRule
from iptlint.dialects.nft.walking import everything as all_nodes
from iptlint.source import SourceFile, WholeOrigin

_MAY_MENTION = re.compile(r"[@$]|\b(?:name|set|meter|table)\b")
"""In every rule that mentions something with a name of its own."""

_ASSIGNED: dict[t.Selector, str] = {
    t.Ct("helper"): "ct helper",
    t.Ct("timeout"): "ct timeout",
    t.Ct("expectation"): "ct expectation",
    t.Meta("secmark"): "secmark",
}
"""The kinds of objects that are given to a packet as if they were values."""

_WORD = re.compile(r"[A-Za-z_.][A-Za-z0-9_./\-]*")


def mark_references(table: OpenTable, unread: Iterable[str], *, everything: bool) -> None:
    """Set what is used and updated, and add the sets that meters make.

    ``unread``: text that could not be read, so that whatever it names is used and updated.
    ``everything``: there is more such text, which is not at hand.
    """
    marker = _Marker(table)
    for chain in table.chains.values():
        for placed in chain.rules:
            if _may_refer(placed):
                marker.rule(placed)
    for open_set in table.sets.values():
        marker.object_map(open_set)
    for text in unread:
        marker.unread(text)
    if everything:
        marker.all()


def _may_refer(placed: PlacedRule) -> bool:
    """A rule of JSON has no text, so that only its nodes can say."""
    rule = placed.rule
    if rule.end == rule.start:
        return True
    return _MAY_MENTION.search(placed.source.text, rule.start, rule.end) is not None


class _Marker:
    def __init__(self, table: OpenTable) -> None:
        self._table = table
        self._objects: dict[str, list[OpenObject]] = {}
        for (_, name), named_object in table.objects.items():
            self._objects.setdefault(name, []).append(named_object)

    def rule(self, placed: PlacedRule) -> None:
        for node in all_nodes(placed.rule):
            handler = _MENTIONS.get(type(node))
            if handler is not None:
                handler(self, node, placed.source)

    def object_map(self, open_set: OpenSet) -> None:
        """The elements of a map to counters, helpers … have the names of such."""
        data = open_set.type.data if open_set.type else None
        kinds = data if isinstance(data, tuple) else (data,)
        for kind in (each.text for each in kinds if isinstance(each, t.Value)):
            if any(known == kind for known, _ in self._table.objects):
                for change in open_set.changes:
                    self._use_all(kind, _data(change.elements.elements))

    def unread(self, text: str) -> None:
        for name in references(text, "@") & self._table.sets.keys():
            self._table.sets[name].used = self._table.sets[name].updated = True
        if self._objects:
            for word in set(_WORD.findall(text)) & self._objects.keys():
                for named_object in self._objects[word]:
                    named_object.used = True

    def all(self) -> None:
        for open_set in self._table.sets.values():
            open_set.used = True
        for named_object in self._table.objects.values():
            named_object.used = True

    # -- what a node mentions -----------------------------------------------------------

    def _reference(self, node: t.SetReference, _: SourceFile) -> None:
        open_set = self._table.sets.get(node.name.text)
        if open_set is not None:
            open_set.used = True
            open_set.mentions += 1

    def _update(self, node: t.SetUpdate, _: SourceFile) -> None:
        if isinstance(node.target, t.SetReference):
            open_set = self._table.sets.get(node.target.name.text)
            if open_set is not None:
                open_set.updated = True

    def _object(self, node: t.ObjectUse, _: SourceFile) -> None:
        self._use_all(node.kind, _names(node.name))

    def _mangle(self, node: t.Mangle, _: SourceFile) -> None:
        kind = _ASSIGNED.get(node.target)
        if kind is not None:
            self._use_all(kind, _names(node.value))

    def _flow(self, node: t.FlowAdd, _: SourceFile) -> None:
        self._use_all("flowtable", _names(node.flowtable))

    def _meter(self, node: t.Meter, source: SourceFile) -> None:
        """A meter is a set that the kernel makes for the rule."""
        if node.name is None:
            return
        origin = WholeOrigin(source, node.start, node.end)
        made = OpenSet("meter", node.name.text, origin, flags=frozenset({"dynamic"}))
        open_set = self._table.sets.setdefault(made.name, made)
        open_set.used = open_set.updated = True

    def _use_all(self, kind: str, names: Iterable[str]) -> None:
        for name in names:
            named_object = self._table.objects.get((kind, name))
            if named_object is not None:
                named_object.used = True


_MENTIONS: dict[type[Node], Callable[[_Marker, Any, SourceFile], None]] = {
    t.SetReference: _Marker._reference,
    t.SetUpdate: _Marker._update,
    t.ObjectUse: _Marker._object,
    t.Mangle: _Marker._mangle,
    t.FlowAdd: _Marker._flow,
    t.Meter: _Marker._meter,
}


def _names(expression: t.Expression) -> Iterator[str]:
    """The names an expression may come to; those of a named map are in its elements."""
    match expression:
        case t.Value(text):
            yield text
        case t.Lookup(_, t.SetLiteral(elements)):
            yield from _data(elements)


def _data(elements: Sequence[t.Expression | t.Element]) -> Iterator[str]:
    for element in elements:
        match element:
            case t.Element(data=t.Value(text)):
                yield text
