"""Texts that somebody may have written to break a reader: mutants of good ones, by a seed.

The same seed makes the same mutant on every machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from copy import deepcopy
from random import Random
from typing import Any

from iptlint.model.numbers import signed

NUMBERS = (
    *("0", "-1", "+1", "08", "0x", "0x1g", "٣", "²", "1_0", "1e9", "nan", "4294967296"),
    *("18446744073709551616", "9" * 40, "9" * 5000, "0" * 300 + "1", "1..9", "{1..9999999999}"),
)
ODD = ("\0", "\r", "\r\r\n", "\ufeff", "\u202e", "\x1b]0;x\x07", "\udcff", "é", "\\", "\\\n", "\t")
SIGNS = (*"!{}()[]<>|&;,:.-=+*/@$#\"'`~^%?", "\n", " ", "$(", "${", "$((", "<<", "||", "&&")

Mutate = Callable[[str, Random, Sequence[str]], str]


def _piece(text: str, draw: Random) -> tuple[int, int]:
    start = draw.randrange(len(text) + 1)
    return start, min(len(text), start + draw.choice((0, 1, 2, 5, 20, 200)))


def _another(text: str, draw: Random, words: Sequence[str], choices: Sequence[str] = ()) -> str:
    start, end = _piece(text, draw)
    return text[:start] + draw.choice(choices or words) + text[end:]


def _number(text: str, draw: Random, _: Sequence[str]) -> str:
    places = [*re.finditer(r"[0-9]+", text)]
    if not places:
        return text + draw.choice(NUMBERS)
    place = draw.choice(places)
    return text[: place.start()] + draw.choice(NUMBERS) + text[place.end() :]


def _word(text: str, draw: Random, words: Sequence[str]) -> str:
    places = [*re.finditer(r"\S+", text)]
    if not places:
        return draw.choice(words)
    place = draw.choice(places)
    return text[: place.start()] + draw.choice(words) + text[place.end() :]


def _lines(text: str, draw: Random, _: Sequence[str]) -> str:
    lines = text.splitlines(keepends=True) or [""]
    first, second = draw.randrange(len(lines)), draw.randrange(len(lines))
    draw.choice(
        (
            lambda: lines.insert(second, lines[first]),
            lambda: lines.pop(first),
            lambda: lines.__setitem__(first, lines[first] * draw.choice((2, 50))),
            lambda: lines.__setitem__(slice(first, second), []),
        )
    )()
    return "".join(lines)


def _nested(text: str, draw: Random, _: Sequence[str]) -> str:
    start, end = _piece(text, draw)
    opening, closing = draw.choice((("{", "}"), ("(", ")"), ("$(", ")"), ("[", "]"), ("if :;", "")))
    times = draw.choice((1, 3, 300))
    return text[:start] + opening * times + text[start:end] + closing * times + text[end:]


MUTATIONS: tuple[Mutate, ...] = (
    _another,
    _word,
    _word,
    _number,
    _number,
    _lines,
    _nested,
    lambda text, draw, words: _another(text, draw, words, ODD),
    lambda text, draw, words: _another(text, draw, words, SIGNS),
    lambda text, draw, words: _another(text, draw, words, SIGNS),
)


def mutant(text: str, draw: Random, words: Sequence[str]) -> str:
    """The text with one to six changes; ``words``: what may be put into it."""
    for _ in range(draw.choice((1, 1, 2, 3, 6))):
        text = draw.choice(MUTATIONS)(text, draw, words)
    return text


# -- JSON -------------------------------------------------------------------------

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1 << 70, 1.5, 1e400, "", "x", "²", "@", "*", "10.0.0.1/33", "0x5"),
    *(
        [],
        {},
        [[]],
        [None],
        {"x": 1},
        ["a", "b"],
        "accept",
        "tcp",
        "@blocked",
        "\x1b[31m",
        "\udcff",
    ),
    *({"range": [1]}, {"prefix": {"addr": "::", "len": -1}}, {"set": [{"concat": []}]}),
    *({"meta": {"key": "x"}}, {"payload": {"protocol": "tcp", "field": "x"}}, {"|": []}),
    *({"elem": {"val": 1, "timeout": "x"}}, {"map": {"key": 1, "data": 2}}, {"drop": None}),
)


def json_mutant(text: str, draw: Random) -> str:
    """Well formed, and other values where a listing has its own."""
    whole = json.loads(text, parse_int=signed)
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        places = [*_places(whole)]
        if not places:
            break
        holder, key = draw.choice(places)
        _change(holder, key, draw, places)
    return json.dumps(whole)


def _places(value: Any) -> Any:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(items):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


def _change(holder: Any, key: Any, draw: Random, places: Sequence[tuple[Any, Any]]) -> None:
    other, where = draw.choice(places)
    match draw.randrange(6):
        case 0:
            del holder[key]
        case 1:
            holder[key] = json.loads(json.dumps(other[where]))
        case 2 if isinstance(holder, dict):
            holder[str(where)] = holder.pop(key)
        case 3 if isinstance(holder, list):
            holder.insert(key, json.loads(json.dumps(holder[key])))
        case _:
            holder[key] = deepcopy(draw.choice(VALUES))
