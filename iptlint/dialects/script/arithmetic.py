"""``$((…))``: sums of what is known."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable

from iptlint.dialects.script.environment import Environment

_NUMBER = re.compile(r"\s*[+-]?\d{1,18}\s*")
_NAME = re.compile(r"\$?\{?\b([A-Za-z_]\w*|(?<=\$)[\d#])\}?")
_BINARY: dict[type[ast.AST], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
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


def calculated(text: str, environment: Environment) -> int | None:
    """The number; None where it is not known, or not as simple as people write it."""
    if _NUMBER.fullmatch(text):
        return int(text)
    if len(text) > _MAX_LENGTH:
        return None
    named = _NAME.sub(lambda number: _value(number[1], environment), text)
    try:
        return _number(ast.parse(named.replace("&&", " and ").strip(), mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, OverflowError, MemoryError):
        return None


def _value(name: str, environment: Environment) -> str:
    number = environment.text(name) or "0"
    return f"({number})" if _NUMBER.fullmatch(number) else "?"


def _number(node: ast.expr) -> int | None:
    match node:
        case ast.Constant(value=int(value)):
            return int(value)
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
    number = int(combine(one, other))
    return number if abs(number) < 1 << 63 else None


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
