"""The tests of a rule, from nft's expressions to the model's matches.

``tests`` lowers one match; ``branches`` a map, each of whose elements is a test;
``implied`` what only reading a selector demands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import copy
from dataclasses import dataclass, replace

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.lowering import set_contents as c
from iptlint.dialects.nft.lowering.bitwise import Bits
from iptlint.dialects.nft.lowering.datatypes import NftValueError
from iptlint.dialects.nft.lowering.dependencies import Context
from iptlint.dialects.nft.lowering.header_match_builders import OneOfTarget
from iptlint.dialects.nft.lowering.known_protocols import restrict_protocols
from iptlint.dialects.nft.lowering.match_builders import OpaqueTarget, all_of, any_of, negate
from iptlint.dialects.nft.lowering.membership import (
    alternatives_of,
    contents_of,
    in_literal,
    in_named,
    negated,
    open_set,
    report,
)
from iptlint.dialects.nft.lowering.rule_lowering import RuleLowering
from iptlint.dialects.nft.lowering.selector import (
    LoweredSelector,
    lower_key,
    lower_selector,
    spelled,
)
from iptlint.dialects.nft.lowering.values import Values, read_values
from iptlint.dialects.nft.tables import OpenSet
from iptlint.dialects.nft.walking import everything
from iptlint.model import AnyOf, Field, Match, Uncertain, Within
from iptlint.model.matches import CT_STATES
from iptlint.model.writes import CONNTRACK_FIELDS

__all__ = ["Branch", "RuleLowering", "branches", "exact", "implied", "tests"]


@dataclass(frozen=True, slots=True)
class Branch:
    """What a packet must pass to find ``data`` in a map; ``place`` is the first such element."""

    matches: tuple[Match, ...]
    data: c.Data
    place: t.Node | None


def tests(statement: t.Match | t.MaskMatch, lowering: RuleLowering) -> tuple[Match, ...]:
    """What has to hold, what nft or the kernel demand beside it included."""
    try:
        match statement:
            case t.Match(left, operator, right):
                return _tracking(left, _unique(_match(left, operator, right, lowering)))
            case t.MaskMatch():
                return _unique(_mask_match(statement, lowering))
    except NftValueError as error:
        lowering.refuse("IPT006", error.node or statement, error.message, error.help)
        return (Uncertain("unread", lowering.text(statement)),)


def _tracking(left: t.Expression, matches: tuple[Match, ...]) -> tuple[Match, ...]:
    """Whoever asks for anything of a connection turns its tracking on (nft_ct_get_init), also where
    the answer is always the same."""
    asks = any(isinstance(each, t.Ct) for each in everything(left))
    return (*matches, _ANY_STATE) if asks and not any(map(_of_connection, matches)) else matches


def _of_connection(match: Match) -> bool:
    if isinstance(match, AnyOf):
        return any(_of_connection(test) for tests in match.alternatives for test in tests)
    return getattr(match, "field", None) in CONNTRACK_FIELDS


_ANY_STATE = Within(Field.CT_STATE, ((0, len(CT_STATES) - 1),))


def implied(selector: t.Selector, lowering: RuleLowering) -> tuple[Match, ...]:
    """What has to hold for there to be something to read."""
    selected = lower_selector(selector, lowering.context)
    return _unique((*selected.needs, *selected.present))


def _unique(matches: Iterable[Match]) -> tuple[Match, ...]:
    return tuple(dict.fromkeys(matches))


# -- one match ------------------------------------------------------------------------------


def _match(
    left: t.Expression, operator: str | None, right: t.Expression, lowering: RuleLowering
) -> tuple[Match, ...]:
    match right:
        case t.SetLiteral() if operator in (None, "==", "!="):
            return _in_braces(left, operator, right, lowering)
        case t.SetReference() if operator in (None, "==", "!="):
            return in_named(left, operator, right, lowering)
        case t.Concat():
            return in_literal(left, operator, t.SetLiteral((right,)), lowering)
    if isinstance(left, t.Concat) or isinstance(right, t.SetLiteral | t.SetReference):
        return (Uncertain("unread", f"{spelled(left)} {operator}"),)
    selector = lower_selector(left, lowering.context)
    values = read_values(right, selector.type)
    if operator in _ORDERS:
        return (*selector.needs, *_order(selector, operator or "", values))
    any_bit = selector.type.flags and operator is None and not isinstance(left, t.Bitwise)
    if (any_bit or operator == "!") and values.single is not None:
        return (*selector.needs, *_flags(selector, values.single, operator == "!"))
    if operator == "!":
        return (*selector.needs, Uncertain("unread", f"{selector.view.key} !"))
    if operator == "!=":
        return negated((selector,), selector.view.alternatives(values))
    restrict_protocols(selector, values, lowering.context)
    return (*selector.needs, *all_of(selector.view.alternatives(values)))


def _flags(selector: LoweredSelector, flags: int, missing: bool) -> tuple[Match, ...]:
    """Any of the flags is set, or none of them is."""
    bits = (selector.view.bits or Bits.whole(selector.type.width)).then("&", flags)
    if isinstance(selector.row.target, OneOfTarget) and not missing:
        some = Values(((1, selector.type.maximum),))
        return all_of(replace(selector.view, bits=bits).alternatives(some))
    none = replace(selector.view, bits=bits).alternatives(Values(((0, 0),)))
    return all_of(none) if missing else (*selector.present, negate(any_of(none)))


_NEVER: tuple[Match, ...] = (AnyOf(()),)


def _below(value: int, maximum: int) -> Values:
    return Values(((0, min(value, maximum)),)) if value >= 0 else Values()


def _above(value: int, maximum: int) -> Values:
    return Values(((value, maximum),)) if value <= maximum else Values()


_ORDERS: dict[str | None, Callable[[int, int], Values]] = {
    "<": lambda value, maximum: _below(value - 1, maximum),
    "<=": _below,
    ">": lambda value, maximum: _above(value + 1, maximum),
    ">=": _above,
}


def _order(selector: LoweredSelector, operator: str, values: Values) -> tuple[Match, ...]:
    """Of tests that are kept as they are, what is above a value is the rest of what is not."""
    if values.single is None:
        name = f"{operator} {' '.join(values.names)}"
        return all_of(selector.view.alternatives(Values(names=(name,))))
    wanted = _ORDERS[operator](values.single, selector.type.maximum)
    if isinstance(selector.row.target, OpaqueTarget) and operator in (">", ">="):
        return _not_below(selector, wanted)
    return all_of(selector.view.alternatives(wanted))


def _not_below(selector: LoweredSelector, wanted: Values) -> tuple[Match, ...]:
    if not wanted.ranges:
        return _NEVER
    rest = Values(tuple((0, low - 1) for low, _ in wanted.ranges if low))
    return (*selector.present, negate(any_of(selector.view.alternatives(rest))))


def _mask_match(statement: t.MaskMatch, lowering: RuleLowering) -> tuple[Match, ...]:
    """``flags value / mask``: under the mask, just the value's bits are set."""
    selector = lower_selector(statement.left, lowering.context)
    mask = read_values(statement.mask, selector.type).single
    value = read_values(statement.value, selector.type)
    if mask is None or statement.operator not in (None, "==", "!="):
        return (*selector.needs, Uncertain("unread", f"{selector.view.key} / "))
    bits = (selector.view.bits or Bits.whole(selector.type.width)).then("&", mask)
    alternatives = replace(selector.view, bits=bits).alternatives(value)
    if statement.operator == "!=":
        return negated((selector,), alternatives)
    return (*selector.needs, *all_of(alternatives))


# -- sets --------------------------------------------------------------------------------------


def _in_braces(
    left: t.Expression, operator: str | None, right: t.SetLiteral, lowering: RuleLowering
) -> tuple[Match, ...]:
    only = right.elements[0] if len(right.elements) == 1 else None
    flag = isinstance(only, t.Value | t.Bitwise) and not isinstance(left, t.Concat | t.Bitwise)
    if flag and operator is None and lower_selector(left, copy(lowering.context)).type.flags:
        return _flag_in_braces(left, only, right, lowering)
    return in_literal(left, operator, right, lowering)


def _flag_in_braces(
    left: t.Expression, only: t.Node | None, right: t.SetLiteral, lowering: RuleLowering
) -> tuple[Match, ...]:
    """nft up to 1.0.9 drops the braces around one element, and then any of its bits will do;
    a later one takes just the value."""
    just = in_literal(left, None, right, lowering)
    assert only is not None
    selector = lower_selector(left, lowering.context)
    any_bit = _match(left, None, only, lowering)  # type: ignore[arg-type]
    if isinstance(selector.row.target, OneOfTarget):
        return any_bit
    depends = (Uncertain("version of nft", spelled(left)),)
    return (*any_bit, AnyOf((just, depends)))


# -- maps --------------------------------------------------------------------------------------


def exact(mapping: t.SetLiteral | t.SetReference, lowering: RuleLowering) -> bool:
    """Whether the text says all that the map holds."""
    if isinstance(mapping, t.SetLiteral):
        return True
    named_set = lowering.table.sets.get(mapping.name.text)
    return named_set is not None and c.is_known(named_set)


def branches(
    key: t.Expression, mapping: t.SetLiteral | t.SetReference, lowering: RuleLowering
) -> tuple[Branch, ...]:
    """One for every distinct data. Where the content is not known, each may be found or not,
    and there may be others."""
    selectors = lower_key(key, lowering.context)
    needs = tuple(match for each in selectors for match in each.needs)
    match mapping:
        case t.SetLiteral(elements):
            contents = c.literal(elements, [each.type for each in selectors])
            report(contents, lowering, lowering.source)
        case t.SetReference():
            named = open_set(mapping, lowering)
            if named is None:
                return ()
            known = contents_of(named, selectors, lowering)
            if known is None:
                return _any_branch(named, selectors, needs)
            contents = known
    return tuple(_branches(key, selectors, needs, contents.entries, lowering.context))


def _any_branch(
    named_set: OpenSet, selectors: tuple[LoweredSelector, ...], needs: tuple[Match, ...]
) -> tuple[Branch, ...]:
    types = c.types_of(named_set, tuple(each.type for each in selectors))
    entries = c.named(named_set, types).entries
    may = _unique((*needs, Uncertain("set", f"@{named_set.name}")))
    return tuple(Branch(may, entry.data, entry.place) for entry in entries)


def _branches(
    key: t.Expression,
    selectors: tuple[LoweredSelector, ...],
    needs: tuple[Match, ...],
    entries: tuple[c.Entry, ...],
    context: Context,
) -> Iterator[Branch]:
    by_data: dict[c.Data, list[c.Entry]] = {}
    for entry in entries:
        by_data.setdefault(entry.data, []).append(entry)
    plain = [replace(entry, everything=False) for entry in entries]
    present = tuple(match for each in selectors for match in each.present)
    for data, several in by_data.items():
        own = [replace(entry, everything=False) for entry in several]
        alternatives = alternatives_of(key, selectors, own, context)
        if any(entry.everything for entry in several):
            others = [entry for entry in plain if entry.data != data]
            rest = negate(any_of(alternatives_of(key, selectors, others, context)))
            alternatives = (*alternatives, (*present, rest))
        matches = _unique((*needs, *all_of(alternatives)))
        yield Branch(matches, data, several[0].place)
