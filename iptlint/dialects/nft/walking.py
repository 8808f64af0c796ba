"""Walking over a tree, and making it again with parts of it changed.

Sets too long to be held as nodes (see ``bulk`` and ``moving``) are leaves: what is in them
names nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, replace
from typing import Any, TypeVar

from iptlint.dialects.nft.definitions import Include
from iptlint.dialects.nft.nodes import Node, Place
from iptlint.source import SourceFile

AnyNode = TypeVar("AnyNode", bound=Node)


def everything(node: Node) -> Iterator[Node]:
    """The node and all that is in it."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        for name in _parts(type(current)):
            part = getattr(current, name)
            if isinstance(part, Node):
                waiting.append(part)
            elif type(part) is tuple:
                waiting += [each for each in part if isinstance(each, Node)]


def included_by(items: Iterable[Node]) -> Iterator[SourceFile]:
    """The files that are read where these are, and what they include."""
    for item in items:
        for node in everything(item):
            for file in node.files if isinstance(node, Include) else ():
                yield file.source
                yield from included_by(file.items)


def rebuilt(node: AnyNode, change: Callable[[Any], Any], place: Place | None = None) -> AnyNode:
    """The node with ``change`` made to each of the nodes it holds, and at another place where one
    is given; itself if nothing changed."""
    changes: dict[str, Any] = {**place} if place else {}
    for name in _parts(type(node)):
        part = getattr(node, name)
        made = _changed(part, change)
        if made is not part:
            changes[name] = made
    return replace(node, **changes) if changes else node


def _changed(part: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(part, Node):
        return change(part)
    if type(part) is not tuple:
        return part
    made = tuple(change(each) if isinstance(each, Node) else each for each in part)
    same = all(new is old for new, old in zip(made, part, strict=True))
    return part if same else made


_PARTS: dict[type[Node], tuple[str, ...]] = {}


def _parts(kind: type[Node]) -> tuple[str, ...]:
    """The names of what nodes of a class hold."""
    if kind not in _PARTS:
        names = (field.name for field in fields(kind))
        _PARTS[kind] = tuple(name for name in names if name not in ("start", "end"))
    return _PARTS[kind]
