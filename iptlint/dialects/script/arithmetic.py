"""``$((…))``, ``((…))``, ``let``: sums of what is known, as bash works them out.

What they set is set in the environment, and not known from there on where the sum is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from iptlint.dialects.script.arithmetic_operators import (
    ASSIGNS,
    BINARY,
    TIGHTEST,
    UNARY,
    BadSumError,
    kept,
)
from iptlint.dialects.script.environment import Environment
from iptlint.dialects.script.symbolic_text import is_known, mark
from iptlint.model.numbers import c_number, of_base, signed

_MAX_LENGTH = 200
_MOST = 1 << 63
_DEEPEST = 8
"""Variables that hold sums of variables."""

_TOKEN = re.compile(
    r"\s*(?:(?P<number>[0-9][\w#@]*)|(?P<name>[A-Za-z_]\w*)(?:\[(?P<index>[^][]*)\])?"
    r"|(?P<sign><<=|>>=|\*\*|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[-+*/%&|^~!<>=?:,()])"
    r"|(?P<unknown>\0))",
    re.ASCII,
)
_COUNT = re.compile(r"\$\{#([A-Za-z_]\w*)(?:\[([@*])\])?\}")
_VALUE = re.compile(r"\$(?:\{([A-Za-z_]\w*|[0-9]+|[#?])\}|([A-Za-z_]\w*|[0-9#?]))", re.ASCII)
_ITEM = re.compile(r"\$\{(\w+\[[^][]*\])\}", re.ASCII)
_COMMANDS = re.compile(r"\$\{[^{}]*\}|\$\([^()]*\)|`[^`]*`")
_SETS = re.compile(
    r"\b([A-Za-z_]\w*)(?:\[[^][]*\])?\s*(?:(?:<<|>>|[-+*/%&|^])?=(?!=)|\+\+|--)"
    r"|(?:\+\+|--)\s*([A-Za-z_]\w*)"
)


def calculated(text: str, environment: Environment) -> int | None:
    """The number; None where it is not known, or no sum."""
    number = _written(text)
    if number is not None:
        return number
    if len(text) > _MAX_LENGTH:
        _forget(text, environment)
        return None
    try:
        return _Sum(_expanded(text, environment), environment).value()
    except (BadSumError, RecursionError, ArithmeticError):
        _forget(text, environment)
        return None


def _forget(text: str, environment: Environment) -> None:
    """What it sets is not known from here on."""
    for before, behind in _SETS.findall(text):
        environment.set(before or behind, mark(f"${before or behind}"))


def _written(text: str) -> int | None:
    """As C writes it, or with its base; None where it is more than the shell counts to."""
    body = text.strip()
    sign, digits = (body[0], body[1:]) if body[:1] in ("-", "+") else ("", body)
    base, hashed, figures = digits.partition("#")
    if hashed:
        number = of_base(figures, signed(base) or 0)
    else:
        number = c_number(digits) if re.match(r"[0-9]", digits) else None
    if number is None or number >= _MOST:
        return None
    return -number if sign == "-" else number


def _expanded(text: str, environment: Environment) -> str:
    """With the values in the place of what a dollar sign stands before; NUL for what is unknown."""

    def item(found: re.Match[str]) -> str:
        return found[1]  # the sum finds it by itself

    def value(found: re.Match[str]) -> str:
        known = environment.text(found[1] or found[2])
        return known if is_known(known) else "\0"

    def count(found: re.Match[str]) -> str:
        held = environment.get(found[1])
        items = (held,) if isinstance(held, str) else held or ()
        if not all(map(is_known, items)):
            return "\0"
        return str(len(items) if found[2] else len(items[0]) if items else 0)

    for pattern, instead in ((_COUNT, count), (_ITEM, item), (_VALUE, value)):
        text = pattern.sub(instead, text)
    return _COMMANDS.sub("\0", text.replace('"', ""))


@dataclass(frozen=True, slots=True)
class _Place:
    """A variable, or an item of an array, that a sum reads or sets."""

    name: str
    index: str | None


@dataclass(slots=True)
class _Sum:
    """``skipped``: in how many parts it is that are not worked out (``0 && x++``); ``doubted``: in
    how many that may be or not."""

    text: str
    environment: Environment
    depth: int = 0
    at: int = 0
    skipped: int = 0
    doubted: int = 0
    token: re.Match[str] | None = field(default=None)

    def value(self) -> int | None:
        if not self.text.strip():
            return 0
        self._step()
        value = self._list()
        if self.token is not None:
            raise BadSumError
        return value

    def _step(self) -> None:
        self.token = None
        if not self.text[self.at :].strip():
            return
        self.token = _TOKEN.match(self.text, self.at)
        if self.token is None:
            raise BadSumError
        self.at = self.token.end()

    def _sign(self) -> str:
        return (self.token["sign"] or "") if self.token is not None else ""

    def _take(self, sign: str) -> None:
        if self._sign() != sign:
            raise BadSumError
        self._step()

    # -- from the loosest to the tightest ----------------------------------------------------

    def _list(self) -> int | None:
        value = self._choice()
        while self._sign() == ",":
            self._step()
            value = self._choice()
        return value

    def _choice(self) -> int | None:
        asked = self._binary(0)
        if self._sign() != "?":
            return asked
        self._step()
        first = self._part(self._list, carried_out=None if asked is None else asked != 0)
        self._take(":")
        second = self._part(self._choice, carried_out=None if asked is None else asked == 0)
        if asked is None:
            return first if first == second else None
        return first if asked else second

    def _part(self, work: Callable[[], int | None], *, carried_out: bool | None) -> int | None:
        self.skipped += carried_out is False
        self.doubted += carried_out is None
        try:
            return work()
        finally:
            self.skipped -= carried_out is False
            self.doubted -= carried_out is None

    def _binary(self, level: int) -> int | None:
        value = self._unary()
        while (sign := self._sign()) in BINARY and BINARY[sign].level >= level:
            operator = BINARY[sign]
            self._step()
            above = operator.level + (0 if sign == "**" else 1)
            goes_on = operator.goes_on(value)
            other = self._part(lambda above=above: self._binary(above), carried_out=goes_on)  # type: ignore[misc]
            value = operator.result(value, other, skips=goes_on is False or self.skipped > 0)
        return value

    def _unary(self) -> int | None:
        sign = self._sign()
        if sign in ("++", "--"):
            self._step()
            place = self._place()
            if place is None:
                raise BadSumError
            return self._set(place, kept(self._read(place), 1 if sign == "++" else -1))
        if sign in UNARY:
            self._step()
            value = self._binary(TIGHTEST)
            return None if value is None else UNARY[sign](value)
        return self._primary()

    def _primary(self) -> int | None:
        if self.token is None:
            raise BadSumError
        if self._sign() == "(":
            self._step()
            value = self._list()
            self._take(")")
            return value
        number, is_unknown = self.token["number"], self.token["unknown"] is not None
        if number is not None or is_unknown:
            self._step()
            return None if is_unknown else self._number(number)
        place = self._place()
        if place is None:
            raise BadSumError
        return self._changed(place, self._sign())

    def _number(self, digits: str) -> int:
        number = _written(digits)
        if number is None:
            raise BadSumError
        return number

    # -- variables -----------------------------------------------------------------------------

    def _place(self) -> _Place | None:
        if self.token is None or self.token["name"] is None:
            return None
        place = _Place(self.token["name"], self.token["index"])
        self._step()
        return place

    def _changed(self, place: _Place, sign: str) -> int | None:
        """What the variable has, or gets."""
        if sign in ("++", "--"):
            self._step()
            before = self._read(place)
            self._set(place, kept(before, 1 if sign == "++" else -1))
            return before
        if sign not in ASSIGNS:
            return self._read(place)
        self._step()
        value = self._choice()
        if sign != "=":
            value = BINARY[sign[:-1]].result(self._read(place), value, skips=self.skipped > 0)
        return self._set(place, value)

    def _read(self, place: _Place) -> int | None:
        text = self._text(place)
        if not is_known(text):
            return None
        number = _written(text or "0")
        if number is not None or self.depth >= _DEEPEST:
            return number
        return _Sum(text, self.environment, self.depth + 1).value()

    def _text(self, place: _Place) -> str:
        if place.index is None:
            return self.environment.text(place.name)
        return self.environment.item(place.name, self._key(place))

    def _key(self, place: _Place) -> str | None:
        assert place.index is not None
        if self.environment.has_keys(place.name):
            return place.index
        index = _Sum(place.index, self.environment, self.depth + 1).value()
        return None if index is None else str(index)

    def _set(self, place: _Place, value: int | None) -> int | None:
        if self.skipped:
            return value
        text = mark(f"${place.name}") if value is None or self.doubted else str(value)
        if place.index is None:
            self.environment.set(place.name, text)
        else:
            self.environment.set_item(place.name, self._key(place), text)
        return value
