"""What the operators of a sum of bash do, and which of them bind tighter ("Shell Arithmetic" in
its manual). Numbers are of 64 bits, and go round."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass

_BITS = 64


class BadSumError(Exception):
    """The shell takes the text for no sum, or for one that has no answer."""


def wrapped(number: int) -> int:
    """As 64 bits hold it."""
    half = 1 << (_BITS - 1)
    return (number + half) % (1 << _BITS) - half


def kept(number: int | None, more: int) -> int | None:
    return None if number is None else wrapped(number + more)


@dataclass(frozen=True, slots=True)
class Operator:
    """``level``: the higher, the tighter it binds. ``ends_at``: of its first operand, for which
    truth the second is not worked out."""

    level: int
    work: Callable[[int, int], int]
    ends_at: bool | None = None

    def goes_on(self, first: int | None) -> bool | None:
        """Whether the second operand is worked out; None where that is not known."""
        if self.ends_at is None:
            return True
        return None if first is None else (first != 0) is not self.ends_at

    def result(self, first: int | None, second: int | None, *, skips: bool) -> int | None:
        if self.ends_at is not None and first is not None and (first != 0) is self.ends_at:
            return +self.ends_at
        if self.ends_at is not None and second is not None and (second != 0) is self.ends_at:
            return +self.ends_at  # whatever the first is
        if first is None or second is None:
            return None
        if skips:
            return 0
        return wrapped(+self.work(first, second))


def _towards_zero(one: int, other: int) -> int:
    """As C divides."""
    if other == 0:
        raise BadSumError
    quotient = abs(one) // abs(other)
    return quotient if (one < 0) is (other < 0) else -quotient


def _power(one: int, other: int) -> int:
    if other < 0:
        raise BadSumError
    return pow(one, other, 1 << _BITS)


UNARY: dict[str, Callable[[int], int]] = {
    "-": lambda number: wrapped(-number),
    "+": lambda number: number,
    "!": lambda number: +(not number),
    "~": operator.invert,
}

_LEVELS: tuple[dict[str, Callable[[int, int], int]], ...] = (
    {"||": lambda one, other: +bool(one or other)},
    {"&&": lambda one, other: +bool(one and other)},
    {"|": operator.or_},
    {"^": operator.xor},
    {"&": operator.and_},
    {"==": operator.eq, "!=": operator.ne},
    {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge},
    {
        "<<": lambda one, other: one << (other % _BITS),
        ">>": lambda one, other: one >> (other % _BITS),
    },
    {"+": operator.add, "-": operator.sub},
    {
        "*": operator.mul,
        "/": _towards_zero,
        "%": lambda one, other: one - other * _towards_zero(one, other),
    },
    {"**": _power},
)
_ENDS = {"||": True, "&&": False}
BINARY = {
    sign: Operator(level, work, _ENDS.get(sign))
    for level, signs in enumerate(_LEVELS)
    for sign, work in signs.items()
}
TIGHTEST = len(_LEVELS)
"""Above every operator between two numbers: a sign binds tighter still."""

ASSIGNS = frozenset({"=", *(f"{sign}=" for sign in ("<<", ">>", *"+-*/%&|^"))})
