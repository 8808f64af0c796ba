"""Patterns of the shell: what bash's ``case`` says, in no more time than the text takes."""

from __future__ import annotations

import warnings

import pytest

from iptlint.dialects.script.globs import glob


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("*", "", True),
        ("a*b*c", "axxbxxbc", True),
        ("a*b*c", "axxbxxb", False),
        ("*a*a", "aa", True),
        ("*a*a", "a", False),
        ("a?c*", "abc", True),
        ("[!a]*", "b", True),
        ("[!a]*", "a", False),
        ("*.[0-9]", "x.7", True),
        ("[[x]", "[", True),
        ("[a&&b]", "&", True),
        ("[a-", "[a-", True),
        ("*.v4*", "rules.v4.v4.old", True),
    ],
)
def test_a_pattern_takes_what_the_shell_takes(pattern: str, text: str, fits: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        form = glob((pattern, False))
    assert form is not None
    assert (form.fullmatch(text) is not None) is fits


def test_what_is_quoted_is_itself() -> None:
    form = glob(("*", False), ("*", True), ("b", False))
    assert form is not None
    assert form.fullmatch("xx*b")
    assert not form.fullmatch("xxb")


def test_a_range_that_is_none_is_no_pattern() -> None:
    assert glob(("[z-a]", False)) is None
