"""Numbers as texts have them.

``int`` and ``str.isdigit`` take the digits of every script, superscripts, blanks, underscores and
signs, and ``int`` fails at 4,300 digits. No tool that reads rules does any of that, so whatever
reads a number of an input reads it here.
"""

from __future__ import annotations

import re

BEYOND = 1 << 128
"""More than any field of a packet holds: what every number from there on is read as."""

INT_MAX, ULLONG_MAX = (1 << 31) - 1, (1 << 64) - 1
"""Of C, where the tools run."""

_DECIMAL = re.compile(r"[0-9]+")
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]+")
_C = re.compile(r"0[xX](?P<hex>[0-9a-fA-F]+)|0(?P<octal>[0-7]*)|(?P<decimal>[1-9][0-9]*)")
_SIGNED = re.compile(r"[ \t\n]*([+-]?)([0-9]+)[ \t\n]*")
_BASES = {"hex": 16, "octal": 8, "decimal": 10}
_MOST_DIGITS = 43
"""As many as ``BEYOND`` has in octal, where it has most."""


def decimal(text: str) -> int | None:
    """Of ASCII digits; None where the text is anything else."""
    return _read(text, 10) if _DECIMAL.fullmatch(text) else None


def hexadecimal(text: str) -> int | None:
    """Of hexadecimal digits, without ``0x``; None where the text is anything else."""
    return _read(text, 16) if _HEXADECIMAL.fullmatch(text) else None


def c_number(text: str) -> int | None:
    """As C writes them: decimal, hexadecimal with ``0x``, octal with ``0``."""
    match = _C.fullmatch(text)
    kind = match.lastgroup if match else None
    return _read(match[kind], _BASES[kind]) if match and kind else None


def of_base(text: str, base: int) -> int | None:
    """Of the digits of a base up to 36, capitals or not; None where the text is anything else."""
    figures = _FIGURES[:base]
    if not text or not 2 <= base <= len(_FIGURES) or set(text.lower()) - set(figures):
        return None
    return _read(text, base)


_FIGURES = "0123456789abcdefghijklmnopqrstuvwxyz"


def leading(text: str) -> int:
    """As strtoull(3) reads it: the C number that a text begins with, 0 where there is none."""
    match = _C.match(text)
    kind = match.lastgroup if match else None
    number = _read(match[kind], _BASES[kind]) if match and kind else 0
    return min(number, ULLONG_MAX)


def signed(text: str) -> int | None:
    """As a shell tests them: decimal, a sign before it and blanks around it."""
    match = _SIGNED.fullmatch(text)
    number = _read(match[2], 10) if match else 0
    return None if match is None else -number if match[1] == "-" else number


def is_decimal(text: str) -> bool:
    return _DECIMAL.fullmatch(text) is not None


def _read(digits: str, base: int) -> int:
    plain = digits.lstrip("0")
    return BEYOND if len(plain) > _MOST_DIGITS else min(int(plain or "0", base), BEYOND)
