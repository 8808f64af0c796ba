"""Lark's tree of one statement, made into nodes.

``ROWS`` has a row for each rule of the grammar: what makes a node of the rule's children. A
missing option of the grammar is a child that is None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lark import Token, Tree

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.faults import Fault, TooDeepFault
from iptlint.dialects.nft.reserved import RESERVED, VALUES
from iptlint.dialects.nft.selectors import OPTION_FIELDS, selector

MAX_OPERATORS = 64
MAX_DEPTH = 120
"""Of lark's tree, which is a little deeper than that of the nodes."""

Make = Callable[..., Any]


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
            place = {} if meta.empty else self._place(meta.start_pos, meta.end_pos)
            if depth > MAX_DEPTH:
                raise TooDeepFault("The statement is nested too deeply", **place)
            children = [self.build(child, depth + 1) for child in part.children]
            return self._make(str(part.data), children, place)
        if isinstance(part, Token):
            return self._token(part)
        return part

    def _place(self, start: int, end: int) -> dict[str, int]:
        return {"start": self.base + start, "end": self.base + end}

    def _make(self, name: str, children: list[Any], place: dict[str, int]) -> Any:
        if name == "jump_block":
            return t.JumpBlock(children[0], self._held(self.blocks, place), **place)
        if name == "held_set":
            return t.SetLiteral(self._held(self.sets, place), **place)
        return ROWS[name](*children, **place)

    @staticmethod
    def _held(held: Mapping[int, Any], place: dict[str, int]) -> Any:
        """What was read between the braces whose closing one ends here."""
        if place["end"] - 1 not in held:
            raise Fault("There is a NUL among the elements", "an element", **place)
        return held[place["end"] - 1]

    def _token(self, token: Token) -> Any:
        make = TOKENS.get(token.type)
        if make is None:
            return str(token)
        assert token.start_pos is not None
        assert token.end_pos is not None
        return make(str(token), self._place(token.start_pos, token.end_pos))


# -- tokens -----------------------------------------------------------------------


def _value(kind: t.Kind) -> Callable[[str, dict[str, int]], t.Value]:
    return lambda text, place: t.Value(text, kind, **place)


def _selector(text: str, place: dict[str, int]) -> t.Selector:
    return replace(selector(text), **place)


TOKENS: dict[str, Callable[[str, dict[str, int]], Any]] = {
    "WORD": _value(t.Kind.SYMBOL),
    "NUMBER": _value(t.Kind.NUMBER),
    "TIME": _value(t.Kind.TIME),
    "CLASSID": _value(t.Kind.CLASSID),
    "WILDCARD": _value(t.Kind.WILDCARD),
    "STRING": lambda text, place: t.Value(text[1:-1], t.Kind.STRING, **place),
    "ADDRESS": lambda text, place: t.Value(text.strip("[]"), t.Kind.ADDRESS, **place),
    "SELECTOR": _selector,
}


# -- helpers for rows ---------------------------------------------------------------


def _first(child: Any, **_: int) -> Any:
    return child


def _joined(*children: str, **_: int) -> str:
    return " ".join(children)


def _texts(*children: Any, **_: int) -> tuple[Any, ...]:
    return children


def _many(node: Make) -> Make:
    return lambda *children, **place: node(children, **place)


def _name(word: t.Value, **place: int) -> t.Value:
    if word.text in RESERVED:
        raise Fault(f"`{word.text}` is a word of the language, and no name", "a name", **place)
    return word


def _word(word: t.Value, **place: int) -> t.Value:
    if word.text in RESERVED and word.text not in VALUES:
        raise Fault(f"`{word.text}` is a word of the language, and no value", "a value", **place)
    return word


# -- expressions --------------------------------------------------------------------

_OPERATORS = {"and": "&", "or": "|", "xor": "^", "lshift": "<<", "rshift": ">>"}
_PRECEDENCE = {"|": 1, "^": 2, "&": 3, "<<": 4, ">>": 4}


def _bits(*children: Any, **place: int) -> t.Expression:
    """Operands and operators in turn; what binds closer is joined first."""
    if len(children) > 2 * MAX_OPERATORS:
        raise TooDeepFault("The expression has too many operators", **place)
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


def _hash(key: t.Expression, modulus: t.Value, seed: Any, offset: Any, **place: int) -> t.Hash:
    numbers = (None if part is None else int(part.text, 0) for part in (seed, offset))
    return t.Hash("jhash", key, int(modulus.text, 0), *numbers, **place)


def _element(key: t.Expression, *rest: Any, **place: int) -> t.Expression | t.Element:
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
    "listed_name": _first,
    "word": _word,
    "time": _first,
    "variable": lambda name, **place: t.Variable(name.text, **place),
    "negative": t.Negative,
    "set_reference": t.SetReference,
    "everything": t.Everything,
    "concat": _many(t.Concat),
    "key_concat": _many(t.Concat),
    "listing": _many(t.Listing),
    "expression_list": _many(t.Listing),
    "mask": _many(t.Listing),
    "prefix": t.Prefix,
    "range": t.Range,
    "bits": _bits,
    "bit_operator": lambda word, **_: _OPERATORS.get(word, word),
    "jhash": _hash,
    "lookup": t.Lookup,
    "set": _many(t.SetLiteral),
    "empty_set": _many(t.SetLiteral),
    "element": _element,
    "update_element": _element,
    "update_key": _element,
    "extra": _extra,
    "timing": t.Timing,
    "comment": t.Comment,
}


# -- statements -----------------------------------------------------------------------

_COMPARISONS = {
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "gt": ">",
    "le": "<=",
    "ge": ">=",
    "not": "!",
}


def _match(left: t.Expression, operator: str | None, right: t.Expression, **place: int) -> t.Match:
    """A word after a header option may be a field that this option does not have."""
    match left, right:
        case t.HeaderOption(field=None), t.Value(text, t.Kind.SYMBOL) if text in OPTION_FIELDS:
            raise Fault(f"`{left.option}` has no field `{text}`", "a field or a value", **place)
    return t.Match(left, operator, right, **place)


def _mangle(target: t.Selector, value: t.Expression, **place: int) -> t.Mangle:
    if isinstance(target, t.Payload) and target.tunnel:
        raise Fault("A field behind a tunnel header cannot be set", "a comparison", **place)
    return t.Mangle(target, value, **place)


def _counter(*values: dict[str, t.Value], **place: int) -> t.Counter:
    fields = {name: number for value in values for name, number in value.items()}
    return t.Counter(**fields, **place)


def _last(used: t.Value | None, **place: int) -> t.Last:
    if used and used.kind is t.Kind.SYMBOL and used.text != "never":
        raise Fault(f"`{used.text}` is no time", "a time such as 5m, or never", **place)
    return t.Last(used, **place)


_PER = ("second", "minute", "hour", "day", "week")
_LOG_FIELDS = {
    "prefix": "prefix",
    "group": "group",
    "snaplen": "snaplen",
    "queue-threshold": "queue_threshold",
    "level": "level",
}


def _rate(mode: Any, rate: t.Value, *rest: Any, **place: int) -> t.Limit:
    """``5/second``, ``10 mbytes/second``; the scanner takes the second for one word."""
    *units, burst, burst_unit = rest
    unit, _, per = "".join(part for part in units if part).partition("/")
    if per not in _PER:
        known = ", ".join(_PER)
        raise Fault(f"`{per}` is no unit of time for a rate", f"one of {known}", **place)
    if burst_unit and (burst_unit == "packets") != (not unit):
        wanted = "bytes, kbytes or mbytes" if unit else "packets"
        raise Fault(f"The burst is counted in {burst_unit}, the rate is not", wanted, **place)
    return t.Limit(mode, rate, unit or None, per, burst, burst_unit, **place)


def _limit(rate: t.Limit, **place: int) -> t.Limit:
    return replace(rate, **place)


def _log(*options: tuple[str, Any], **place: int) -> t.Log:
    fields = {_LOG_FIELDS[name]: value for name, value in options if name != "flags"}
    flags = tuple(flag for name, value in options if name == "flags" for flag in value)
    return t.Log(**fields, flags=flags, **place)


def _log_flags(first: Any, *rest: Any, **place: int) -> tuple[str, ...]:
    given = [part.text for part in rest if isinstance(part, t.Value)]
    allowed = {"tcp": {"sequence", "options"}, "ip": {"options"}}.get(first)
    if allowed is None:
        flag = getattr(first, "text", first)
        if flag not in ("all", "skuid", "ether"):
            raise Fault(f"`{flag}` is no flag of log", "one of tcp, ip, skuid, ether, all", **place)
        return (flag,)
    if not set(given) <= allowed:
        raise Fault(f"log has no such flags of {first}", " or ".join(sorted(allowed)), **place)
    return tuple(f"{first} {flag}" for flag in given)


def _reject(reason: tuple[Any, ...] | None, **place: int) -> t.Reject:
    return t.Reject(*(reason or ()), **place)


def _nat(
    name: str, to: tuple[Any, Any] | None, where: tuple[Any, Any], *flags: Any, **place: int
) -> t.Nat:
    family, form = to or (None, None)
    return t.Nat(name, family, form, *where, flags=sum(flags, ()), **place)


def _redirect(name: str, where: tuple[Any, Any] | None, *flags: Any, **place: int) -> t.Nat:
    return t.Nat(name, None, None, *(where or (None, None)), flags=sum(flags, ()), **place)


def _tproxy(family: str | None, where: tuple[Any, Any], **place: int) -> t.Tproxy:
    return t.Tproxy(family, *where, **place)


def _queue_target(word: str, target: Any, **place: int) -> tuple[str, Any]:
    plain = (t.Value, t.Variable, t.Range)
    allowed = plain if word == "num" else (*plain, t.Lookup, t.Numgen, t.Hash)
    if not isinstance(target, allowed):
        raise Fault(
            "No queue number can be had from this",
            "a number" if word == "num" else "a number, numgen, a hash or a map",
            **place,
        )
    return "target", target


def _queue(*arguments: tuple[str, Any], **place: int) -> t.Queue:
    target = next((value for name, value in arguments if name == "target"), None)
    flags = tuple(flag for name, value in arguments if name == "flags" for flag in value)
    return t.Queue(target, flags, **place)


_OPTION_NAMES = {"sack-permitted": "sack-perm"}


def _synproxy(values: t.Synproxy | None = None, **place: int) -> t.Synproxy:
    return replace(values or t.Synproxy(), **place)


def _synproxy_values(*values: tuple[Any, ...], **place: int) -> t.Synproxy:
    numbers = {value[0]: value[1] for value in values if len(value) == 2}
    flags = tuple(_OPTION_NAMES.get(value[0], value[0]) for value in values if len(value) == 1)
    return t.Synproxy(**numbers, flags=flags, **place)


def _meter(
    name: t.Value, size: Any, key: t.Expression, *rest: Any, **place: int
) -> t.Meter:
    *extras, statement = rest
    return t.Meter(name, size, key, tuple(extra.node for extra in extras), statement, **place)


def _flow_table(name: t.Value, key: t.Expression, *rest: Any, **place: int) -> t.Meter:
    return _meter(name, None, key, *rest, **place)


def _set_update(operation: str, first: Any, second: Any, **place: int) -> t.SetUpdate:
    """``add @name { element }``; once it was ``set add element @name``."""
    legacy = isinstance(second, t.SetReference)
    target, element = (second, first) if legacy else (first, second)
    return t.SetUpdate(operation, element, target, **place)


STATEMENT_ROWS: dict[str, Make] = {
    "operator": lambda word, **_: _COMPARISONS.get(word, word),
    "match": _match,
    "mask_match": t.MaskMatch,
    "verdict": t.Verdict,
    "jump": t.Verdict,
    "verdict_map": t.VerdictMap,
    "mangle": _mangle,
    "counter": _counter,
    "packets": lambda number, **_: {"packets": number},
    "bytes": lambda number, **_: {"bytes": number},
    "object_use": lambda kind, _, name, **place: t.ObjectUse(kind, name, **place),
    "limit": _limit,
    "limit_rate": _rate,
    "mode": _first,
    "per": lambda word, **_: f"/{word.text}",
    "unit": lambda word, **_: word.text,
    "quota": _limit,
    "quota_amount": t.Quota,
    "connection_limit": lambda over, count, **place: t.ConnectionLimit(bool(over), count, **place),
    "last": _last,
    "log": _log,
    "log_option": lambda name, value, **_: (name, value),
    "log_flags": _log_flags,
    "reject": _reject,
    "reject_reason": lambda *words, **_: (words[0], words[-1]),
    "reset": lambda *_words, **_: ("tcp",),
    "nat": _nat,
    "nat_kind": _first,
    "nat_to": lambda family, form, **_: (family, form),
    "nat_family": _first,
    "nat_form": _joined,
    "nat_place": lambda address, port, **_: (address, port),
    "nat_port": lambda port, **_: (None, port),
    "nat_flags": _texts,
    "nat_flag": _first,
    "redirect": _redirect,
    "redirect_kind": _first,
    "tproxy": _tproxy,
    "queue": _queue,
    "queue_target": _queue_target,
    "queue_flags": lambda *flags, **_: ("flags", flags),
    "queue_flag": _first,
    "dup": t.Dup,
    "fwd": t.Fwd,
    "synproxy": _synproxy,
    "synproxy_values": _synproxy_values,
    "synproxy_value": _texts,
    "set_update": _set_update,
    "operation": _first,
    "meter": _meter,
    "flow_table": _flow_table,
    "notrack": t.Notrack,
    "flow_add": t.FlowAdd,
    "strip_option": t.StripOption,
    "foreign": lambda kind, name, **place: t.Foreign(kind.text, name.text, **place),
}

ROWS: dict[str, Make] = {}
