"""The match that asks when a packet comes, with dates and times as libxt_time.c reads them."""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from iptlint.dialects import clock
from iptlint.dialects.diagnostics import InvalidValueError
from iptlint.dialects.iptables.extensions import values
from iptlint.dialects.iptables.extensions.builders import (
    at_most_one,
    opt,
    row,
    uncertain,
    value_of,
)
from iptlint.dialects.iptables.extensions.row import ExtensionResult, Uses, Value
from iptlint.model import AnyOf, Family, Match
from iptlint.model.numbers import c_number, decimal

_DATE_PARTS = ((1970, 2038), (0, 12), (0, 31), (0, 23), (0, 59), (0, 59))
_TIME_PARTS = _DATE_PARTS[3:]
_PART = r"\s*\+?([0-9]*)"
_MORE = "".join(f"(?:{mark}{_PART}" for mark in ("-", "-", "T", ":", ":")) + ")?" * 5
_DATE = re.compile(rf"\s*\+?([0-9]+){_MORE}")
_TIME = re.compile(rf"{_PART}:{_PART}(?::{_PART})?")
_NO_DIGIT = re.compile(r"[\s+]")


def _moment(shape: re.Pattern[str], bounds: Sequence[tuple[int, int]], expected: str) -> Value:
    def read(text: str, _: Family) -> str:
        match = shape.fullmatch(text)
        groups = match.groups() if match is not None else ()
        numbers = [decimal(part) or 0 for part in groups if part is not None]
        within = (low <= n <= high for n, (low, high) in zip(numbers, bounds, strict=False))
        if not numbers or not all(within):
            raise InvalidValueError(expected)
        return _NO_DIGIT.sub("", text)

    return read


_date = _moment(_DATE, _DATE_PARTS, "a date from 1970 to 2038, YYYY-MM-DDThh:mm:ss")
_time = _moment(_TIME, _TIME_PARTS, "a time hh:mm or hh:mm:ss, up to 23:59:59")
_WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def _weekdays(text: str, _: Family) -> tuple[int, ...]:
    """What is between two commas counts by its first three characters, a name by two; nothing at
    all is no day."""
    parts = text.removesuffix(",").split(",") if text else ()
    return tuple(sorted({_weekday(part[:3]) for part in parts}))


def _weekday(text: str) -> int:
    """A number sets a bit of 32, even where no day has it (time_parse_weekdays)."""
    for index, day in enumerate(_WEEK, 1):
        if text[:2] == day[:2]:
            return index
    number = c_number(text.removeprefix("-").removeprefix("+"))
    if not number:
        raise InvalidValueError("a list of weekdays: Mon, Tue …, or 1 to 7")
    return (-number if text.startswith("-") else number) % 32


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


_NOTHING_GIVEN = (1970, 1, 1, 0, 0, 0)
_LATEST = 2**31 - 1
"""The end that goes without saying (libxt_time.c)."""
_ALL_DAYS = frozenset(range(7))


@dataclass(frozen=True, slots=True)
class Times:
    """``dates``: from the first second to the last one; ``occasions``: the hours of which days,
    None for all of a day; ``utc``: where days are counted."""

    dates: tuple[int, int]
    occasions: tuple[tuple[tuple[int, int] | None, frozenset[int]], ...]
    utc: bool = True

    @property
    def starts(self) -> bool:
        return self.dates[0] > 0

    @property
    def ends(self) -> bool:
        return self.dates[1] < _LATEST


def times(uses: Uses) -> Times | str:
    """What the options ask for (time_mt), or why nobody here can tell."""
    in_kernel = "kerneltz" in uses or "localtz" in uses
    if "monthdays" in uses:
        return "days of the month"
    if in_kernel and {*uses} & {"timestart", "timestop", "datestart", "datestop"}:
        return "hours and dates in the time zone of the kernel"
    dates = _instant(uses, "datestart", 0), _instant(uses, "datestop", _LATEST)
    if dates[0] is None or dates[1] is None:
        return "a date that no calendar has"
    occasions = tuple(each for each in _occasions(uses) if each[1])
    return Times((dates[0], dates[1]), occasions, not in_kernel)


def _instant(uses: Uses, name: str, default: int) -> int | None:
    text = value_of(uses, name)
    if text is None:
        return default
    match = _DATE.fullmatch(str(text))
    assert match is not None
    given = [decimal(part) or 0 for part in match.groups() if part is not None]
    year, month, day, hour, minute, second = (*given, *_NOTHING_GIVEN[len(given) :])
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return timegm(moment.timetuple())


def _occasions(
    uses: Uses,
) -> tuple[tuple[tuple[int, int] | None, frozenset[int]], ...]:
    """With --contiguous the hours behind midnight are of the day before."""
    days = _days(uses)
    start, stop = _seconds(uses, "timestart", 0), _seconds(uses, "timestop", clock.DAY - 1)
    if (start, stop) == (0, clock.DAY - 1):
        return ((None, days),)
    if start < stop:
        return (((start, stop), days),)
    after = frozenset((day + 1) % 7 for day in days) if "contiguous" in uses else days
    return ((start, clock.DAY - 1), days), ((0, stop), after)


def _days(uses: Uses) -> frozenset[int]:
    """By nft's numbers: both begin on Sunday, iptables with 7."""
    if "weekdays" not in uses:
        return _ALL_DAYS
    (given,) = uses["weekdays"]
    numbers = cast("tuple[int, ...]", given.values[0])
    days = frozenset(day % 7 for day in numbers if 1 <= day <= 7)
    return _ALL_DAYS - days if given.negated else days


def _lower(uses: Uses, family: Family) -> ExtensionResult:
    asked = times(uses)
    if isinstance(asked, str):
        return uncertain("time")(uses, family)
    tests: list[Match] = []
    if asked.starts:
        tests.append(clock.since(asked.dates[0]))
    if asked.ends:
        tests.append(clock.before(asked.dates[1] + 1))
    each = tuple((*_hours(hours), *_on(days, utc=asked.utc)) for hours, days in asked.occasions)
    return ExtensionResult((*tests, *(each[0] if len(each) == 1 else (AnyOf(each),))))


def _hours(hours: tuple[int, int] | None) -> tuple[Match, ...]:
    return () if hours is None else (clock.hours(*hours),)


def _on(days: frozenset[int], *, utc: bool) -> tuple[Match, ...]:
    if days == _ALL_DAYS:
        return ()
    tests = tuple(clock.weekday(day, utc=utc) for day in sorted(days))
    return tests if len(tests) == 1 else (AnyOf(tuple((test,) for test in tests)),)


TIME = row(
    "time",
    opt("datestart", _date),
    opt("datestop", _date),
    opt("timestart", _time),
    opt("timestop", _time),
    opt("contiguous"),
    opt("weekdays", _weekdays, inv=True),
    opt("monthdays", _monthdays, inv=True),
    opt("localtz"),
    opt("utc"),
    opt("kerneltz"),
    lower=at_most_one("utc", "localtz", then=at_most_one("utc", "kerneltz", then=_lower)),
    checks=(_contiguous,),
)
