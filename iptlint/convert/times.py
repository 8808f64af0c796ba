"""The match that asks when a packet comes: hours and dates as seconds in UTC, which nft reads alike
wherever it runs."""

from __future__ import annotations

from iptlint.convert.asking import Asking, Joint, line
from iptlint.dialects import clock
from iptlint.dialects.iptables.extensions.row import Uses
from iptlint.dialects.iptables.extensions.times import times
from iptlint.dialects.nft.writing.tests import EVERYTHING, Lines, joined
from iptlint.dialects.nft.writing.values import NoFormError, one_of


def _time(uses: Uses, _: Asking) -> Lines:
    asked = times(uses)
    if isinstance(asked, str):
        raise NoFormError(f"nft cannot ask for {asked}")
    lines = EVERYTHING
    if asked.starts:
        lines = joined(lines, line(f"meta time >= {asked.dates[0]}"))
    if asked.ends:
        lines = joined(lines, line(f"meta time < {asked.dates[1] + 1}"))
    each: Lines = ()
    for hours, days in asked.occasions:
        each += joined(_hours(hours), _days(days))
    return joined(lines, each)


def _hours(hours: tuple[int, int] | None) -> Lines:
    if hours is None:
        return EVERYTHING
    return line(f"meta hour {'-'.join(map(str, dict.fromkeys(hours)))}")


def _days(days: frozenset[int]) -> Lines:
    if len(days) == len(clock.WEEK):
        return EVERYTHING
    return line(f"meta day {one_of([*map(str, sorted(days))])}")


TIMES: Joint = {"time": _time}
"""A row as those of other matches whose options are one test."""
