"""How tests that count are keyed: by what they mean, so that equal ones are one in any language.

The words are nearly nft's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from iptlint.model import Uncertain
from iptlint.model.matches import Threshold

SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
BYTES = {"bytes": 1, "kbytes": 1 << 10, "mbytes": 1 << 20, "gbytes": 1 << 30}
DEFAULT_BURST = 5
"""Packets, where none is given (libxt_limit.c, libxt_hashlimit.c, nft's parser)."""


class Rate(NamedTuple):
    """So many packets, or bytes, in so many seconds; ``over``: whether more came."""

    amount: int
    seconds: int
    over: bool = False
    of_bytes: bool = False
    burst: int = DEFAULT_BURST

    @property
    def asks(self) -> Threshold:
        return Threshold(self.over, self.of_bytes)

    @property
    def words(self) -> str:
        """``limit rate over 5/minute burst 5 packets``: 60 a minute are 1 a second."""
        unit = " bytes" if self.of_bytes else ""
        burst = f" burst {self.burst}{unit or ' packets'}" if self.burst or not unit else ""
        return f"limit rate {'over ' * self.over}{self._shortest(unit)}{burst}"

    def _shortest(self, unit: str) -> str:
        """In the shortest unit of time in which it is a whole number."""
        for name, length in SECONDS.items():
            number, rest = divmod(self.amount * length, self.seconds)
            if not rest:
                return f"{number}{unit}/{name}"
        return f"{self.amount}{unit}/{self.seconds} seconds"


def limit(rate: Rate) -> Uncertain:
    return Uncertain("limit", rate.words, rate.asks)


def limit_for_each(rate: Rate, keys: Iterable[str], name: str, timeout: int | None) -> Uncertain:
    """A limit for each value of the keys, kept in the table with the name. ``timeout``: after how
    many seconds a value is forgotten, where that is unusual."""
    each = f" for each {' . '.join(sorted(keys))}"
    forgotten = f" timeout {timeout}s" if timeout is not None else ""
    return Uncertain("hashlimit", f"{rate.words}{each}{forgotten} in {name}", rate.asks)


def usual_timeout(seconds: int, has_burst: bool, of_bytes: bool) -> int:
    """After how many seconds hashlimit forgets a value by itself (libxt_hashlimit.c)."""
    if not of_bytes:
        return seconds
    return 60 if has_burst else 15


def prefix(mask: int, width: int) -> str:
    """What stands behind an address of which only some bits count."""
    hosts = mask ^ ((1 << width) - 1)
    if hosts & (hosts + 1):
        return f" & {mask:#x}"
    return f"/{width - hosts.bit_length()}" if hosts else ""


def connections(number: int, keys: Iterable[str] = (), name: str = "", *, over: bool) -> Uncertain:
    """``name``: of the set that several rules count in."""
    each = " . ".join(sorted(keys))
    where = f"{' for each ' if each else ''}{each}{' in ' if name else ''}{name}"
    return Uncertain("connlimit", f"ct count {'over ' * over}{number}{where}", Threshold(over))


def quota(number: int, *, over: bool) -> Uncertain:
    return Uncertain("quota", f"quota {'over ' * over}{number} bytes", Threshold(over))


def ranged(kind: str, selector: str, low: int, high: int, top: int, *, negated: bool) -> Uncertain:
    """Whether what the selector says, from 0 to ``top``, is in the range. What is above something
    is the rest of what is not."""
    if low and high == top:
        low, high, negated = 0, low - 1, not negated
    shown = str(low) if low == high else f"{low}-{high}"
    return Uncertain(kind, f"{'! ' * negated}{selector} {shown}")


RANDOM = (1 << 31) - 1
"""The greatest number that ``--mode random`` throws (xt_statistic.c)."""


def random(below: int, *, negated: bool = False) -> Uncertain:
    """Whether a number thrown is below another one."""
    return ranged("statistic", "meta random & 0x7fffffff", 0, below - 1, RANDOM, negated=negated)


def one_in(number: int, which: int, *, negated: bool = False) -> Uncertain:
    """Whether it is the turn of ``which`` of so many, counted from 0."""
    return ranged("statistic", f"numgen inc mod {number}", which, which, _ANY, negated=negated)


_ANY = (1 << 32) - 1
