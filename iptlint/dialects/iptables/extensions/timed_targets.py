"""Targets that run a timer in the kernel: IDLETIMER and RATEEST."""

from __future__ import annotations

import math
import re

from iptlint.dialects.diagnostics import Fate, InvalidValueError
from iptlint.dialects.iptables.extensions import values
from iptlint.dialects.iptables.extensions.builders import goes_on, opt, row, value_of
from iptlint.dialects.iptables.extensions.row import Extension, Uses
from iptlint.model import Family

# -- IDLETIMER -----------------------------------------------------------------

_LABEL = values.up_to(27, "label")

_LONGEST = (2**31 - 1) // 1000 - 1
"""Seconds of a timer (idletimer_tg_helper of net/netfilter/xt_IDLETIMER.c)."""


def _timer(text: str, family: Family) -> str:
    """net/netfilter/xt_IDLETIMER.c makes a file of that name in /sys, where some are there."""
    label = str(_LABEL(text, family))
    if "/" in label or label in ("power", "subsystem", "uevent"):
        raise InvalidValueError("a label that a file in /sys may have", fate=Fate.AT_COMMIT)
    return label


def _idle(text: str, _: Family) -> int:
    seconds = values.integer(text, 1, 2**32 - 1)
    if seconds > _LONGEST:
        raise InvalidValueError(f"at most {_LONGEST} seconds", fate=Fate.AT_COMMIT)
    return seconds


# -- RATEEST -------------------------------------------------------------------

_DURATION = re.compile(
    r"\s*([+-]?)(0x[0-9a-f]+|(?:[0-9]++\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?)"
    r"(s|secs?|[mu]s(?:ecs?)?)?",
    re.IGNORECASE,
)
_MICROSECONDS = {"s": 1_000_000, "m": 1000, "u": 1, "": 1}


def _duration(text: str, _: Family) -> int:
    """In microseconds, as the tool keeps them: 32 bits of what strtod(3) reads."""
    match = _DURATION.fullmatch(text)
    if not match:
        raise InvalidValueError("a time such as 250ms or 2s")
    sign, digits, unit = match.groups("")
    amount = float.fromhex(digits) if digits[:2] in ("0x", "0X") else float(digits)
    whole = min(amount * _MICROSECONDS[unit[:1].lower()], 2.0**63)
    return math.trunc(-whole if sign == "-" else whole) & 0xFFFFFFFF


_LONGEST_INTERVAL, _MOST_LOG = 8_000_000, 30


def _estimates(uses: Uses, _: Family) -> InvalidValueError | None:
    """RATEEST_final_check of libxt_RATEEST.c: the logarithm of how slowly it forgets."""
    interval, forgets = (value_of(uses, f"rateest-{name}") for name in ("interval", "ewmalog"))
    assert isinstance(interval, int)
    assert isinstance(forgets, int)
    if interval > _LONGEST_INTERVAL:
        return InvalidValueError("an interval of at most 8s", refused=True)
    least = math.ceil(interval / math.log(2))
    if forgets < least:
        return InvalidValueError(f"--rateest-ewmalog of at least {least}us", refused=True)
    if interval / -math.log1p(-(2.0**-_MOST_LOG)) > forgets:
        return None
    return InvalidValueError("a longer interval, or a shorter --rateest-ewmalog", refused=True)


ROWS: tuple[Extension, ...] = (
    row(
        "IDLETIMER",
        opt("timeout", _idle, req=True),
        opt("label", _timer, req=True),
        opt("alarm"),
        opt("send_nl_msg"),
        lower=goes_on("IDLETIMER"),
    ),
    row(
        "RATEEST",
        opt("rateest-name", values.anything, req=True),
        opt("rateest-interval", _duration, req=True),
        opt("rateest-ewmalog", _duration, req=True),
        lower=goes_on("RATEEST"),
        checks=(_estimates,),
    ),
)
