"""Lines that end as on Windows: nft 1.0.6 takes the carriage return in a comment only."""

from __future__ import annotations

import pytest

from iptlint.dialects.nft.parser import parse
from iptlint.source import SourceFile, Span


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("table ip t {\r\n}\r\n", 1),
        ("#!/usr/sbin/nft -f\r\n\r\nflush ruleset\r\n", 2),
        ("# rules\r\ntable ip t { # of the house\r\n}\r\n", 3),
        ("# rules\r\ntable ip t {\n}\n", 0),
    ],
)
def test_the_first_line_that_is_refused_is_told(text: str, line: int) -> None:
    source = SourceFile("x.nft", text)
    lines = [Span(source, d.start, d.end).line for d in parse(source).diagnostics]
    assert lines == [line][: bool(line)]
