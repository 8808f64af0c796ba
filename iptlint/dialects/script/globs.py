"""Patterns of the shell, as regular expressions that take no longer than their text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from iptlint.dialects.script.regular import CLASSES

_SPECIAL = re.compile(r"[\\\[&~|]")
"""What a set of characters of a regular expression may take for more than itself."""
_LISTED = re.compile(r"\[([!^]?)(\]?(?:\[:\w+:\]|[^\]])+)\]")
_NAMED = re.compile(r"\[:(\w+):\]")
_HOLDER = "\ue000"
_EXTENDED = re.compile(r"[@?*+!]\(")
"""Where a group of bash's extglob begins: what it takes is not worked out."""


def glob(*parts: tuple[str, bool]) -> re.Pattern[str] | None:
    """Of texts and whether each is quoted, where nothing is special; None where it is none."""
    if any(_EXTENDED.search(text) for text, quoted in parts if not quoted):
        return None
    between = [""]
    for text, quoted in parts:
        first, *others = [re.escape(text)] if quoted else _between_asterisks(text)
        between[-1] += first
        between += others
    try:
        return re.compile("".join(_joined(between)), re.DOTALL)
    except re.error:
        return None


def _between_asterisks(text: str) -> list[str]:
    between, at = [""], 0
    while at < len(text):
        character = text[at]
        at += 1
        listed = _LISTED.match(text, at - 1) if character == "[" else None
        if character == "*":
            between.append("")
        elif character == "?":
            between[-1] += "."
        elif listed is not None and not set(_NAMED.findall(listed[2])) - CLASSES.keys():
            inside = _SPECIAL.sub(r"\\\g<0>", _NAMED.sub(_HOLDER, listed[2]))
            for name in _NAMED.findall(listed[2]):
                inside = inside.replace(_HOLDER, CLASSES[name], 1)
            between[-1] += f"[{'^' if listed[1] else ''}{inside}]"
            at = listed.end()
        else:
            between[-1] += re.escape(character)
    return between


def _joined(between: Sequence[str]) -> Iterator[str]:
    """The first place where a piece fits is as good as any other, and no other is tried."""
    first, *middle = between
    yield first
    if middle:
        *middle, last = middle
        yield from (f"(?>.*?{piece})" for piece in middle if piece)
        yield f".*{last}"
