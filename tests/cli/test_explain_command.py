from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import BROKEN, CLEAN, Run


@pytest.mark.parametrize("output", ["text", "markdown", "json"])
def test_it_explains(run: Run, tmp_path: Path, output: str) -> None:
    (tmp_path / "rules.v4").write_text(CLEAN)
    result = run("explain", "rules.v4", "--output-format", output)
    assert (result.returncode, result.stderr) == (0, "")
    assert "tcp from 192.0.2.0/24 to port 22" in result.stdout
    assert "filter INPUT" in result.stdout
    assert "filter INPUT" not in run("explain", "--whole", "rules.v4").stdout


def test_several_hosts_each_by_itself(run: Run, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "rules.v4").write_text(CLEAN)
    out = run("explain", "--whole", "one", "two").stdout
    assert out.startswith("== one/rules.v4\n")
    assert "\n== two/rules.v4\n" in out


def test_what_cannot_be_read_is_status_2(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rules.v4").write_text(BROKEN)
    assert run("explain", "rules.v4").returncode == 2
    assert run("explain", "nowhere").returncode == 2


def test_a_long_list_beside_what_a_limit_leaves_open(run: Run, tmp_path: Path) -> None:
    limit = "-A INPUT -p tcp --dport {} -m limit --limit 5/min -j ACCEPT"
    bans = [f"-A INPUT -s 192.{n >> 8}.{n & 255}.1 -j DROP" for n in range(1500)]
    rules = (limit.format(53), *bans, limit.format(22))
    (tmp_path / "rules.v4").write_text("\n".join(("*filter", ":INPUT DROP", *rules, "COMMIT\n")))
    result = run("explain", "--whole", "rules.v4")
    assert (result.returncode, result.stderr) == (0, "")
    assert "to port 22 (ssh), while line 1504" in result.stdout
