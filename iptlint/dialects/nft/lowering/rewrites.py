"""``… set …``: what it writes to the packet or to its connection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.lowering import datatypes as d
from iptlint.dialects.nft.lowering.canonical_text import spelled
from iptlint.dialects.nft.lowering.operands import constant, demanded, operand
from iptlint.dialects.nft.lowering.statement_result import RuleScope, StatementResult, write
from iptlint.model import Effect, EffectKind, Field, Match, Uncertain


@dataclass(frozen=True, slots=True)
class _Target:
    """Where a field of nft lies in one of the model: ``width`` bits from bit ``shift`` on.

    A width of 0 says that the two are not the same number, so that no value is known.
    """

    field: Field
    type: d.DataType
    width: int
    shift: int = 0


def _unlike(field: Field) -> _Target:
    return _Target(field, d.ANYTHING, 0)


_WITH_PORTS = ("tcp", "udp", "udplite", "dccp", "sctp", "th")
_PAYLOADS: dict[tuple[str, str], _Target] = {
    ("ip", "saddr"): _Target(Field.SADDR, d.IPV4, 32),
    ("ip", "daddr"): _Target(Field.DADDR, d.IPV4, 32),
    ("ip6", "saddr"): _Target(Field.SADDR6, d.IPV6, 128),
    ("ip6", "daddr"): _Target(Field.DADDR6, d.IPV6, 128),
    ("ip", "protocol"): _Target(Field.PROTO, d.PROTO, 8),
    ("ip6", "nexthdr"): _unlike(Field.PROTO),
    ("ip", "ttl"): _Target(Field.TTL, d.integer(8), 8),
    ("ip6", "hoplimit"): _Target(Field.TTL, d.integer(8), 8),
    ("ip", "length"): _unlike(Field.LENGTH),
    ("ip6", "length"): _unlike(Field.LENGTH),
    ("ip", "frag-off"): _unlike(Field.FRAGMENT),
    **{(ip, "dscp"): _Target(Field.TOS, d.DSCP, 6, 2) for ip in ("ip", "ip6")},
    **{(ip, "ecn"): _Target(Field.TOS, d.ECN, 2) for ip in ("ip", "ip6")},
    **{(proto, "sport"): _Target(Field.SPORT, d.SERVICE, 16) for proto in _WITH_PORTS},
    **{(proto, "dport"): _Target(Field.DPORT, d.SERVICE, 16) for proto in _WITH_PORTS},
    ("tcp", "flags"): _Target(Field.TCP_FLAGS, d.TCP_FLAG, 8),
    ("icmp", "type"): _Target(Field.ICMP_TYPE, d.ICMP_TYPE, 8),
    ("icmp", "code"): _Target(Field.ICMP_CODE, d.ICMP_CODE, 8),
    ("icmpv6", "type"): _Target(Field.ICMP_TYPE, d.ICMPV6_TYPE, 8),
    ("icmpv6", "code"): _Target(Field.ICMP_CODE, d.ICMPV6_CODE, 8),
    ("ether", "saddr"): _Target(Field.MAC_SOURCE, d.ETHER, 48),
    ("ether", "type"): _unlike(Field.FAMILY),
}
_META = {
    "mark": _Target(Field.MARK, d.MARK, 32),
    "pkttype": _Target(Field.PKTTYPE, d.PKT_TYPE, 2),
}
_CT = {"mark": _Target(Field.CT_MARK, d.MARK, 32)}
_RAW_BASES = {
    "ll": (Field.MAC_SOURCE, Field.FAMILY),
    "nh": (
        *(Field.SADDR, Field.DADDR, Field.SADDR6, Field.DADDR6, Field.PROTO),
        *(Field.TTL, Field.TOS, Field.LENGTH, Field.FRAGMENT),
    ),
    "th": (Field.SPORT, Field.DPORT, Field.TCP_FLAGS, Field.ICMP_TYPE, Field.ICMP_CODE),
}
"""What bits that are named by their offset may be part of."""
_ANY_HEADER = tuple(field for fields in _RAW_BASES.values() for field in fields)


def mangle(statement: t.Mangle, scope: RuleScope) -> StatementResult:
    """Tests of what is read and of where it is written to, then the write."""
    source = operand(statement.value, scope.lowering)
    effects = _effects(statement.target, source.value)
    return StatementResult(
        before=(*source.matches, *_place_of(statement.target, scope)),
        effects=effects,
        complete=bool(effects) and all(effect.value is not None for effect in effects),
        name=f"{spelled(statement.target)} set",
        text=spelled(statement),
        after=_may_break_off(statement),
    )


def strip_option(statement: t.StripOption, scope: RuleScope) -> StatementResult:
    """``reset tcp option …``: without the option the rule goes on (nft_exthdr.c)."""
    text = spelled(statement)
    uncertain = Uncertain("exthdr", text)
    before = _place_of(statement.option, scope)
    return StatementResult(before=before, name="reset", text=text, after=(uncertain,))


def _place_of(target: t.Selector, scope: RuleScope) -> tuple[Match, ...]:
    """A header that is written to has to be there; what is about the packet always is."""
    match target:
        case t.Payload() | t.RawPayload() | t.ExtensionHeader():
            return demanded(target, scope.lowering)
        case t.HeaderOption("tcp") | t.RawOption("tcp"):
            # The kernel looks for the header; a packet without the option is left as it is.
            return demanded(t.Payload("tcp", "doff"), scope.lowering)
        case _:
            return ()


def _may_break_off(statement: t.Mangle) -> tuple[Match, ...]:
    match statement.target:
        case t.HeaderOption() | t.RawOption():
            return (Uncertain("exthdr", spelled(statement)),)
        case t.Ct("expectation"):
            # nft_ct_expect_obj_eval: only of a new connection, and only so many of them.
            return (Uncertain("ct", spelled(statement)),)
        case _:
            return ()


# -- effects --------------------------------------------------------------------------


def _effects(target: t.Selector, value: t.Expression | None) -> tuple[Effect, ...]:
    match target:
        case t.RawPayload(base):
            return tuple(map(write, _RAW_BASES.get(base, _ANY_HEADER)))
        case t.Payload(protocol, field):
            row = _PAYLOADS.get((protocol, field))
        case t.Meta(key):
            row = _META.get(key)
        case t.Ct("zone", direction):
            number = None if direction else constant(value, d.integer(16))
            return (Effect(EffectKind.ZONE, value=number),)
        case t.Ct(key):
            row = _CT.get(key)
        case _:
            row = None
    return () if row is None else (_written(row, target, value),)


def _written(row: _Target, target: t.Selector, value: t.Expression | None) -> Effect:
    full = (1 << row.width) - 1
    plain, bits = _masked(value, row, full)
    copied = _COPIED.get((row.field, plain))
    if copied is not None:
        return Effect(EffectKind.WRITE, row.field, full, bits, source=copied)
    change = None if value is None or not row.width else _change(value, target, row)
    if change is None:
        return write(row.field)
    mask, number = change
    return write(row.field, mask << row.shift, number << row.shift)


def _masked(value: t.Expression | None, row: _Target, full: int) -> tuple[t.Expression | None, int]:
    """``ct mark & 0xff`` as what is read, and the bits of it that are kept."""
    if isinstance(value, t.Bitwise) and value.operator == "&":
        bits = constant(value.right, row.type)
        if bits is not None:
            return value.left, bits
    return value, full


_COPIED: dict[tuple[Field, t.Expression | None], Field] = {
    (Field.MARK, t.Ct("mark")): Field.CT_MARK,
    (Field.CT_MARK, t.Meta("mark")): Field.MARK,
}
"""One mark that is written over the other."""


def _change(value: t.Expression, target: t.Selector, row: _Target) -> tuple[int, int] | None:
    """(mask, value) of ``field & ~mask ^ value``; None where it is something else."""
    full = (1 << row.width) - 1
    if value == target:
        return 0, 0
    if isinstance(value, t.Bitwise):
        return _combined(value, target, row, full)
    number = constant(value, row.type)
    return None if number is None or number > full else (full, number)


def _combined(
    value: t.Bitwise, target: t.Selector, row: _Target, full: int
) -> tuple[int, int] | None:
    sides = _change(value.left, target, row), _change(value.right, target, row)
    fixed = next((side for side in reversed(sides) if side and side[0] == full), None)
    if fixed is None or None in sides or value.operator not in _OPERATIONS:
        return None
    mask, before = sides[0] if fixed is sides[1] else sides[1]  # type: ignore[misc]
    change, number = _OPERATIONS[value.operator](fixed[1], before)
    return (mask | change) & full, number & full


_OPERATIONS: dict[str, Callable[[int, int], tuple[int, int]]] = {
    "&": lambda number, value: (~number, value & number),
    "|": lambda number, value: (number, value & ~number ^ number),
    "^": lambda number, value: (0, value ^ number),
}
"""What a constant does to ``field & ~mask ^ value``: further bits of the mask, the new value."""
