"""Statements that differ in their values only are read by the grammar once.

The shape of a text is the text with its numbers, addresses, times, strings and jump targets
taken out. The first text of a shape goes through the grammar; for the others its tree is
made again with their values and places.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from iptlint.dialects.nft.nodes import Node
from iptlint.dialects.nft.tree import Item, Value

_VALUE = re.compile(
    r"""
    (?P<s>"[^"\n]*")
  | (?<![A-Za-z0-9_./\-:$@\[])
    (?:
        (?P<a>(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![A-Za-z0-9_.])
             | (?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}(?![A-Za-z0-9_.:])
             | (?:[0-9a-fA-F]{1,4}:){1,7}:(?![A-Za-z0-9_.:])
             | (?:[0-9a-fA-F]{1,4}:){1,6}(?::[0-9a-fA-F]{1,4}){1,6}(?![A-Za-z0-9_.:]))
      | (?P<t>(?:[0-9]+(?:ms|[wdhms]))+(?![A-Za-z0-9_.:]))
      | (?P<n>(?:0[0-7]*|[1-9][0-9]*)(?![A-Za-z0-9_.:]))
      | (?P<x>0x[0-9a-fA-F]+(?![A-Za-z0-9_.:]))
    )
  | (?<=[ ]jump[ ])(?P<j>[A-Za-z_][A-Za-z0-9_./\-]*)
  | (?<=[ ]goto[ ])(?P<g>[A-Za-z_][A-Za-z0-9_./\-]*)
    """,
    re.VERBOSE,
)
"""Values as the grammar's terminals take them, where what is beside cannot change that."""

_MOST_SHAPES = 50_000

Key = tuple[str, ...]
Make = Callable[[Sequence[str], Sequence[int], int], Any]
"""Makes a part of a tree of the values, of how far each has moved what follows, and of where
the text begins."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of one text: what is literally so and the kinds between, and the values."""

    key: Key
    slots: tuple[tuple[int, int], ...]
    values: tuple[str, ...]
    length: int


def shape_of(text: str, context: str) -> Shape:
    parts = [context]
    slots: list[tuple[int, int]] = []
    at = 0
    for match in _VALUE.finditer(text):
        start, end = match.span()
        parts += (text[at:start], match.lastgroup or "")
        slots.append((start, end))
        at = end
    parts.append(text[at:])
    return Shape(
        tuple(parts), tuple(slots), tuple(text[start:end] for start, end in slots), len(text)
    )


class Shapes:
    """What was read, by shape. One for each way of reading, as the trees are its."""

    def __init__(self) -> None:
        self._first: dict[Key, tuple[Shape, tuple[Item, ...], int]] = {}
        self._makers: dict[Key, _Maker | None] = {}

    def read(self, shape: Shape, base: int) -> tuple[Item, ...] | None:
        """The items of a text at ``base``; None where its shape was not learned."""
        if shape.key not in self._makers:
            known = self._first.pop(shape.key, None)
            if known is None:
                return None
            self._makers[shape.key] = _Maker.of(*known)
        maker = self._makers[shape.key]
        return maker.make(shape, base) if maker else None

    def learn(self, shape: Shape, items: tuple[Item, ...], base: int) -> None:
        """Keep what the grammar made of a text of this shape."""
        if shape.key not in self._makers and len(self._first) < _MOST_SHAPES:
            self._first[shape.key] = (shape, items, base)


@dataclass(slots=True)
class _Maker:
    lengths: tuple[int, ...]
    parts: tuple[Make, ...]

    @classmethod
    def of(cls, shape: Shape, items: tuple[Item, ...], base: int) -> _Maker | None:
        """None where a value became something else than a node of its own."""
        slots = {(base + start, base + end): i for i, (start, end) in enumerate(shape.slots)}
        compiler = _Compiler(slots, [base + start for start, _ in shape.slots], base)
        parts = tuple(map(compiler.part, items))
        lengths = tuple(end - start for start, end in shape.slots)
        return None if compiler.missing else cls(lengths, parts)

    def make(self, shape: Shape, base: int) -> tuple[Item, ...]:
        moved = [0]
        for value, length in zip(shape.values, self.lengths, strict=True):
            moved.append(moved[-1] + len(value) - length)
        return tuple(part(shape.values, moved, base) for part in self.parts)


class _Compiler:
    def __init__(self, slots: dict[tuple[int, int], int], starts: Sequence[int], base: int) -> None:
        self._slots = slots
        self._starts = starts
        self._base = base
        self.missing = set(slots.values())

    def part(self, part: Any) -> Make:
        if isinstance(part, Node):
            return self._node(part)
        if isinstance(part, tuple) and any(isinstance(each, Node | tuple) for each in part):
            makes = tuple(map(self.part, part))
            return lambda values, moved, base: tuple(m(values, moved, base) for m in makes)
        return lambda *_: part

    def _node(self, node: Node) -> Make:
        kind = type(node)
        start, before = self._place(node.start)
        end, after = self._place(node.end)
        slot = self._slots.get((node.start, node.end))
        if isinstance(node, Value) and slot is not None:
            self.missing.discard(slot)
            return _value(slot, node, start, before, end, after)
        names = tuple(f.name for f in fields(node) if f.name not in ("start", "end"))
        children = [getattr(node, name) for name in names]
        plain = not any(isinstance(child, Node | tuple) for child in children)
        if plain:
            return lambda _, moved, base: kind(
                *children, start=base + start + moved[before], end=base + end + moved[after]
            )
        makes = tuple(map(self.part, children))
        return lambda values, moved, base: kind(
            *[make(values, moved, base) for make in makes],
            start=base + start + moved[before],
            end=base + end + moved[after],
        )

    def _place(self, offset: int) -> tuple[int, int]:
        """An offset into the first text, and how many values stand before it."""
        return offset - self._base, sum(1 for start in self._starts if start < offset)


def _value(slot: int, node: Value, start: int, before: int, end: int, after: int) -> Make:
    kind = node.kind
    quoted = kind.value == "string"

    def make(values: Sequence[str], moved: Sequence[int], base: int) -> Value:
        text = values[slot]
        return Value(
            text[1:-1] if quoted else text,
            kind,
            start=base + start + moved[before],
            end=base + end + moved[after],
        )

    return make
