"""An expression that a hostile script looks for keeps nobody waiting, and what people write is
read."""

from __future__ import annotations

import pytest

from iptlint.dialects.script.backtracking import UnboundedError, ways_of
from iptlint.dialects.script.regular import regular
from tests.costs import at_most

IPV4 = r"^([0-9]{1,3}\.){3}[0-9]{1,3}(/[0-9]{1,2})?$"


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(a|a)*b", "a" * 40),
        ("(a|aa)*b", "a" * 60),
        ("(a|b|ab)*c", "ab" * 30),
        ("((a|b){1,9}){1,9}c", "ab" * 30),
        ("(x+x+)+y", "x" * 40),
        ("(a?a?)*b", "a" * 40),
        ("a?" * 60 + "a" * 60, "a" * 60),
        ("(a?){40}b", "a" * 40),
        ("(a{0,3}){30}b", "a" * 60),
        (".*.*.*.*=.*", "x" * 60),
        ("[a-z]{0,60}" * 5 + "1", "a" * 300),
        ("(" * 30 + "a?" + "){64}" * 30, "a" * 60),
        ("(" * 30 + "a*" + "){64}" * 30, "a" * 60),
        ("a*" * 90 + "b", "a" * 1000),
    ],
)
def test_what_could_be_tried_in_many_ways_is_not_looked_for(pattern: str, text: str) -> None:
    with at_most(1):
        found = regular(pattern)
        if found is not None:
            with pytest.raises(LookupError):
                found.search(text)


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        (IPV4, "192.168.100.200/24", True),
        (IPV4, "192.168.100", False),
        ("([a-f0-9]{2}:){5}[a-f0-9]{2}", "link/ether 02:42:ac:11:00:02", True),
        ("^[^#]*:[^:]+$", "a:b" * 30, True),
        ("^(1|yes|true)$", "yes", True),
        ("^[a-z]+-?[0-9]*$", "eth0", True),
    ],
)
def test_what_people_write_is_looked_for(pattern: str, text: str, fits: bool) -> None:
    found = regular(pattern)
    assert found is not None
    assert (found.search(text) is not None) is fits


@pytest.mark.parametrize("pattern", ["a+?b", "a*+", "a{2}?"])
def test_what_is_repeated_twice_is_not_read(pattern: str) -> None:
    """Python takes `+?` for as few as can be, POSIX for any number, or none."""
    assert regular(pattern) is None


def test_ways_are_counted() -> None:
    assert ways_of(["a", "?", "b", "?"]) == (0, 4)
    assert ways_of(["(", "a", "|", "b", ")", "{2}"]) == (0, 4)
    assert ways_of(["(", "a", "+", "b", ")", "{3}"]) == (3, 1)
    assert ways_of(["a", "*", "b"]).on("aaaa") == 15
    with pytest.raises(UnboundedError):
        ways_of(["(", "a", "|", "b", ")", "*"])
