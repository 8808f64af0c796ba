"""What a finding says is to be done: of an edit what it does, of all else that it is advice."""

from __future__ import annotations

import pytest

from iptlint.findings import Finding
from iptlint.findings.fix import Fix
from iptlint.rules.registry import rule_of
from iptlint.source import SourceFile

SPAN = SourceFile("rules.v4", "-A INPUT -j DROP\n").line_span(1)


def finding(fix: Fix | None, advice: str = "delete it, or move it") -> Finding:
    return rule_of("IPT101").meta.finding(SPAN, "never happens", advice, fix=fix)


@pytest.mark.parametrize(
    ("fix", "told"),
    [
        (None, ("advice: delete it, or move it",)),
        (Fix("delete it", ()), ("help: delete it",)),
        (
            Fix("delete it", (), otherwise="move it above line 3"),
            ("help: delete it", "advice: move it above line 3"),
        ),
    ],
)
def test_help_is_what_the_edit_does(fix: Fix | None, told: tuple[str, ...]) -> None:
    assert finding(fix).to_do == told
    assert finding(fix).help == "; ".join(told).removeprefix("help: ")


def test_where_nothing_is_to_be_done_nothing_is_said() -> None:
    assert (finding(None, "").to_do, finding(None, "").help) == ((), "")


def test_a_command_on_two_lines_is_shown_on_one() -> None:
    fix = Fix("write: iptables -A INPUT \\\n  -m limit -j LOG", ())
    assert finding(fix, "").help == "write: iptables -A INPUT -m limit -j LOG"
