"""Text from a file, made safe for a terminal.

An escape sequence in a comment must not reach the terminal, a direction mark must
not turn a rule around, and what is underlined must be under it: so every
character has a visible form whose width is known.
"""

from __future__ import annotations

import textwrap
from unicodedata import category, combining, east_asian_width

_TAB = "    "
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def visible(text: str) -> str:
    """The text with nothing in it that a terminal would act upon."""
    return text if text.isascii() and text.isprintable() else "".join(map(_visible, text))


def is_hidden(character: str) -> bool:
    """Whether something acts upon it, or nothing shows it."""
    return category(character) in _HIDDEN


def _visible(character: str) -> str:
    if character == "\t":
        return _TAB
    if not is_hidden(character):
        return character
    return f"\\x{ord(character):02x}" if ord(character) < 0x100 else ascii(character)[1:-1]


def width(text: str) -> int:
    """Columns that a visible text takes."""
    return len(text) if text.isascii() else sum(map(_width, text))


def _width(character: str) -> int:
    if combining(character) or category(character) in ("Mn", "Me"):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def wrapped(text: str, columns: int, indent: str = "") -> list[str]:
    """Lines of at most ``columns`` columns; ``indent`` stands before all but the first."""
    text = visible(text)
    # textwrap counts characters. Where some take two columns, half as many surely fit.
    fitting = columns if width(text) == len(text) else columns // 2
    return textwrap.wrap(
        text, fitting, subsequent_indent=indent, break_on_hyphens=False, drop_whitespace=True
    ) or [""]


def cut(text: str, start: int, end: int, columns: int) -> tuple[str, int, int]:
    """The part of a line around ``text[start:end]`` that fits.

    Returns what to print, and the columns (from 0, half-open) of what is underlined.
    """
    start, end = min(start, len(text)), min(end, len(text))
    near = range(len(text))[max(0, start - _NEAR * columns) : start + _NEAR * columns]
    cells = [visible(text[place]) for place in near]
    start, end = start - near.start, min(end, near.stop) - near.start
    whole = len(near) == len(text)
    first, last = _window([width(cell) for cell in cells], start, end, columns, whole=whole)
    before = "..." if near.start + first > 0 else ""
    after = "..." if near.start + last < len(text) else ""
    shown = before + "".join(cells[first:last]) + after
    left = width(before + "".join(cells[first:start]))
    under = width("".join(cells[start : min(end, last)]))
    return shown, left, left + max(1, under)


_NEAR = 4
"""Characters looked at on each side for each column: many lines are of megabytes, and of the
characters few have no width."""


def _window(
    widths: list[int], start: int, end: int, columns: int, *, whole: bool
) -> tuple[int, int]:
    """The characters to show: all, where they are the ``whole`` line, or as many around ``start``
    as leave room for dots."""
    if whole and sum(widths) <= columns:
        return 0, len(widths)
    room = columns - 2 * len("...")
    last, room = _fill(widths, range(start, end), room)
    first, room = _fill(widths, range(start - 1, -1, -1), room)
    last, room = _fill(widths, range(last, len(widths)), room)
    return first, last


def _fill(widths: list[int], order: range, room: int) -> tuple[int, int]:
    """Takes characters in order while there is room: where it stopped, and the room left."""
    for index in order:
        if widths[index] > room:
            return (index, room) if order.step > 0 else (index + 1, room)
        room -= widths[index]
    return (order.stop, room) if order.step > 0 else (order.stop + 1, room)
