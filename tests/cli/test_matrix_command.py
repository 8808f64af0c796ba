from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import BROKEN, CLEAN, Run


@pytest.mark.parametrize("output", ["text", "csv", "markdown", "json", "html"])
def test_the_command(run: Run, tmp_path: Path, output: str) -> None:
    (tmp_path / "rules.v4").write_text(CLEAN)
    result = run("matrix", "rules.v4", "--output-format", output)
    assert (result.returncode, result.stderr) == (0, "")
    assert "22 ssh" in result.stdout
    assert run("matrix", "nowhere").returncode == 2
    wrong = run("matrix", "rules.v4", "--to", "nobody")
    assert wrong.returncode == 2
    assert "there is no zone 'nobody'" in wrong.stderr


def test_zones_and_services_of_a_test_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rules.v4").write_text(CLEAN)
    (tmp_path / "zones.toml").write_text('[zones]\nours = "192.0.2.0/24"\n[services]\nshell = 22\n')
    result = run("matrix", "rules.v4", "--tests", "zones.toml")
    assert result.stdout.splitlines()[2:5] == [
        "          shell",
        "internet  some [1]",
        "ours      yes",
    ]


def test_what_cannot_be_read_is_status_2(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rules.v4").write_text(BROKEN)
    assert run("matrix", "rules.v4").returncode == 2
