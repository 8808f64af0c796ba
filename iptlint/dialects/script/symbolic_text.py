"""Text of which parts are known only when the script runs.

A value is a ``str``. What is not known of it stands there as a mark: the text that stands for
it in the script, such as ``$WAN_IP``, between two NUL characters, which no shell word has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

BLANKS = " \t\n"
"""What separates words where the script does not say otherwise."""

_LONGEST = 40
_MARK = re.compile("\0([^\0]*)\0")
WHOLE = re.compile("\0[^\0]*\0")


def mark(text: str) -> str:
    """The value that stands for something unknown, called by ``text``."""
    line = " ".join(text.replace("\0", "").split()) or "?"
    return f"\0{line if len(line) <= _LONGEST else line[:_LONGEST] + '…'}\0"


def is_known(value: str) -> bool:
    return "\0" not in value


def are_known(values: Iterable[str]) -> bool:
    """All of them, which may be many: a list that is set item by item is asked about each time."""
    return is_known("".join(values))


def shown(value: str) -> str:
    """As a person is told of it."""
    return value.replace("\0", "")


def names(value: str) -> Iterator[str]:
    """What the marks in it are called."""
    return (match[1] for match in _MARK.finditer(value))


def pieces(value: str, separators: str) -> list[str]:
    """The value split at each run of blanks, and at each other sign; nothing unknown is split."""
    if is_known(value) and separators == BLANKS:
        return value.split()
    blank = re.escape("".join(sign for sign in separators if sign in BLANKS))
    other = re.escape("".join(sign for sign in separators if sign not in BLANKS))
    if not other:
        return re.findall(f"(?:\0[^\0]*\0|[^\0{blank}])+", value) if blank else [value]
    found = re.findall(f"(?:\0[^\0]*\0|[^\0{blank}{other}])+|[{other}]", value)
    return _fields(found, other_signs=set(separators) - set(BLANKS))


def _fields(found: Sequence[str], other_signs: set[str]) -> list[str]:
    """Each sign that is no blank ends a field, which may be empty."""
    fields: list[str] = []
    ended = True
    for piece in found:
        if piece not in other_signs:
            fields.append(piece)
            ended = False
        elif ended:
            fields.append("")
        else:
            ended = True
    return fields
