"""``$((…))``: sums of what is known."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable

from iptlint.dialects.script.environment import Environment
from iptlint.dialects.script.symbolic_text import is_known
from iptlint.model.numbers import c_number

_NUMBER = re.compile(r"\s*([+-]?)([0-9][0-9A-Za-z]*)\s*")
_COUNT = re.compile(r"\$\{#([A-Za-z_]\w*)\[[@*]\]\}")
_NAME = re.compile(r"\$?\{?\b([A-Za-z_]\w*|(?<=\$)[0-9#])\}?", re.ASCII)


def _towards_zero(one: int, other: int) -> int:
    """As C divides."""
    quotient = abs(one) // abs(other)
    return quotient if (one < 0) is (other < 0) else -quotient


_BINARY: dict[type[ast.AST], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: _towards_zero,
    ast.Mod: lambda one, other: one - other * _towards_zero(one, other),
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}

_MAX_LENGTH = 200
_MOST = 1 << 63


def calculated(text: str, environment: Environment) -> int | None:
    """The number; None where it is not known, or not as simple as people write it."""
    number = _written(text)
    if number is not None:
        return number
    if len(text) > _MAX_LENGTH:
        return None
    counted = _COUNT.sub(lambda found: _count(found[1], environment), text)
    named = _NAME.sub(lambda number: _value(number[1], environment), counted)
    try:
        return _number(ast.parse(named.replace("&&", " and ").strip(), mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, ArithmeticError, MemoryError):
        return None


def _written(text: str) -> int | None:
    """As C writes it; None where it is more than the shell counts to."""
    match = _NUMBER.fullmatch(text)
    number = c_number(match[2]) if match else None
    if match is None or number is None or number >= _MOST:
        return None
    return -number if match[1] == "-" else number


def _count(name: str, environment: Environment) -> str:
    """How many items the array has."""
    value = environment.get(name)
    items = (value,) if isinstance(value, str) else value or ()
    return str(len(items)) if all(map(is_known, items)) else "?"


def _value(name: str, environment: Environment) -> str:
    number = _written(environment.text(name) or "0")
    return "?" if number is None else f"({number})"


def _number(node: ast.expr) -> int | None:
    match node:
        case ast.Constant(value=bool()):
            return None
        case ast.Constant(value=int() as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            negated = _number(operand)
            return None if negated is None else -negated
        case ast.BinOp(left=left, op=op, right=right):
            return _both(type(op), left, right)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _both(type(op), left, right)
        case _:
            return None


def _both(which: type[ast.AST], left: ast.expr, right: ast.expr) -> int | None:
    one, other = _number(left), _number(right)
    combine = _BINARY.get(which)
    if combine is None or one is None or other is None:
        return None
    number = +combine(one, other)
    return number if abs(number) < _MOST else None


def step(text: str, environment: Environment) -> bool:
    """Carry out ``i++``, ``i=0``, ``i+=2``; false where it is anything else."""
    match = re.fullmatch(r"\s*([A-Za-z_]\w*)\s*(\+\+|--|[+*-]?=)\s*(.*?)\s*", text, re.DOTALL)
    if match is None:
        return False
    name, sign, rest = match.groups()
    form = {"++": f"{name}+1", "--": f"{name}-1", "=": rest}.get(sign, f"{name}{sign[0]}({rest})")
    value = calculated(form, environment)
    if value is None:
        return False
    environment.set(name, str(value))
    return True
