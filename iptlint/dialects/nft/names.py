"""Where a file of nft, and the files that it includes, name chains, sets and defines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields

from iptlint.dialects.nft.nodes import Node
from iptlint.dialects.nft.tree import (
    Command,
    Define,
    Include,
    NftFile,
    SetReference,
    Value,
    Variable,
    Verdict,
)
from iptlint.dialects.written_names import NameKind, WrittenInclude, WrittenName
from iptlint.source import SourceFile, Span

_KINDS = {
    "chain": NameKind.CHAIN,
    "rule": NameKind.CHAIN,
    "set": NameKind.SET,
    "map": NameKind.SET,
    "element": NameKind.SET,
}
"""What the last word of a command's path names."""
_DECLARING = ("chain", "set", "map")
_MAKES = (None, "add", "create")
_DEFAULT_FAMILY = "ip"


def names(tree: NftFile) -> Iterator[WrittenName]:
    """In the order of the text."""
    names = _inside(tree.source, tree.items, ())
    return iter(sorted(names, key=lambda each: each.span.start))


def includes(tree: NftFile) -> Iterator[WrittenInclude]:
    """Those of the text itself."""
    for item in _every(tree.items):
        if isinstance(item, Include):
            files = tuple(each.source for each in item.files)
            yield WrittenInclude(_span(tree.source, item.path), files)


def _every(items: Iterable[Node]) -> Iterator[Node]:
    for item in items:
        yield item
        if isinstance(item, Command):
            yield from _every(item.body or ())


def _inside(
    source: SourceFile, nodes: Iterable[Node], scope: tuple[str, ...]
) -> Iterator[WrittenName]:
    """``scope``: the family and the table that the nodes stand in."""
    waiting = [(source, scope, node) for node in nodes]
    while waiting:
        source, scope, node = waiting.pop()
        inner = scope
        sources: list[tuple[SourceFile, Sequence[Node]]] = [(source, _parts(node))]
        match node:
            case Command():
                inner = _scope_of(node, scope)
                yield from _of_command(source, node, inner)
            case Include(files=files):
                sources = [(each.source, each.items) for each in files]
            case Define(name=name):
                yield _name(NameKind.DEFINE, (), source, name, declares=True)
            case Variable(name=name):
                start = source.text.rindex(name, node.start, node.end)
                span = Span(source, start, start + len(name))
                yield WrittenName(NameKind.DEFINE, (), name, span)
            case Verdict(chain=Value() as chain):
                yield _name(NameKind.CHAIN, scope, source, chain)
            case SetReference(name=name):
                yield _name(NameKind.SET, scope, source, name)
        waiting += [(where, inner, part) for where, parts in sources for part in parts]


def _parts(node: Node) -> list[Node]:
    """What a node holds; sets that are too long to be held as nodes name nothing."""
    held = (getattr(node, field.name) for field in fields(node))
    parts: list[Node] = []
    for part in held:
        if isinstance(part, Node):
            parts.append(part)
        elif type(part) is tuple:
            parts += [each for each in part if isinstance(each, Node)]
    return parts


def _scope_of(command: Command, scope: tuple[str, ...]) -> tuple[str, ...]:
    if scope or not command.path:
        return scope
    return (command.family or _DEFAULT_FAMILY, command.path[0].text)


def _of_command(
    source: SourceFile, command: Command, scope: tuple[str, ...]
) -> Iterator[WrittenName]:
    kind = _KINDS.get(command.kind)
    if kind is None or not command.path:
        return
    place = command.path[-1]
    declares = command.kind in _DECLARING and command.verb in _MAKES
    if place.start < place.end:
        yield _name(kind, scope, source, place, declares=declares)


def _name(
    kind: NameKind,
    scope: tuple[str, ...],
    source: SourceFile,
    value: Value,
    *,
    declares: bool = False,
) -> WrittenName:
    return WrittenName(kind, scope, value.text, _span(source, value), declares)


def _span(source: SourceFile, node: Node) -> Span:
    return Span(source, node.start, node.end)
