"""A whole ruleset as the JSON of a listing: tables, what is declared in them, rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.lowering.datatypes import TIME
from iptlint.dialects.nft.tables import OpenChain, OpenSet, OpenTable
from iptlint.dialects.nft_json.shapes import Json
from iptlint.dialects.nft_json.writing import NoJsonError, written
from iptlint.model.numbers import c_number
from iptlint.source import SourceFile

Place = tuple[str, str, str, str]
"""Family, table, kind and name of what is declared."""
Bodies = Mapping[Place, tuple[t.Item, ...]]


@dataclass(slots=True)
class Listing:
    """``entries``: of the list `nftables`. ``lost``: file, offset, and why it is not in them."""

    entries: list[Json] = field(default_factory=list)
    lost: list[tuple[SourceFile, int, str]] = field(default_factory=list)


def listing(tree: t.NftFile, tables: Iterable[OpenTable]) -> Listing:
    """``tables``: what there is once the commands of the tree are carried out."""
    made = Listing([{"metainfo": {"json_schema_version": 1}}])
    bodies = dict(_declared(tree.items))
    for table in tables:
        _Table(table, bodies, made).write()
    return made


def _declared(
    items: Iterable[t.Item], table: tuple[str, str] = ("", "")
) -> Iterator[tuple[Place, tuple[t.Item, ...]]]:
    for item in items:
        match item:
            case t.Command("add" | "create" | None, "table", family, (name,), _, body):
                yield from _declared(body or (), (family or "ip", name.text))
            case t.Command("add" | "create" | None, kind, family, (of, name), _, body):
                yield (family or "ip", of.text, kind, name.text), body or ()
            case t.Command("add" | "create" | None, kind, _, (name,), _, body):
                yield (*table, kind, name.text), body or ()
            case t.Include(_, files):
                for file in files:
                    yield from _declared(file.items, table)


class _Table:
    def __init__(self, table: OpenTable, bodies: Bodies, made: Listing) -> None:
        self.table = table
        self.bodies = bodies
        self.made = made
        self.place = {"family": table.family.value, "table": table.name}

    def write(self) -> None:
        if self.table.dormant:
            self._lose(self.table.origin.source, self.table.origin.start, "a dormant table")
            return
        head = {"family": self.table.family.value, "name": self.table.name}
        self.made.entries.append({"table": head})
        self.made.entries += ({"chain": self._chain(each)} for each in self.table.chains.values())
        for (kind, name), thing in self.table.objects.items():
            self._declare(kind, name, thing.origin.source, thing.origin.start, None)
        for each in self.table.sets.values():
            self._declare(each.kind, each.name, each.origin.source, each.origin.start, each)
        for chain in self.table.chains.values():
            for placed in chain.rules:
                self._rule(chain, placed.rule, placed.source)

    def _lose(self, source: SourceFile, at: int, why: str) -> None:
        self.made.lost.append((source, at, why))

    # -- chains and rules -------------------------------------------------------------------

    def _chain(self, chain: OpenChain) -> Json:
        content: dict[str, Json] = {**self.place, "name": chain.name}
        if chain.hook is not None and chain.hook.type is not None:
            content |= {
                "type": chain.hook.type.text,
                "hook": chain.hook.hook.text,
                "prio": chain.priority or 0,
                "policy": chain.policy or "accept",
            }
            if chain.devices:
                content["dev"] = chain.devices[0] if len(chain.devices) == 1 else [*chain.devices]
        return content

    def _rule(self, chain: OpenChain, rule: t.Rule, source: SourceFile) -> None:
        try:
            statements = [written(each) for each in rule.statements]
        except NoJsonError as error:
            self._lose(source, rule.start, str(error))
            return
        content: dict[str, Json] = {**self.place, "chain": chain.name, "expr": statements}
        if rule.comment is not None:
            content["comment"] = rule.comment.text
        self.made.entries.append({"rule": content})

    # -- what else is declared ------------------------------------------------------------------

    def _declare(
        self, kind: str, name: str, source: SourceFile, at: int, of_set: OpenSet | None
    ) -> None:
        key = self.table.family.value, self.table.name, kind, name
        try:
            if key not in self.bodies:
                raise NoJsonError(f"{kind} {name} is declared by a command that is not followed")
            content = {**self.place, "name": name}
            for item in self.bodies[key]:
                content |= _property(kind, item)
            if of_set is not None:
                content |= _elements(of_set)
        except NoJsonError as error:
            self._lose(source, at, str(error))
            return
        self.made.entries.append({kind: content})


def _elements(of_set: OpenSet) -> dict[str, Json]:
    if any(not change.adds for change in of_set.changes):
        raise NoJsonError(f"elements are taken out of {of_set.name} again")
    each = [written(change.elements)["set"] for change in of_set.changes]
    return {"elem": [one for several in each for one in several]} if each else {}


def _property(kind: str, item: t.Item) -> dict[str, Json]:
    row = _PROPERTIES.get(type(item))
    if row is None:
        raise NoJsonError(f"a {type(item).__name__.lower()} of {kind} has no form in nft's JSON")
    return row(item)


def _key_type(node: t.KeyType) -> dict[str, Json]:
    names = [each.text for each in node.key]
    content: dict[str, Json] = {"type": names[0] if len(names) == 1 else names}
    if node.data:
        content["map"] = " . ".join(each.text for each in node.data)
    return content


def _named(node: t.Property) -> dict[str, Json]:
    match node:
        case t.Property("timeout" | "gc-interval" as name, t.Value() as value):
            milliseconds = TIME.read(value)
            if isinstance(milliseconds, int) and not milliseconds % 1000:
                return {name: milliseconds // 1000}
        case t.Property("size" as name, t.Value(text)):
            return {name: c_number(text)}
        case t.Property("auto-merge", None):
            return {"auto-merge": True}
        case t.Property("protocol" | "l3proto" as name, t.Value(text)):
            return {name: text}
    raise NoJsonError(f"{node.name} has no form in nft's JSON")


def _typeof(_: t.KeyLike) -> dict[str, Json]:
    raise NoJsonError("typeof: before nft 1.1, JSON has names of types only")


_PROPERTIES: Mapping[type, Callable[[Any], dict[str, Json]]] = {
    t.KeyType: _key_type,
    t.KeyLike: _typeof,
    t.Flags: lambda node: {"flags": [flag.text for flag in node.flags]},
    t.Policy: lambda node: {"policy": node.policy.text},
    t.Property: _named,
    t.Elements: lambda _: {},
    t.Comment: lambda node: {"comment": node.text.text},
    t.HelperType: lambda node: {"type": node.helper.text, "protocol": node.protocol.text},
    t.Counter: lambda node: written(node)["counter"] or {},
    t.Limit: lambda node: written(node)["limit"],
    t.Synproxy: lambda node: written(node)["synproxy"] or {},
    t.Quota: lambda node: _bytes(node),
}
"""What stands in the block of a set or an object."""

_SIZES = {"bytes": 1, "kbytes": 1 << 10, "mbytes": 1 << 20}


def _bytes(node: t.Quota) -> dict[str, Json]:
    content = written(node)["quota"]
    size = content["val"] * _SIZES[content["val_unit"]]
    return {"bytes": size, "used": content.get("used", 0), "inv": content.get("inv", False)}
