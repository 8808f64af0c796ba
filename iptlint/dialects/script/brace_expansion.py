"""``{a,b}`` and ``{1..3}``, which make several words of one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from iptlint.dialects.script import tree as t
from iptlint.model.numbers import signed

MAX_BRACES = 1000
_GROUP = re.compile(r"\{([^{}]*)\}")
_STEPS = re.compile(r"(-?[0-9]+|[a-zA-Z])\.\.(-?[0-9]+|[a-zA-Z])(?:\.\.(-?[0-9]+))?")
_HELD = 0xE000


class TooManyError(Exception):
    """More words than ``MAX_BRACES``."""


def braces(word: t.Word) -> list[t.Word]:
    """``{a,b}`` and ``{1..3}`` make several words of one."""
    if not any(isinstance(p, t.Text) and not p.quoted and "{" in p.text for p in word.parts):
        return [word]
    form = "".join(
        part.text if isinstance(part, t.Text) and not part.quoted else chr(_HELD + index)
        for index, part in enumerate(word.parts)
    )
    made = _unbraced(form)
    if made == [form]:
        return [word]
    return [replace(word, parts=tuple(_parts(text, word))) for text in made]


def _unbraced(form: str) -> list[str]:
    """The innermost group first, until there is none."""
    done: list[str] = []
    todo = [(form, 0)]
    while todo:
        if len(done) + len(todo) > MAX_BRACES:
            raise TooManyError
        text, at = todo.pop()
        match = _GROUP.search(text, at)
        if match is None:
            done.append(text)
            continue
        choices = _choices(match[1])
        if choices is None:
            todo.append((text, match.end()))
            continue
        before, after = text[: match.start()], text[match.end() :]
        todo += [(before + choice + after, 0) for choice in reversed(choices)]
    return done


def _choices(inside: str) -> list[str] | None:
    """What is between braces, one by one; None where they are plain characters."""
    steps = _STEPS.fullmatch(inside)
    if steps is None:
        return inside.split(",") if "," in inside else None
    first, last = steps[1], steps[2]
    low, high = signed(first), signed(last)
    numeric = low is not None and high is not None
    if low is None or high is None:
        if len(first) > 1 or len(last) > 1:
            return None
        low, high = ord(first), ord(last)
    step = max(1, abs(signed(steps[3] or "1") or 1))
    if abs(high - low) // step >= MAX_BRACES:
        raise TooManyError
    numbers = range(low, high + 1, step) if low <= high else range(low, high - 1, -step)
    width = max(map(len, (first, last))) if first.startswith("0") and len(first) > 1 else 0
    return [str(n).zfill(width) if numeric else chr(n) for n in numbers]


def _parts(text: str, word: t.Word) -> Iterator[t.Part]:
    for piece in re.findall("[\ue000-\uf8ff]|[^\ue000-\uf8ff]+", text):
        index = ord(piece[0]) - _HELD
        if 0 <= index < len(word.parts):
            yield word.parts[index]
        else:
            yield t.Text(piece, start=word.start, end=word.end)
