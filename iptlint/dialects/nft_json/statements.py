"""Statements in JSON: a row for each name, see libnftables-json(5), *STATEMENTS*."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft_json.expressions import VERDICTS, elements, expression, verdict
from iptlint.dialects.nft_json.shapes import (
    Json,
    UnknownError,
    listed,
    only,
    optional_number,
    string,
    word,
)
from iptlint.dialects.nft_json.stateful import connection_limit, counter, last, limit, rule_quota

Read = Callable[[Json], t.Statement]


def statement(value: dict[str, Json] | str) -> t.Statement:
    """UnknownError, KeyError or TypeError where the JSON is none.

    What nft itself has no JSON for, it prints as text.
    """
    if isinstance(value, str):
        return _from_text(value)
    name, content = only(value)
    if name not in _NAMES:
        raise UnknownError(f"there is no statement {name!r}")
    return _NAMES[name](content)


def _from_text(text: str) -> t.Statement:
    from iptlint.dialects.nft.parser import parse_rule

    rule = parse_rule(text)
    if rule is None or len(rule.statements) != 1:
        raise UnknownError(f"{text!r} is no statement")
    return rule.statements[0]


def _match(content: dict[str, Json]) -> t.Match:
    """``in`` is what nft prints for flags that were compared without an operator."""
    operator = None if content["op"] == "in" else content["op"]
    return t.Match(expression(content["left"]), operator, expression(content["right"]))


def mapping(content: Json) -> t.SetLiteral | t.SetReference:
    return cast("t.SetLiteral | t.SetReference", expression(content))


def _vmap(content: dict[str, Json]) -> t.VerdictMap:
    return t.VerdictMap(expression(content["key"]), mapping(content["data"]))


def _stateful(kind: str, read: Callable[[dict[str, Json]], t.Statement]) -> Read:
    """The statement itself, or the name of an object that does it."""

    def either(content: Json) -> t.Statement:
        named = isinstance(content, str) or (isinstance(content, dict) and "map" in content)
        return t.ObjectUse(kind, expression(content)) if named else read(content or {})

    return either


def _log(content: dict[str, Json] | None) -> t.Log:
    given = content or {}
    return t.Log(
        prefix=string(given["prefix"]) if "prefix" in given else None,
        group=optional_number(given.get("group")),
        snaplen=optional_number(given.get("snaplen")),
        queue_threshold=optional_number(given.get("queue-threshold")),
        level=word(given["level"]) if "level" in given else None,
        flags=tuple(listed(given.get("flags"))),
    )


def _reject(content: dict[str, Json] | None) -> t.Reject:
    match content or {}:
        case {"type": "tcp reset"}:
            return t.Reject("tcp")
        case {"type": kind, "expr": reason}:
            return t.Reject(kind, expression(reason))
    return t.Reject((content or {}).get("type"))


def _optional(content: dict[str, Json], name: str) -> t.Expression | None:
    return expression(content[name]) if name in content else None


def _nat(name: str) -> Read:
    def read(content: dict[str, Json] | None) -> t.Nat:
        given = content or {}
        return t.Nat(
            name,
            given.get("family"),
            next(iter(listed(given.get("type_flags"))), None),
            _optional(given, "addr"),
            _optional(given, "port"),
            tuple(listed(given.get("flags"))),
        )

    return read


def _tproxy(content: dict[str, Json]) -> t.Tproxy:
    return t.Tproxy(content.get("family"), _optional(content, "addr"), _optional(content, "port"))


def _queue(content: dict[str, Json] | None) -> t.Queue:
    given = content or {}
    return t.Queue(_optional(given, "num"), tuple(listed(given.get("flags"))))


def _fwd(content: dict[str, Json]) -> t.Fwd:
    device = expression(content["dev"])
    if "addr" in content:
        return t.Fwd(content.get("family"), expression(content["addr"]), device)
    return t.Fwd(None, device)


def synproxy(content: dict[str, Json] | None) -> t.Synproxy:
    given = content or {}
    mss, wscale = (optional_number(given.get(name)) for name in ("mss", "wscale"))
    return t.Synproxy(mss, wscale, tuple(listed(given.get("flags"))))


def _mangle(content: dict[str, Json]) -> t.Mangle:
    target = cast(t.Selector, expression(content["key"]))
    return t.Mangle(target, expression(content["value"]))


def _fixed(key: str) -> Read:
    """``ct helper``, ``ct timeout`` and ``ct expectation`` in a rule assign an object."""
    return lambda content: t.Mangle(t.Ct(key), expression(content))


def _set(content: dict[str, Json]) -> t.SetUpdate:
    """``set`` updates a set, ``map`` a map, whose element has data."""
    raw = content["elem"]
    node = elements([raw]).elements[0]
    statements = tuple(map(statement, content.get("stmt", ())))
    data = expression(content["data"]) if "data" in content else None
    if statements or data:
        whole = node if isinstance(node, t.Element) else t.Element(node)
        node = t.Element(whole.key, (*whole.extras, *statements), data)
    target = mapping(content.get("set") or content["map"])
    assert isinstance(target, t.SetReference)
    return t.SetUpdate(content["op"], node, target)


def _meter(content: dict[str, Json]) -> t.Meter:
    name = word(content["name"]) if content.get("name") else None
    key = elements([content["key"]]).elements[0]
    whole = key if isinstance(key, t.Element) else t.Element(key)
    size = optional_number(content.get("size"))
    return t.Meter(name, size, whole.key, whole.extras, statement(content["stmt"]))


def _dup(content: dict[str, Json]) -> t.Dup:
    return t.Dup(expression(content["addr"]), _optional(content, "dev"))


def _flow(content: dict[str, Json]) -> t.FlowAdd:
    return t.FlowAdd(word(content["flowtable"].removeprefix("@")))


def _foreign(content: dict[str, Json] | None) -> t.Foreign:
    """Some versions print null, and then nothing is known but that there is something."""
    given = content or {}
    return t.Foreign(given.get("type", ""), given.get("name", ""))


_NAMES: dict[str, Read] = {
    **{name: lambda content, name=name: verdict({name: content}) for name in VERDICTS},  # type: ignore[misc]
    "match": _match,
    "vmap": _vmap,
    "counter": _stateful("counter", counter),
    "limit": _stateful("limit", limit),
    "quota": _stateful("quota", rule_quota),
    "synproxy": _stateful("synproxy", synproxy),
    "last": lambda content: last(content or {}),
    "ct count": connection_limit,
    "log": _log,
    "reject": _reject,
    "snat": _nat("snat"),
    "dnat": _nat("dnat"),
    "masquerade": _nat("masquerade"),
    "redirect": _nat("redirect"),
    "tproxy": _tproxy,
    "queue": _queue,
    "dup": _dup,
    "fwd": _fwd,
    "mangle": _mangle,
    "ct helper": _fixed("helper"),
    "ct timeout": _fixed("timeout"),
    "ct expectation": _fixed("expectation"),
    "secmark": lambda content: t.Mangle(t.Meta("secmark"), expression(content)),
    "set": _set,
    "map": _set,
    "meter": _meter,
    "notrack": lambda _: t.Notrack(),
    "flow": _flow,
    "reset": lambda content: t.StripOption(cast(t.Selector, expression(content))),
    "xt": _foreign,
}
