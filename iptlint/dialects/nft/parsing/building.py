"""Lark's tree of one statement, made into nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lark import Token, Tree

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.nodes import Place, placed
from iptlint.dialects.nft.parsing.errors import NftSyntaxError, TooDeepError
from iptlint.dialects.nft.parsing.rows import Make
from iptlint.dialects.nft.parsing.rows_definitions import DEFINITION_ROWS
from iptlint.dialects.nft.parsing.rows_expressions import EXPRESSION_ROWS
from iptlint.dialects.nft.parsing.rows_statements import STATEMENT_ROWS
from iptlint.dialects.nft.parsing.selectors import selector

ROWS: dict[str, Make] = {**EXPRESSION_ROWS, **STATEMENT_ROWS, **DEFINITION_ROWS}
"""What makes a node, by rule of the grammar."""

MAX_DEPTH = 120
"""Of lark's tree, which is a little deeper than that of the nodes."""


@dataclass(slots=True)
class Builder:
    """Makes the nodes of one statement, whose text begins at ``base`` of its source.

    ``blocks`` and ``sets`` hold what stood between the braces that begin at an offset, where
    that was read already and the grammar has seen the braces empty.
    """

    base: int = 0
    blocks: Mapping[int, tuple[t.Item, ...]] = field(default_factory=dict)
    sets: Mapping[int, Sequence[t.Expression | t.Element]] = field(default_factory=dict)

    def build(self, part: Any, depth: int = 0) -> Any:
        if isinstance(part, Tree):
            meta = part.meta
            place = self._place(*((0, 0) if meta.empty else (meta.start_pos, meta.end_pos)))
            if depth > MAX_DEPTH:
                raise TooDeepError("The statement is nested too deeply", **place)
            children = [self.build(child, depth + 1) for child in part.children]
            return self._make(str(part.data), children, place)
        if isinstance(part, Token):
            return self._token(part)
        return part

    def _place(self, start: int, end: int) -> Place:
        return {"start": self.base + start, "end": self.base + end}

    def _make(self, name: str, children: list[Any], place: Place) -> Any:
        if name == "jump_block":
            return t.JumpBlock(children[0], self._held(self.blocks, place), **place)
        if name == "held_set":
            return t.SetLiteral(self._held(self.sets, place), **place)
        return ROWS[name](*children, **place)

    @staticmethod
    def _held(held: Mapping[int, Any], place: Place) -> Any:
        """What was read between the braces whose closing one ends here."""
        if place["end"] - 1 not in held:
            raise NftSyntaxError("There is a NUL among the elements", "an element", **place)
        return held[place["end"] - 1]

    def _token(self, token: Token) -> Any:
        make = TOKENS.get(token.type)
        if make is None:
            return str(token)
        assert token.start_pos is not None
        assert token.end_pos is not None
        return make(str(token), self._place(token.start_pos, token.end_pos))


# -- tokens -----------------------------------------------------------------------


def _value(kind: t.Kind) -> Callable[[str, Place], t.Value]:
    return lambda text, place: t.Value(text, kind, **place)


def _address(text: str, place: Place) -> t.Value:
    """Brackets may be around a range: nft 1.0.6 lists `[2001:db8::1-2001:db8::9]:80`, which it does
    not take back."""
    return t.Value(text.strip("[]"), t.Kind.ADDRESS, **place)


def _selector(text: str, place: Place) -> t.Selector:
    return placed(selector(text), place)


TOKENS: dict[str, Callable[[str, Place], Any]] = {
    "WORD": _value(t.Kind.SYMBOL),
    "NUMBER": _value(t.Kind.NUMBER),
    "TIME": _value(t.Kind.TIME),
    "CLASSID": _value(t.Kind.CLASSID),
    "WILDCARD": _value(t.Kind.WILDCARD),
    "STRING": lambda text, place: t.Value(text[1:-1], t.Kind.STRING, **place),
    "ADDRESS": _address,
    "SELECTOR": _selector,
}
