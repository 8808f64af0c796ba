"""Rates and bursts: in which units they are counted, and what the kernel can count."""

from __future__ import annotations

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.state import BlockContext
from iptlint.loads.nft import checks
from iptlint.loads.nft.trial import Trial
from iptlint.model.numbers import c_number

SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
BYTES = {"bytes": 1, "kbytes": 1 << 10, "mbytes": 1 << 20}
_NANOSECONDS = 10**9
_MOST = (1 << 64) - 1
_BURST = (1 << 32) - 1
_DEFAULT_BURST = 5
"""NFT_LIMIT_PKT_BURST_DEFAULT, of packets only."""


def check_limit(
    trial: Trial, where: BlockContext, limit: t.Limit, name: t.Value | None = None
) -> None:
    """``name``: that of the object, which the kernel refuses as one."""
    rate = c_number(limit.rate.text)
    if name is None and not trial.json and _bursts_by_no_packet(limit):
        cause = "a rule's limit lets a burst of at least one packet by"
        trial.refuse(checks.BURST, where, limit.rate, cause, "leave the burst out, or write 1")
        return
    units = (limit.unit, limit.burst_unit)
    if rate == 0:
        cause = "a limit of nothing is none"
        trial.refuse(checks.INVALID, where, name or limit.rate, cause, "write a number above 0")
    if limit.per not in SECONDS:
        cause = f"`{limit.per}` is no time that a limit counts in"
        trial.refuse(checks.UNIT, where, limit, cause, f"write one of {', '.join(SECONDS)}")
    elif any(unit not in (None, *BYTES, "packets") for unit in units):
        cause = "a limit counts packets or bytes"
        trial.refuse(checks.UNIT, where, limit, cause, f"write one of {', '.join(BYTES)}")
    elif rate:
        _overflow(trial, where, limit, rate, name or limit)


def _bursts_by_no_packet(limit: t.Limit) -> bool:
    return limit.unit not in BYTES and limit.burst is not None and c_number(limit.burst.text) == 0


def _overflow(trial: Trial, where: BlockContext, limit: t.Limit, rate: int, place: t.Node) -> None:
    """nft_limit_init counts tokens of nanoseconds in 64 bits (a burst in 32)."""
    burst = c_number(limit.burst.text) if limit.burst is not None else 0
    if burst is None:
        return
    time = SECONDS[limit.per] * _NANOSECONDS
    if limit.unit in BYTES:
        rate *= BYTES[limit.unit]
        burst = burst * BYTES.get(limit.burst_unit or "", 1) & _BURST
        tokens = time * (rate + burst)
        mend = _in_seconds(rate, limit)
    else:
        burst = burst & _BURST or _DEFAULT_BURST
        tokens = time // rate * burst
        mend = f"write a burst of at most {_MOST // max(time // rate, 1)} packets"
    if rate <= _MOST and max(tokens, rate + burst) > _MOST:
        cause = (
            f"the kernel cannot count so much in a {limit.per}: since Linux 6.8, and the updates "
            "of older ones, it refuses what it counted wrongly before"
        )
        trial.refuse(checks.LIMIT, where, place, cause, mend)


def _in_seconds(rate: int, limit: t.Limit) -> str:
    each = rate // SECONDS[limit.per]
    if limit.per == "second" or not each:
        return "write a smaller rate or burst"
    return f"count in seconds: {each} bytes/second is as much"
