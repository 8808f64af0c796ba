"""What follows the last line that is read of a script is told, and nothing is said of it."""

from __future__ import annotations

import pytest

from iptlint.dialects.script import signs
from iptlint.linter.run import lint
from iptlint.source import SourceFile

TEXT = "#!/bin/sh\niptables -P INPUT DROP\nif true; then\niptables -A INPUT -j ACCEPT\nfi\n"


def test_a_long_script_is_read_up_to_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signs, "MAX_SIGNS", 14)
    report = lint([SourceFile("rules.sh", TEXT)])
    (cut,) = (finding for finding in report.findings if finding.code == "IPT010")
    assert (cut.span.line, "31 characters" in cut.message) == (4, True)
    assert "IPT001" not in {finding.code for finding in report.findings}
    assert report.files[0].rules == 0


@pytest.mark.parametrize("most", [27, 1000])
def test_a_short_one_is_read_whole(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signs, "MAX_SIGNS", most)
    assert signs.end_of_read(TEXT) == len(TEXT)


def test_one_line_is_read_up_to_a_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signs, "MAX_SIGNS", 10)
    assert signs.end_of_read("{" * 1000) == 10
