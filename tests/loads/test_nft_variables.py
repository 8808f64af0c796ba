"""Where nft 1.0.6 tells what is wrong with the value of a variable."""

from __future__ import annotations

import pytest

from tests.loads.test_nft import loaded

TABLE = "define x = {}\ntable ip t {{\n chain c {{\n  {}\n }}\n}}\n"


@pytest.mark.parametrize(
    ("value", "rule", "line", "says"),
    [
        ("{ 127.0.0.1 }", "type filter hook input priority 0; policy $x", 1, "wrong policy"),
        ("{ 127.0.0.1 }", "type filter hook input priority $x;", 4, "invalid priority expression"),
        ("127.0.0.1", "type filter hook input priority $x;", 4, "invalid priority expression"),
        ("{ 1024 }", "jump $x", 1, "datatype mismatch"),
        ("10.0.0.1", "meta mark set $x", 1, "Could not parse"),
        ("10.0.0.1", "tcp dport $x", 1, "Could not parse"),
        ("{ 22, 10.0.0.1 }", "tcp dport $x", 1, "Could not parse"),
        ('"nowhere"', "ct state $x", 1, "Could not parse"),
        ("@nowhere", "ip saddr $x", 1, "No such file or directory"),
        ("{ }", "tcp dport $x", 1, "Set is empty"),
        ("{ }", "tcp dport { $x }", 4, "Set is empty"),
        ("300", "ip ttl $x", 1, "Could not parse"),
        ('"a"', "log prefix $x", 4, "syntax error"),
    ],
)
def test_a_wrong_value_is_told_in_the_definition(
    value: str, rule: str, line: int, says: str
) -> None:
    refusal = loaded(TABLE.format(value, rule)).refusals[0]
    assert (refusal.span.line, refusal.check.says) == (line, says)


def test_the_definition_says_which_line_uses_it() -> None:
    (refusal,) = loaded(TABLE.format("10.0.0.1", "meta mark set $x")).refusals
    assert refusal.cause == "`10.0.0.1` is an address, and no mark: line 4 uses it as $x"


def test_a_variable_of_a_variable_is_told_where_the_value_is_written() -> None:
    text = "define x = 10.0.0.1\n" + TABLE.format("$x", "meta mark set $y").replace(
        "define x = $x", "define y = $x"
    )
    assert loaded(text).refusals[0].span.line == 1


def test_a_name_is_defined_once() -> None:
    (refusal,) = loaded("define x = 1\ndefine x = 2\n").refusals
    assert (refusal.span.line, refusal.check.says) == (2, "redefinition of symbol 'x'")


@pytest.mark.parametrize("rule", ['log prefix "$x"', "tcp dport $x", "tcp dport { 1, $x }"])
def test_what_nft_takes_is_taken(rule: str) -> None:
    assert loaded(TABLE.format("22", rule)).taken
