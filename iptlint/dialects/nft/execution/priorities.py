"""The names of priorities, see *Base chains* in nft(8)."""

from __future__ import annotations

import re

from iptlint.dialects.nft import tree as t
from iptlint.model import Family
from iptlint.model.numbers import decimal

NAMES = {
    "raw": -300,
    "mangle": -150,
    "dstnat": -100,
    "filter": 0,
    "security": 50,
    "srcnat": 100,
}
BRIDGE_NAMES = {"dstnat": -300, "filter": -200, "out": 100, "srcnat": 300}

_WRITTEN = re.compile(r"\s*+([a-z]+|-?[0-9]+|)\s*+(?:([+-])\s*+([0-9]+))?\s*+")
"""A name or a number, and how far from it; a variable may hold all of that in one string."""


def names(family: Family) -> dict[str, int]:
    return BRIDGE_NAMES if family is Family.BRIDGE else NAMES


def number(priority: t.Priority, family: Family) -> int | None:
    """None where the family has no priority of that name."""
    base = _text(priority.base)
    offset = f"{priority.sign}{priority.offset.text}" if priority.sign and priority.offset else ""
    return written(f"{base}{offset}", family)


def written(text: str, family: Family) -> int | None:
    """``filter - 5`` as a number; None where it is none."""
    match = _WRITTEN.fullmatch(text)
    if match is None or not text.strip():
        return None
    base, sign, offset = match.groups()
    plain = decimal(base.removeprefix("-")) if base else 0
    at = names(family).get(base) if plain is None else -plain if base[:1] == "-" else plain
    further = decimal(offset or "0") or 0
    return None if at is None else at - further if sign == "-" else at + further


def _text(base: t.Expression | None) -> str:
    match base:
        case t.Negative(number):
            return f"-{number.text}"
        case t.Value(text):
            return text
        case _:
            return ""
