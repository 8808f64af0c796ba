"""Matches whose outcome depends on more than the packet: rates, time, lists that change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

from iptlint.dialects import thresholds
from iptlint.dialects.diagnostics import InvalidValueError
from iptlint.dialects.iptables.extensions import addresses, values
from iptlint.dialects.iptables.extensions.builders import (
    NEVER,
    all_given,
    at_most_one,
    just_one,
    need_one,
    number_of,
    opt,
    row,
    spell,
    together,
    uncertain,
    value_of,
)
from iptlint.dialects.iptables.extensions.header_matches import HAS_CONNECTION
from iptlint.dialects.iptables.extensions.row import ExtensionResult, Lower, Uses, Value
from iptlint.dialects.thresholds import DEFAULT_BURST, SECONDS, Rate
from iptlint.dialects.uninterpreted import uninterpreted
from iptlint.model import AnyOf, Effect, EffectKind, Family
from iptlint.model.matches import Threshold


def _full_masks(option: str) -> tuple[str, str]:
    """A mask of every bit, which is the default, as IPv4 and IPv6 spell it."""
    return f"--{option} 255.255.255.255", f"--{option} {':'.join(['ffff'] * 8)}"


# -- limit, quota ------------------------------------------------------------


def _negated(uses: Uses) -> bool:
    return any(given.negated for given in all_given(uses))


def _packets(text: str, *, over: bool = False, burst: int = DEFAULT_BURST) -> Rate:
    """Of a rate as ``values.rate`` gives it."""
    amount, _, unit = text.partition("/")
    return Rate(int(amount), SECONDS[unit], over, burst=burst)


def _lower_limit(uses: Uses, _: Family) -> ExtensionResult:
    text = str(value_of(uses, "limit") or "3/hour")
    burst = value_of(uses, "limit-burst")
    rate = _packets(text, burst=DEFAULT_BURST if burst is None else number_of(uses, "limit-burst"))
    return ExtensionResult((thresholds.limit(rate),))


def _lower_quota(uses: Uses, _: Family) -> ExtensionResult:
    return ExtensionResult((thresholds.quota(number_of(uses, "quota"), over=_negated(uses)),))


def _lower_connlimit(uses: Uses, family: Family) -> ExtensionResult:
    above = "connlimit-above" in uses
    option = "connlimit-above" if above else "connlimit-upto"
    mask = value_of(uses, "connlimit-mask")
    number = addresses.address(str(mask), family) if mask is not None else _full(family)
    key = "daddr" if "connlimit-daddr" in uses else "saddr"
    keys = (key + thresholds.prefix(number, family.address_bits),)
    over = above is not _negated(uses)
    return ExtensionResult((thresholds.connections(number_of(uses, option), keys, over=over),))


def _full(family: Family) -> int:
    return (1 << family.address_bits) - 1


# -- recent -------------------------------------------------------------------

_RECENT_ACTIONS = ("set", "rcheck", "update", "remove")


def _lower_recent(uses: Uses, family: Family) -> ExtensionResult:
    """--set remembers the address and always matches (xt_recent.c); the others ask the list."""
    name = value_of(uses, "name") or "DEFAULT"
    remembers = (Effect(EffectKind.SET, name=f"recent {name}"),)
    if "set" in uses:
        negated = uses["set"][0].negated
        return ExtensionResult(NEVER if negated else (), effects=remembers)
    changes = remembers if "update" in uses or "remove" in uses else ()
    defaults = ("--name DEFAULT", "--rsource", *_full_masks("mask"))
    return ExtensionResult(uncertain("recent", defaults)(uses, family).matches, effects=changes)


def _recent_checks(then: Lower) -> Lower:
    then = together("reap", "seconds", then=then)
    then = at_most_one("rttl", "set", then=at_most_one("rttl", "remove", then=then))
    return just_one(*_RECENT_ACTIONS, then=then)


def _hit_count(text: str, _: Family) -> int:
    """xt_recent refuses 65536 and more (its ip_pkt_list_tot is at most 65535)."""
    count = values.integer(text, 0, 2**32 - 1)
    if count > 65535:
        raise InvalidValueError("a hit count of at most 65535", refused=True)
    return count


# -- hashlimit ----------------------------------------------------------------

_BYTES = re.compile(r"(\d+)([kKmM]?)b/s(?:econd|ec)?")


def _hash_rate(text: str, family: Family) -> str:
    match = _BYTES.fullmatch(text)
    if match:
        return f"{int(match[1])}{match[2].lower()}b/s"
    return str(values.rate(text, family))


def _burst(text: str, _: Family) -> str:
    if not re.fullmatch(r"\d+[kKmM]?b?", text):
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
    over = above is not _negated(uses)
    text = str(value_of(uses, "hashlimit-above" if above else "hashlimit-upto"))
    burst = value_of(uses, "hashlimit-burst")
    count = re.fullmatch(r"(\d+)([kKmM]?)b?", str(burst)) if burst is not None else None
    size = int(count[1]) * _SIZES[count[2].lower()] if count else None
    number = re.fullmatch(r"(\d+)([km]?)b/s", text)
    if number is None:
        return _packets(text, over=over, burst=DEFAULT_BURST if size is None else size)
    return Rate(int(number[1]) * _SIZES[number[2]], 1, over, of_bytes=True, burst=size or 0)


def _hash_keys(uses: Uses, family: Family) -> Iterator[str]:
    for mode in cast("tuple[str, ...]", value_of(uses, "hashlimit-mode") or ()):
        length = value_of(uses, _HASH_MASKS[mode]) if mode in _HASH_MASKS else None
        yield _HASH_KEYS[mode] + ("" if length in (None, family.address_bits) else f"/{length}")


# -- statistic, connbytes, rateest, time --------------------------------------


def _lower_statistic(uses: Uses, family: Family) -> ExtensionResult:
    if value_of(uses, "mode") == "random" and "probability" not in uses:
        raise InvalidValueError("--probability in random mode")
    if value_of(uses, "mode") == "nth" and "every" not in uses:
        raise InvalidValueError("--every in nth mode")
    every, packet = value_of(uses, "every"), value_of(uses, "packet")
    if isinstance(every, int) and isinstance(packet, int) and packet >= every:
        raise InvalidValueError(f"a --packet from 0 to {every - 1}")
    negated = _negated(uses)
    if isinstance(every, int):
        which = packet if isinstance(packet, int) else 0
        return ExtensionResult((thresholds.one_in(every, which, negated=negated),))
    below = round(float(str(value_of(uses, "probability"))) * (thresholds.RANDOM + 1))
    return ExtensionResult((thresholds.random(below, negated=negated),))


def _lower_connbytes(uses: Uses, family: Family) -> ExtensionResult:
    """Negated or not, it needs a connection (xt_connbytes.c)."""
    low, _, high = str(value_of(uses, "connbytes")).partition(":")
    way = value_of(uses, "connbytes-dir")
    selector = f"ct {'' if way == 'both' else f'{way} '}{value_of(uses, 'connbytes-mode')}"
    last = int(high) if high else _MOST_BYTES
    test = thresholds.ranged(
        "connbytes", selector, int(low), last, _MOST_BYTES, negated=_negated(uses)
    )
    return ExtensionResult((HAS_CONNECTION, test))


_MOST_BYTES = 2**64 - 1


def _bytes_range(text: str, _: Family) -> str:
    """``from:to``; no end is no limit."""
    low, colon, high = text.partition(":")
    top = _MOST_BYTES
    first = values.integer(low, 0, top) if low else 0
    last = values.integer(high, 0, top) if high else top
    values.ordered(first, last)
    return str(first) if last == top or not colon else f"{first}:{last}"


_RATE_UNITS = {"bit": 1, "kibit": 1024, "kbit": 1000, "mibit": 1024**2, "mbit": 10**6}
_RATE_UNITS |= {"gibit": 1024**3, "gbit": 10**9, "tibit": 1024**4, "tbit": 10**12}
_RATE_UNITS |= {"bps": 8, "kibps": 8 * 1024, "kbps": 8000, "mibps": 8 * 1024**2, "mbps": 8 * 10**6}
_RATE_UNITS |= {"gibps": 8 * 1024**3, "gbps": 8 * 10**9, "tibps": 8 * 1024**4, "tbps": 8 * 10**12}


def bit_rate(text: str, _: Family) -> str:
    match = re.fullmatch(r"([\d.]+)([a-z]*)", text.lower())
    if not match or (match[2] and match[2] not in _RATE_UNITS):
        raise InvalidValueError("a rate such as 500kbit")
    return text.lower()


def _moment(shape: str, expected: str) -> Value:
    pattern = re.compile(shape)

    def read(text: str, _: Family) -> str:
        if not pattern.fullmatch(text):
            raise InvalidValueError(expected)
        return text

    return read


_DATE = _moment(r"\d{4}(-\d\d?(-\d\d?(T\d\d?(:\d\d?(:\d\d?)?)?)?)?)?", "a date YYYY-MM-DDThh:mm:ss")
_TIME = _moment(r"\d\d?:\d\d?(:\d\d?)?", "a time hh:mm or hh:mm:ss")
_WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def _weekday(text: str, _: Family) -> int:
    for index, day in enumerate(_WEEK, 1):
        if text.lower()[:2] == day.lower()[:2] or text == str(index):
            return index
    raise InvalidValueError("a list of weekdays: Mon, Tue …, or 1 to 7")


def _label(text: str, _: Family) -> str:
    """A name of connlabel.conf, or a bit of the 128 (XT_CONNLABEL_MAXBIT)."""
    if text.isdigit() and int(text[:9]) > 127:
        raise InvalidValueError("a label from 0 to 127", refused=True)
    return str(values.filled(text, _))


def _lower_connlabel(uses: Uses, family: Family) -> ExtensionResult:
    """Without a connection there is no label (xt_connlabel.c)."""
    (given,) = uses["label"]
    key = f"connlabel {spell(given)}"
    if "set" in uses:
        return uncertain("connlabel")(uses, family)
    return ExtensionResult((AnyOf(((HAS_CONNECTION, uninterpreted(key)),), given.negated),))


_ESTIMATE_FLAGS = ("rateest-delta", "rateest-lt", "rateest-gt", "rateest-eq")
_ESTIMATE_RATES = (
    "rateest-bps1",
    "rateest-bps2 rateest-bps",
    "rateest-pps1",
    "rateest-pps2 rateest-pps",
)
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
            then=_lower_hashlimit,
        ),
    ),
    row(
        "recent",
        *(opt(action, inv=True) for action in _RECENT_ACTIONS),
        opt("seconds", values.number(2**32 - 1, 1)),
        opt("reap"),
        opt("hitcount", _hit_count),
        opt("rttl"),
        opt("name", values.anything),
        opt("rsource"),
        opt("rdest"),
        opt("mask", addresses.host),
        lower=_recent_checks(_lower_recent),
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
                then=_lower_connlimit,
            ),
        ),
    ),
    row(
        "quota",
        opt("quota", values.bits(64), inv=True, req=True),
        lower=_lower_quota,
    ),
    row(
        "quota2",
        opt("grow"),
        opt("no-change"),
        opt("name", values.anything),
        opt("quota", values.bits(64), inv=True),
        opt("packets"),
        lower=uncertain("quota2", asks=lambda uses: Threshold(over=_negated(uses))),
    ),
    row(
        "statistic",
        opt("mode", values.one_of("random", "nth"), req=True),
        opt("probability", values.decimal(0, 1), inv=True),
        opt("every", values.number(2**32 - 1, 1), inv=True),
        opt("packet", values.bits(32)),
        lower=at_most_one(
            "probability",
            "every",
            then=together(
                "every", "packet", then=together("packet", "every", then=_lower_statistic)
            ),
        ),
    ),
    row(
        "time",
        opt("datestart", _DATE),
        opt("datestop", _DATE),
        opt("timestart", _TIME),
        opt("timestop", _TIME),
        opt("contiguous"),
        opt("weekdays", values.list_of(_weekday), inv=True),
        opt("monthdays", values.list_of(values.number(31, 1)), inv=True),
        opt("localtz"),
        opt("utc"),
        opt("kerneltz"),
        lower=at_most_one(
            "utc", "localtz", then=at_most_one("utc", "kerneltz", then=uncertain("time"))
        ),
    ),
    row(
        "connbytes",
        opt("connbytes", _bytes_range, inv=True, req=True),
        opt("connbytes-dir", values.one_of("original", "reply", "both"), req=True),
        opt("connbytes-mode", values.one_of("packets", "bytes", "avgpkt"), req=True),
        lower=_lower_connbytes,
    ),
    row("nfacct", opt("nfacct-name", values.filled, req=True), lower=uncertain("nfacct")),
    row(
        "rateest",
        opt("rateest1 rateest", values.filled, inv=True),
        opt("rateest2", values.filled, inv=True),
        *(opt(names, bit_rate, inv=True, optional=True) for names in _ESTIMATE_RATES),
        *(opt(flag, inv=flag != "rateest-delta") for flag in _ESTIMATE_FLAGS),
        lower=need_one("rateest1", then=uncertain("rateest")),
    ),
    row(
        "connlabel",
        opt("label", _label, inv=True, req=True),
        opt("set"),
        lower=_lower_connlabel,
    ),
)
