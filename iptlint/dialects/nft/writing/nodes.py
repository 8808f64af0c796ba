"""The tree of nft as its text, in the words of `nft list ruleset`: a row for each kind of node."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.nodes import Node
from iptlint.dialects.nft.writing.values import NoFormError, quoted
from iptlint.model.numbers import c_number

Write = Callable[[Any], str]


def text_of(node: Node) -> str:
    """NoFormError where nft has no words for it."""
    row = _ROWS.get(type(node))
    if row is None:
        raise NoFormError(f"a {type(node).__name__.lower()} has no form in nft's text")
    return row(node)


def _joined(*words: str | None) -> str:
    return " ".join(word for word in words if word)


def _led(keyword: str, node: Node | None) -> str:
    return "" if node is None else f"{keyword} {text_of(node)}"


def _string(node: Node) -> str:
    return quoted(node.text, "a text") if isinstance(node, t.Value) else text_of(node)


_MOST_DIGITS = 19
"""Of a number that nft reads in decimal."""


def _value(node: t.Value) -> str:
    if node.kind is t.Kind.STRING:
        return quoted(node.text, "a text")
    if node.kind is t.Kind.NUMBER and len(node.text) > _MOST_DIGITS:
        return hex(c_number(node.text) or 0)
    return node.text


def _listed(nodes: Iterable[Node]) -> str:
    return f"{{ {', '.join(map(text_of, nodes))} }}"


def _element(node: t.Element) -> str:
    words = _joined(text_of(node.key), *map(text_of, node.extras))
    return words if node.data is None else f"{words} : {text_of(node.data)}"


def _part(node: Node) -> str:
    """Within an operation, another one stands in parentheses; a list of flags is one of them."""
    if isinstance(node, t.Listing):
        return f"({' | '.join(map(text_of, node.items))})"
    return f"({text_of(node)})" if isinstance(node, t.Bitwise) else text_of(node)


# -- selectors ------------------------------------------------------------------------------------


def _header_option(node: t.HeaderOption) -> str:
    kind = "chunk" if node.protocol == "sctp" else "option"
    return _joined(node.protocol, kind, node.option, node.field)


def _extension(node: t.ExtensionHeader) -> str:
    if node.field is None:
        return f"exthdr {node.header}"
    index = "" if node.index is None else f"[{node.index}]"
    return f"{node.header} {node.field}{index}"


def _hash(node: t.Hash) -> str:
    return _joined(
        node.name,
        None if node.key is None else text_of(node.key),
        f"mod {node.modulus}",
        None if node.seed is None else f"seed {node.seed:#x}",
        f"offset {node.offset}" if node.offset else None,
    )


_BARE_META = ("iif", "oif", "iifname", "oifname", "iifgroup", "oifgroup")
"""Keys that a listing has without `meta` (meta_key_is_unqualified of nftables' src/meta.c)."""


def _meta(node: t.Meta) -> str:
    return node.key if node.key in _BARE_META else f"meta {node.key}"


# -- statements ----------------------------------------------------------------------------


_OF_FLAGS = (
    *(t.Ct(key) for key in ("state", "status", "label", "event")),
    t.Payload("tcp", "flags"),
)
"""Without an operator, a test of any of the flags."""
_OF_TEXTS = (
    *(t.Meta(f"{side}{what}") for side in ("i", "o") for what in ("ifname", "brname", "ifkind")),
    *map(t.Meta, ("ibrname", "obrname", "sdifname", "time", "day", "hour")),
)
"""What is compared with texts."""


def _match(node: t.Match) -> str:
    equal = node.operator == "==" and not isinstance(node.left, t.Bitwise)
    plain = isinstance(node.right, t.Value | t.Listing | t.Bitwise)
    goes_without_saying = equal and not (plain and node.left in _OF_FLAGS)
    operator = "" if goes_without_saying else node.operator
    right = _in_quotes(node.right) if node.left in _OF_TEXTS else node.right
    return _joined(text_of(node.left), operator, text_of(right))


def _in_quotes(node: Any) -> Any:
    match node:
        case t.Value(text, t.Kind.SYMBOL | t.Kind.ADDRESS):
            return t.Value(text, t.Kind.STRING)
        case t.Range(low, high):
            return t.Range(_in_quotes(low), _in_quotes(high))
        case t.SetLiteral(elements):
            return t.SetLiteral(tuple(map(_in_quotes, elements)))
        case t.Element(key, extras, data):
            return t.Element(_in_quotes(key), extras, data)
    return node


def _mask_match(node: t.MaskMatch) -> str:
    mask = node.mask.items if isinstance(node.mask, t.Listing) else (node.mask,)
    masked = ",".join(map(text_of, mask))
    return _joined(text_of(node.left), node.operator, f"{text_of(node.value)} / {masked}")


def _verdict(node: t.Verdict) -> str:
    return _joined(node.name, None if node.chain is None else text_of(node.chain))


def _counter(node: t.Counter) -> str:
    return _joined("counter", _led("packets", node.packets), _led("bytes", node.bytes))


def limit_rate(node: t.Limit) -> str:
    amount = _joined(text_of(node.rate), node.unit)
    unit = node.burst_unit or "packets"
    burst = "" if node.burst is None else f"burst {text_of(node.burst)} {unit}"
    return _joined("rate", node.mode, f"{amount}/{node.per}", burst)


def quota_amount(node: t.Quota) -> str:
    used = "" if node.used is None else f"used {text_of(node.used)} {node.used_unit or 'bytes'}"
    return _joined(node.mode, text_of(node.amount), node.unit, used)


def _log(node: t.Log) -> str:
    return _joined(
        "log",
        "" if node.prefix is None else f"prefix {_string(node.prefix)}",
        _led("group", node.group),
        _led("snaplen", node.snaplen),
        _led("queue-threshold", node.queue_threshold),
        _led("level", node.level),
        *(f"flags {flag}" for flag in node.flags),
    )


def _reject(node: t.Reject) -> str:
    if node.protocol is None:
        return "reject"
    if node.reason is None:
        return "reject with tcp reset"
    return f"reject with {node.protocol} {text_of(node.reason)}"


def _where(address: Node | None, port: Node | None) -> str:
    """An address of IPv6 before a port stands in brackets."""
    if address is None:
        return f":{text_of(port)}" if port is not None else ""
    if port is None:
        return text_of(address)
    shown = (
        "-".join(map(_bracketed, (address.low, address.high)))
        if isinstance(address, t.Range)
        else _bracketed(address)
    )
    return f"{shown}:{text_of(port)}"


def _bracketed(node: Node) -> str:
    text = text_of(node)
    return f"[{text}]" if isinstance(node, t.Value) and ":" in text else text


def _nat(node: t.Nat) -> str:
    where = _where(node.address, node.port)
    form = "addr . port" if node.form == "concat" else node.form
    to = f"{_joined(node.family, form, 'to')} {where}" if where else ""
    return _joined(node.name, to, ",".join(node.flags))


def _queue(node: t.Queue) -> str:
    flags = f"flags {','.join(node.flags)}" if node.flags else ""
    return _joined("queue", flags, _led("to", node.target))


def synproxy_values(node: t.Synproxy) -> str:
    return _joined(_led("mss", node.mss), _led("wscale", node.wscale), *node.flags)


def _last(node: t.Last) -> str:
    return _joined("last", _led("used", node.used))


_ROWS: Mapping[type[Node], Write] = {
    t.Value: _value,
    t.SetReference: lambda node: f"@{node.name.text}",
    t.Everything: lambda _: "*",
    t.Prefix: lambda node: f"{text_of(node.base)}/{text_of(node.length)}",
    t.Range: lambda node: f"{text_of(node.low)}-{text_of(node.high)}",
    t.Concat: lambda node: " . ".join(map(text_of, node.parts)),
    t.Listing: lambda node: ",".join(map(text_of, node.items)),
    t.Bitwise: lambda node: f"{_part(node.left)} {node.operator} {_part(node.right)}",
    t.SetLiteral: lambda node: _listed(node.elements),
    t.Element: _element,
    t.Timing: lambda node: f"{node.name} {text_of(node.time)}",
    t.Comment: lambda node: f"comment {_string(node.text)}",
    t.Lookup: lambda node: f"{text_of(node.key)} map {text_of(node.mapping)}",
    t.Payload: lambda node: _joined(node.tunnel, node.protocol, node.field),
    t.RawPayload: lambda node: f"@{node.base},{node.offset},{node.length}",
    t.HeaderOption: _header_option,
    t.RawOption: lambda node: f"tcp option @{node.kind},{node.offset},{node.length}",
    t.ExtensionHeader: _extension,
    t.Meta: _meta,
    t.Ct: lambda node: _joined("ct", node.direction, node.family, node.key),
    t.Routing: lambda node: _joined("rt", node.family, node.key),
    t.Socket: lambda node: _joined(
        "socket", node.key, None if node.level is None else f"level {node.level}"
    ),
    t.Fingerprint: lambda node: _joined("osf", f"ttl {node.ttl}" if node.ttl else None, node.key),
    t.Fib: lambda node: f"fib {' . '.join(node.flags)} {node.result}",
    t.Ipsec: lambda node: _joined(
        "ipsec",
        node.direction,
        None if node.spnum is None else f"spnum {node.spnum}",
        node.family,
        node.key,
    ),
    t.TunnelKey: lambda node: f"tunnel {node.key}",
    t.Numgen: lambda node: _joined(
        f"numgen {node.mode} mod {node.modulus}", f"offset {node.offset}" if node.offset else None
    ),
    t.Hash: _hash,
    t.Match: _match,
    t.MaskMatch: _mask_match,
    t.Verdict: _verdict,
    t.VerdictMap: lambda node: f"{text_of(node.key)} vmap {text_of(node.mapping)}",
    t.Counter: _counter,
    t.ObjectUse: lambda node: f"{node.kind} name {_string(node.name)}",
    t.Limit: lambda node: f"limit {limit_rate(node)}",
    t.Quota: lambda node: f"quota {quota_amount(node)}",
    t.ConnectionLimit: lambda node: f"ct count {'over ' * node.over}{text_of(node.count)}",
    t.Last: _last,
    t.Log: _log,
    t.Reject: _reject,
    t.Nat: _nat,
    t.Tproxy: lambda node: _joined("tproxy", node.family, "to", _where(node.address, node.port)),
    t.Queue: _queue,
    t.Dup: lambda node: _joined("dup to", text_of(node.address), _led("device", node.device)),
    t.Fwd: lambda node: _joined(
        "fwd", node.family, "to", text_of(node.target), _led("device", node.device)
    ),
    t.Synproxy: lambda node: _joined("synproxy", synproxy_values(node)),
    t.Mangle: lambda node: f"{text_of(node.target)} set {_assigned(node)}",
    t.SetUpdate: lambda node: (
        f"{node.operation} {text_of(node.target)} {{ {text_of(node.element)} }}"
    ),
    t.Notrack: lambda _: "notrack",
    t.FlowAdd: lambda node: f"flow add @{node.flowtable.text}",
    t.StripOption: lambda node: f"reset {text_of(node.option)}",
    t.Foreign: lambda node: f'xt {node.kind} "{node.name}"',
}


def _assigned(node: t.Mangle) -> str:
    """The name of an object is a text."""
    match node:
        case t.Mangle(t.Ct("helper" | "timeout" | "expectation"), t.Value() as value):
            return _string(value)
    return text_of(node.value)


# -- what is declared ------------------------------------------------------------------------


def rule_text(rule: t.Rule) -> str:
    comment = "" if rule.comment is None else f"comment {_string(rule.comment)}"
    return _joined(*map(text_of, rule.statements), comment)


def lines_of_block(command: t.Command, indent: str = "") -> Iterator[str]:
    """A table, or what is declared in one, with all that it holds."""
    name = _joined(command.kind, command.family, *(part.text for part in command.path))
    yield f"{indent}{name} {{"
    inner = f"{indent}\t"
    for number, item in enumerate(command.body or ()):
        if isinstance(item, t.Command):
            if number:
                yield ""
            yield from lines_of_block(item, inner)
        else:
            yield from (f"{inner}{line}" for line in _item(command.kind, item))
    yield f"{indent}}}"


def _item(kind: str, item: t.Item) -> Iterator[str]:
    match item:
        case t.Rule():
            yield rule_text(item)
        case t.Limit() if kind == "limit":
            yield limit_rate(item)
        case t.Quota() if kind == "quota":
            yield quota_amount(item)
        case t.Counter() if kind == "counter":
            yield _counter(item).removeprefix("counter ")
        case t.Synproxy():
            yield synproxy_values(item)
        case _:
            row = _ITEMS.get(type(item))
            yield row(item) if row else text_of(item)


def _hook(node: t.Hook) -> str:
    devices = "" if node.devices is None else f"devices = {text_of(node.devices)}"
    kind = "" if node.type is None else f"type {node.type.text}"
    priority = "" if node.priority is None else f"priority {_priority(node.priority)}"
    end = ";" if node.type is not None else ""
    return f"{_joined(kind, 'hook', node.hook.text, devices, priority)}{end}"


def _priority(node: t.Priority) -> str:
    base = "" if node.base is None else text_of(node.base)
    return _joined(base, node.sign, None if node.offset is None else text_of(node.offset))


def _key_type(node: t.KeyType) -> str:
    key, data = (" . ".join(each.text for each in part) for part in (node.key, node.data))
    interval = "interval " if node.interval else ""
    return f"type {key} : {interval}{data}" if data else f"type {key}"


def _key_like(node: t.KeyLike) -> str:
    interval = "interval " if node.interval else ""
    data = "" if node.data is None else f" : {interval}{text_of(node.data)}"
    return f"typeof {text_of(node.key)}{data}"


def _timeouts(node: t.TimeoutPolicy) -> str:
    each = (f"{one.state.text} : {one.time.text}" for one in node.timeouts)
    return f"policy = {{ {', '.join(each)} }}"


_ITEMS: Mapping[type, Write] = {
    t.Hook: _hook,
    t.Policy: lambda node: f"policy {text_of(node.policy)}",
    t.Flags: lambda node: f"flags {','.join(flag.text for flag in node.flags)}",
    t.KeyType: _key_type,
    t.KeyLike: _key_like,
    t.Elements: lambda node: f"elements = {text_of(node.elements)}",
    t.Devices: lambda node: f"devices = {text_of(node.devices)}",
    t.Property: lambda node: _joined(
        node.name, None if node.value is None else text_of(node.value)
    ),
    t.HelperType: lambda node: f"type {_string(node.helper)} protocol {node.protocol.text}",
    t.TimeoutPolicy: _timeouts,
}
