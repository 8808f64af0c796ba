"""What is said of a line where there is not the time to work it out."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from lsprotocol import types as lsp

from iptlint.cli.lsp import ConfiguredDesk
from iptlint.editor import desk, rule_lines
from iptlint.editor.desk import Document, Seen
from tests.analysis.test_reach_bounds import NODE
from tests.editor.test_server import SHADOWED


def test_too_much_is_said_and_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rule_lines, "_MOST_SECONDS", 0.3)

    begun = []

    def endless(*_: object) -> str:
        begun.append(time.monotonic())
        while True:
            time.sleep(0.01)

    monkeypatch.setattr(rule_lines, "_reaching", endless)
    seen = Seen(ConfiguredDesk(), Document(str(tmp_path / "rules.v4"), SHADOWED))
    for line in (6, 7):
        said = rule_lines.hover(seen, lsp.Position(line, 0))
        assert "This is what its table alone says." in said
    assert "not worked out, 2 rules above" in rule_lines.lens(seen, lsp.Position(7, 0))
    assert len(begun) == 1


def test_a_line_of_a_service_is_answered_by_its_own_packets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each endpoint of a node of kube-proxy is a translation, and a way of its own through all
    that is behind it: what comes to one does not need the ways of the others."""

    def asked(_: Seen) -> None:
        raise AssertionError("all packets were followed")

    monkeypatch.setattr(Seen, "_whole_reach", property(asked))
    monkeypatch.setattr(desk, "_FEW_RULES", 0)
    number = NODE.splitlines().index("-A OTHER -p tcp -j REDIRECT --to-ports 9")
    seen = Seen(ConfiguredDesk(), Document(str(tmp_path / "rules.v4"), NODE))
    monkeypatch.setattr(rule_lines, "_found_at", lambda *_: iter(()))
    said = rule_lines.hover(seen, lsp.Position(number, 0))
    assert "A packet that does: `tcp 198.51.100.7:40000 -> 10.96.0.2:80 in eth1, new, syn`" in said
