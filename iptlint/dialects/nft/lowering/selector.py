"""The left side of a test: which selector it compares, and which of its bits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.lowering import datatypes as d
from iptlint.dialects.nft.lowering import header_selectors, meta_selectors
from iptlint.dialects.nft.lowering.bitwise import Bits
from iptlint.dialects.nft.lowering.dependencies import Context
from iptlint.dialects.nft.lowering.header_selectors import Row
from iptlint.dialects.nft.lowering.match_builders import ConstantTarget, UncertainTarget, View
from iptlint.dialects.nft.lowering.values import constant, unwound
from iptlint.model import Match

_UNREAD = Row(d.ANYTHING, UncertainTarget("unread"))


@dataclass(frozen=True, slots=True)
class LoweredSelector:
    """A selector, or some of its bits, as a rule reads it. ``needs`` and ``present``: those of the
    row, for this rule."""

    row: Row
    view: View
    needs: tuple[Match, ...]
    present: tuple[Match, ...]

    @property
    def type(self) -> d.DataType:
        return self.row.type


def lower_selector(expression: t.Node, context: Context) -> LoweredSelector:
    """What an expression reads; what reading it demands is noted in ``context``."""
    if isinstance(expression, t.Bitwise):
        selector, steps = unwound(expression)
        return _part(lower_selector(selector, context), steps)
    behind_tag = context.vlan
    row = row_of(expression, context) or _UNREAD
    key = spelled(_with_family(expression, context), behind_tag)
    needs = (*row.needs(context), *_inner_needs(expression, context))
    present = row.present(context)
    view = View(key, row.type.width, context.family, row.target, present=present)
    return LoweredSelector(row, view, needs, present)


def _with_family(expression: t.Node, context: Context) -> t.Node:
    """``rt nexthop`` is that of the protocol the rule is about."""
    if isinstance(expression, t.Routing) and expression.key == "nexthop":
        return replace(expression, family=expression.family or context.network)
    return expression


def _part(whole: LoweredSelector, steps: Iterable[tuple[str, t.Expression]]) -> LoweredSelector:
    """Some of the bits; what is done with them has to be a number."""
    bits = Bits.whole(whole.type.width)
    for operator, right in steps:
        operand = constant(right, whole.type)
        if operand is None or not whole.type.width:
            return replace(whole, row=_UNREAD, view=replace(whole.view, target=_UNREAD.target))
        bits = bits.then(operator, operand)
    return replace(whole, view=replace(whole.view, bits=bits))


def lower_key(key: t.Node, context: Context) -> tuple[LoweredSelector, ...]:
    """One for each part of ``a . b``."""
    parts = key.parts if isinstance(key, t.Concat) else (key,)
    return tuple(lower_selector(part, context) for part in parts)


def row_of(expression: t.Node, context: Context) -> Row | None:
    """Of what is read of a packet or of what the kernel knows of it; None for what is neither."""
    return (
        _ROWS.get(type(expression))
        or _row_of_header(expression, context)
        or _row_of_kernel(expression, context)
    )


def _row_of_header(expression: t.Node, context: Context) -> Row | None:
    match expression:
        case t.Payload(protocol, field, tunnel):
            return header_selectors.payload_row(protocol, field, tunnel, context)
        case t.RawPayload(base, offset, length):
            return header_selectors.raw_row(base, offset, length, context)
        case t.HeaderOption(protocol, option, field):
            return header_selectors.option_row(protocol, option, field)
        case t.RawOption(kind, _, length):
            return header_selectors.raw_option_row(kind, length)
        case t.ExtensionHeader(header, field):
            return header_selectors.extension_row(header, field)
    return None


def _row_of_kernel(expression: t.Node, context: Context) -> Row | None:
    match expression:
        case t.Meta(key):
            return meta_selectors.meta_row(key, context)
        case t.Ct(key, direction, family):
            return meta_selectors.ct_row(key, direction, family, context)
        case t.Routing(key, family):
            return meta_selectors.routing_row(key, family, context)
        case t.Socket(key):
            return meta_selectors.socket_row(key)
        case t.Fib(flags, result):
            return meta_selectors.fib_row(flags, result)
        case t.Ipsec(_, key, family):
            return meta_selectors.ipsec_row(key, family)
        case t.Value(text):
            return Row(d.STRING, ConstantTarget(text))
    return None


_ROWS: dict[type[t.Node], Row] = {
    t.Fingerprint: meta_selectors.FINGERPRINT,
    t.TunnelKey: meta_selectors.TUNNEL,
    t.Numgen: meta_selectors.NUMGEN,
    t.Hash: meta_selectors.HASH,
}


def _inner_needs(expression: t.Node, context: Context) -> tuple[Match, ...]:
    """A hash needs all that it is made of."""
    if not isinstance(expression, t.Hash) or expression.key is None:
        return ()
    return tuple(match for each in lower_key(expression.key, context) for match in each.needs)


# -- how a selector is written in the key of an opaque test ----------------------------------


_SYNONYMS = {"cfi": "dei"}


def spelled(expression: t.Node, behind_tag: bool = False) -> str:
    """One spelling for every way to write the same selector."""
    words = " ".join(_words(expression))
    network = isinstance(expression, t.Payload) and expression.protocol in ("ip", "ip6", "arp")
    return f"vlan {words}" if behind_tag and network else words


def _words(expression: t.Node) -> Iterator[str]:
    match expression:
        case t.Payload(protocol, field, tunnel):
            yield from (*((tunnel,) if tunnel else ()), protocol, _SYNONYMS.get(field, field))
        case t.RawPayload(base, offset, length):
            yield f"@{base},{offset},{length}"
        case t.HeaderOption(protocol, option, field):
            name = header_selectors.TCP_OPTIONS.get(option, option) if protocol == "tcp" else option
            block = option in ("sack1", "sack2", "sack3")
            yield from (protocol, "option", option if block else str(name))
            yield from (field,) if field else ()
        case t.RawOption(kind, offset, length):
            yield f"tcp option @{header_selectors.TCP_OPTIONS.get(kind, kind)},{offset},{length}"
        case t.ExtensionHeader(header, field, index):
            yield from ("exthdr", header, field or "")
            yield from (f"[{index}]",) if index is not None else ()
        case t.Hash(name, key, modulus, seed, offset):
            yield from _hash_words(expression, name, key, modulus, seed, offset)
        case t.Concat(parts):
            yield " . ".join(map(spelled, parts))
        case t.Bitwise():
            first, steps = unwound(expression)
            yield spelled(first)
            yield from (f"{operator} {spelled(right)}" for operator, right in steps)
        case t.Value(text):
            yield text
        case _:
            yield from _named_words(expression)


def _hash_words(
    place: t.Hash,
    name: str,
    key: t.Expression | None,
    modulus: int,
    seed: int | None,
    offset: int | None,
) -> Iterator[str]:
    """Without a seed each jhash gets one of its own when it is loaded."""
    yield from (name, spelled(key) if key else "", "mod", str(modulus))
    if name == "jhash":
        yield f"seed {seed}" if seed is not None else f"seed of {place.start}"
    yield from ("offset", str(offset or 0))


_FIRST_WORDS: dict[type[t.Node], str] = {
    t.Meta: "meta",
    t.Ct: "ct",
    t.Routing: "rt",
    t.Socket: "socket",
    t.Fingerprint: "osf",
    t.Fib: "fib",
    t.Ipsec: "ipsec",
    t.TunnelKey: "tunnel",
    t.Numgen: "numgen",
}


def _named_words(expression: t.Node) -> Iterator[str]:
    match expression:
        case t.Ct(key, direction, family):
            side = None if key in meta_selectors.SAME_BOTH_WAYS else direction
            parts: tuple[object, ...] = (side, family, key)
        case t.Fib(flags, result):
            parts = (" . ".join(sorted(flags)), result)
        case t.Routing(key, family):
            parts = (family, key)
        case t.Socket(key, level):
            parts = (key, level)
        case t.Fingerprint(key, ttl):
            parts = (ttl, key)
        case t.Ipsec(direction, key, family, spnum):
            parts = (direction, spnum or 0, family, key)
        case t.Meta(key) | t.TunnelKey(key):
            parts = (key,)
        case t.Numgen(mode, modulus, offset):
            parts = (mode, "mod", modulus, *(("offset", offset) if offset else ()))
        case _:
            parts = (type(expression).__name__.lower(),)
    yield _FIRST_WORDS.get(type(expression), "")
    yield from (str(part) for part in parts if part is not None)
