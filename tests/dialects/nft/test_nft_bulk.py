"""What is read of a very long set at once is what is read of it element by element."""

from __future__ import annotations

import pytest

from iptlint.dialects.nft.lowering import datatypes as d
from iptlint.dialects.nft.lowering.set_contents import plain_ranges
from iptlint.dialects.nft.parsing.bulk import PlainElements


def of(*elements: str, between: str = ", ") -> PlainElements:
    text = f"elements = {{ {between.join(elements)} }}"
    held = PlainElements.at(text, text.index("{"))
    assert held is not None
    return held


HOSTS = [f"192.0.{number}.7" for number in range(60)]


@pytest.mark.parametrize("between", [", ", ",", " ,\n\t\t"])
def test_dotted_addresses_are_numbers(between: str) -> None:
    numbers = [192 << 24 | number << 8 | 7 for number in range(60)]
    assert [*(of(*HOSTS, between=between).dotted() or ())] == numbers
    assert plain_ranges(of(*HOSTS, between=between), (d.IPV4,)) == [(n, n) for n in numbers]


@pytest.mark.parametrize(
    ("other", "ranges"),
    [
        ("10.0.0.0/8", [(10 << 24, (11 << 24) - 1)]),
        ("10.0.0.1-10.0.0.9", [(10 << 24 | 1, 10 << 24 | 9)]),
        ("10.0.0.0/33", None),
        ("10.0.0.256", None),
        ("2001:db8::1", None),
        ("167772161", None),
        ("10.0.0.010", [(10 << 24 | 8, 10 << 24 | 8)]),
    ],
)
def test_one_that_is_none_is_read_by_itself(
    other: str, ranges: list[tuple[int, int]] | None
) -> None:
    held = of(*HOSTS, other)
    hosts = plain_ranges(of(*HOSTS), (d.IPV4,)) or []
    assert plain_ranges(held, (d.IPV4,)) == (None if ranges is None else hosts + ranges)
