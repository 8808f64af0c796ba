"""What a listing as text and the same listing as JSON have in common.

nft prints some things in JSON otherwise than in text, and some not at all. ``normal`` takes
from a tree what only one of the two can say; each row is one such difference.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import singledispatch
from typing import Any

from iptlint.dialects.nft import tree as t

PRIORITIES = {
    "raw": -300,
    "mangle": -150,
    "dstnat": -100,
    "filter": 0,
    "security": 50,
    "srcnat": 100,
}
BRIDGE_PRIORITIES = {"dstnat": -300, "filter": -200, "out": 100, "srcnat": 300}
SECONDS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
UNITS = {"bytes": 1, "kbytes": 1024, "mbytes": 1024**2}


def compared(text: Any, json: Any) -> tuple[Any, Any]:
    """Both made normal; where the text has typeof, JSON 1.0.6 has the type that comes to."""
    left, right = normal(text), normal(json)
    examples = {
        (table.path, item.path)
        for table in left
        for item in table.body or ()
        if isinstance(item, t.Command) and any(isinstance(e, t.KeyLike) for e in item.body or ())
    }
    return _without_types(left, examples), _without_types(right, examples)


def _without_types(tables: Any, examples: set[Any]) -> Any:
    cut = _without(t.KeyType, t.KeyLike)
    return tuple(
        replace(
            table,
            body=tuple(
                cut(item)
                if isinstance(item, t.Command) and (table.path, item.path) in examples
                else item
                for item in table.body or ()
            ),
        )
        for table in tables
    )


def normal(node: Any) -> Any:
    """The node with all that is in it made normal, innermost first."""
    if isinstance(node, list | tuple):
        return tuple(part for part in map(normal, node) if part is not None)
    if isinstance(node, t.SetLiteral):
        node = replace(node, elements=tuple(node.elements))
    if not is_dataclass(node) or isinstance(node, type):
        return node
    changes = {
        each.name: normal(getattr(node, each.name))
        for each in fields(node)
        if each.compare and each.name not in ("start", "end")
    }
    made = _normal(replace(node, **changes))
    for loss in LOST:
        if isinstance(made, loss.node):
            made = loss.without(made)
    return made


@dataclass(frozen=True)
class Loss:
    """What nft's own JSON does not say; ``without`` takes it from the text as well."""

    nft: str
    what: str
    reason: str
    node: type
    without: Callable[[Any], Any]


def _statements_cut(element: t.Element) -> t.Element:
    timing = tuple(e for e in element.extras if isinstance(e, t.Timing | t.Comment))
    return replace(element, extras=(*timing, *element.extras[len(timing) :][:1]))


def _without(*kinds: type) -> Callable[[t.Command], t.Command]:
    def cut(command: t.Command) -> t.Command:
        body = tuple(item for item in command.body or () if not isinstance(item, kinds))
        return replace(command, body=body)

    return cut


def _set_cut(command: t.Command) -> t.Command:
    if command.kind not in ("set", "map"):
        return command
    body = (item for item in command.body if item != t.Property("auto-merge"))
    return replace(command, body=tuple(body))


def _table_cut(command: t.Command) -> t.Command:
    if command.kind not in ("table", "chain"):
        return command
    return _without(t.Comment, t.Flags)(command)


def _dynamic_cut(flags: t.Flags) -> t.Flags | None:
    """``timeout`` is a flag in JSON and goes without saying in text that has a timeout."""
    kept = tuple(flag for flag in flags.flags if flag.text not in ("dynamic", "timeout"))
    return replace(flags, flags=kept) if kept else None


LOST = (
    Loss("1.0.6", "flags dynamic", "not in its list of flags", t.Flags, _dynamic_cut),
    Loss("1.0.6", "auto-merge", "not printed", t.Command, _set_cut),
    Loss(
        "1.0.6",
        "that data are intervals",
        "only the type is printed",
        t.KeyType,
        lambda kind: replace(kind, interval=False),
    ),
    Loss(
        "1.0.6",
        "flags and comment of tables, chains",
        "flags are a name of someone else's",
        t.Command,
        _table_cut,
    ),
    Loss(
        "1.0.6",
        "devices of a hook",
        "printed in some families, and one only",
        t.Hook,
        lambda hook: replace(hook, devices=None),
    ),
    Loss(
        "1.0.6", "all but one statement of an element", "its own TODO", t.Element, _statements_cut
    ),
)


@singledispatch
def _normal(node: Any) -> Any:
    return node


@_normal.register
def _(node: t.Value) -> t.Value:
    """JSON has numbers and strings; what a string is nobody says."""
    if node.kind is t.Kind.NUMBER:
        return t.Value(str(int(node.text, 0)), t.Kind.NUMBER)
    if node.kind is t.Kind.TIME:
        parts = re.findall(r"(\d+)(ms|[wdhms])", node.text)
        total = sum(int(number) * SECONDS.get(unit, 0) for number, unit in parts)
        return t.Value(str(total), t.Kind.NUMBER)
    if re.fullmatch(r"0[xX][0-9a-fA-F]+|\d+", node.text):
        return t.Value(str(int(node.text, 0)), t.Kind.NUMBER)
    return t.Value(node.text, t.Kind.SYMBOL)


# -- the same said otherwise ----------------------------------------------------------

FLAG_SELECTORS = {
    t.Ct("state"),
    t.Ct("status"),
    t.Ct("label"),
    t.Ct("event"),
    t.Payload("tcp", "flags"),
}
ZERO = t.Value("0", t.Kind.NUMBER)
FIVE = t.Value("5", t.Kind.NUMBER)
PORT_UNREACHABLE = t.Value("port-unreachable", t.Kind.SYMBOL)
NAMED_ENDS = {
    "request": 1,
    "reply": 2,
    "rrequest": 3,
    "rreply": 4,
    "no-route": 0,
    "admin-prohibited": 1,
    "addr-unreachable": 3,
    "port-unreachable": 4,
    "policy-fail": 5,
    "reject-route": 6,
}


@_normal.register
def _(node: t.Match) -> t.Match:
    """Without an operator flags are tested for any of them, all else for equality."""
    if node.operator is not None:
        return node
    whole = isinstance(node.right, t.SetLiteral | t.SetReference)
    flags = node.left in FLAG_SELECTORS and not whole
    return replace(node, operator=None if flags else "==")


@_normal.register
def _(node: t.Timing) -> t.Timing:
    """The two listings are printed one after the other, and the clock goes on."""
    return replace(node, time=ZERO) if node.name == "expires" else node


@_normal.register
def _(node: t.MaskMatch) -> t.Match:
    return t.Match(t.Bitwise(node.left, "&", node.mask), node.operator or "==", node.value)


@_normal.register
def _(node: t.Quota) -> t.Quota:
    amount = int(node.amount.text) * UNITS[node.unit]
    used = int(node.used.text) * UNITS[node.used_unit or "bytes"] if node.used else 0
    return t.Quota(
        "over" if node.mode == "over" else None,
        t.Value(str(amount), t.Kind.NUMBER),
        "bytes",
        t.Value(str(used), t.Kind.NUMBER),
        "bytes",
    )


@_normal.register
def _(node: t.Limit) -> t.Limit:
    """Five packets of burst go without saying."""
    unit = None if node.burst_unit == "packets" else node.burst_unit
    burst = node.burst or (FIVE if node.unit is None else ZERO)
    mode = "over" if node.mode == "over" else None
    return replace(node, mode=mode, burst=burst, burst_unit=unit or (node.unit and "bytes"))


@_normal.register
def _(node: t.Reject) -> t.Reject:
    """What is sent without being told has a name in JSON."""
    told = node.protocol == "tcp" or node.reason not in (None, PORT_UNREACHABLE)
    return node if told else t.Reject()


@_normal.register
def _(node: t.HeaderOption) -> t.HeaderOption | t.RawOption:
    """An option by its number is in JSON the bits where the number stands."""
    return t.RawOption(node.option, 0, 8) if node.option.isdigit() else node


@_normal.register
def _(node: t.Range) -> t.Range:
    """The ends of ranges are numbers in text, and names in JSON where they have some."""
    return t.Range(*(_numeric(end) for end in (node.low, node.high)))


def _numeric(end: t.Expression) -> t.Expression:
    number = NAMED_ENDS.get(end.text) if isinstance(end, t.Value) else None
    return end if number is None else t.Value(str(number), t.Kind.NUMBER)


@_normal.register
def _(node: t.Numgen) -> t.Numgen:
    return replace(node, offset=node.offset or 0)


@_normal.register
def _(node: t.Hash) -> t.Hash:
    return replace(node, offset=node.offset or 0)


@_normal.register
def _(node: t.Ipsec) -> t.Ipsec:
    return replace(node, spnum=node.spnum or 0)


@_normal.register
def _(node: t.Nat) -> t.Nat:
    """``netmap`` is how the kernel says ``prefix``."""
    return replace(node, flags=tuple(flag for flag in node.flags if flag != "netmap"))


@_normal.register
def _(node: t.Command) -> t.Command:
    body = node.body or ()
    if node.kind == "table":
        names = BRIDGE_PRIORITIES if node.family == "bridge" else PRIORITIES
        body = _sorted(_with_priorities(item, names) for item in body)
        return replace(node, family=node.family or "ip", body=body)
    if node.kind == "flowtable":
        body = tuple(_with_priority(item, PRIORITIES) for item in body)
    if node.kind == "synproxy":
        parts = tuple(item for item in body if isinstance(item, t.Synproxy))
        body = (*(item for item in body if item not in parts), _one_synproxy(parts))
    return node if node.kind == "chain" else replace(node, body=_sorted(body))


def _one_synproxy(parts: Any) -> t.Synproxy:
    return t.Synproxy(
        next((part.mss for part in parts if part.mss), None),
        next((part.wscale for part in parts if part.wscale), None),
        tuple(flag for part in parts for flag in part.flags),
    )


def _sorted(items: Any) -> tuple[Any, ...]:
    return tuple(sorted(items, key=repr))


def _with_priorities(item: Any, names: dict[str, int]) -> Any:
    if not isinstance(item, t.Command) or not item.body:
        return item
    return replace(item, body=tuple(_with_priority(each, names) for each in item.body))


def _with_priority(item: Any, names: dict[str, int]) -> Any:
    if not isinstance(item, t.Hook) or item.priority is None:
        return item
    priority = item.priority
    base = priority.base.text if priority.base else "0"
    offset = int(priority.offset.text) if priority.offset else 0
    total = names.get(base, 0) if base in names else int(base)
    total += -offset if priority.sign == "-" else offset
    return replace(item, priority=t.Priority(t.Value(str(total), t.Kind.NUMBER)))
