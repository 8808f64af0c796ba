"""What is said of a line where there is not the time to work it out."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from lsprotocol import types as lsp

from iptlint.cli.lsp import ConfiguredDesk
from iptlint.editor import rule_lines
from iptlint.editor.desk import Document, Seen
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
