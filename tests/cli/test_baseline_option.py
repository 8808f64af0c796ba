from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from iptlint.cli import group
from tests.cli.conftest import SHADOWED, Run


def check(*args: str) -> tuple[object, str, str]:
    result = CliRunner().invoke(group, ["check", "rules.v4", *args], standalone_mode=False)
    said = getattr(result.exception, "message", "")
    return result.return_value, result.stdout, said


@pytest.fixture(autouse=True)
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules.v4").write_text(SHADOWED)


def test_what_is_there_is_accepted_and_what_is_new_speaks(tmp_path: Path) -> None:
    status, shown, _ = check("--write-baseline", "known.json")
    assert status == 0
    assert shown.startswith("wrote known.json: ")
    status, shown, _ = check("--baseline", "known.json")
    assert status == 0
    assert shown.startswith("no findings, ")
    twice = SHADOWED.replace("COMMIT", "-A INPUT -s 10.9.0.0/16 -j DROP\nCOMMIT")
    (tmp_path / "rules.v4").write_text(twice)
    status, shown, _ = check("--baseline", "known.json", "--output-format", "concise")
    assert status == 1
    assert shown.splitlines()[0].startswith("rules.v4:5:1: ")


def test_an_expired_one_speaks_again(tmp_path: Path) -> None:
    check("--write-baseline", "known.json")
    known = json.loads((tmp_path / "known.json").read_text())
    known["findings"] = [{**each, "expires": "2020-01-01"} for each in known["findings"]]
    (tmp_path / "known.json").write_text(json.dumps(known))
    assert check("--baseline", "known.json")[0] == 1
    told = check("--write-baseline", "known.json")[1]
    number = len(known["findings"])
    assert f"{number} findings; --baseline known.json hides them, but not what is out of" in told
    assert f"{number} findings have expired" in told


def test_what_is_accepted_is_not_said_to_be_fixable(tmp_path: Path) -> None:
    """Fixes leave it alone, too."""
    assert "can be fixed" in check()[1]
    check("--write-baseline", "known.json")
    assert "can be fixed" not in check("--baseline", "known.json")[1]


@pytest.mark.parametrize(
    ("text", "told"), [("{", "known.json: this is not JSON"), ("{}", "it is no baseline")]
)
def test_what_is_no_baseline_is_a_usage_error(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "known.json").write_text(text)
    assert told in check("--baseline", "known.json")[2]
    assert "No such file" in check("--baseline", "missing.json")[2]


def test_fixes_leave_alone_what_is_accepted(run: Run, tmp_path: Path) -> None:
    """One of two copies is in the baseline; the other one is new."""
    twice = "-A INPUT -s 192.0.2.7/32 -p tcp -m tcp --dport 25 -j ACCEPT\n"
    old = SHADOWED.replace("COMMIT\n", twice * 2 + "COMMIT\n")
    path = tmp_path / "rules.v4"
    path.write_text(old)
    run("rules.v4", "--write-baseline", "known.json")
    assert run("rules.v4", "--fix", "--baseline", "known.json").returncode == 0
    assert path.read_text() == old
    more = "-A INPUT -s 192.0.2.8/32 -p tcp -m tcp --dport 25 -j ACCEPT\n"
    path.write_text(old.replace("COMMIT\n", more * 2 + "COMMIT\n"))
    run("rules.v4", "--fix", "--baseline", "known.json")
    assert path.read_text() == old.replace("COMMIT\n", more + "COMMIT\n")
    assert run("rules.v4", "--fix").returncode in (0, 1)
    assert path.read_text() == old.replace(twice * 2, twice).replace("COMMIT\n", more + "COMMIT\n")
