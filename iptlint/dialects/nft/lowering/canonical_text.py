"""Nodes in nft's words, spelled one way however they were written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.lowering import times
from iptlint.dialects.nft.nodes import Node

_MOST_ELEMENTS = 50
"""Of a set; a longer one is told apart by its hash."""


def spelled(part: Any) -> str:
    """The words of a node; of None and of what is empty there are none."""
    if isinstance(part, Node):
        form = _FORMS.get(type(part))
        return form(part) if form else _joined(type(part).__name__.lower(), *_fields(part))
    if isinstance(part, tuple):
        return ",".join(map(spelled, part))
    return "" if part is None or part is False else str(part)


def _fields(node: Node) -> list[str]:
    """What a node without a form of its own holds. Flags are told by their names; an offset,
    a seed or a number of 0 is what goes without saying."""
    parts = ((name, getattr(node, name)) for name in _names(type(node)))
    return [name if value is True else spelled(value or None) for name, value in parts]


def _names(kind: type[Node]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind) if field.name not in ("start", "end"))


def _joined(*words: str) -> str:
    return " ".join(filter(None, words))


def _led(keyword: str, part: Any) -> str:
    """A keyword and what belongs to it, or nothing."""
    words = spelled(part)
    return f"{keyword} {words}" if words else ""


def _value(node: t.Value) -> str:
    return f'"{node.text}"' if node.kind is t.Kind.STRING else node.text


def _set(node: t.SetLiteral) -> str:
    elements: Sequence[Any] = node.elements
    if len(elements) > _MOST_ELEMENTS:
        return f"{{ {len(elements)} elements {hash(node):x} }}"
    return f"{{ {', '.join(map(spelled, elements))} }}"


def _element(node: t.Element) -> str:
    words = _joined(spelled(node.key), *map(spelled, node.extras))
    return f"{words} : {spelled(node.data)}" if node.data is not None else words


def _limit(node: t.Limit) -> str:
    rate = f"{spelled(node.rate)} {node.unit}" if node.unit else spelled(node.rate)
    burst = _joined(spelled(node.burst), node.burst_unit or "packets") if node.burst else ""
    # Listings leave out a burst that is the default; JSON has it.
    burst = "" if burst in ("5 packets", "0 bytes") else burst
    return _joined("limit rate", node.mode or "", f"{rate}/{node.per}", _led("burst", burst))


def _time(time: t.Expression) -> str:
    """In milliseconds, where it is a time."""
    read = times.read(time.text) if isinstance(time, t.Value) else None
    return spelled(time) if read is None else str(read)


def _quota(node: t.Quota) -> str:
    return _joined("quota", node.mode or "", spelled(node.amount), node.unit)


def _log(node: t.Log) -> str:
    return _joined(
        "log",
        _led("prefix", node.prefix),
        _led("group", node.group),
        _led("snaplen", node.snaplen),
        _led("queue-threshold", node.queue_threshold),
        _led("level", node.level),
        _led("flags", node.flags),
    )


def to(address: t.Expression | None, port: t.Expression | None) -> str:
    """``to address:port`` of a translation."""
    ports = f":{spelled(port)}" if port is not None else ""
    return _led("to", f"{spelled(address)}{ports}")


def _update(node: t.SetUpdate) -> str:
    return f"{node.operation} {spelled(node.target)} {{ {spelled(node.element)} }}"


def _meter(node: t.Meter) -> str:
    extras = map(spelled, node.extras)
    inner = _joined(spelled(node.key), *extras, spelled(node.statement))
    return _joined("meter", spelled(node.name), f"{{ {inner} }}")


def _nat(node: t.Nat) -> str:
    where = _joined(node.family or "", node.form or "", to(node.address, node.port))
    return _joined(node.name, where, *node.flags)


def _tproxy(node: t.Tproxy) -> str:
    return _joined("tproxy", node.family or "", to(node.address, node.port))


_QUOTE = '"'
_OPTION_WORDS = {"sctp": "chunk"}

_FORMS: dict[type[Node], Callable[[Any], str]] = {
    t.Value: _value,
    t.SetReference: lambda node: f"@{node.name.text}",
    t.Everything: lambda _: "*",
    t.Prefix: lambda node: f"{spelled(node.base)}/{spelled(node.length)}",
    t.Range: lambda node: f"{spelled(node.low)}-{spelled(node.high)}",
    t.Concat: lambda node: " . ".join(map(spelled, node.parts)),
    t.Listing: lambda node: ",".join(map(spelled, node.items)),
    t.Bitwise: lambda node: f"({spelled(node.left)} {node.operator} {spelled(node.right)})",
    t.SetLiteral: _set,
    t.Element: _element,
    t.Timing: lambda node: f"{node.name} {_time(node.time)}",
    t.Comment: lambda _: "",
    t.Lookup: lambda node: f"{spelled(node.key)} map {spelled(node.mapping)}",
    t.Payload: lambda node: _joined(node.tunnel or "", node.protocol, node.field),
    t.RawPayload: lambda node: f"@{node.base},{node.offset},{node.length}",
    t.HeaderOption: lambda node: _joined(
        node.protocol,
        "chunk" if node.protocol == "sctp" else "option",
        node.option,
        node.field or "",
    ),
    t.Ct: lambda node: _joined("ct", node.direction or "", node.family or "", node.key),
    t.Routing: lambda node: _joined("rt", node.family or "", node.key),
    t.Limit: _limit,
    t.Quota: _quota,
    t.ConnectionLimit: lambda node: _joined(
        "ct count", "over" if node.over else "", spelled(node.count)
    ),
    t.ObjectUse: lambda node: f"{node.kind} name {spelled(node.name).strip(_QUOTE)}",
    t.Log: _log,
    t.Mangle: lambda node: f"{spelled(node.target)} set {spelled(node.value)}",
    t.SetUpdate: _update,
    t.Meter: _meter,
    t.Nat: _nat,
    t.Tproxy: _tproxy,
    t.Synproxy: lambda node: _joined(
        "synproxy", _led("mss", node.mss), _led("wscale", node.wscale), *node.flags
    ),
    t.Dup: lambda node: _joined("dup to", spelled(node.address), _led("device", node.device)),
    t.Fwd: lambda node: _joined(
        "fwd", node.family or "", "to", spelled(node.target), _led("device", node.device)
    ),
    t.FlowAdd: lambda node: f"flow add @{node.flowtable.text}",
    t.StripOption: lambda node: f"reset {spelled(node.option)}",
    t.Foreign: lambda node: f'xt {node.kind} "{node.name}"',
}
"""Nodes whose words are more than their name and fields in order."""
