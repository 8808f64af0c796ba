"""Variables that a script leaves empty and, because they are, ends: its user is to fill them in."""

from __future__ import annotations

import re
from itertools import islice
from typing import NamedTuple

from iptlint.dialects.script import tree as t

_VALUE = r"\"?\$(?:\{(\w+)\}|(\w+))\"?"
_NOTHING = r"(?:\"\"|'')"
_CLOSED = r"(?:[ \t]+\]\]?)?"
_IS_EMPTY = re.compile(
    rf"(?:\[\[?|test)[ \t]+(?:(?:-z|![ \t]+-n|!)[ \t]+{_VALUE}"
    rf"|{_VALUE}[ \t]+==?[ \t]+{_NOTHING}){_CLOSED}"
)
_IS_FULL = re.compile(
    rf"(?:\[\[?|test)[ \t]+(?:(?:-n[ \t]+)?{_VALUE}|{_VALUE}[ \t]+!=[ \t]+{_NOTHING}){_CLOSED}"
)


class Wanted(NamedTuple):
    """``line``: where the script ends as long as the variable has no value; ``given``: where it is
    given none."""

    name: str
    line: int
    given: int


def wanted(file: t.ScriptFile) -> Wanted | None:
    """The first variable whose only assignment is to nothing, and without which it ends."""
    asked = ((each, name) for each in file.statements if (name := _asked_of(file, each)))
    line_of = file.source.line_of
    for statement, name in islice(asked, _TRIED):
        given = _left_empty(file.source.text[: statement.start], name)
        if given is not None:
            return Wanted(name, line_of(statement.start), line_of(given))
    return None


def _asked_of(file: t.ScriptFile, statement: t.Statement) -> str | None:
    """The variable whose emptiness ends the script here."""
    match statement:
        case t.If(branches=(t.Branch(condition=(test,), body=body), *_)) if _ends(body):
            pattern = _IS_EMPTY
        case t.Listing(first=test, rest=(("&&", last),)) if _ends((last,)):
            pattern = _IS_EMPTY
        case t.Listing(first=test, rest=(("||", last),)) if _ends((last,)):
            pattern = _IS_FULL
        case _:
            return None
    asked = pattern.fullmatch(file.source.text, test.start, test.end)
    return next(filter(None, asked.groups()), None) if asked else None


def _ends(statements: tuple[t.Statement, ...]) -> bool:
    for statement in statements:
        match statement:
            case t.Command(words=(t.Word(parts=(t.Text(text="exit"),)), *_)):
                return True
            case t.Group(body=body, subshell=False) if _ends(body):
                return True
    return False


_ASSIGNS = re.compile(r"\b(?:read|for|getopts|mapfile|printf)\b")
_TRIED = 8


def _left_empty(before: str, name: str) -> int | None:
    """Where it is given no value; None where it may get one in another place."""
    given, start = None, 0
    named, assigned = re.compile(rf"\b{name}\b"), re.compile(rf"\b{name}\+?=([^\s;#]*)")
    for line in before.splitlines(keepends=True):
        if not line.lstrip().startswith("#") and named.search(line):
            values = [*assigned.finditer(line)]
            if _ASSIGNS.search(line) or any(each[1].strip("\"'") for each in values):
                return None
            given = start + values[-1].start(1) if values else given
        start += len(line)
    return given
