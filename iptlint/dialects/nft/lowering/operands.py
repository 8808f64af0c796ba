"""What a statement writes or sends to: an expression, perhaps looked up in a map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.lowering.canonical_text import spelled
from iptlint.dialects.nft.lowering.datatypes import DataType, NftValueError
from iptlint.dialects.nft.lowering.matches import Branch, RuleLowering, branches, exact, implied
from iptlint.dialects.nft.nodes import Node
from iptlint.dialects.nft.walking import everything
from iptlint.model import AnyOf, Match, Uncertain

_SELECTORS = get_args(t.Selector)


@dataclass(frozen=True, slots=True)
class Operand:
    """``matches``: what a packet needs to have it; ``value``: None where it is not one value;
    ``place``: the element of a map that says so."""

    matches: tuple[Match, ...]
    value: t.Expression | None
    place: Node | None = None


def operand(expression: t.Expression, lowering: RuleLowering) -> Operand:
    """A rule breaks off for a packet that lacks what is read, or that is not in the map."""
    each = operands(expression, lowering)
    if len(each) == 1:
        return each[0]
    return Operand((AnyOf(tuple(one.matches for one in each)),), None)


def operands(expression: t.Expression, lowering: RuleLowering) -> tuple[Operand, ...]:
    """One for each data of a map, else one."""
    if not isinstance(expression, t.Lookup):
        return (Operand(demanded(expression, lowering), expression),)
    mapping = expression.mapping
    if not isinstance(mapping, t.SetLiteral | t.SetReference):
        return (Operand((Uncertain("unread", spelled(expression)),), None),)
    if not exact(mapping, lowering):
        return (Operand(unsettled(expression.key, mapping, lowering), None),)
    each = tuple(
        Operand(branch.matches, _value(branch.data), branch.place)
        for branch in branches(expression.key, mapping, lowering)
    )
    return each or (Operand((AnyOf(()),), None),)


def _value(data: Any) -> t.Expression | None:
    return data if isinstance(data, get_args(t.Expression)) else None


def any_of(outcomes: tuple[Branch, ...]) -> tuple[Match, ...]:
    """The tests of a packet that is in one of the branches."""
    if len(outcomes) == 1:
        return outcomes[0].matches
    return (AnyOf(tuple(branch.matches for branch in outcomes)),)


def unsettled(
    key: t.Expression, mapping: t.SetLiteral | t.SetReference, lowering: RuleLowering
) -> tuple[Match, ...]:
    """That a packet is in a map of which it is not known what is in it."""
    name = spelled(mapping) if isinstance(mapping, t.SetReference) else "{ … }"
    return (*demanded(key, lowering), Uncertain("set", f"set {spelled(key)} {name}"))


def demanded(node: Node, lowering: RuleLowering) -> tuple[Match, ...]:
    """What merely reading the selectors of an expression asks of a packet."""
    if isinstance(node, t.Value):
        return ()
    implications = (
        implied(each, lowering) for each in everything(node) if isinstance(each, _SELECTORS)
    )
    return tuple(dict.fromkeys(match for matches in implications for match in matches))


def constant(expression: t.Expression | None, kind: DataType) -> int | None:
    """The number a value of this type stands for; flags in a list are set together."""
    match expression:
        case t.Value():
            try:
                scalar = kind.read(expression)
            except NftValueError:
                return None
            return scalar if isinstance(scalar, int) else None
        case t.Listing(items):
            numbers = [constant(item, kind) for item in items]
            return sum({n for n in numbers if n is not None}) if None not in numbers else None
        case _:
            return None
