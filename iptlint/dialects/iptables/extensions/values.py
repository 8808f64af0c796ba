"""Readers of arguments: the text of one argument to a value, or ``InvalidValueError``.

Each takes the text and the address family. Where a reader feeds an opaque test
or the options of a target, its value is the text iptables-save would print.
Base and ranges follow libxtables (``xtoptions.c`` of iptables 1.8.9).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from iptlint.dialects.diagnostics import InvalidValueError
from iptlint.dialects.iptables.extensions.row import Value
from iptlint.model import Family
from iptlint.model.names import LONGEST_INTERFACE
from iptlint.model.numbers import c_number, decimal

Range = tuple[int, int]


_FRACTION = re.compile(r"[ \t]*[+-]?(?:[0-9]++\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def integer(text: str, low: int, high: int) -> int:
    """A C number (decimal, 0x hexadecimal or 0 octal) from ``low`` to ``high``."""
    value = c_number(text.lstrip(" \t").removeprefix("+"))
    if value is None or not low <= value <= high:
        raise InvalidValueError(f"a number from {low} to {high}")
    return value


def number(high: int, low: int = 0) -> Value:
    return lambda text, _: integer(text, low, high)


def bits(width: int) -> Value:
    return number((1 << width) - 1)


def low_bits(width: int) -> Value:
    """A number of 32 bits, of which the kernel's own field has the lowest only."""
    top = (1 << width) - 1

    def read(text: str, _: Family) -> int:
        value = integer(text, 0, (1 << 32) - 1)
        if value > top:
            raise InvalidValueError(f"a number from 0 to {top}", becomes=value & top)
        return value

    return read


def hexadecimal(width: int, low: int = 0, high: int | None = None) -> Value:
    """A number whose canonical text is hexadecimal."""
    top = (1 << width) - 1 if high is None else high
    return lambda text, _: f"0x{integer(text, low, top):x}"


def fraction(low: float, high: float) -> Value:
    def read(text: str, _: Family) -> str:
        value = float(text) if _FRACTION.fullmatch(text) else low - 1
        if not low <= value <= high:
            raise InvalidValueError(f"a number from {low:g} to {high:g}")
        return f"{value:.11g}"

    return read


def ordered(low: int, high: int, what: str = "range") -> Range:
    """``(low, high)``; an inverted range is well formed, and refused."""
    if low > high:
        raise InvalidValueError(f"a {what} whose first number is not above its last", refused=True)
    return low, high


def span(width: int, *, inverted: bool = False) -> Value:
    """``a``, ``a:b``, ``:b`` or ``a:``. With ``inverted``, the tool takes ``5:3`` too."""
    top = (1 << width) - 1

    def read(text: str, _: Family) -> Range:
        first, colon, last = text.partition(":")
        low = integer(first, 0, top) if first else 0
        if not colon:
            return low, low
        high = integer(last, 0, top) if last else top
        return (low, high) if inverted else ordered(low, high)

    return read


def anything(text: str, _: Family) -> str:
    return text


def up_to(limit: int, what: str, *, empty: bool = False, variant: str = "") -> Value:
    """A text that the tool, or the one ``variant`` of it, cuts at ``limit`` bytes."""

    def read(text: str, _: Family) -> str:
        if not text and not empty:
            raise InvalidValueError(f"a {what} of at least one character")
        written = text.encode(errors="surrogateescape")
        if len(written) > limit:
            cut = written[:limit].decode(errors="surrogateescape")
            expected = f"a {what} of at most {limit} bytes"
            raise InvalidValueError(expected, becomes=cut, variant=variant)
        return text

    return read


def filled(text: str, _: Family) -> str:
    if not text:
        raise InvalidValueError("at least one character")
    return text


def one_of(*names: str, **synonyms: str) -> Callable[[str, Family], str]:
    """A name, in any case; the value is its canonical spelling."""
    known = {name.lower(): name for name in names} | {k.lower(): v for k, v in synonyms.items()}
    listed = ", ".join(names)

    def read(text: str, _: Family) -> str:
        if text.lower() not in known:
            raise InvalidValueError(f"one of {listed}")
        return known[text.lower()]

    return read


def exactly(*names: str) -> Callable[[str, Family], str]:
    """A name, written just so."""
    listed = ", ".join(names)

    def read(text: str, _: Family) -> str:
        if text not in names:
            raise InvalidValueError(f"one of {listed}")
        return text

    return read


def beginning(*names: str) -> Callable[[str, Family], str]:
    """A name in any case, which may be cut short: the first that begins so."""
    listed = ", ".join(names)

    def read(text: str, _: Family) -> str:
        fits = (name for name in names if text and name.lower().startswith(text.lower()))
        name = next(fits, None)
        if name is None:
            raise InvalidValueError(f"one of {listed}")
        return name

    return read


def list_of(item: Value, *, separator: str = ",", skips: bool = False) -> Value:
    """A list; the value is the sorted texts of its distinct items. ``skips``: two separators in a
    row are one, as strtok(3) has it."""

    def read(text: str, family: Family) -> tuple[object, ...]:
        parts = text.split(separator)
        read_items = {item(part, family) for part in parts if part or not skips}
        return tuple(sorted(read_items, key=show))

    return read


def show(value: object) -> str:
    """The canonical text of a value."""
    return _show_all(value) if type(value) is tuple else str(value)


def _show_all(values: Sequence[object]) -> str:
    return ",".join(show(value) for value in values)


# -- marks, names, the rest ---------------------------------------------------


def value_mask(width: int) -> Callable[[str, Family], Range]:
    """``value`` or ``value/mask``."""
    top = (1 << width) - 1

    def read(text: str, _: Family) -> Range:
        value, slash, mask = text.partition("/")
        return integer(value, 0, top), integer(mask, 0, top) if slash else top

    return read


def shown_mask(width: int) -> Value:
    pair = value_mask(width)

    def read(text: str, family: Family) -> str:
        value, mask = pair(text, family)
        return f"0x{value:x}/0x{mask:x}"

    return read


def some_interface(text: str, family: Family) -> str:
    if not text:
        raise InvalidValueError("the name of an interface", refused=True)
    return interface(text, family)


def interface(text: str, _: Family) -> str:
    if len(text.encode(errors="surrogateescape")) > LONGEST_INTERFACE:
        most = f"an interface name of at most {LONGEST_INTERFACE} characters"
        raise InvalidValueError(most, refused=True)
    return text


def is_bad_file_name(name: str) -> bool:
    """Of what the kernel shows below /proc (xt_check_proc_name)."""
    return name in ("", ".", "..") or "/" in name


def named_number(
    names: Mapping[str, int], low: int, high: int, what: str
) -> Callable[[str, Family], int]:
    """A number, or one of the names in any case."""
    known = {name.lower(): value for name, value in names.items()}

    def read(text: str, _: Family) -> int:
        if text.lower() in known:
            return known[text.lower()]
        try:
            return integer(text, low, high)
        except InvalidValueError:
            raise InvalidValueError(f"{what}: a name or a number from {low} to {high}") from None

    return read


def abbreviated(names: Mapping[str, object], text: str) -> object | None:
    """The value of the one name that starts with ``text`` in any case; None if none does."""
    start = text.lower()
    hits = [name for name in names if name.lower().startswith(start)] if text else []
    if len(hits) > 1:
        raise InvalidValueError(f"an unambiguous name (could be {' or '.join(hits)})")
    return names[hits[0]] if hits else None


def pattern(text: str, _: Family) -> str:
    """A string to search, as the hexadecimal of its bytes."""
    return _limited(text.encode(errors="surrogateescape"))


def hex_pattern(text: str, _: Family) -> str:
    """``plain|0a 0b|plain``: bytes between bars in hexadecimal."""
    pieces = text.split("|")
    if len(pieces) % 2 == 0 and not pieces[-1]:
        pieces.pop()  # a bar at the end begins nothing
    if len(pieces) % 2 == 0:
        raise InvalidValueError("hexadecimal between two bars: |0a 0b|")
    out = b""
    for index, piece in enumerate(pieces):
        out += _hex_bytes(piece) if index % 2 else _unescaped(piece)
    return _limited(out)


def _unescaped(text: str) -> bytes:
    return re.sub(r"\\(.)", r"\1", text).encode(errors="surrogateescape")


def _hex_bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise InvalidValueError("hexadecimal between two bars: |0a 0b|") from None


def _limited(value: bytes) -> str:
    if not value or len(value) > 128:
        raise InvalidValueError("a string of 1 to 128 bytes")
    return value.hex()


def rate(most: int) -> Callable[[str, Family], str]:
    """``5``, ``5/second``, ``10/min`` …, of at most so many a second; units may be cut short."""
    return lambda text, _: _rate(text, most)


def _rate(text: str, most: int) -> str:
    count, slash, unit = text.partition("/")
    name = next((name for name in _UNITS if unit and name.startswith(unit.lower())), None)
    number = _BEGINS_AS_NUMBER.match(count)
    if (slash and name is None) or number is None or not decimal(number[1]):
        raise InvalidValueError(_RATE)
    amount, name = decimal(number[1]) or 0, name or "second"
    if amount > most * _UNITS[name]:
        raise InvalidValueError(f"a rate of at most {most}/second", refused=True)
    if number.end() < len(count) or number.start(1):
        raise InvalidValueError(_RATE, becomes=f"{amount}/{name}")
    return f"{amount}/{name}"


_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_BEGINS_AS_NUMBER = re.compile(r"[ \t]*\+?0*([0-9]+)")
"""What atoi reads: the rest is not looked at."""

_RATE = "a rate: a number, a slash, and second, minute, hour or day"
