from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from tests.cli.conftest import BROKEN, CLEAN, Run
from tests.expectations import ROOT

TESTS = """\
families = ["ip"]
tests = [
  "allow from ours to ssh",
  "deny from internet to 5432",
  "deny from internet to ssh",
]
[zones]
ours = "192.0.2.0/24"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "rules.v4").write_text(CLEAN)
    (tmp_path / "iptlint.tests.toml").write_text(TESTS)
    return tmp_path


def test_each_test_with_its_evidence(run: Run, project: Path) -> None:
    result = run("test")
    assert (result.returncode, result.stderr) == (1, "")
    lines = result.stdout.splitlines()
    assert lines[:3] == [
        "ok      allow from ours to ssh",
        "ok      deny from internet to 5432",
        "FAILED  deny from internet to ssh",
    ]
    assert "over IPv4: rules.v4:7 accepts it to this host" in result.stdout
    assert "for example: tcp 192.0.2." in result.stdout
    assert "least change: above rules.v4:7, add -A INPUT" in result.stdout
    assert lines[-1] == "3 tests: 2 hold, 1 fail"
    assert run("test", "-q").stdout.splitlines()[0] == "FAILED  deny from internet to ssh"


def test_files_are_named_or_lie_beside_the_tests(run: Run, project: Path) -> None:
    assert run("test").stdout.splitlines()[-1] == "3 tests: 2 hold, 1 fail"
    (project / "deep").mkdir()
    (project / "deep" / "rules.v4").write_text(CLEAN)
    for args in (["rules.v4"], ["deep/rules.v4"], ["--tests", "iptlint.tests.toml", "deep"]):
        assert run("test", *args).stdout.splitlines()[-1] == "3 tests: 2 hold, 1 fail", args
    both = run("test", "rules.v4", "deep/rules.v4").stdout
    assert "6 tests on 2 hosts: 4 hold, 2 fail" in both
    assert both.startswith("rules.v4:\n")
    assert "\ndeep/rules.v4:\n" in both


def test_json_is_the_contract(run: Run, project: Path) -> None:
    answer = json.loads(run("test", "--output-format", "json").stdout)
    schema = json.loads((ROOT / "docs" / "json-schema.json").read_text("utf-8"))
    contract = {**schema, "$ref": "#/$defs/policy"}
    assert [*jsonschema.Draft202012Validator(contract).iter_errors(answer)] == []
    assert answer["summary"]["passed"] == 2
    assert answer["summary"]["failed"] == 1
    failed = answer["results"][-1]
    assert (failed["line"], failed["status"], failed["passes"]) == (5, "fails", False)
    assert failed["decided_by"]["line"] == 7
    assert failed["witness"]["dport"] == 22


@pytest.mark.parametrize("name", ["sarif", "github", "gitlab", "checkstyle", "markdown", "csv"])
def test_failures_are_findings_in_the_other_formats(run: Run, project: Path, name: str) -> None:
    result = run("test", "--output-format", name)
    assert result.returncode == 1
    assert "IPT609" in result.stdout
    assert "deny from internet to ssh" in result.stdout
    assert "deny from internet to 5432:" not in result.stdout


def test_junit_has_a_case_for_each_test(run: Run, project: Path) -> None:
    out = run("test", "--output-format", "junit").stdout
    assert out.count("<testcase ") == 3
    assert out.count("<failure ") == 1


def test_a_baseline_hides_what_is_known(run: Run, project: Path) -> None:
    assert run("test", "--write-baseline", "known.json").returncode == 0
    result = run("test", "--baseline", "known.json")
    assert result.returncode == 0
    assert "known   deny from internet to ssh" in result.stdout
    assert "3 tests: 2 hold, 1 known, 0 fail" in result.stdout


def test_mistakes_are_told_with_their_places(run: Run, project: Path) -> None:
    (project / "iptlint.tests.toml").write_text('tests = ["deny from intranet to 22"]\n')
    result = run("test")
    assert result.returncode == 2
    assert "iptlint.tests.toml:1:21: there is no zone 'intranet'" in result.stderr
    (project / "iptlint.tests.toml").write_text('tests = ["same as nowhere"]\n')
    result = run("test")
    assert result.returncode == 2
    assert "iptlint.tests.toml:1:11: " in result.stderr
    assert "nowhere: No such file" in result.stderr
    (project / "iptlint.tests.toml").unlink()
    result = run("test")
    assert result.returncode == 2
    assert "--write" in result.stderr


def test_a_found_file_leads_nowhere_else(run: Run, project: Path) -> None:
    text = 'tests = ["deny from far to 22"]\n[zones]\nfar = { file = "../../etc/hosts" }\n'
    (project / "iptlint.tests.toml").write_text(text)
    result = run("test")
    assert result.returncode == 2
    assert "only a file named by --tests" in result.stderr


def test_what_cannot_be_read_is_status_2(run: Run, project: Path) -> None:
    (project / "rules.v4").write_text(BROKEN)
    result = run("test")
    assert result.returncode == 2
    assert "rules.v4:2" in result.stderr
    assert run("test", "nowhere.v4").returncode == 2
    (project / "iptlint.tests.toml").unlink()
    lost = run("test", "nowhere.v4")
    assert (lost.returncode, lost.stderr) == (2, "Error: nowhere.v4: No such file or directory\n")


def test_a_table_of_packets(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rules.v4").write_text(CLEAN)
    (tmp_path / "p.csv").write_text("saddr,proto,dport,expect\n192.0.2.7,tcp,22,accept\n")
    result = run("test", "--packets", "p.csv", "rules.v4")
    assert (result.returncode, result.stdout) == (
        0,
        "1 packet: 1 accept; 0 of 1 otherwise than expected\n",
    )
    (tmp_path / "p.csv").write_text("saddr,proto,dport,expect\n192.0.2.7,tcp,23,accept\n")
    assert run("test", "--packets", "p.csv", "rules.v4").returncode == 1
    out = run("test", "--packets", "p.csv", "rules.v4", "--output-format", "csv").stdout
    assert out.splitlines()[1].endswith(",drop,no")
    (tmp_path / "p.csv").write_text("sadr\n")
    wrong = run("test", "--packets", "p.csv", "rules.v4")
    assert wrong.returncode == 2
    assert "p.csv:1: there is no column 'sadr'" in wrong.stderr


def test_tests_are_written_of_rules(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rules.v4").write_text(CLEAN)
    written = run("test", "--write", "rules.v4")
    assert (written.returncode, written.stderr) == (0, "")
    assert '"only from 192.0.2.0/24 to 22/tcp"' in written.stdout
    (tmp_path / "iptlint.tests.toml").write_text(written.stdout)
    assert run("test").returncode == 0
    assert run("test", "--write").returncode == 2
