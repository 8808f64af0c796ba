"""A document as a tree that remembers where everything is written.

JSON and YAML become the same tree, so whoever reads one reads the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from iptlint.model.numbers import signed
from iptlint.source import SourceFile, WholeOrigin


@dataclass(frozen=True, slots=True)
class LeftOpen:
    """A value that the document does not say; ``text`` is what stands there in its place."""

    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """``value``: text, a number as it is written, true, false, None, a list or an object.
    ``start`` and ``end`` are offsets into the source. ``number``: the value is one."""

    source: SourceFile
    value: str | bool | list[Node] | dict[str, Node] | LeftOpen | None
    start: int
    end: int
    number: bool = False

    @property
    def origin(self) -> WholeOrigin:
        return WholeOrigin(self.source, self.start, self.end)

    @property
    def kind(self) -> str:
        """What it is, for a sentence about it."""
        match self.value:
            case dict():
                return "an object"
            case list():
                return "a list"
            case str():
                return "a number" if self.number else "a text"
            case bool():
                return "true or false"
            case LeftOpen(text):
                return f"`{text}`, which the document leaves open,"
            case _:
                return "null"

    def made(self, value: str | bool | list[Node] | dict[str, Node] | LeftOpen | None) -> Node:
        """Another value, which stands where this one is written."""
        return Node(self.source, value, self.start, self.end)

    @property
    def left_open(self) -> str | None:
        """What stands in the place of a value that the document does not say."""
        return self.value.text if isinstance(self.value, LeftOpen) else None

    # -- reading what should be there; ShapeError where something else is ----------------------

    def get(self, key: str) -> Node | None:
        """What the object has under the key; None where that is nothing, or null."""
        child = self.object().get(key)
        return None if child is None or child.value is None else child

    def object(self) -> Mapping[str, Node]:
        if isinstance(self.value, dict):
            return self.value
        raise ShapeError(self, "an object")

    def items(self, key: str) -> list[Node]:
        """The list under the key; an empty one where there is none."""
        child = self.get(key)
        return [] if child is None else child.list()

    def list(self) -> list[Node]:
        if isinstance(self.value, list):
            return self.value
        raise ShapeError(self, "a list")

    def text(self, key: str) -> str | None:
        """None too where the document leaves it open."""
        child = self.get(key)
        return None if child is None or child.left_open is not None else child.string()

    def string(self) -> str:
        if isinstance(self.value, str):
            return self.value
        raise ShapeError(self, "a text")

    def number_at(self, key: str) -> int | None:
        child = self.get(key)
        return None if child is None else child.integer()

    def integer(self) -> int:
        """A whole number; some tools print it as a text."""
        read = signed(self.value) if isinstance(self.value, str) else None
        if read is None:
            raise ShapeError(self, "a whole number")
        return read

    def flag(self, key: str) -> bool | None:
        child = self.get(key)
        match child.value if child is not None else None:
            case None:
                return None
            case bool(value):
                return value
            case "true" | "false" as word:
                return word == "true"
            case _:
                assert child is not None
                raise ShapeError(child, "true or false")


class ShapeError(ValueError):
    """Something else stands where the reader expected ``expected``."""

    def __init__(self, node: Node, expected: str) -> None:
        shown = f"`{node.value}`" if isinstance(node.value, str) else node.kind
        super().__init__(f"{shown} stands here, where {expected} was expected")
        self.node, self.expected = node, expected


def walk(node: Node) -> Iterator[Node]:
    """The node and all in it."""
    pending = [node]
    while pending:
        one = pending.pop()
        yield one
        match one.value:
            case dict(members):
                pending.extend(members.values())
            case list(items):
                pending.extend(items)
