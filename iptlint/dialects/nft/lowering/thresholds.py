"""Statements that count: limits, quotas, numbers of connections, alone or in an element."""

from __future__ import annotations

from collections.abc import Iterator

from iptlint.dialects import thresholds
from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.lowering.canonical_text import spelled
from iptlint.dialects.nft.lowering.datatypes import IPV4, IPV6
from iptlint.dialects.nft.lowering.operands import constant
from iptlint.dialects.nft.lowering.times import read
from iptlint.dialects.nft.tables import OpenTable
from iptlint.dialects.nft.walking import everything
from iptlint.dialects.thresholds import BYTES, DEFAULT_BURST, SECONDS, Rate
from iptlint.model import Uncertain
from iptlint.model.matches import Threshold
from iptlint.model.numbers import decimal

_Counting = t.Limit | t.Quota | t.ConnectionLimit
_KINDS = {t.Limit: "limit", t.Quota: "quota", t.ConnectionLimit: "connlimit"}


def threshold(statement: _Counting) -> Uncertain:
    """The test of a statement that counts for all packets together."""
    match statement:
        case t.Limit() if rate := _rate(statement):
            return thresholds.limit(rate)
        case t.Quota(mode, amount, unit) if (number := _number(amount)) is not None:
            return thresholds.quota(number * BYTES.get(unit, 1), over=mode == "over")
        case t.ConnectionLimit(over, count) if (number := _number(count)) is not None:
            return thresholds.connections(number, over=over)
    return Uncertain(_KINDS[type(statement)], spelled(statement))


def by_object(kind: str, statement: t.ObjectUse) -> Uncertain:
    return Uncertain(kind, spelled(statement), Threshold())


def of_meter(meter: t.Meter) -> Uncertain:
    name = spelled(meter.name)
    counted = _of_element(meter.key, (*meter.extras, meter.statement), name, is_shared=True)
    return counted or _unlike("meter", meter)


def of_update(update: t.SetUpdate, table: OpenTable) -> Uncertain:
    """A set that is full takes no more, so that any update may fail."""
    element, target = update.element, update.target
    if isinstance(element, t.Element) and isinstance(target, t.SetReference):
        name = target.name.text
        counting_set = table.sets.get(name)
        is_shared = counting_set is None or counting_set.mentions > 1
        counted = _of_element(element.key, element.extras, name, is_shared=is_shared)
        if counted is not None:
            return counted
    return _unlike("set", update)


def _unlike(kind: str, statement: t.Statement) -> Uncertain:
    """One that nobody but nft can ask."""
    limits = [each for each in everything(statement) if isinstance(each, t.Limit)]
    over = any(each.mode == "over" for each in limits)
    of_bytes = any(each.unit in BYTES for each in limits)
    return Uncertain(kind, spelled(statement), Threshold(over, of_bytes))


def _of_element(
    key: t.Expression, extras: tuple[t.Node, ...], name: str, *, is_shared: bool
) -> Uncertain | None:
    """``is_shared``: whether several rules count in the set with the name."""
    counting = [each for each in extras if isinstance(each, _Counting)]
    match counting:
        case [t.Limit() as limit] if rate := _rate(limit):
            return thresholds.limit_for_each(rate, _keys(key), name, _timeout(extras, limit))
        case [t.ConnectionLimit(over, count)] if (number := _number(count)) is not None:
            shared = name if is_shared else ""
            return thresholds.connections(number, _keys(key), shared, over=over)
    return None


def _rate(limit: t.Limit) -> Rate | None:
    amount, seconds = _number(limit.rate), SECONDS.get(limit.per)
    burst = None if limit.burst is None else _number(limit.burst)
    if amount is None or seconds is None or (limit.burst is not None and burst is None):
        return None
    of_bytes = limit.unit in BYTES
    usual = 0 if of_bytes else DEFAULT_BURST
    size = BYTES.get(limit.burst_unit or "", 1)
    return Rate(
        amount * BYTES.get(limit.unit or "", 1),
        seconds,
        limit.mode == "over",
        of_bytes,
        usual if burst is None else burst * size,
    )


def _number(value: t.Value) -> int | None:
    return decimal(value.text)


def _timeout(extras: tuple[t.Node, ...], limit: t.Limit) -> int | None:
    """Where it is another than hashlimit's own."""
    times = [each.time for each in extras if isinstance(each, t.Timing) and each.name == "timeout"]
    milliseconds = read(times[0].text) if times and isinstance(times[0], t.Value) else None
    if milliseconds is None:
        return None
    seconds = milliseconds // 1000
    usual = thresholds.usual_timeout(SECONDS[limit.per], bool(limit.burst), limit.unit in BYTES)
    return None if seconds == usual else seconds


_FIELDS = {"saddr": "saddr", "daddr": "daddr", "sport": "sport", "dport": "dport"}


def _keys(key: t.Expression) -> Iterator[str]:
    """Addresses and ports in words that say nothing of the protocol: the rule's tests do."""
    for part in key.parts if isinstance(key, t.Concat) else (key,):
        match part:
            case t.Payload(_, field, None) if field in _FIELDS:
                yield field
            case t.Bitwise(t.Payload(protocol, field, None), "&", mask) if field in _FIELDS:
                yield f"{field}{_length(protocol, mask)}"
            case _:
                yield spelled(part)


def _length(protocol: str, mask: t.Expression) -> str:
    kind = {"ip": IPV4, "ip6": IPV6}.get(protocol)
    number = None if kind is None else constant(mask, kind)
    if kind is None or number is None:
        return f" & {spelled(mask)}"
    return thresholds.prefix(number, kind.width)
