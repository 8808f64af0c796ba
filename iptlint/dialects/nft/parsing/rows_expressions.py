"""Rows of the builder for expressions, sets and names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.parsing.errors import NftSyntaxError, TooDeepError
from iptlint.dialects.nft.parsing.reserved import RESERVED, VALUES
from iptlint.dialects.nft.parsing.rows import Make, first, many
from iptlint.model.numbers import c_number

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from iptlint.dialects.nft.nodes import Place

MAX_OPERATORS = 64


def _name(word: t.Value, **place: Unpack[Place]) -> t.Value:
    if word.text in RESERVED:
        raise NftSyntaxError(
            f"`{word.text}` is a word of the language, and no name", "a name", **place
        )
    return word


def _word(word: t.Value, **place: Unpack[Place]) -> t.Value:
    if word.text in RESERVED and word.text not in VALUES:
        raise NftSyntaxError(
            f"`{word.text}` is a word of the language, and no value", "a value", **place
        )
    return word


_OPERATORS = {"and": "&", "or": "|", "xor": "^", "lshift": "<<", "rshift": ">>"}
_PRECEDENCE = {"|": 1, "^": 2, "&": 3, "<<": 4, ">>": 4}


def _bits(*children: Any, **place: Unpack[Place]) -> t.Expression:
    """Operands and operators in turn; what binds closer is joined first."""
    if len(children) > 2 * MAX_OPERATORS:
        raise TooDeepError("The expression has too many operators", **place)
    operands: list[Any] = [children[0]]
    operators: list[str] = []

    def join() -> None:
        right, left = operands.pop(), operands.pop()
        joined = t.Bitwise(left, operators.pop(), right, start=left.start, end=right.end)
        operands.append(joined)

    for operator, operand in zip(children[1::2], children[2::2], strict=True):
        while operators and _PRECEDENCE[operators[-1]] >= _PRECEDENCE[operator]:
            join()
        operators.append(operator)
        operands.append(operand)
    while operators:
        join()
    return operands[0]  # type: ignore[no-any-return]


def _hash(
    key: t.Expression, modulus: t.Value, seed: Any, offset: Any, **place: Unpack[Place]
) -> t.Hash:
    seed_number, offset_number = (
        None if part is None else c_number(part.text) for part in (seed, offset)
    )
    return t.Hash("jhash", key, c_number(modulus.text) or 0, seed_number, offset_number, **place)


def _element(key: t.Expression, *rest: Any, **place: Unpack[Place]) -> t.Expression | t.Element:
    """An element that is nothing but its key is its key."""
    data = [part for part in rest if part is not None and not isinstance(part, _Extra)]
    extras = tuple(part.node for part in rest if isinstance(part, _Extra))
    if not data and not extras:
        return key
    return t.Element(key, extras, data[0] if data else None, **place)


@dataclass(frozen=True, slots=True)
class _Extra:
    node: Any


def _extra(node: Any, **_: int) -> _Extra:
    return _Extra(node)


EXPRESSION_ROWS: dict[str, Make] = {
    "name": _name,
    "listed_name": first,
    "word": _word,
    "time": first,
    "variable": lambda name, **place: t.Variable(name.text, **place),
    "negative": t.Negative,
    "set_reference": t.SetReference,
    "everything": t.Everything,
    "concat": many(t.Concat),
    "key_concat": many(t.Concat),
    "listing": many(t.Listing),
    "expression_list": many(t.Listing),
    "mask": many(t.Listing),
    "prefix": t.Prefix,
    "range": t.Range,
    "bits": _bits,
    "bit_operator": lambda word, **_: _OPERATORS.get(word, word),
    "jhash": _hash,
    "lookup": t.Lookup,
    "set": many(t.SetLiteral),
    "empty_set": many(t.SetLiteral),
    "element": _element,
    "update_element": _element,
    "update_key": _element,
    "extra": _extra,
    "timing": t.Timing,
    "comment": t.Comment,
}
