"""The options of small programs: letters, some of them with a word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from iptlint.model.numbers import is_decimal


@dataclass(frozen=True, slots=True)
class Options:
    """``flags``: letters alone, and numbers (``-5``); ``values``: letters with what belongs to
    them, on lines of their own where one is given several times."""

    flags: frozenset[str]
    values: dict[str, str]
    operands: tuple[str, ...]


_LONG = {
    "--quiet": "-q",
    "--silent": "-q",
    "--invert-match": "-v",
    "--ignore-case": "-i",
    "--extended-regexp": "-E",
    "--fixed-strings": "-F",
    "--count": "-c",
    "--only-matching": "-o",
    "--regexp-extended": "-E",
    "--unique": "-u",
    "--numeric-sort": "-n",
    "--no-messages": "-s",
}


def options(words: Sequence[str], with_value: str) -> Options | None:
    """None where one is written otherwise. ``with_value``: the letters that take a word."""
    flags: set[str] = set()
    values: dict[str, str] = {}
    operands: list[str] = []
    rest = list(words)
    while rest:
        word = _LONG.get(rest[0], rest[0])
        del rest[0]
        if word == "--":
            operands += rest
            break
        if not word.startswith("-") or word == "-":
            operands.append(word)
        elif is_decimal(word[1:]):
            flags.add(word[1:])
        elif word.startswith("--") or not _short(word[1:], rest, flags, values, with_value):
            return None
    return Options(frozenset(flags), values, tuple(operands))


def _short(
    letters: str, rest: list[str], flags: set[str], values: dict[str, str], with_value: str
) -> bool:
    """Whether each letter has what it takes, and nothing is lacking."""
    for at, letter in enumerate(letters):
        if letter not in with_value:
            flags.add(letter)
            continue
        glued = letters[at + 1 :]
        if not (glued or rest):
            return False
        value = glued or rest.pop(0)
        values[letter] = f"{values[letter]}\n{value}" if letter in values else value
        return True
    return True
