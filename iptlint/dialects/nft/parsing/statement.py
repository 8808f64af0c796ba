"""One statement of a text, and what stood in its braces that was read before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lark.exceptions import UnexpectedInput

from iptlint.dialects.nft.parsing.building import Builder
from iptlint.dialects.nft.parsing.diagnostics import syntax_error
from iptlint.dialects.nft.parsing.language import STARTS, parse_statement
from iptlint.dialects.nft.tree import Item

HELD = "\0"
"""Stands for elements that were read already; see the grammar's terminal of this name."""


@dataclass(slots=True)
class Statement:
    """From ``start`` to ``end``; ``holes`` are the insides of braces that were read."""

    start: int
    end: int = 0
    holes: list[tuple[int, int]] = field(default_factory=list)
    blocks: dict[int, tuple[Item, ...]] = field(default_factory=dict)
    sets: dict[int, Sequence[Any]] = field(default_factory=dict)

    def hold_block(self, brace: int, close: int, items: tuple[Item, ...]) -> None:
        self.blocks[close] = items
        self.holes.append((brace + 1, close))

    def hold_set(self, brace: int, close: int, elements: Sequence[Any]) -> None:
        self.sets[close] = elements
        self.holes.append((brace + 1, close))

    def items(self, source: str, context: str) -> tuple[Any, ...]:
        """What the statement says in a block of this kind; NftSyntaxError where that is nothing."""
        builder = Builder(self.start, self.blocks, self.sets)
        return built(builder, self._text(source), context)

    def _text(self, source: str) -> str:
        """The characters, with blanks for those that were read."""
        parts = []
        at = self.start
        for start, end in self.holes:
            mark = HELD if end in self.sets else ""
            parts += [source[at:start], mark.ljust(end - start)]
            at = end
        return "".join((*parts, source[at : self.end]))


def built(builder: Builder, text: str, context: str) -> tuple[Any, ...]:
    """The nodes of a text that begins at the builder's base."""
    try:
        nodes = builder.build(parse_statement(text, STARTS[context]))
    except UnexpectedInput as error:
        raise syntax_error(error, text, builder.base, context) from None
    return nodes if isinstance(nodes, tuple) else (nodes,)
