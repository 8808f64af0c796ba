"""Texts in which one token is not what it was: dropped, doubled, swapped, replaced, moved."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Language:
    """How a language's text is cut into tokens, and words of it that may take another's place:
    of each group any word may stand where one of them does."""

    token: re.Pattern[str]
    groups: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Mutant:
    """``kind``: what was done; ``of``: the token it was done to."""

    text: str
    kind: str
    of: str


def mutants(text: str, language: Language, random: Random, count: int) -> Iterator[Mutant]:
    """``count`` texts, each with one change; fewer where there is nothing to change."""
    tokens = language.token.findall(text)
    places = [n for n, token in enumerate(tokens) if not token.isspace() and token[0] != "#"]
    if len(places) < 2:
        return
    for _ in range(count):
        kind, change = random.choice(_CHANGES)
        changed = list(tokens)
        place = random.choice(places)
        if change(changed, place, places, language, random):
            yield Mutant("".join(changed), kind, tokens[place])


Change = Callable[[list[str], int, list[int], Language, Random], bool]


def _drop(
    tokens: list[str], place: int, places: list[int], language: Language, random: Random
) -> bool:
    tokens[place] = ""
    return True


def _double(
    tokens: list[str], place: int, places: list[int], language: Language, random: Random
) -> bool:
    tokens[place] = f"{tokens[place]} {tokens[place]}"
    return True


def _swap(
    tokens: list[str], place: int, places: list[int], language: Language, random: Random
) -> bool:
    after = places[(places.index(place) + 1) % len(places)]
    tokens[place], tokens[after] = tokens[after], tokens[place]
    return True


def _replace(
    tokens: list[str], place: int, places: list[int], language: Language, random: Random
) -> bool:
    """By any other token of the text."""
    before = tokens[place]
    tokens[place] = tokens[random.choice(places)]
    return tokens[place] != before


def _other_word(
    tokens: list[str], place: int, places: list[int], language: Language, random: Random
) -> bool:
    """By a word of the same group, as another hook or family: the text then is well formed."""
    fitting = [(n, group) for n in places for group in language.groups if tokens[n] in group]
    if not fitting:
        return False
    n, group = random.choice(fitting)
    tokens[n] = random.choice([word for word in group if word != tokens[n]])
    return True


def _move_line(
    tokens: list[str], place: int, places: list[int], language: Language, random: Random
) -> bool:
    """The line of the token to another place, as into another chain."""
    lines = "".join(tokens).splitlines(keepends=True)
    number = "".join(tokens[:place]).count("\n")
    if len(lines) < 3 or number >= len(lines):
        return False
    line = lines.pop(number)
    lines.insert(random.randrange(len(lines) + 1), line)
    tokens[:] = lines
    return True


def _double_line(
    tokens: list[str], place: int, places: list[int], language: Language, random: Random
) -> bool:
    lines = "".join(tokens).splitlines(keepends=True)
    number = "".join(tokens[:place]).count("\n")
    if number >= len(lines):
        return False
    lines.insert(random.randrange(len(lines) + 1), lines[number])
    tokens[:] = lines
    return True


_CHANGES: Sequence[tuple[str, Change]] = (
    ("drop", _drop),
    ("double", _double),
    ("swap", _swap),
    ("replace", _replace),
    ("other word", _other_word),
    ("other word", _other_word),
    ("move line", _move_line),
    ("double line", _double_line),
)
