from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import iptlint
from iptlint.analysis.reach import Reach, reach
from iptlint.reports.reach import reach_text
from tests.cli.conftest import BROKEN, SHADOWED, Run


def test_the_table_names_witnesses_and_takers(run: Run) -> None:
    result = run("reach", "-", text=SHADOWED)
    assert (result.returncode, result.stderr) == (0, "")
    assert "reachable" in result.stdout
    assert "line 3" in result.stdout
    assert result.stdout.endswith("1 reachable, 0 conditional, 1 dead\n")
    assert max(map(len, result.stdout.splitlines())) <= 160


def test_on_a_terminal_of_80_columns_each_rule_is_a_paragraph() -> None:
    """The table would be broken wherever the terminal ends."""
    shown = reach_text([*reach(iptlint.read(SHADOWED))], columns=80)
    assert max(map(len, shown.splitlines())) <= 80
    assert "ip filter INPUT: dead" in shown
    assert "  for example: tcp 10." in shown


def test_json_is_the_contract(run: Run) -> None:
    answer = json.loads(run("reach", "-", "--output-format", "json", text=SHADOWED).stdout)
    assert answer["version"] == 1
    first, second = answer["rules"]
    keys = "path line family table chain text status reason unless taken_by witness"
    assert set(first) == set(second) == set(keys.split())
    assert (first["status"], first["reason"], first["taken_by"]) == ("reachable", None, [])
    assert first["witness"]["saddr"].startswith("10.")
    assert second["status"] == "dead"
    assert second["witness"] is second["unless"] is None
    assert second["taken_by"] == [{"path": "-", "line": 3, "verdict": "accept"}]


def test_what_could_not_be_read_is_said(run: Run) -> None:
    result = run("reach", "-", text=BROKEN)
    assert result.stdout == "there are no rules that could be read\n"
    assert result.returncode == 2
    assert result.stderr.startswith("iptlint: -:2: ")


def test_a_missing_file(run: Run) -> None:
    result = run("reach", "missing")
    assert (result.returncode, result.stdout) == (2, "")
    assert "missing: No such file or directory" in result.stderr


BRIDGED = "*filter\n-A FORWARD -m physdev --physdev-is-bridged -j ACCEPT\nCOMMIT\n"


def test_what_is_not_followed_is_said(run: Run, tmp_path: Path) -> None:
    """br_netfilter shows itself by the test for a port."""
    path = tmp_path / "rules.v4"
    path.write_text(BRIDGED)
    for command in (("check",), ("reach",), ("diff", str(path))):
        said = run(*command, str(path))
        assert "not followed: packets from port to port of a bridge" in said.stdout
        answer = json.loads(run(*command, str(path), "--output-format", "json").stdout)
        (note,) = answer["files"][0]["notes"] if command == ("check",) else answer["notes"]
        assert note.startswith("not followed: ")


def test_packets_are_followed_while_the_time_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are before the first rule is told of, so not when somebody asks for the answers."""
    followed: list[object] = []

    class Watched(Reach):
        def __init__(self, *given: Any) -> None:
            followed.append(given)
            super().__init__(*given)

    monkeypatch.setattr("iptlint.analysis.reach.Reach", Watched)
    answers = reach(iptlint.read(SHADOWED))
    assert not followed
    assert next(iter(answers)).witness
    assert followed
