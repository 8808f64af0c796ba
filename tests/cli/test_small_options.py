"""What is hidden, how long it takes, what holds, and where a code leads."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from iptlint.findings.finding import page_of
from iptlint.linter.run import lint
from iptlint.reports.formats import Look
from iptlint.reports.text import text_report
from iptlint.source import SourceFile
from tests.cli.conftest import SHADOWED, Run
from tests.expectations import ROOT

SUPPRESSED = SHADOWED.replace(
    "-A INPUT -s 10.1.2", "# iptlint: ignore=IPT101 known\n-A INPUT -s 10.1.2"
)


def test_what_is_suppressed_is_named(run: Run) -> None:
    quiet = run("-", "--select", "IPT101", text=SUPPRESSED).stdout
    shown = run("-", "--select", "IPT101", "--show-suppressed", text=SUPPRESSED)
    assert "IPT101" not in quiet
    assert "suppressed: -:5:1: warning IPT101 shadowed-rule" in shown.stdout
    assert shown.returncode == 0


def test_a_baseline_suppresses_too(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rules.v4").write_text(SHADOWED)
    asked = ("rules.v4", "--select", "IPT101")
    run(*asked, "--write-baseline", "known.json")
    shown = run(*asked, "--baseline", "known.json", "--show-suppressed")
    assert "suppressed: rules.v4:4:1: warning IPT101" in shown.stdout


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_in_json_it_is_apart(run: Run, tmp_path: Path, jobs: str) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "rules.v4").write_text(SUPPRESSED)
    asked = ("a", "b", "--select", "IPT101", "--output-format", "json", "--jobs", jobs)
    answer = json.loads(run(*asked, "--show-suppressed").stdout)
    jsonschema.validate(answer, json.loads((ROOT / "docs" / "json-schema.json").read_text("utf-8")))
    assert [each["code"] for each in answer["hidden"]] == ["IPT101", "IPT101"]
    assert answer["findings"] == []
    assert "hidden" not in json.loads(run(*asked).stdout)


def test_what_takes_how_long(run: Run) -> None:
    result = run("-", "--verbose", text=SHADOWED)
    times = re.findall(r"^iptlint: +(\d+\.\d+) s: (.*)$", result.stderr, re.MULTILINE)
    assert any("IPT101" in what for _, what in times)
    assert times[-1][1] == "in all"
    assert sum(float(seconds) for seconds, _ in times[:-1]) <= float(times[-1][0]) + 0.1
    assert run("-", text=SHADOWED).stderr == ""


def test_settings_and_who_says_so(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".iptlint.toml").write_text('fail-on = "error"\nssh-ports = [2222]\n')
    (tmp_path / "rules.v4").write_text(SHADOWED)
    asked = ("rules.v4", "--show-settings", "--ssh-ports", "22", "--output-format", "json")
    result = run(*asked)
    assert (result.returncode, result.stderr) == (0, "")
    assert 'fail-on = "error"  # ' in result.stdout
    assert "ssh-ports = [22]  # command line" in result.stdout
    assert 'output-format = ["json"]  # command line' in result.stdout
    assert 'profile = "default"  # default' in result.stdout


def test_a_code_leads_to_its_page() -> None:
    report = lint((SourceFile("f", SHADOWED),), select=("IPT101",))
    shown = text_report(report, Look(links=True))
    assert f"\x1b]8;;{page_of('IPT101')}\x1b\\IPT101\x1b]8;;\x1b\\" in shown
    assert "\x1b" not in text_report(report, Look())
    assert re.sub(r"\x1b\]8;;.*?\x1b\\", "", shown) == text_report(report, Look())


@pytest.mark.parametrize("told", ["1", "0"])
def test_only_where_the_terminal_can(run: Run, told: str) -> None:
    shown = run("-", text=SHADOWED, FORCE_HYPERLINK=told).stdout
    assert ("\x1b]8;;" in shown) is (told == "1")
    assert "\x1b]8;;" not in run("-", text=SHADOWED, TERM_PROGRAM="WezTerm").stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--timeout", "nan"), "'nan' is no number of seconds"),
        (("--include-dir", "nowhere"), "'nowhere' does not exist"),
    ],
)
def test_what_would_be_no_limit_and_no_folder_is_refused(
    run: Run, options: tuple[str, str], said: str
) -> None:
    result = run("-", *options, text=SHADOWED)
    assert result.returncode == 2
    assert said in " ".join(result.stderr.split())


def test_a_protocol_without_ports_has_none_in_a_cloud_either(run: Run) -> None:
    documents = str(ROOT / "fixtures/cloud/checklist/acl-out")
    asked = ("--from", "198.51.100.7", "--proto", "icmp", "--dport", "22")
    result = run("path", "--aws", documents, *asked)
    assert result.returncode == 2
    assert "icmp has no ports: leave out --sport and --dport" in " ".join(result.stderr.split())
