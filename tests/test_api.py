from __future__ import annotations

from pathlib import Path

import pytest

import iptlint
from iptlint.model import Family

SHADOWED = """\
*filter
:INPUT ACCEPT [0:0]
-A INPUT -s 10.0.0.0/8 -j ACCEPT
-A INPUT -s 10.1.2.0/24 -j DROP
COMMIT
"""


def test_read_takes_a_text_or_a_path(tmp_path: Path) -> None:
    file = tmp_path / "rules.v4"
    file.write_text(SHADOWED)
    for source in (SHADOWED, file, str(file)):
        ruleset = iptlint.read(source)
        assert [chain.name for _, chain, _ in ruleset.rules()] == ["INPUT", "INPUT"]
    assert iptlint.read(SHADOWED, Family.IP6).families == (Family.IP6,)


def test_reach_says_of_each_rule_what_reaches_it() -> None:
    first, second = iptlint.reach(iptlint.read(SHADOWED))
    assert (first.status.value, second.status.value) == ("reachable", "dead")


def test_lint_can_be_called_again() -> None:
    """A module of the same name would take the function's place after the first call."""
    for _ in range(2):
        found = iptlint.lint(SHADOWED, select=["default-accept"])
        assert [finding.code for finding in found] == ["IPT601"]


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        iptlint.lint(tmp_path / "missing")
    with pytest.raises(ValueError, match="there is no rule"):
        iptlint.lint(SHADOWED, select=["IPT9999"])
