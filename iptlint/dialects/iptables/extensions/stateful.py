"""Matches whose outcome depends on more than the packet: rates, time, lists that change."""

from __future__ import annotations

import re

from iptlint.dialects import thresholds
from iptlint.dialects.diagnostics import Fate, InvalidValueError
from iptlint.dialects.iptables.extensions import addresses, values
from iptlint.dialects.iptables.extensions.builders import (
    NEVER,
    at_most_one,
    just_one,
    need_one,
    opt,
    row,
    spell,
    together,
    uncertain,
    value_of,
)
from iptlint.dialects.iptables.extensions.header_matches import HAS_CONNECTION
from iptlint.dialects.iptables.extensions.limits import negated, told
from iptlint.dialects.iptables.extensions.row import ExtensionResult, Lower, Uses
from iptlint.dialects.iptables.extensions.times import TIME
from iptlint.dialects.uninterpreted import uninterpreted
from iptlint.model import AnyOf, Effect, EffectKind, Family
from iptlint.model.numbers import c_number, decimal


def _full_masks(option: str) -> tuple[str, str]:
    """A mask of every bit, which is the default, as IPv4 and IPv6 spell it."""
    return f"--{option} 255.255.255.255", f"--{option} {':'.join(['ffff'] * 8)}"


# -- recent -------------------------------------------------------------------

_RECENT_ACTIONS = ("set", "rcheck", "update", "remove")


def _lower_recent(uses: Uses, family: Family) -> ExtensionResult:
    """--set remembers the address, with the time of each packet, and always matches (recent_mt in
    xt_recent.c); the others ask the list."""
    name = _list_name(uses)
    remembers = (Effect(EffectKind.SET, name=f"recent {name}", counts=True),)
    if "set" in uses:
        negated = uses["set"][0].negated
        return ExtensionResult(NEVER if negated else (), effects=remembers)
    changes = remembers if "update" in uses or "remove" in uses else ()
    defaults = ("--name DEFAULT", "--rsource", *_full_masks("mask"))
    return ExtensionResult(uncertain("recent", defaults)(uses, family).matches, effects=changes)


def _list_name(uses: Uses) -> str:
    return str(value_of(uses, "name")) if "name" in uses else "DEFAULT"


def _kernel_checks(uses: Uses, _: Family) -> InvalidValueError | None:
    """recent_mt_check of xt_recent.c: what remembers or forgets an address asks for nothing."""
    asked = [name for name in ("rttl", "reap") if name in uses]
    asked += [name for name in ("seconds", "hitcount") if value_of(uses, name)]
    if asked and ("set" in uses or "remove" in uses):
        return InvalidValueError(f"no --{asked[0]} beside it", fate=Fate.AT_COMMIT)
    if values.is_bad_file_name(_list_name(uses)):
        return InvalidValueError("a name that a file may have", fate=Fate.AT_COMMIT)
    return None


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


# -- statistic, connbytes, rateest, time --------------------------------------


def _lower_statistic(uses: Uses, family: Family) -> ExtensionResult:
    if value_of(uses, "mode") == "random" and "probability" not in uses:
        raise InvalidValueError("--probability in random mode")
    if value_of(uses, "mode") == "nth" and "every" not in uses:
        raise InvalidValueError("--every in nth mode")
    every, packet = value_of(uses, "every"), value_of(uses, "packet")
    if isinstance(every, int) and isinstance(packet, int) and packet >= every:
        raise InvalidValueError(f"a --packet from 0 to {every - 1}")
    is_negated = negated(uses)
    if isinstance(every, int):
        which = packet if isinstance(packet, int) else 0
        return ExtensionResult((thresholds.one_in(every, which, negated=is_negated),))
    if "probability" not in uses:
        return uncertain("statistic")(uses, family)
    below = round(float(str(value_of(uses, "probability"))) * (thresholds.RANDOM + 1))
    return ExtensionResult((thresholds.random(below, negated=is_negated),))


def _lower_connbytes(uses: Uses, family: Family) -> ExtensionResult:
    """Negated or not, it needs a connection (xt_connbytes.c)."""
    counted = told("connbytes", "connbytes", then=_lower_bytes)
    return ExtensionResult((HAS_CONNECTION, *counted(uses, family).matches))


def _lower_bytes(uses: Uses, _: Family) -> ExtensionResult:
    low, _colon, high = str(value_of(uses, "connbytes")).partition(":")
    way = value_of(uses, "connbytes-dir")
    selector = f"ct {'' if way == 'both' else f'{way} '}{value_of(uses, 'connbytes-mode')}"
    first, last = decimal(low) or 0, _MOST_BYTES if not high else decimal(high) or 0
    is_negated = negated(uses)
    test = thresholds.ranged("connbytes", selector, first, last, _MOST_BYTES, negated=is_negated)
    return ExtensionResult((test,))


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
    match = re.fullmatch(r"([0-9.]+)([a-z]*)", text.lower())
    if not match or (match[2] and match[2] not in _RATE_UNITS):
        raise InvalidValueError("a rate such as 500kbit")
    return text.lower()


def _label(text: str, _: Family) -> str:
    """A name of connlabel.conf, or a bit of the 128 (XT_CONNLABEL_MAXBIT), of which the tool keeps
    16 bits."""
    number = c_number(text) or 0
    kept = number & 0xFFFF if number < 1 << 64 else number
    if kept > 127:
        raise InvalidValueError("a label from 0 to 127", refused=True)
    if kept != number:
        raise InvalidValueError("a label from 0 to 127", becomes=str(kept))
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
ROWS = (
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
        checks=(_kernel_checks,),
    ),
    row(
        "statistic",
        opt("mode", values.exactly("random", "nth"), req=True),
        opt("probability", values.fraction(0, 1), inv=True),
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
    TIME,
    row(
        "connbytes",
        opt("connbytes", _bytes_range, inv=True, req=True),
        opt("connbytes-dir", values.exactly("original", "reply", "both"), req=True),
        opt("connbytes-mode", values.exactly("packets", "bytes", "avgpkt"), req=True),
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
