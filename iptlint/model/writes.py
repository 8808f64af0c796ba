"""What rules write that tests read: definitions and uses, as compilers say.

A test that is one Boolean (``Opaque``) has one answer for a packet, so it cannot stand for what is
there before a change and after it: where a rule writes what it reads, it may hold or not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NamedTuple

from iptlint.model.matches import (
    AnyOf,
    Decided,
    Field,
    Match,
    Opaque,
    Original,
    SetLookup,
    Uncertain,
)
from iptlint.model.ruleset import Rule
from iptlint.model.verdicts import Effect, EffectKind

CONNTRACK_FIELDS = frozenset(
    {Field.CT_STATE, Field.CT_DIRECTION, Field.CT_SNAT, Field.CT_DNAT, Field.CT_MARK}
)
"""What a packet has of its connection."""

# -- fields and sets --------------------------------------------------------------------------


class Writes(NamedTuple):
    """What rules change on the way: fields, and sets by the names that effects give them."""

    fields: frozenset[Field] = frozenset()
    sets: frozenset[str] = frozenset()


def writes_of(rules: Iterable[Rule]) -> Writes:
    """What packets may have had changed when they have met the rules."""
    effects = [effect for rule in rules for effect in rule.effects]
    sets = (effect.name for effect in effects if effect.kind is EffectKind.SET)
    return Writes(fields_written(effects), frozenset(name for name in sets if name))


def writes_on_the_way(rules: Iterable[Rule]) -> Writes:
    """What later rules of the same walk may find changed by these: not what a rule rewrites
    that ends the walk."""
    rules = tuple(rules)
    going_on = writes_of(rule for rule in rules if not rule.verdict.kind.terminates)
    return Writes(going_on.fields, writes_of(rules).sets)


def fields_written(effects: Iterable[Effect]) -> frozenset[Field]:
    """The fields that are other ones after the effects."""
    fields: set[Field] = set()
    for effect in effects:
        if effect.kind is EffectKind.NOTRACK:
            fields |= CONNTRACK_FIELDS
        elif effect.kind is EffectKind.WRITE and effect.field is not None:
            fields.add(effect.field)
    return frozenset(fields)


def reads(match: Match, fields: frozenset[Field]) -> bool:
    """Whether the test asks for one of the fields."""
    match match:
        case AnyOf(alternatives):
            return any(reads(test, fields) for tests in alternatives for test in tests)
        case Opaque() | Uncertain() | Decided():
            return False
        case _:
            return match.field in fields


def reads_conntrack(matches: Iterable[Match]) -> bool:
    """Whether a test asks for the packet's connection; that loads connection tracking."""
    return any(reads(match, CONNTRACK_FIELDS) for match in matches)


def looks_into(test: Opaque, sets: frozenset[str]) -> bool:
    """Whether the test asks for what is in one of the sets."""
    return isinstance(test.asks, SetLookup) and test.asks.name in sets


# -- what has no field ------------------------------------------------------------------------

Things = frozenset[str]
"""What tests read that are not interpreted, in nft's words and as coarsely as two ways to name the
same bits ask for."""

HEADERS = "headers"
TCP_OPTIONS = "tcp options"
CONNECTION = "connection"
SOCKET = "socket"
MARK = "meta mark"

_WRITTEN: dict[str, tuple[str, ...]] = {
    "MARK": (MARK,),
    "HMARK": (MARK,),
    "CONNMARK": (MARK, "ct mark"),
    "CLASSIFY": ("meta priority",),
    "SECMARK": ("meta secmark",),
    "CONNSECMARK": ("meta secmark", "ct secmark"),
    "NOTRACK": (CONNECTION,),
    "CT": (CONNECTION,),
    "TPROXY": (SOCKET, MARK),
    **dict.fromkeys(("TTL", "HL", "TOS", "DSCP", "ECN", "CHECKSUM", "DNPT", "SNPT"), (HEADERS,)),
    **dict.fromkeys(("TCPMSS", "TCPOPTSTRIP"), (TCP_OPTIONS,)),
    "TRACE": ("meta nftrace",),
}
"""By the target of iptables that writes it."""

_READ: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("u32", "bpf", "string", "length2", "webstr", "layer7", "ndpi"), (HEADERS, TCP_OPTIONS)
    ),
    **dict.fromkeys(("tcpmss", "tcp"), (TCP_OPTIONS,)),
    **dict.fromkeys(("conntrack", "connlabel", "helper", "cluster"), (CONNECTION,)),
    "rpfilter": (MARK,),
    "socket": (SOCKET,),
}
"""By the extension of iptables that reads it."""


def written_by(target: str) -> Things:
    """What the target of iptables writes."""
    return frozenset(_WRITTEN.get(target, ()))


def read_by(extension: str) -> Things:
    """What the extension of iptables reads, where it is not interpreted."""
    return frozenset(_READ.get(extension, ()))


def read_in(test: Opaque) -> Things:
    """What the test reads; a route back is looked up by the mark if it says so (rpfilter_mt)."""
    if test.kind == "rpfilter" and "--validmark" not in test.key:
        return frozenset()
    return frozenset() if lasts(test) else read_by(test.kind)


def lasts(test: Opaque) -> bool:
    """Whether no rule changes the answer: a connection began with what it began with. Taken out of
    tracking, or put into another zone, a packet has no connection, or another one."""
    return isinstance(test.asks, Original)


def unsettled_where(match: Match, changes: Callable[[Opaque], bool]) -> Match:
    """The test, uncertain in what of it is not interpreted and may have been written."""
    match match:
        case Opaque() if changes(match):
            return match.unsettled
        case AnyOf(alternatives):
            tests = tuple(
                tuple(unsettled_where(test, changes) for test in every) for every in alternatives
            )
            return match if tests == alternatives else replace(match, alternatives=tests)
        case _:
            return match
