"""Rows of the builder for statements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.nodes import Place, placed
from iptlint.dialects.nft.parsing.errors import NftSyntaxError
from iptlint.dialects.nft.parsing.rows import Make, first, joined, texts
from iptlint.dialects.nft.parsing.selectors import OPTION_FIELDS

if TYPE_CHECKING:
    from typing_extensions import Unpack


_COMPARISONS = {
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "gt": ">",
    "le": "<=",
    "ge": ">=",
    "not": "!",
}


def _match(
    left: t.Expression, operator: str | None, right: t.Expression, **place: Unpack[Place]
) -> t.Match:
    """A word after a header option may be a field that this option does not have."""
    match left, right:
        case t.HeaderOption(field=None), t.Value(text, t.Kind.SYMBOL) if text in OPTION_FIELDS:
            raise NftSyntaxError(
                f"`{left.option}` has no field `{text}`", "a field or a value", **place
            )
    return t.Match(left, operator, right, **place)


def _mangle(target: t.Selector, value: t.Expression, **place: Unpack[Place]) -> t.Mangle:
    if isinstance(target, t.Payload) and target.tunnel:
        raise NftSyntaxError(
            "A field behind a tunnel header cannot be set", "a comparison", **place
        )
    return t.Mangle(target, value, **place)


def _counter(*values: dict[str, t.Value], **place: Unpack[Place]) -> t.Counter:
    fields = {name: number for value in values for name, number in value.items()}
    return t.Counter(**fields, **place)


def _last(used: t.Value | None, **place: Unpack[Place]) -> t.Last:
    if used and used.kind is t.Kind.SYMBOL and used.text != "never":
        raise NftSyntaxError(f"`{used.text}` is no time", "a time such as 5m, or never", **place)
    return t.Last(used, **place)


_PER = ("second", "minute", "hour", "day", "week")
_LOG_FIELDS = {
    "prefix": "prefix",
    "group": "group",
    "snaplen": "snaplen",
    "queue-threshold": "queue_threshold",
    "level": "level",
}


_BYTES = ("bytes", "kbytes", "mbytes")


def _unit(word: str | None) -> str:
    """nft looks at the beginning only: ``kbytes/second`` counts as kbytes (data_unit_parse)."""
    known = (unit for unit in _BYTES if word is not None and word.startswith(unit))
    return next(known, word or "")


def _quota(mode: Any, amount: t.Value, unit: str, *used: Any, **place: Unpack[Place]) -> t.Quota:
    value, used_unit = used or (None, None)
    return t.Quota(mode, amount, _unit(unit), value, _unit(used_unit) or None, **place)


def _rate(mode: Any, rate: t.Value, *rest: Any, **place: Unpack[Place]) -> t.Limit:
    """``5/second``, ``10 mbytes/second``; the scanner takes the second for one word."""
    *units, burst, burst_unit = rest
    unit, _, per = "".join(part for part in units if part).partition("/")
    unit, burst_unit = _unit(unit), _unit(burst_unit)
    if per not in _PER:
        known = ", ".join(_PER)
        raise NftSyntaxError(f"`{per}` is no unit of time for a rate", f"one of {known}", **place)
    if burst_unit and (burst_unit == "packets") != (not unit):
        wanted = "bytes, kbytes or mbytes" if unit else "packets"
        counted = burst_unit in ("packets", *_BYTES)
        message = (
            f"The burst is counted in {burst_unit}, the rate is not"
            if counted
            else f"The burst lacks its unit: `{burst_unit}` is none"
        )
        raise NftSyntaxError(message, wanted, **place)
    return t.Limit(mode, rate, unit or None, per, burst, burst_unit or None, **place)


def _limit(rate: t.Limit, **place: Unpack[Place]) -> t.Limit:
    return placed(rate, place)


def _log(*options: tuple[str, Any], **place: Unpack[Place]) -> t.Log:
    fields = {_LOG_FIELDS[name]: value for name, value in options if name != "flags"}
    flags = tuple(flag for name, value in options if name == "flags" for flag in value)
    return t.Log(**fields, flags=flags, **place)


def _log_flags(first: Any, *rest: Any, **place: Unpack[Place]) -> tuple[str, ...]:
    given = [part.text for part in rest if isinstance(part, t.Value)]
    allowed = {"tcp": {"sequence", "options"}, "ip": {"options"}}.get(first)
    if allowed is None:
        flag = getattr(first, "text", first)
        if flag not in ("all", "skuid", "ether"):
            raise NftSyntaxError(
                f"`{flag}` is no flag of log", "one of tcp, ip, skuid, ether, all", **place
            )
        return (flag,)
    if not set(given) <= allowed:
        raise NftSyntaxError(
            f"log has no such flags of {first}", " or ".join(sorted(allowed)), **place
        )
    return tuple(f"{first} {flag}" for flag in given)


def _reject(reason: tuple[Any, ...] | None, **place: Unpack[Place]) -> t.Reject:
    return t.Reject(*(reason or ()), **place)


def _nat(
    name: str,
    to: tuple[Any, Any] | None,
    where: tuple[Any, Any],
    *flags: Any,
    **place: Unpack[Place],
) -> t.Nat:
    family, form = to or (None, None)
    return t.Nat(name, family, form, *where, sum(flags, ()), **place)


def _redirect(
    name: str, where: tuple[Any, Any] | None, *flags: Any, **place: Unpack[Place]
) -> t.Nat:
    """The host's own address is what is translated to, so what follows ``to`` is a port, and
    behind ``masquerade`` a colon has to say so (src/parser_bison.y, redir_stmt, masq_stmt)."""
    first, port = where or (None, None)
    if first is not None and (port is not None or name == "masquerade"):
        raise NftSyntaxError(
            f"{name} translates to an address of the host itself, and takes a port only",
            f"`{name} to :PORT`",
            **place,
        )
    if len(flags) > 1:
        message = f"the flags of {name} are one list, with commas"
        raise NftSyntaxError(message, f"`{name} random,persistent`", **place)
    return t.Nat(name, None, None, None, port or first, sum(flags, ()), **place)


def _tproxy(family: str | None, where: tuple[Any, Any], **place: Unpack[Place]) -> t.Tproxy:
    return t.Tproxy(family, *where, **place)


def _queue_target(word: str, target: Any, **place: Unpack[Place]) -> tuple[str, Any]:
    plain = (t.Value, t.Variable, t.Range)
    allowed = plain if word == "num" else (*plain, t.Lookup, t.Numgen, t.Hash)
    if not isinstance(target, allowed):
        raise NftSyntaxError(
            "No queue number can be had from this",
            "a number" if word == "num" else "a number, numgen, a hash or a map",
            **place,
        )
    return "target", target


def _queue(*arguments: tuple[str, Any], **place: Unpack[Place]) -> t.Queue:
    target = next((value for name, value in arguments if name == "target"), None)
    flags = tuple(flag for name, value in arguments if name == "flags" for flag in value)
    return t.Queue(target, flags, **place)


_OPTION_NAMES = {"sack-permitted": "sack-perm"}


def _synproxy(values: t.Synproxy | None = None, **place: Unpack[Place]) -> t.Synproxy:
    return placed(values or t.Synproxy(), place)


def _synproxy_values(*values: tuple[Any, ...], **place: Unpack[Place]) -> t.Synproxy:
    numbers = {value[0]: value[1] for value in values if len(value) == 2}
    flags = tuple(_OPTION_NAMES.get(value[0], value[0]) for value in values if len(value) == 1)
    return t.Synproxy(**numbers, flags=flags, **place)


def _meter(
    name: t.Value, size: Any, key: t.Expression, *rest: Any, **place: Unpack[Place]
) -> t.Meter:
    *extras, statement = rest
    return t.Meter(name, size, key, tuple(extra.node for extra in extras), statement, **place)


def _flow_table(name: t.Value, key: t.Expression, *rest: Any, **place: Unpack[Place]) -> t.Meter:
    return _meter(name, None, key, *rest, **place)


def _set_update(operation: str, first: Any, second: Any, **place: Unpack[Place]) -> t.SetUpdate:
    """``add @name { element }``; once it was ``set add element @name``."""
    legacy = isinstance(second, t.SetReference)
    target, element = (second, first) if legacy else (first, second)
    return t.SetUpdate(operation, element, target, **place)


STATEMENT_ROWS: dict[str, Make] = {
    "operator": lambda word, **_: _COMPARISONS.get(word, word),
    "match": _match,
    "mask_match": t.MaskMatch,
    "verdict": t.Verdict,
    "jump": t.Verdict,
    "verdict_map": t.VerdictMap,
    "mangle": _mangle,
    "counter": _counter,
    "packets": lambda number, **_: {"packets": number},
    "bytes": lambda number, **_: {"bytes": number},
    "object_use": lambda kind, _, name, **place: t.ObjectUse(kind, name, **place),
    "limit": _limit,
    "limit_rate": _rate,
    "mode": first,
    "per": lambda word, **_: f"/{word.text}",
    "unit": lambda word, **_: word.text,
    "quota": _limit,
    "quota_amount": _quota,
    "connection_limit": lambda over, count, **place: t.ConnectionLimit(bool(over), count, **place),
    "last": _last,
    "log": _log,
    "log_option": lambda name, value, **_: (name, value),
    "log_flags": _log_flags,
    "reject": _reject,
    "reject_reason": lambda *words, **_: (words[0], words[-1]),
    "reset": lambda *_words, **_: ("tcp",),
    "nat": _nat,
    "nat_kind": first,
    "nat_to": lambda family, form, **_: (family, form),
    "nat_family": first,
    "nat_form": joined,
    "nat_place": lambda address, port, **_: (address, port),
    "nat_port": lambda port, **_: (None, port),
    "nat_flags": texts,
    "nat_flag": first,
    "redirect": _redirect,
    "redirect_kind": first,
    "tproxy": _tproxy,
    "queue": _queue,
    "queue_target": _queue_target,
    "queue_flags": lambda *flags, **_: ("flags", flags),
    "queue_flag": first,
    "dup": t.Dup,
    "fwd": t.Fwd,
    "synproxy": _synproxy,
    "synproxy_values": _synproxy_values,
    "synproxy_value": texts,
    "set_update": _set_update,
    "operation": first,
    "meter": _meter,
    "flow_table": _flow_table,
    "notrack": t.Notrack,
    "flow_add": t.FlowAdd,
    "strip_option": t.StripOption,
    "foreign": lambda kind, name, **place: t.Foreign(kind.text, name.text, **place),
}
