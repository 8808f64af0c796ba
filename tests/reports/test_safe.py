from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iptlint.reports.safe import cut, visible, width, wrapped
from tests.costs import steps

ANY_TEXT = st.text(st.characters(codec=None), max_size=400)
ESCAPES = {chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), 0x202E, 0x2066, 0x200B, 0xFEFF)}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\tb", "a    b"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\udcff", "\\udcff"),
        ("\u202e", "\\u202e"),
        ("日本 é", "日本 é"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_widths() -> None:
    assert [width(text) for text in ("abc", "日本", "e\u0301")] == [3, 4, 1]


@given(ANY_TEXT)
def test_nothing_speaks_to_the_terminal(text: str) -> None:
    assert not ESCAPES & set(visible(text))
    visible(text).encode()


@given(ANY_TEXT, st.integers(0, 400), st.integers(0, 400), st.integers(20, 120))
def test_a_cut_line_fits_and_its_marks_are_under_it(
    text: str, start: int, end: int, columns: int
) -> None:
    start = min(start, len(text))
    end = max(start, min(end, len(text)))
    shown, left, right = cut(text, start, end, columns)
    assert width(shown) <= columns
    assert 0 <= left < right <= columns + 1
    if end > start and width(visible(text[start:end])) <= columns - 6:
        assert visible(text[start:end]) in shown
        assert right - left == max(1, width(visible(text[start:end])))


def test_a_short_line_is_left_alone() -> None:
    assert cut("-A INPUT -j DROP", 3, 8, 80) == ("-A INPUT -j DROP", 3, 8)


def test_a_long_line_is_cut_around_what_is_meant() -> None:
    shown, left, right = cut("x" * 100 + "-j DROP" + "y" * 100, 100, 107, 50)
    assert shown[left:right] == "-j DROP"
    assert shown.startswith("...")
    assert shown.endswith("...")


@pytest.mark.parametrize("start", [0, 50_000, 99_999])
def test_of_a_line_without_an_end_only_what_is_near_is_looked_at(start: int) -> None:
    """A thousand findings in one line of a megabyte took a minute."""
    text = "é" * 100_000
    cut("é" * 1_000, 500, 501, 80)
    assert steps(lambda: cut(text, start, start + 1, 80)) < 10_000


@given(ANY_TEXT, st.integers(20, 120))
def test_wrapped_lines_fit(text: str, columns: int) -> None:
    assert all(width(line) <= columns for line in wrapped(text, columns, "    "))
