"""What ``read``, ``mapfile`` and ``getopts`` put into variables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from iptlint.dialects.script.state import Result, Run
from iptlint.dialects.script.symbolic_text import is_known, mark, pieces
from iptlint.dialects.script.tool_calls import Call
from iptlint.model.numbers import decimal


def read(run: Run, call: Call) -> Result:
    """A line of what is known; what a person types, or a file of the host holds, is not."""
    names, array = _read_names(call.words[1:])
    if run.stdin is None or not run.stdin.is_known:
        for name in names:
            unknown = mark(f"${name}")
            run.environment.set(name, (unknown,) if array else unknown)
        return Result(None)
    whole = _ends_at_nothing(call.words)
    line = run.stdin.rest() if whole else run.stdin.line()
    if array:
        run.environment.set(names[0], tuple(pieces(line or "", run.environment.separators())))
        return Result(1 if line is None else 0)
    for name, value in zip(names, _fields(line or "", names, run), strict=True):
        run.environment.set(name, value)
    return Result(1 if line is None or whole else 0)


def _ends_at_nothing(words: Sequence[str]) -> bool:
    """``read -d ''`` reads all there is, and says that it came to the end."""
    return any(one.endswith("d") and one[:1] == "-" and not two for one, two in pairwise(words))


def mapfile(run: Run, call: Call) -> Result:
    """Lines into an array; what is more than its plain form is not known."""
    *options, name = call.words[1:] or ("MAPFILE",)
    if not re.fullmatch(r"[A-Za-z_]\w*", name):
        return Result(None)
    known = run.stdin is not None and run.stdin.is_known and options == ["-t"]
    lines = tuple(run.stdin.text.splitlines()) if run.stdin is not None and known else None
    run.environment.set(name, (mark(f"${name}"),) if lines is None else lines)
    return Result()


def _read_names(words: Sequence[str]) -> tuple[list[str], bool]:
    """The variables that `read` sets; whether it is one, and an array."""
    names: list[str] = []
    array, rest = False, iter(words)
    for word in rest:
        option = re.fullmatch(r"-[ers]*([apdintuN])(.*)", word)
        if option is None:
            names += [word] if re.fullmatch(r"[A-Za-z_]\w*", word) else []
            continue
        argument = option[2] or next(rest, "")
        if option[1] == "a":
            names, array = [argument], True
    return names or ["REPLY"], array


def _fields(line: str, names: Sequence[str], run: Run) -> list[str]:
    """One for each name; the last has all that is left."""
    separators = run.environment.separators()
    if not separators:
        return [line, *[""] * (len(names) - 1)]
    blank = "".join(sign for sign in separators if sign.isspace())
    signs = "".join(sign for sign in separators if not sign.isspace())
    blanks = f"[{re.escape(blank)}]*" if blank else ""
    sign = f"[{re.escape(signs)}]?" if signs else ""
    field = re.compile(f"([^{re.escape(separators)}]*)({blanks}{sign}{blanks})")
    rest, fields = line.strip(blank), []
    for _ in names[1:]:
        match = field.match(rest)
        assert match is not None
        fields.append(match[1])
        rest = rest[match.end() :]
    only = field.fullmatch(rest)  # a sign behind the last field ends it
    return [*fields, rest if only is None else only[1]]


def getopts(run: Run, call: Call) -> Result:
    """The next option of the arguments; of those that nobody has said there is none."""
    environment = run.environment
    if len(call.words) < 3:
        return Result(2)
    letters, name = call.words[1:3]
    given = call.words[3:] or environment.arguments
    if not all(map(is_known, (letters, *given))):
        for each in (name, "OPTARG", "OPTIND"):
            environment.set(each, mark(f"${each}"))
        return Result(None)
    place = _Place(decimal(environment.text("OPTIND")) or 1, environment.forms.get(_AT, ""))
    option, argument, place = _next_option(letters, given, place)
    environment.set("OPTIND", str(place.at))
    environment.forms[_AT] = place.rest
    environment.set(name, option or "?")
    environment.set("OPTARG", argument or "")
    return Result(0 if option else 1)


class _Place(NamedTuple):
    """The word that is looked at next, from 1 on; ``rest``: letters of the one before that are
    left."""

    at: int
    rest: str


_AT = "getopts"


def _next_option(
    letters: str, given: Sequence[str], place: _Place
) -> tuple[str, str | None, _Place]:
    """The letter, what belongs to it, and where the next is; no letter at the end."""
    index, rest = place
    if not rest:
        word = given[index - 1] if index <= len(given) else ""
        if word == "--" or not word.startswith("-") or word == "-":
            return "", None, _Place(index + (word == "--"), "")
        index, rest = index + 1, word[1:]
    letter, rest = rest[0], rest[1:]
    at = letters.find(letter)
    silent = letters.startswith(":")
    if at < 0 or letter == ":":
        return "?", letter if silent else None, _Place(index, rest)
    if letters[at + 1 : at + 2] != ":":
        return letter, None, _Place(index, rest)
    if rest:
        return letter, rest, _Place(index, "")
    if index > len(given):
        return ":" if silent else "?", letter if silent else None, _Place(index, "")
    return letter, given[index - 1], _Place(index + 1, "")
