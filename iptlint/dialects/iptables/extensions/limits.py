"""Matches that count packets, bytes or connections: limit, hashlimit, connlimit, quota."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

from iptlint.dialects import thresholds
from iptlint.dialects.diagnostics import InvalidValueError
from iptlint.dialects.iptables.extensions import addresses, values
from iptlint.dialects.iptables.extensions.builders import (
    all_given,
    at_most_one,
    just_one,
    number_of,
    opt,
    row,
    uncertain,
    value_of,
)
from iptlint.dialects.iptables.extensions.row import ExtensionResult, Lower, Uses, Value
from iptlint.dialects.thresholds import DEFAULT_BURST, SECONDS, Rate
from iptlint.model import Family
from iptlint.model.matches import Threshold
from iptlint.model.numbers import decimal


def told(name: str, *options: str, then: Lower) -> Lower:
    """``then`` where one of the options says how many; without, as where the parts of a match are
    counted, it is one test all the same."""

    def lower(uses: Uses, family: Family) -> ExtensionResult:
        is_told = any(option in uses for option in options)
        return (then if is_told else uncertain(name))(uses, family)

    return lower


def negated(uses: Uses) -> bool:
    return any(given.negated for given in all_given(uses))


def _packets(text: str, *, over: bool = False, burst: int = DEFAULT_BURST) -> Rate:
    """Of a rate as ``values.rate`` gives it."""
    amount, _, unit = text.partition("/")
    return Rate(decimal(amount) or 0, SECONDS[unit], over, burst=burst)


def _lower_limit(uses: Uses, _: Family) -> ExtensionResult:
    text = str(value_of(uses, "limit") or "3/hour")
    burst = value_of(uses, "limit-burst")
    rate = _packets(text, burst=DEFAULT_BURST if burst is None else number_of(uses, "limit-burst"))
    return ExtensionResult((thresholds.limit(rate),))


def _lower_quota(uses: Uses, _: Family) -> ExtensionResult:
    return ExtensionResult((thresholds.quota(number_of(uses, "quota"), over=negated(uses)),))


def _lower_connlimit(uses: Uses, family: Family) -> ExtensionResult:
    above = "connlimit-above" in uses
    option = "connlimit-above" if above else "connlimit-upto"
    mask = value_of(uses, "connlimit-mask")
    number = addresses.address(str(mask), family) if mask is not None else _full(family)
    key = "daddr" if "connlimit-daddr" in uses else "saddr"
    keys = (key + thresholds.prefix(number, family.address_bits),)
    over = above is not negated(uses)
    return ExtensionResult((thresholds.connections(number_of(uses, option), keys, over=over),))


def _full(family: Family) -> int:
    return (1 << family.address_bits) - 1


# -- hashlimit ----------------------------------------------------------------

_BYTES = re.compile(r"([0-9]+)([kKmM]?)b/s(?:econd|ec)?")


def _hash_rate(text: str, family: Family) -> str:
    match = _BYTES.fullmatch(text)
    if match:
        return f"{decimal(match[1])}{match[2].lower()}b/s"
    return str(values.rate(text, family))


def _burst(text: str, _: Family) -> str:
    if not re.fullmatch(r"[0-9]+[kKmM]?b?", text):
        raise InvalidValueError("a number, or an amount such as 1mb")
    return text


_hash_mode: Value = values.list_of(values.one_of("srcip", "srcport", "dstip", "dstport"))
_HASH_KEYS = {"srcip": "saddr", "srcport": "sport", "dstip": "daddr", "dstport": "dport"}
_HASH_MASKS = {"srcip": "hashlimit-srcmask", "dstip": "hashlimit-dstmask"}
_LESS_USUAL = ("hashlimit-rate-match", "hashlimit-rate-interval")
_SIZES = {"": 1, "k": 1 << 10, "m": 1 << 20}


def _lower_hashlimit(uses: Uses, family: Family) -> ExtensionResult:
    rate, keys = _hashed_rate(uses), tuple(_hash_keys(uses, family))
    name, forgotten = str(value_of(uses, "hashlimit-name")), "hashlimit-htable-expire" in uses
    has_burst = "hashlimit-burst" in uses
    usual = thresholds.usual_timeout(rate.seconds, has_burst, rate.of_bytes)
    seconds = number_of(uses, "hashlimit-htable-expire") // 1000 if forgotten else usual
    if not keys or any(option in uses for option in _LESS_USUAL):
        test = uncertain("hashlimit", ("--hashlimit-burst 5",), lambda _: rate.asks)
        return test(uses, family)
    timeout = None if seconds == usual else seconds
    return ExtensionResult((thresholds.limit_for_each(rate, keys, name, timeout),))


def _hashed_rate(uses: Uses) -> Rate:
    above = "hashlimit-above" in uses
    over = above is not negated(uses)
    text = str(value_of(uses, "hashlimit-above" if above else "hashlimit-upto"))
    burst = value_of(uses, "hashlimit-burst")
    count = re.fullmatch(r"([0-9]+)([kKmM]?)b?", str(burst)) if burst is not None else None
    size = (decimal(count[1]) or 0) * _SIZES[count[2].lower()] if count else None
    number = re.fullmatch(r"([0-9]+)([km]?)b/s", text)
    if number is None:
        return _packets(text, over=over, burst=DEFAULT_BURST if size is None else size)
    amount = (decimal(number[1]) or 0) * _SIZES[number[2]]
    return Rate(amount, 1, over, of_bytes=True, burst=size or 0)


def _hash_keys(uses: Uses, family: Family) -> Iterator[str]:
    for mode in cast("tuple[str, ...]", value_of(uses, "hashlimit-mode") or ()):
        length = value_of(uses, _HASH_MASKS[mode]) if mode in _HASH_MASKS else None
        yield _HASH_KEYS[mode] + ("" if length in (None, family.address_bits) else f"/{length}")


_UPTO = opt("hashlimit-upto hashlimit", _hash_rate, inv=True)
_HASH_NUMBERS = ("htable-size", "htable-max", "htable-gcinterval", "htable-expire")

ROWS = (
    row(
        "limit",
        opt("limit", values.rate),
        opt("limit-burst", values.number(10000)),
        lower=_lower_limit,
    ),
    row(
        "hashlimit",
        _UPTO,
        opt("hashlimit-above", _hash_rate, inv=True),
        opt("hashlimit-srcmask", addresses.prefix_length),
        opt("hashlimit-dstmask", addresses.prefix_length),
        opt("hashlimit-burst", _burst),
        *(opt(f"hashlimit-{name}", values.bits(32)) for name in _HASH_NUMBERS),
        opt("hashlimit-mode", _hash_mode),
        opt("hashlimit-name", values.filled, req=True),
        opt("hashlimit-rate-match"),
        opt("hashlimit-rate-interval", values.anything),
        lower=just_one(
            "hashlimit-upto",
            "hashlimit-above",
            then=told("hashlimit", "hashlimit-upto", "hashlimit-above", then=_lower_hashlimit),
        ),
    ),
    row(
        "connlimit",
        opt("connlimit-upto", values.bits(32), inv=True),
        opt("connlimit-above", values.bits(32), inv=True),
        opt("connlimit-mask", addresses.any_mask),
        opt("connlimit-saddr"),
        opt("connlimit-daddr"),
        lower=just_one(
            "connlimit-upto",
            "connlimit-above",
            then=at_most_one(
                "connlimit-saddr",
                "connlimit-daddr",
                then=told("connlimit", "connlimit-upto", "connlimit-above", then=_lower_connlimit),
            ),
        ),
    ),
    row(
        "quota",
        opt("quota", values.bits(64), inv=True, req=True),
        lower=told("quota", "quota", then=_lower_quota),
    ),
    row(
        "quota2",
        opt("grow"),
        opt("no-change"),
        opt("name", values.anything),
        opt("quota", values.bits(64), inv=True),
        opt("packets"),
        lower=uncertain("quota2", asks=lambda uses: Threshold(over=negated(uses))),
    ),
)
