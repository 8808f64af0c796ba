"""What the rules of a text change on the way, and tests that are then no longer sure.

A test that is one Boolean (``Opaque``) has one answer for a packet, so it cannot stand for
what a rule has set in between: where any rule writes what it reads, it is uncertain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.nodes import Node
from iptlint.dialects.nft.walking import everything
from iptlint.model import AnyOf, Decided, Effect, EffectKind, Field, Match, Opaque, Uncertain

Things = frozenset[str]

_HEADERS = "headers"
_LASTING = frozenset({"has a route"})
"""Keys of tests that nothing a rule writes changes."""

_CONNECTION = "connection"
_FOREIGN = {
    "MARK": ("meta mark",),
    "HMARK": ("meta mark",),
    "CONNMARK": ("meta mark", "ct mark"),
    "CLASSIFY": ("meta priority",),
    "SECMARK": ("meta secmark",),
    "CONNSECMARK": ("meta secmark", "ct secmark"),
    "NOTRACK": (_CONNECTION,),
    "CT": (_CONNECTION,),
    "TPROXY": ("socket", "meta mark"),
    **dict.fromkeys(("TTL", "HL", "TOS", "DSCP", "ECN", "DNPT", "SNPT"), (_HEADERS,)),
    **dict.fromkeys(("TCPMSS", "TCPOPTSTRIP"), ("tcp options",)),
    "CHECKSUM": (_HEADERS,),
    "TRACE": ("meta nftrace",),
}


def written(rules: Iterable[t.Rule]) -> Things:
    """What any of the rules changes."""
    names: set[str] = set()
    for rule in rules:
        for statement in rule.statements:
            change = _WRITERS.get(type(statement))
            if change is not None:
                names.update(change(statement))
    return frozenset(names)


def _thing(selector: Node) -> Iterator[str]:
    """What is read or written, as coarsely as two ways to name the same bits ask for."""
    match selector:
        case t.Meta(key):
            yield f"meta {key}"
        case t.Ct(key):
            yield f"ct {key}"
        case t.HeaderOption(protocol) if protocol != "ip":
            yield f"{protocol} options"
        case t.RawOption():
            yield "tcp options"
        case t.Payload() | t.RawPayload() | t.ExtensionHeader() | t.HeaderOption():
            yield _HEADERS
        case t.Socket():
            yield "socket"


def _read(node: Node) -> Iterator[str]:
    for each in everything(node):
        yield from _thing(each)
        if isinstance(each, t.Ct):
            yield _CONNECTION


def _of_block(block: t.JumpBlock) -> Things:
    return written(item for item in block.items if isinstance(item, t.Rule))


_WRITERS: dict[type, Callable[[Any], Iterable[str]]] = {
    t.Mangle: lambda statement: _thing(statement.target),
    t.Notrack: lambda _: (_CONNECTION,),
    t.Tproxy: lambda _: ("socket",),
    t.StripOption: lambda statement: _thing(statement.option),
    t.Foreign: lambda statement: _FOREIGN.get(statement.name, ()),
    t.JumpBlock: _of_block,
}


def unsure_of_written(matches: tuple[Match, ...], node: Node, changed: Things) -> tuple[Match, ...]:
    """The tests of a statement, uncertain where they are opaque and of what is changed."""
    if not changed or not any(map(_opaque, matches)) or changed.isdisjoint(_read(node)):
        return matches
    return tuple(map(_uncertain, matches))


def _opaque(match: Match) -> bool:
    if isinstance(match, AnyOf):
        return any(_opaque(test) for tests in match.alternatives for test in tests)
    return isinstance(match, Opaque)


def _uncertain(match: Match) -> Match:
    match match:
        case Opaque(key) if key not in _LASTING:
            return match.unsettled
        case AnyOf(alternatives):
            return replace(
                match, alternatives=tuple(tuple(map(_uncertain, tests)) for tests in alternatives)
            )
        case _:
            return match


# -- within one rule ------------------------------------------------------------------------

_CONNECTION_FIELDS = frozenset(
    {Field.CT_STATE, Field.CT_DIRECTION, Field.CT_SNAT, Field.CT_DNAT, Field.CT_MARK}
)


def fields(effects: Iterable[Effect]) -> frozenset[Field]:
    """The fields that are other ones after the effects."""
    read: set[Field] = set()
    for effect in effects:
        if effect.kind is EffectKind.NOTRACK:
            read |= _CONNECTION_FIELDS
        elif effect.kind is EffectKind.WRITE and effect.field is not None:
            read.add(effect.field)
    return frozenset(read)


def outlived(match: Match, changed: frozenset[Field]) -> Match:
    """A test that a packet has passed, asked again behind a change of its field."""
    return Uncertain("changed", repr(match)) if _asks(match, changed) else match


def _asks(match: Match, changed: frozenset[Field]) -> bool:
    match match:
        case AnyOf(alternatives):
            return any(_asks(test, changed) for tests in alternatives for test in tests)
        case Opaque() | Uncertain() | Decided():
            return False
        case _:
            return match.field in changed
