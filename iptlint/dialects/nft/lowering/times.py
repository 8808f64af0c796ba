"""Times as nft reads them: numbers with units (src/datatype.c, time_parse)."""

from __future__ import annotations

import re

from iptlint.model.numbers import c_number, decimal

_TIME = re.compile(r"(?:[0-9]+(?:ms|[dhms]))*[0-9]*")
_PARTS = re.compile(r"([0-9]+)(ms|[dhms]?)")
_MOST_DIGITS = 8
_MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def fault(text: str) -> str | None:
    """Why nft does not take the text for a time; None where it does."""
    if not _TIME.fullmatch(text):
        return f"`{text}` is no time"
    parts = _PARTS.findall(text)
    long = next((digits for digits, _ in parts if len(digits) > _MOST_DIGITS), None)
    if long is not None:
        return f"`{long}` is too large for a time: nft takes {_MOST_DIGITS} digits"
    units = [unit for _, unit in parts if unit]
    twice = next((unit for unit in units if units.count(unit) > 1), None)
    return None if twice is None else f"`{text}` has the unit {twice} twice"


def read(text: str) -> int | None:
    """In milliseconds; a bare number is seconds. None where nft does not take it for a time."""
    number = decimal(text) if c_number(text) is None else c_number(text)
    if number is not None:
        return number * 1000
    return None if fault(text) else _milliseconds(text)


def _milliseconds(text: str) -> int:
    """A number without a unit behind others counts for nothing."""
    parts = _PARTS.findall(text)
    return sum((decimal(digits) or 0) * _MILLISECONDS.get(unit, 0) for digits, unit in parts)
