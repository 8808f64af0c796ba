"""The tree of nft as JSON, as `nft -j list ruleset` has it: a row for each kind of node, see
libnftables-json(5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.lowering.datatypes import TIME
from iptlint.dialects.nft.nodes import Node
from iptlint.dialects.nft_json.shapes import Json
from iptlint.model.numbers import c_number, is_decimal

Write = Callable[[Any], Json]


class NoJsonError(Exception):
    """JSON has no words for it; the text is a sentence that says for what."""


def written(node: Node) -> Json:
    row = _ROWS.get(type(node))
    if row is None:
        raise NoJsonError(f"a {type(node).__name__.lower()} has no form in nft's JSON")
    return row(node)


def _kept(**content: Json) -> dict[str, Json]:
    """What is there; names of Python's and with a dash have an underscore behind or within."""
    return {k.strip("_").replace("__", "-"): v for k, v in content.items() if v is not None}


def _optional(node: Node | None) -> Json:
    return None if node is None else written(node)


# -- values ---------------------------------------------------------------------------------------

_BOOLEANS = {"exists": True, "missing": False}


def _value(node: t.Value) -> Json:
    match node.kind:
        case t.Kind.NUMBER:
            return c_number(node.text)
        case t.Kind.TIME:
            return _seconds(node)
        case t.Kind.SYMBOL if node.text in _BOOLEANS:
            return _BOOLEANS[node.text]
    return node.text


def _number(node: t.Value | None) -> int | None:
    return None if node is None else c_number(node.text)


def _seconds(node: Node) -> int:
    milliseconds = TIME.read(node) if isinstance(node, t.Value) else None
    if not isinstance(milliseconds, int) or milliseconds % 1000:
        raise NoJsonError("a time that is no whole number of seconds")
    return milliseconds // 1000


def _element(node: Node) -> Json:
    if not isinstance(node, t.Element):
        return written(node)
    key = written(node.key)
    if node.extras:
        key = {"elem": {"val": key, **dict(map(_extra, node.extras))}}
    return key if node.data is None else [key, written(node.data)]


def _extra(node: Node) -> tuple[str, Json]:
    match node:
        case t.Timing(name, time):
            return name, _seconds(time)
        case t.Comment(text):
            return "comment", text.text
    ((name, content),) = written(node).items()
    return name, content


# -- selectors ------------------------------------------------------------------------------------


def _header_option(node: t.HeaderOption) -> Json:
    if node.protocol == "dccp":
        return {"dccp option": {"type": c_number(node.option)}}
    if node.protocol == "tcp" and is_decimal(node.option):
        if node.field is not None:
            raise NoJsonError("a field of a tcp option without a name")
        return {"tcp option": {"base": c_number(node.option), "offset": 0, "len": 0}}
    name = {"tcp": "tcp option", "ip": "ip option", "sctp": "sctp chunk"}[node.protocol]
    return {name: _kept(name=node.option, field=node.field)}


def _raw_option(node: t.RawOption) -> Json:
    kind = c_number(node.kind)
    if kind is None:
        raise NoJsonError("bits of a tcp option by its name")
    return {"tcp option": {"base": kind, "offset": node.offset, "len": node.length}}


def _extension(node: t.ExtensionHeader) -> Json:
    return {"exthdr": _kept(name=node.header, field=node.field, offset=node.index)}


def _hash(node: t.Hash) -> Json:
    content = _kept(
        mod=node.modulus, seed=node.seed, offset=node.offset or None, expr=_optional(node.key)
    )
    return {node.name: content}


# -- tests ----------------------------------------------------------------------------------------

_FLAGS = (
    *(t.Ct(key) for key in ("state", "status", "label", "event")),
    t.Payload("tcp", "flags"),
)
"""Compared without an operator, any of the flags may be set."""


def _match(node: t.Match) -> Json:
    if node.operator == "!":
        raise NoJsonError("`!` before flags")
    any_of = node.operator is None and node.left in _FLAGS
    plain = isinstance(node.right, t.Value | t.Listing | t.Bitwise)
    operator = node.operator or ("in" if any_of and plain else "==")
    operator = _OPERATORS.get(operator, operator)
    content = {"op": operator, "left": written(node.left), "right": written(node.right)}
    return {"match": content}


_OPERATORS = {"eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">=", "not": "!="}


def _mask_match(node: t.MaskMatch) -> Json:
    masked = {"&": [written(node.left), written(node.mask)]}
    operator = "!=" if node.operator == "!=" else "=="
    return {"match": {"op": operator, "left": masked, "right": written(node.value)}}


# -- statements ----------------------------------------------------------------------------


def _verdict(node: t.Verdict) -> Json:
    if node.chain is None:
        return {node.name: None}
    if not isinstance(node.chain, t.Value):
        raise NoJsonError("a chain that a variable names")
    return {node.name: {"target": node.chain.text}}


def _limit(node: t.Limit) -> Json:
    return {
        "limit": _kept(
            rate=_number(node.rate),
            rate_unit=node.unit,
            per=node.per,
            burst=_number(node.burst),
            burst_unit=node.burst_unit if node.burst is not None and node.unit else None,
            inv=True if node.mode == "over" else None,
        )
    }


def _quota(node: t.Quota) -> Json:
    return {
        "quota": _kept(
            val=_number(node.amount),
            val_unit=node.unit,
            used=_number(node.used),
            used_unit=node.used_unit,
            inv=True if node.mode == "over" else None,
        )
    }


def _last(node: t.Last) -> Json:
    return {"last": None if node.used is None else {"used": _seconds(node.used) * 1000}}


def _log(node: t.Log) -> Json:
    content = _kept(
        prefix=None if node.prefix is None else getattr(node.prefix, "text", None),
        group=_number(node.group),
        snaplen=_number(node.snaplen),
        queue__threshold=_number(node.queue_threshold),
        level=None if node.level is None else node.level.text,
        flags=list(node.flags) or None,
    )
    return {"log": content or None}


def _reject(node: t.Reject) -> Json:
    if node.protocol == "tcp":
        return {"reject": {"type": "tcp reset"}}
    if node.protocol is None:
        return {"reject": None}
    return {"reject": _kept(type=node.protocol, expr=_optional(node.reason))}


def _nat(node: t.Nat) -> Json:
    content = _kept(
        family=node.family,
        addr=_optional(node.address),
        port=_optional(node.port),
        flags=list(node.flags) or None,
        type_flags=node.form,
    )
    return {node.name: content or None}


def _mangle(node: t.Mangle) -> Json:
    match node.target:
        case t.Ct("helper" | "timeout" | "expectation" as key, None, None):
            return {f"ct {key}": written(node.value)}
    return {"mangle": {"key": written(node.target), "value": written(node.value)}}


def _set_update(node: t.SetUpdate) -> Json:
    target = written(node.target)
    if not isinstance(node.element, t.Element):
        content = {"op": node.operation, "elem": written(node.element), "set": target}
        return {"set": content}
    timing = tuple(each for each in node.element.extras if isinstance(each, t.Timing | t.Comment))
    rest = [written(each) for each in node.element.extras if each not in timing]
    plain = t.Element(node.element.key, timing)
    content = {"op": node.operation, "elem": _element(plain)}
    if rest:
        content["stmt"] = rest
    if node.element.data is None:
        return {"set": {**content, "set": target}}
    return {"map": {**content, "data": written(node.element.data), "map": target}}


def _synproxy(node: t.Synproxy) -> Json:
    content = _kept(
        mss=_number(node.mss), wscale=_number(node.wscale), flags=list(node.flags) or None
    )
    return {"synproxy": content or None}


def _counter(node: t.Counter) -> Json:
    content = _kept(packets=_number(node.packets), bytes=_number(node.bytes))
    return {"counter": content or None}


_ROWS: Mapping[type[Node], Write] = {
    t.Value: _value,
    t.SetReference: lambda node: f"@{node.name.text}",
    t.Everything: lambda _: "*",
    t.Prefix: lambda node: {"prefix": {"addr": written(node.base), "len": _number(node.length)}},
    t.Range: lambda node: {"range": [written(node.low), written(node.high)]},
    t.Concat: lambda node: {"concat": [*map(written, node.parts)]},
    t.Listing: lambda node: [*map(written, node.items)],
    t.Bitwise: lambda node: {node.operator: [written(node.left), written(node.right)]},
    t.SetLiteral: lambda node: {"set": [*map(_element, node.elements)]},
    t.Lookup: lambda node: {"map": {"key": written(node.key), "data": written(node.mapping)}},
    t.Payload: lambda node: {
        "payload": _kept(protocol=node.protocol, field=node.field, tunnel=node.tunnel)
    },
    t.RawPayload: lambda node: {
        "payload": {"base": node.base, "offset": node.offset, "len": node.length}
    },
    t.HeaderOption: _header_option,
    t.RawOption: _raw_option,
    t.ExtensionHeader: _extension,
    t.Meta: lambda node: {"meta": {"key": node.key}},
    t.Ct: lambda node: {
        "ct": _kept(key=f"{node.family or ''} {node.key}".strip(), dir=node.direction)
    },
    t.Routing: lambda node: {"rt": _kept(key=node.key, family=node.family)},
    t.Socket: lambda node: {"socket": _kept(key=node.key, level=node.level)},
    t.Fingerprint: lambda node: {"osf": _kept(key=node.key, ttl=node.ttl)},
    t.Fib: lambda node: {"fib": {"result": node.result, "flags": list(node.flags)}},
    t.Ipsec: lambda node: {
        "ipsec": _kept(key=node.key, family=node.family, dir=node.direction, spnum=node.spnum)
    },
    t.TunnelKey: lambda node: {"tunnel": {"key": node.key}},
    t.Numgen: lambda node: {
        "numgen": {"mode": node.mode, "mod": node.modulus, "offset": node.offset or 0}
    },
    t.Hash: _hash,
    t.Match: _match,
    t.MaskMatch: _mask_match,
    t.Verdict: _verdict,
    t.VerdictMap: lambda node: {"vmap": {"key": written(node.key), "data": written(node.mapping)}},
    t.Counter: _counter,
    t.ObjectUse: lambda node: {node.kind: written(node.name)},
    t.Limit: _limit,
    t.Quota: _quota,
    t.ConnectionLimit: lambda node: {
        "ct count": _kept(val=_number(node.count), inv=node.over or None)
    },
    t.Last: _last,
    t.Log: _log,
    t.Reject: _reject,
    t.Nat: _nat,
    t.Tproxy: lambda node: {
        "tproxy": _kept(family=node.family, addr=_optional(node.address), port=_optional(node.port))
    },
    t.Queue: lambda node: {
        "queue": _kept(num=_optional(node.target), flags=list(node.flags) or None) or None
    },
    t.Dup: lambda node: {"dup": _kept(addr=written(node.address), dev=_optional(node.device))},
    t.Fwd: lambda node: {
        "fwd": _kept(dev=written(node.target))
        if node.device is None
        else _kept(family=node.family, addr=written(node.target), dev=written(node.device))
    },
    t.Synproxy: _synproxy,
    t.Mangle: _mangle,
    t.SetUpdate: _set_update,
    t.Notrack: lambda _: {"notrack": None},
    t.FlowAdd: lambda node: {"flow": {"op": "add", "flowtable": f"@{node.flowtable.text}"}},
    t.StripOption: lambda node: {"reset": written(node.option)},
    t.Foreign: lambda node: {"xt": {"type": node.kind, "name": node.name}},
}
"""By node. Variables are put in by then, and blocks and meters of their own are no JSON."""
