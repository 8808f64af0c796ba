"""Which known word was probably meant: difflib's answer, at the cost of a look."""

from __future__ import annotations

from difflib import get_close_matches
from random import Random

import pytest

from iptlint.dialects.nft.parsing.selectors import FIRST_WORDS
from iptlint.model.near_words import MOST_KNOWN, nearest
from tests.costs import steps

KNOWN = (*FIRST_WORDS, "accept", "drop", "reject", "jump", "counter", "prefix", "established")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("acept", "accept"),
        ("DROP", None),
        ("rejct", "reject"),
        ("", None),
        ("qqqq", None),
        ("estbalished", "established"),
        ("drop" * 100, None),
    ],
)
def test_the_word_that_was_meant(word: str, meant: str | None) -> None:
    assert nearest(word, KNOWN) == meant


def test_it_is_the_word_that_difflib_finds() -> None:
    draw = Random(5)
    for _ in range(500):
        letters = [*draw.choice(KNOWN)]
        letters[draw.randrange(len(letters))] = draw.choice("abcdeinorst")
        word = "".join(letters)
        assert nearest(word, KNOWN) == next(iter(get_close_matches(word, KNOWN, 1)), None)


def test_names_that_software_wrote_are_not_compared() -> None:
    few = [f"chain{n}" for n in range(MOST_KNOWN)]
    assert nearest("chein7", few) == "chain7"
    assert nearest("chein7", [*few, "one more"]) is None


def test_each_of_many_words_costs_a_look() -> None:
    known = [f"chain{n}" for n in range(400)]
    nearest("first", known)
    one = steps(lambda: nearest("chein70", known))
    letter_by_letter = steps(lambda: get_close_matches("chein70", known, 1))
    assert 5 * one < letter_by_letter
