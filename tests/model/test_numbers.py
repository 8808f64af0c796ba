"""A number of a text is what a C program reads, whatever else Python would take."""

from __future__ import annotations

import pytest

from iptlint.model.numbers import (
    BEYOND,
    c_number,
    decimal,
    hexadecimal,
    is_decimal,
    leading,
    signed,
)

NONE = ("", " ", "²", "٣", "1_0", "+1", "-1", " 1", "1 ", "1.0", "1e3", "x", "0b1")
LONG = "9" * 5000


@pytest.mark.parametrize("text", NONE)
def test_what_int_takes_and_no_tool_does_is_no_number(text: str) -> None:
    assert decimal(text) is None
    assert c_number(text) is None
    assert hexadecimal(text) is None or text in ("1e3", "0b1")
    assert not is_decimal(text)


@pytest.mark.parametrize(
    ("text", "number"), [("0", 0), ("08", 8), ("65535", 65535), ("0" * 5000 + "7", 7)]
)
def test_decimal(text: str, number: int) -> None:
    assert decimal(text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("010", 8), ("08", None), ("0x1F", 31), ("0X1f", 31), ("0x", None), ("31", 31)],
)
def test_a_number_in_c_has_a_base(text: str, number: int | None) -> None:
    assert c_number(text) == number


def test_what_no_field_holds_is_one_number_and_takes_no_time() -> None:
    read = {decimal(LONG), c_number(LONG), c_number(f"0x{LONG}"), c_number(f"0{'7' * 5000}")}
    assert read == {BEYOND}
    assert hexadecimal(LONG) == BEYOND
    assert signed(f"-{LONG}") == -BEYOND


def test_a_shell_tests_numbers_with_a_sign_and_blanks() -> None:
    assert [signed(text) for text in (" -7 ", "+7", "07", "7x", "--7")] == [-7, 7, 7, None, None]


@pytest.mark.parametrize(
    ("text", "number"),
    [("10.1.26.4", 10), ("x", 0), ("", 0), ("08", 0), ("0x1fg", 31), (LONG, 2**64 - 1)],
)
def test_strtoull_takes_whatever_begins_with_a_number_and_what_does_not_is_0(
    text: str, number: int
) -> None:
    assert leading(text) == number
