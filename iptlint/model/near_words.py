"""What a word that nobody knows was probably meant to be.

A file may hold a hundred thousand of them, each another: so few are compared letter by letter, and
those that have the most letters in common first.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache
from heapq import nlargest
from itertools import islice
from typing import NamedTuple

_LONGEST = 64
"""Longer words are no slips of the pen."""

MOST_KNOWN = 500
"""Whoever names more things has software that writes their names."""

_MOST_COMPARED = 12
"""Of the known words, those with the most letters in common."""


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known word that is spelled much like this one, as difflib measures it."""
    words = tuple(islice(known, MOST_KNOWN + 1))
    if len(word) > _LONGEST or len(words) > MOST_KNOWN:
        return None
    alike = _letters_of(words).sharing(word, cutoff)
    return next(iter(get_close_matches(word, alike, 1, cutoff)), None)


class _Known(NamedTuple):
    bits: dict[tuple[str, int], int]
    """For each letter, and each time that one word has it, a bit of its own."""
    letters: tuple[tuple[int, int, str], ...]
    """Of each word the bits, the length, and the word."""

    def sharing(self, word: str, cutoff: float) -> list[str]:
        """The words that have the most letters in common with this one, and enough."""
        mine, size = _letters(word, self.bits), len(word)
        shares = (
            (2 * (mine & letters).bit_count() / (size + length), other)
            for letters, length, other in self.letters
            if size + length
        )
        near = (each for each in shares if each[0] >= cutoff)
        return [other for _, other in nlargest(_MOST_COMPARED, near)]


@lru_cache(64)
def _letters_of(known: tuple[str, ...]) -> _Known:
    bits: dict[tuple[str, int], int] = {}
    for word in known:
        for letter in set(word):
            for time in range(word.count(letter)):
                bits.setdefault((letter, time), 1 << len(bits))
    return _Known(bits, tuple((_letters(word, bits), len(word), word) for word in known))


def _letters(word: str, bits: dict[tuple[str, int], int]) -> int:
    return sum(
        bits.get((letter, time), 0) for letter in set(word) for time in range(word.count(letter))
    )
