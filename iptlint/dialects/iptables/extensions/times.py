"""The match that asks when a packet comes, with dates and times as libxt_time.c reads them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from iptlint.dialects.diagnostics import InvalidValueError
from iptlint.dialects.iptables.extensions import values
from iptlint.dialects.iptables.extensions.builders import (
    at_most_one,
    opt,
    row,
    uncertain,
    value_of,
)
from iptlint.dialects.iptables.extensions.row import Uses, Value
from iptlint.model import Family
from iptlint.model.numbers import decimal

_DATE_PARTS = ((1970, 2038), (0, 12), (0, 31), (0, 23), (0, 59), (0, 59))
_TIME_PARTS = _DATE_PARTS[3:]
_PART = "([0-9]*)"
_DATE = re.compile(
    r"([0-9]+)(?:-([0-9]*)(?:-([0-9]*)(?:T([0-9]*)(?::([0-9]*)(?::([0-9]*))?)?)?)?)?"
)
_TIME = re.compile(rf"{_PART}:{_PART}(?::{_PART})?")


def _moment(shape: re.Pattern[str], bounds: Sequence[tuple[int, int]], expected: str) -> Value:
    def read(text: str, _: Family) -> str:
        match = shape.fullmatch(text)
        groups = match.groups() if match is not None else ()
        numbers = [decimal(part) or 0 for part in groups if part is not None]
        within = (low <= n <= high for n, (low, high) in zip(numbers, bounds, strict=False))
        if not numbers or not all(within):
            raise InvalidValueError(expected)
        return text

    return read


_date = _moment(_DATE, _DATE_PARTS, "a date from 1970 to 2038, YYYY-MM-DDThh:mm:ss")
_time = _moment(_TIME, _TIME_PARTS, "a time hh:mm or hh:mm:ss, up to 23:59:59")
_WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def _weekday(text: str, _: Family) -> int:
    """A name counts by its first two letters, a number up to 9 even where no day has it."""
    for index, day in enumerate(_WEEK, 1):
        if text[:2] == day[:2]:
            return index
    if re.fullmatch(r"[1-9][0-9]{0,2}", text[:3]):
        return decimal(text[:3]) or 0
    raise InvalidValueError("a list of weekdays: Mon, Tue …, or 1 to 7")


def _monthdays(text: str, _: Family) -> tuple[int, ...]:
    """What is between two commas counts by its first two characters; nothing there is day 0."""
    parts = (part[:2] for part in text.removesuffix(",").split(","))
    return tuple(sorted({values.integer(part, 0, 31) if part else 0 for part in parts}))


def _seconds(uses: Uses, name: str, default: int) -> int:
    text = value_of(uses, name)
    if text is None:
        return default
    hours, minutes, *seconds = (decimal(part) or 0 for part in str(text).split(":"))
    return (hours * 60 + minutes) * 60 + (seconds[0] if seconds else 0)


def _contiguous(uses: Uses, _: Family) -> InvalidValueError | None:
    start, stop = _seconds(uses, "timestart", 0), _seconds(uses, "timestop", 86399)
    if "contiguous" in uses and start < stop:
        return InvalidValueError(
            "a --timestop before --timestart beside --contiguous", refused=True
        )
    return None


TIME = row(
    "time",
    opt("datestart", _date),
    opt("datestop", _date),
    opt("timestart", _time),
    opt("timestop", _time),
    opt("contiguous"),
    opt("weekdays", values.list_of(_weekday), inv=True),
    opt("monthdays", _monthdays, inv=True),
    opt("localtz"),
    opt("utc"),
    opt("kerneltz"),
    lower=at_most_one(
        "utc", "localtz", then=at_most_one("utc", "kerneltz", then=uncertain("time"))
    ),
    checks=(_contiguous,),
)
