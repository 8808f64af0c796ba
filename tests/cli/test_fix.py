from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import CLEAN, SHADOWED, Run

RULE = "-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT\n"
TWICE = CLEAN.replace(RULE, RULE * 2)
THRICE = CLEAN.replace(RULE, RULE + "# again\n" + RULE)


def test_fix_writes_what_is_proved_and_says_what_is_left(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rules.v4").write_text(TWICE)
    result = run("rules.v4", "--fix")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "no findings in 1 file\n1 fixed\n"
    assert (tmp_path / "rules.v4").read_text() == CLEAN


def test_diff_shows_it_and_changes_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rules.v4").write_text(TWICE)
    result = run("--diff", "rules.v4")
    assert result.returncode == 1
    lines = result.stdout.splitlines()
    assert lines[:2] == ["--- a/rules.v4", "+++ b/rules.v4"]
    assert [line for line in lines[2:] if line.startswith(("-", "+"))] == [f"-{RULE.rstrip()}"]
    assert result.stderr == "1 would be fixed\n"
    assert (tmp_path / "rules.v4").read_text() == TWICE


def test_diff_of_what_needs_no_fix_is_empty(run: Run) -> None:
    result = run("--diff", "-", text=CLEAN)
    assert (result.returncode, result.stdout) == (0, "")


def test_standard_input_can_be_shown_and_not_written(run: Run) -> None:
    assert f"-{RULE}" in run("--diff", "-", text=TWICE).stdout
    refused = run("--fix", "-", text=TWICE)
    assert refused.returncode == 2
    assert "standard input cannot be written to" in refused.stderr


def test_fix_only(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rules.v4").write_text(TWICE)
    assert run("rules.v4", "--fix", "--fix-only", "IPT102").returncode == 1
    assert (tmp_path / "rules.v4").read_text() == TWICE
    assert run("rules.v4", "--fix", "--fix-only", "duplicate-rule").returncode == 0
    assert (tmp_path / "rules.v4").read_text() == CLEAN
    assert run("rules.v4", "--fix", "--fix-only", "IPT99").returncode == 2
    assert run("rules.v4", "--fix-only", "IPT102").returncode == 2


def test_unsafe_fixes_have_to_be_asked_for(run: Run, tmp_path: Path) -> None:
    """A rule that never happens says what somebody meant, so it does not go unasked."""
    text = SHADOWED.replace("-p tcp -m tcp --dport 22 -j DROP", "-j DROP")
    (tmp_path / "rules.v4").write_text(text)
    result = run("rules.v4", "--select", "IPT101", "--fix")
    assert "0 fixed, 1 more can be fixed with --unsafe-fixes\n" in result.stdout
    assert (tmp_path / "rules.v4").read_text() == text
    assert run("rules.v4", "--select", "IPT101", "--fix", "--unsafe-fixes").returncode == 0
    assert "DROP\n" not in (tmp_path / "rules.v4").read_text()


def test_json_says_what_was_done(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rules.v4").write_text(THRICE)
    result = run("rules.v4", "--fix", "--output-format", "json")
    assert json.loads(result.stdout)["fixes"] == {
        "applied": [
            {"code": "IPT106", "path": "rules.v4", "line": 9, "fix": "delete it", "safe": True}
        ],
        "refused": [],
    }
    again = json.loads(run("rules.v4", "--output-format", "json").stdout)
    assert "fixes" not in again


def test_the_summary_counts_what_can_be_fixed(run: Run) -> None:
    last = run("-", text=TWICE).stdout.splitlines()[-1]
    assert last == "1 finding (1 warning) in 1 file; 1 can be fixed with --fix"


def test_several_files_are_written_together(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.rules").write_text(TWICE)
    (tmp_path / "b.rules").write_text(TWICE)
    (tmp_path / "c").hardlink_to(tmp_path / "b.rules")
    refused = run("a.rules", "b.rules", "--fix")
    assert refused.returncode == 2
    assert "b.rules has another name" in refused.stderr
    assert (tmp_path / "a.rules").read_text() == TWICE
    (tmp_path / "c").unlink()
    assert run("a.rules", "b.rules", "--fix").returncode == 0
    assert (tmp_path / "a.rules").read_text() == (tmp_path / "b.rules").read_text() == CLEAN
