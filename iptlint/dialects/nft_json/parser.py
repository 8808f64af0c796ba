"""nftables' JSON to the tree that its text has.

The listing is flat: tables, then what is in them, then rules, each saying where it belongs.
A node is at the place where its object begins, and has no text: none could be edited as nft's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from iptlint.dialects.diagnostics import SyntaxDiagnostic
from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.nodes import AnyNode
from iptlint.dialects.nft_json.expressions import elements, expression
from iptlint.dialects.nft_json.shapes import (
    Json,
    UnknownError,
    listed,
    number,
    only,
    seconds,
    string,
    word,
)
from iptlint.dialects.nft_json.stateful import counter, limit, quota
from iptlint.dialects.nft_json.statements import statement, synproxy
from iptlint.model.numbers import signed
from iptlint.source import SourceFile

NO_JSON = "This is no JSON: "
Content = dict[str, Json]
Items = tuple[t.Item, ...]


def parse(source: SourceFile) -> t.NftFile:
    """The tree of ``{"nftables": [...]}``, and what in it could not be read."""
    reader = _Reader(source)
    try:
        entries = json.loads(source.text, parse_int=signed)["nftables"]
        for entry, at in zip(entries, _places(source.text, len(entries)), strict=True):
            reader.add(entry, at)
    except json.JSONDecodeError as error:
        reader.report(f"{NO_JSON}{error.msg}", error.pos)
    except RecursionError:
        reader.report("The JSON is nested too deeply", code="IPT010")
    except (KeyError, TypeError):
        reader.report("The JSON holds no list named nftables")
    return t.NftFile(source, tuple(reader.tables()), tuple(reader.diagnostics))


_LIST = re.compile(r"\s*\{\s*\"nftables\"\s*:\s*\[\s*")
_NEXT = re.compile(r"\s*,\s*")


def _places(text: str, count: int) -> list[int]:
    """Where each of the objects begins; at the start, where the list is not the first thing."""
    found, decoder = list[int](), json.JSONDecoder(parse_int=signed)
    before = _LIST.match(text)
    while before is not None and len(found) < count:
        found.append(before.end())
        _, end = decoder.raw_decode(text, before.end())
        before = _NEXT.match(text, end)
    return found if len(found) == count else [0] * count


@dataclass(slots=True)
class _Block:
    """A table or a chain, whose items come after it."""

    head: t.Command
    items: list[t.Item] = field(default_factory=list)
    chains: dict[str, _Block] = field(default_factory=dict)

    def command(self) -> t.Command:
        chains = (chain.command() for chain in self.chains.values())
        return replace(self.head, body=(*(self.head.body or ()), *self.items, *chains))


class _Reader:
    def __init__(self, source: SourceFile) -> None:
        self._source = source
        self._tables: dict[tuple[str, str], _Block] = {}
        self._flushes: list[t.Command] = []
        self.diagnostics: list[SyntaxDiagnostic] = []
        self._at = 0

    def tables(self) -> list[t.Command]:
        return [*self._flushes, *(table.command() for table in self._tables.values())]

    def report(self, message: str, at: int | None = None, code: str = "IPT001") -> None:
        at = self._at if at is None else at
        end = min(at + 1, len(self._source.text))
        self.diagnostics.append(SyntaxDiagnostic(self._source, at, end, message, code=code))

    def add(self, entry: Content, at: int) -> None:
        self._at = at
        try:
            kind, content = only(entry)
            if kind == "metainfo":
                return
            if kind == "add" and isinstance(content, dict):
                kind, content = only(content)
            self._place(kind, content)
        except RecursionError:
            self.report("The JSON is nested too deeply", code="IPT010")
        except UnknownError as error:
            self.report(f"The JSON is not understood: {error}")
        except (KeyError, TypeError, ValueError, AttributeError, AssertionError) as error:
            self.report(f"The JSON is not understood: {error!r} in {str(entry)[:80]}")

    def _place(self, kind: str, content: Content) -> None:
        if kind == "flush" and "ruleset" in content and not self._tables:
            family = (content["ruleset"] or {}).get("family")
            self._flushes.append(self._placed(t.Command("flush", "ruleset", family, (), None)))
            return
        if kind == "table":
            self._tables[content["family"], content["name"]] = self._block(_table(content))
            return
        table = self._tables.get((content["family"], content["table"]))
        if table is None:
            raise UnknownError(f"{kind} is in no table that was listed before")
        if kind == "chain":
            table.chains[content["name"]] = self._block(_chain(content))
        elif kind == "rule":
            table.chains[content["chain"]].items.append(self._placed(_rule(content)))
        elif kind in _OBJECTS:
            table.items.append(self._placed(_named(kind, content, _OBJECTS[kind](content))))
        else:
            raise UnknownError(f"there is no object {kind!r}")

    def _placed(self, node: AnyNode) -> AnyNode:
        return replace(node, start=self._at, end=self._at)

    def _block(self, head: t.Command) -> _Block:
        return _Block(self._placed(head))


def _named(kind: str, content: Content, body: Items) -> t.Command:
    path = (t.Value(content["name"], t.Kind.SYMBOL),)
    return t.Command(None, kind, None, path, None, (*_comment(content), *body))


def _comment(content: Content) -> Items:
    return (t.Comment(string(content["comment"])),) if content.get("comment") else ()


def _rule(content: Content) -> t.Rule:
    comment = string(content["comment"]) if "comment" in content else None
    return t.Rule(tuple(map(statement, content["expr"])), comment)


def _table(content: Content) -> t.Command:
    flags = tuple(word(flag) for flag in listed(content.get("flags")))
    head: Items = (t.Flags(flags),) if flags else ()
    path = (word(content["name"]),)
    return t.Command(None, "table", content["family"], path, None, (*head, *_comment(content)))


def _chain(content: Content) -> t.Command:
    base: Items = ()
    if "hook" in content:
        priority = t.Priority(number(content["prio"]))
        names = (word(content["type"]), word(content["hook"]))
        base = (t.Hook(*names, _devices(content), priority), t.Policy(word(content["policy"])))
    return _named("chain", content, base)


def _devices(content: Content) -> t.SetLiteral | None:
    names = listed(content.get("dev"))
    return t.SetLiteral(tuple(map(string, names))) if names else None


# -- objects ----------------------------------------------------------------------


def _key(content: Content) -> t.Item:
    """What the keys and data of a set are, by type or, as nft prints since 1.1, by example."""
    given, data = content["type"], content.get("map")
    if isinstance(given, dict):
        example = None if data is None else _example(data)
        return t.KeyLike(_example(given), example)
    kinds = tuple(word(name) for kind in listed(data) for name in kind.split(" . "))
    return t.KeyType(_types(given), kinds)


def _example(value: Json) -> t.Expression:
    return expression(value["typeof"] if isinstance(value, dict) else value)


def _types(value: Json) -> tuple[t.Value, ...]:
    """A type is a word or a list of words."""
    return tuple(word(name) for name in listed(value))


def _set(content: Content) -> Items:
    properties = (
        _SET_PROPERTIES[name](value)
        for name, value in content.items()
        if name in _SET_PROPERTIES and value not in (None, [])
    )
    statements = map(statement, listed(content.get("stmt")))
    return (_key(content), *properties, *statements)


_SET_PROPERTIES: dict[str, Callable[[Json], t.Item]] = {
    "policy": lambda value: t.Policy(word(value)),
    "flags": lambda value: t.Flags(tuple(map(word, listed(value)))),
    "timeout": lambda value: t.Property("timeout", seconds(value)),
    "gc-interval": lambda value: t.Property("gc-interval", seconds(value)),
    "size": lambda value: t.Property("size", number(value)),
    "auto-merge": lambda _: t.Property("auto-merge"),
    "elem": lambda value: t.Elements(elements(value)),
}


def _flowtable(content: Content) -> Items:
    hook = t.Hook(None, word(content["hook"]), None, t.Priority(number(content["prio"])))
    devices = _devices(content)
    return (hook, t.Devices(devices)) if devices else (hook,)


def _property(content: Content, name: str) -> Items:
    return (t.Property(name, word(content[name])),) if name in content else ()


def _ct_helper(content: Content) -> Items:
    kind = t.HelperType(string(content["type"]), word(content["protocol"]))
    return (kind, *_property(content, "l3proto"))


def _ct_timeout(content: Content) -> Items:
    times = content.get("policy", {}).items()
    policy = t.TimeoutPolicy(tuple(t.StateTimeout(word(name), number(n)) for name, n in times))
    return (*_property(content, "protocol"), *_property(content, "l3proto"), policy)


def _ct_expectation(content: Content) -> Items:
    return (
        *_property(content, "protocol"),
        *_property(content, "l3proto"),
        t.Property("dport", number(content["dport"])),
        t.Property("timeout", seconds(content["timeout"] // 1000)),
        t.Property("size", number(content["size"])),
    )


_OBJECTS: dict[str, Callable[[Content], Items]] = {
    "set": _set,
    "map": _set,
    "meter": _set,
    "flowtable": _flowtable,
    "counter": lambda content: (counter(content),),
    "quota": lambda content: (quota(content),),
    "limit": lambda content: (limit(content),),
    "secmark": lambda content: (string(content["context"]),),
    "synproxy": lambda content: (synproxy(content),),
    "ct helper": _ct_helper,
    "ct timeout": _ct_timeout,
    "ct expectation": _ct_expectation,
}
