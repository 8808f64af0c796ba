"""Matches that count packets, bytes or connections: limit, hashlimit, connlimit, quota."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

from iptlint.dialects import thresholds
from iptlint.dialects.diagnostics import Fate, InvalidValueError
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
from iptlint.dialects.iptables.extensions.row import ExtensionResult, Lower, Uses
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

_BYTES = re.compile(r"([0-9]++)(.*?)([km]?)b/s(.*)")
_MOST_A_SECOND = 10000  # XT_LIMIT_SCALE (xt_limit.h)
_MOST_HASHED = 1000000  # XT_HASHLIMIT_SCALE_v2 and XT_HASHLIMIT_BURST_MAX (xt_hashlimit.h)


def _hash_rate(text: str, family: Family) -> str:
    match = _BYTES.fullmatch(text)
    if match is None:
        return values.rate(_MOST_HASHED)(text, family)
    if not decimal(match[1]):
        raise InvalidValueError("a rate of at least one byte")
    read = f"{decimal(match[1])}{match[3]}b/s"
    if match[2] or match[4] not in ("", "ec", "econd"):
        raise InvalidValueError("an amount such as 1mb/s", becomes=read)
    return read


def _burst(text: str, _: Family) -> str:
    match = re.match(r"[ \t]*\+?(0[xX][0-9a-fA-F]+|0[0-7]+|[0-9]+)([km]?)(.*)", text)
    amount = values.integer(match[1], 0, 2**64 - 1) if match is not None else 0
    if match is None or not amount:
        raise InvalidValueError("a number, or an amount such as 1mb")
    if not (match[2] or match[3]) and amount > _MOST_HASHED:
        raise InvalidValueError(f"a number from 1 to {_MOST_HASHED}", refused=True)
    read = f"{amount}{match[2]}"
    if match[3] not in ("", "b"):
        raise InvalidValueError("a number, or an amount such as 1mb", becomes=read)
    return read + match[3]


def _interval(text: str, _: Family) -> str:
    """What atoi makes of it."""
    match = re.match(r"[ \t]*\+?0*([1-9][0-9]*)", text)
    if match is None:
        raise InvalidValueError("so many seconds")
    return match[1]


# -- what the kernel makes of rates --------------------------------------------

_CREDITS = (25600, 32000)  # HZ * CREDITS_PER_JIFFY with the usual values of HZ (xt_limit.c)


def _overflows(uses: Uses, _: Family) -> InvalidValueError | None:
    """xt_limit.c counts in 32 bits; the expression of nf_tables, which iptables-nft makes of the
    match, in 64."""
    amount, _slash, unit = str(value_of(uses, "limit") or "3/hour").partition("/")
    burst = number_of(uses, "limit-burst") if "limit-burst" in uses else DEFAULT_BURST
    average = _MOST_A_SECOND * SECONDS[unit] // (decimal(amount) or 1)
    if burst and not all(_credits(average * burst, c) < _credits(average, c) for c in _CREDITS):
        return None
    expected = "a smaller burst or a faster rate" if burst else "a burst of at least 1"
    return InvalidValueError(expected, fate=Fate.AT_COMMIT, variant="legacy")


def _credits(user: int, each: int) -> int:
    user &= _WORD
    if user > _WORD // each:
        return user // _MOST_A_SECOND * each & _WORD
    return (user * each & _WORD) // _MOST_A_SECOND


_WORD = 0xFFFFFFFF


def _hash_checks(uses: Uses, _: Family) -> InvalidValueError | None:
    """libxt_hashlimit.c (hashlimit_mt_check) and htable_create of xt_hashlimit.c."""
    for name in ("hashlimit-htable-expire", "hashlimit-htable-gcinterval"):
        if value_of(uses, name) == 0:
            return InvalidValueError(f"--{name} of at least 1", fate=Fate.AT_COMMIT)
    if values.is_bad_file_name(str(value_of(uses, "hashlimit-name"))):
        return InvalidValueError("a name that a file may have", fate=Fate.AT_COMMIT)
    rate = _hashed_rate(uses)
    if not rate.of_bytes and "hashlimit-rate-match" not in uses and _hash_overflows(rate):
        return InvalidValueError("a smaller burst or a faster rate", fate=Fate.AT_COMMIT)
    least = _least_burst(uses)
    if least is not None:
        return InvalidValueError(f"a burst of at least {least} bytes", refused=True)
    return None


_LONG = 0xFFFFFFFFFFFFFFFF
_CREDITS_V2 = (100 << 40, 250 << 39, 300 << 39, 1000 << 37)
"""HZ * CREDITS_PER_JIFFY_v2 with the usual values of HZ (xt_hashlimit.c)."""


def _hash_overflows(rate: Rate) -> bool:
    average = _MOST_HASHED * rate.seconds // rate.amount
    factors = [each // _MOST_HASHED for each in _CREDITS_V2]
    return all(average * rate.burst * f & _LONG < average * f & _LONG for f in factors)


def _least_burst(uses: Uses) -> int | None:
    """Of a rate in bytes whose burst is smaller than what it is rounded to."""
    rate = _hashed_rate(uses)
    if not rate.of_bytes or "hashlimit-burst" not in uses:
        return None
    cost = _WORD // ((rate.amount >> 4 & _WORD) + 1)
    least = ((_WORD // cost if cost else _WORD) - 1) << 4
    return least if rate.burst < least else None


_hash_modes = values.list_of(values.exactly("srcip", "srcport", "dstip", "dstport"), skips=True)


def _hash_mode(text: str, family: Family) -> object:
    return _hash_modes(text.replace("|", ","), family)


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
        opt("limit", values.rate(_MOST_A_SECOND)),
        opt("limit-burst", values.number(10000)),
        lower=_lower_limit,
        checks=(_overflows,),
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
        opt("hashlimit-rate-interval", _interval),
        lower=just_one(
            "hashlimit-upto",
            "hashlimit-above",
            then=told("hashlimit", "hashlimit-upto", "hashlimit-above", then=_lower_hashlimit),
        ),
        checks=(_hash_checks,),
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
