"""What ``${x%…}``, ``${x/…/…}``, ``${x^^}`` and their like make of a value that is known."""

from __future__ import annotations

import re
from collections.abc import Callable

from iptlint.dialects.script.globs import glob
from iptlint.dialects.script.symbolic_text import is_known


def cut(value: str, pattern: re.Pattern[str], *, front: bool, longest: bool) -> str:
    ends = range(len(value) + 1)
    for end in reversed(ends) if longest == front else ends:
        piece = value[:end] if front else value[end:]
        if pattern.fullmatch(piece):
            return value[end:] if front else value[:end]
    return value


def replaced(argument: str, value: str, operator: str) -> str | None:
    """``argument``: the pattern and what takes its place, with a slash between them; a ``#`` or
    ``%`` before the pattern has it fit at the front only, or at the end."""
    anchor = argument[:1] if operator == "/" and argument[:1] in ("#", "%") else ""
    old, _, new = argument[len(anchor) :].partition("/")
    if anchor and not old:
        return new + value if anchor == "#" else value + new
    pattern = glob((old, False)) if is_known(argument) and old else None
    if pattern is None:
        return None
    if anchor:
        kept = cut(value, pattern, front=anchor == "#", longest=True)
        if kept == value and not pattern.fullmatch(""):
            return value
        return new + kept if anchor == "#" else kept + new
    return pattern.sub(lambda _: new, value, count=0 if operator == "//" else 1)


def _changed_where(
    pattern: re.Pattern[str], value: str, change: Callable[[str], str], *, everywhere: bool
) -> str:
    """The characters that the pattern fits, in the other case; no pattern fits all."""
    any_character = not pattern.pattern
    head = value if everywhere else value[:1]
    changed = "".join(change(c) if any_character or pattern.fullmatch(c) else c for c in head)
    return changed + value[len(head) :]


EDITS: dict[str, Callable[[re.Pattern[str], str], str]] = {
    "%": lambda pattern, value: (
        cut(value, pattern, front=False, longest=False) if not pattern.fullmatch("") else value
    ),
    "%%": lambda pattern, value: cut(value, pattern, front=False, longest=True),
    "#": lambda pattern, value: cut(value, pattern, front=True, longest=False),
    "##": lambda pattern, value: cut(value, pattern, front=True, longest=True),
    "/": lambda _, value: value,
    "//": lambda _, value: value,
    "^^": lambda pattern, value: _changed_where(pattern, value, str.upper, everywhere=True),
    ",,": lambda pattern, value: _changed_where(pattern, value, str.lower, everywhere=True),
    "^": lambda pattern, value: _changed_where(pattern, value, str.upper, everywhere=False),
    ",": lambda pattern, value: _changed_where(pattern, value, str.lower, everywhere=False),
}
