"""A message says where it cuts what it quotes."""

from __future__ import annotations

import pytest

from iptlint.dialects.decode import decode
from iptlint.linter.run import lint
from iptlint.model.quotes import one_line, shortened
from iptlint.reports.text import text_report
from tests.costs import at_most


@pytest.mark.parametrize(
    "message",
    [
        "`--dport 70000` is no port",
        "/" + "d/" * 99,
        "word " * 500,
        "a list: `" + "10.0.0.1, " * 50 + "`",
    ],
)
def test_what_fits_is_left_alone(message: str) -> None:
    assert shortened(message) == message


def test_of_a_long_word_its_beginning_is_quoted() -> None:
    assert shortened(f"`{'9' * 5000}` is no port") == f"`{'9' * 100}…` is no port"


def test_of_a_long_quote_its_beginning_is_quoted() -> None:
    assert shortened(f"`{'x ' * 5000}` is refused") == f"`{'x ' * 150}…` is refused"


def test_a_megabyte_is_cut_at_once() -> None:
    with at_most(2):
        assert len(shortened("`" + "9" * 1_000_000)) < 200
        assert len(shortened("`" * 1_000_000)) == 1_000_000
        assert len(shortened("` " * 500_000)) == 1_000_000


def test_no_finding_quotes_5000_letters() -> None:
    text = f"table ip t {{\n chain c {{\n  ip saddr {'x' * 5000} drop\n }}\n}}\n"
    report = lint([decode("rules.nft", text.encode())])
    said = "".join(finding.message + finding.help for finding in report.findings)
    assert "x" * 100 + "…" in said
    assert "x" * 200 not in said + text_report(report)


def test_a_rule_is_quoted_on_one_line_that_ends() -> None:
    assert one_line(" tcp\n\tdport 22 ") == "tcp dport 22"
    assert one_line("1.1.1.1, " * 200_000) == ("1.1.1.1, " * 67)[:600] + "…"
