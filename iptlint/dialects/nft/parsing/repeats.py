"""Lines and elements whose shape was seen before, and sets too long for the grammar."""

from __future__ import annotations

import re
from typing import Any

from iptlint.dialects.nft.parsing.building import Builder
from iptlint.dialects.nft.parsing.bulk import PlainElements, split_set
from iptlint.dialects.nft.parsing.shapes import Shape, Shapes, shape_of
from iptlint.dialects.nft.parsing.statement import Statement, built
from iptlint.dialects.nft.tree import Command, Item, Rule

_COMMAND = re.compile(r"(?:add|insert|create|delete) (?:rule|element) [^\n]{1,500}(?!.)")
"""Commands that people give by the thousand."""


class Repeats:
    def __init__(self, text: str) -> None:
        self._text = text
        self._shapes = Shapes()

    def line(self, at: int, context: str) -> tuple[Shape | None, tuple[Item, ...] | None]:
        """The shape of the line that begins here, and its items if the shape is known."""
        if context != "chain" and not (context == "top" and _COMMAND.match(self._text, at)):
            return None, None
        end = self._text.find("\n", at)
        shape = shape_of(self._text[at : end if end >= 0 else len(self._text)], context)
        return shape, self._shapes.read(shape, at)

    def learn(
        self, shape: Shape | None, statement: Statement, items: tuple[Item, ...], end: int
    ) -> None:
        """Keep what a line became, if it was a line of just this statement."""
        if shape is None or statement.holes or end != statement.start + shape.length:
            return
        if all(isinstance(item, Rule | Command) for item in items):
            self._shapes.learn(shape, items, statement.start)

    def long_set(self, statement: Statement, brace: int) -> int | None:
        """Where a long set ends that was read here; None where the grammar has to."""
        plain = PlainElements.at(self._text, brace)
        if plain is not None:
            statement.hold_set(brace, plain.end, plain)
            return plain.end + 1
        split = split_set(self._text, brace)
        if split is None:
            return None
        bounds, close = split
        elements = [element for start, end in bounds for element in self._element(start, end)]
        statement.hold_set(brace, close, tuple(elements))
        return close + 1

    def _element(self, start: int, end: int) -> tuple[Any, ...]:
        text = self._text[start:end]
        shape = shape_of(text, "elements")
        known = self._shapes.read(shape, start)
        if known is None:
            known = built(Builder(start), text, "elements")
            self._shapes.learn(shape, known, start)
        return known
