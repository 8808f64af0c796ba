"""Expressions in JSON: a row for each name, see libnftables-json(5), *EXPRESSIONS*."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft_json.shapes import Json, UnknownError, listed, number, only, seconds, word
from iptlint.dialects.nft_json.stateful import Stateful, stateful
from iptlint.model.numbers import decimal

Read = Callable[[Json], t.Expression]


def expression(value: Json) -> t.Expression:
    """UnknownError, KeyError or TypeError where the JSON is none."""
    return _TYPES[type(value)](value)


def _object(value: dict[str, Json]) -> t.Expression:
    name, content = only(value)
    if name not in _NAMES:
        raise UnknownError(f"there is no expression {name!r}")
    return _NAMES[name](content)


def _string(value: str) -> t.Expression:
    if value.startswith("@"):
        return t.SetReference(t.Value(value[1:], t.Kind.SYMBOL))
    return word(value)


def _boolean(value: bool) -> t.Value:
    return t.Value("exists" if value else "missing", t.Kind.SYMBOL)


def _list(value: list[Json]) -> t.Listing:
    return t.Listing(tuple(map(expression, value)))


_TYPES: dict[type, Read] = {
    dict: _object,
    str: _string,
    bool: _boolean,
    int: number,
    list: _list,
}


# -- sets -----------------------------------------------------------------------


def elements(value: Json) -> t.SetLiteral:
    return t.SetLiteral(tuple(map(_element, listed(value))))


def _element(value: Json) -> t.Expression | t.Element:
    """An element of a map is a pair; one with more to it is an object ``elem``."""
    key, *data = value if isinstance(value, list) else [value]
    extras: tuple[t.Timing | t.Comment | Stateful, ...] = ()
    if isinstance(key, dict) and "elem" in key:
        extras = _extras(key["elem"])
        key = key["elem"]["val"]
    node = t.Everything() if key == "*" else expression(key)
    if not data and not extras:
        return node
    return t.Element(node, extras, _data(data[0]) if data else None)


def _data(value: Json) -> t.Expression | t.Verdict:
    if isinstance(value, dict) and next(iter(value), None) in VERDICTS:
        return verdict(value)
    return expression(value)


def _extras(content: dict[str, Json]) -> tuple[t.Timing | t.Comment | Stateful, ...]:
    rest = {name: value for name, value in content.items() if name != "val"}
    return tuple(
        _EXTRAS[name](value) if name in _EXTRAS else stateful(name, value)
        for name, value in rest.items()
    )


_EXTRAS: dict[str, Callable[[Json], t.Timing | t.Comment]] = {
    "timeout": lambda value: t.Timing("timeout", seconds(value)),
    "expires": lambda value: t.Timing("expires", seconds(value)),
    "comment": lambda value: t.Comment(t.Value(value, t.Kind.STRING)),
}


def element_with(content: Json) -> t.Expression | t.Element:
    """``elem`` where it stands for an element that a rule adds."""
    return _element({"elem": content})


# -- verdicts -------------------------------------------------------------------

VERDICTS = frozenset({"accept", "drop", "continue", "return", "jump", "goto"})


def verdict(value: dict[str, Json]) -> t.Verdict:
    name, content = only(value)
    calls = content or name in ("jump", "goto")
    chain = t.Value(content["target"], t.Kind.SYMBOL) if calls else None
    return t.Verdict(name, chain)


# -- the rows --------------------------------------------------------------------


def _bitwise(operator: str) -> Read:
    def read(operands: list[Json]) -> t.Expression:
        nodes = map(expression, operands)
        return reduce(lambda left, right: t.Bitwise(left, operator, right), nodes)

    return read


def _payload(content: dict[str, Json]) -> t.Expression:
    if "base" in content:
        return t.RawPayload(content["base"], content["offset"], content["len"])
    return t.Payload(content["protocol"], content["field"], content.get("tunnel"))


def _tcp_option(content: dict[str, Json]) -> t.Expression:
    if "base" in content and not content["len"]:
        return t.HeaderOption("tcp", str(content["base"]))
    if "base" in content:
        return t.RawOption(str(content["base"]), content["offset"], content["len"])
    return t.HeaderOption("tcp", content["name"], content.get("field"))


def _option(protocol: str) -> Read:
    return lambda content: t.HeaderOption(protocol, content["name"], content.get("field"))


def _exthdr(content: dict[str, Json]) -> t.ExtensionHeader:
    field, _, index = content.get("field", "").partition("[")
    number_ = decimal(index.rstrip("]")) if index else content.get("offset")
    return t.ExtensionHeader(content["name"], field or None, number_)


def _ct(content: dict[str, Json]) -> t.Ct:
    family, _, key = content["key"].rpartition(" ")
    return t.Ct(key, content.get("dir"), family or content.get("family"))


def _fib(content: dict[str, Json]) -> t.Fib:
    return t.Fib(tuple(listed(content.get("flags"))), content["result"])


def _hash(name: str) -> Read:
    def read(content: dict[str, Json]) -> t.Hash:
        key = expression(content["expr"]) if "expr" in content else None
        return t.Hash(name, key, content["mod"], content.get("seed"), content.get("offset"))

    return read


def _lookup(content: dict[str, Json]) -> t.Lookup:
    mapping = expression(content["data"])
    assert isinstance(mapping, t.SetLiteral | t.SetReference)
    return t.Lookup(expression(content["key"]), mapping)


_NAMES: dict[str, Read] = {
    **{operator: _bitwise(operator) for operator in ("|", "^", "&", "<<", ">>")},
    "concat": lambda content: t.Concat(tuple(map(expression, content))),
    "set": elements,
    "map": _lookup,
    "elem": element_with,  # type: ignore[dict-item]
    "prefix": lambda content: t.Prefix(expression(content["addr"]), number(content["len"])),
    "range": lambda content: t.Range(*map(expression, content)),
    "payload": _payload,
    "exthdr": _exthdr,
    "tcp option": _tcp_option,
    "ip option": _option("ip"),
    "sctp chunk": _option("sctp"),
    "dccp option": lambda content: t.HeaderOption("dccp", str(content["type"])),
    "meta": lambda content: t.Meta(content["key"]),
    "rt": lambda content: t.Routing(content["key"], content.get("family")),
    "ct": _ct,
    "numgen": lambda content: t.Numgen(content["mode"], content["mod"], content.get("offset")),
    "jhash": _hash("jhash"),
    "symhash": _hash("symhash"),
    "fib": _fib,
    "socket": lambda content: t.Socket(content["key"], content.get("level")),
    "osf": lambda content: t.Fingerprint(content["key"], content.get("ttl")),
    "ipsec": lambda content: t.Ipsec(
        content["dir"], content["key"], content.get("family"), content.get("spnum")
    ),
    "tunnel": lambda content: t.TunnelKey(content["key"]),
}
