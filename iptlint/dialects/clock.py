"""When a packet comes: days, hours and dates in words that both languages share, by a clock that
counts from 1970 in UTC."""

from __future__ import annotations

from calendar import timegm
from datetime import UTC, datetime

from iptlint.model import Uncertain

DAY = 86400
WEEK = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
"""By nft's numbers."""


def shown_hour(second: int) -> str:
    """``17:30:00 UTC``, of a second of the day."""
    return f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02} UTC"


_LAST = timegm((9999, 12, 31, 0, 0, 0))


def shown_date(second: int) -> str:
    if second > _LAST:
        return f"{second} s"
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S} UTC"


def hours(low: int, high: int, *, negated: bool = False) -> Uncertain:
    """Between two seconds of the day, both counted."""
    ends = dict.fromkeys((shown_hour(low), shown_hour(high)))
    return Uncertain("time", f"{'! ' * negated}meta hour {'-'.join(ends)}")


def since(second: int) -> Uncertain:
    return Uncertain("time", f"meta time >= {shown_date(second)}")


def before(second: int) -> Uncertain:
    return Uncertain("time", f"meta time < {shown_date(second)}")


def weekday(day: int, *, utc: bool) -> Uncertain:
    """``utc``: whether it is counted there, or in the time zone of the kernel, as nft does
    (nft_meta_weekday)."""
    return Uncertain("time", f"meta day {WEEK[day]}{' in UTC' * utc}")
