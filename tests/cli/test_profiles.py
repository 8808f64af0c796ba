"""``--profile``: which rules run, and what cis adds to the answer."""

from __future__ import annotations

import json

import pytest

import iptlint
from tests.cli.conftest import CLEAN, Run

SPOOFABLE = """\
table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        iif "lo" accept
        ct state established,related accept
        tcp dport 443 accept
    }
    chain forward {
        type filter hook forward priority filter; policy drop;
    }
    chain output {
        type filter hook output priority filter; policy drop;
        ct state new,established,related accept
    }
}
"""
GOOD = SPOOFABLE.replace("accept\n", "accept\n ip saddr 127.0.0.0/8 drop\n ip6 saddr ::1 drop\n", 1)
OPEN = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT\n"


def test_the_table_of_items_comes_last(run: Run) -> None:
    lines = run("-", "--profile", "cis", text=SPOOFABLE).stdout.splitlines()
    assert any(line.startswith("CIS Debian 12 1.1.0, CIS Ubuntu 24.04 1.0.0") for line in lines)
    rows = [line for line in lines if line.startswith("4.")]
    assert len(rows) == 11
    assert lines[-1] == "11 items: 4 pass, 1 fail, 6 cannot tell"
    assert max(map(len, lines)) <= 160


def test_json_has_the_items_too(run: Run) -> None:
    answer = json.loads(run("-", "--profile", "cis", "--output-format", "json", text=OPEN).stdout)
    assert list(answer) == ["version", "files", "findings", "summary", "benchmark"]
    (finding,) = (f for f in answer["findings"] if f["code"] == "IPT601")
    assert "CIS Debian 12 1.1.0 4.4.2.1" in finding["references"]
    benchmark = answer["benchmark"]
    keys = "ids title tool assessment verdict reason path line rules"
    assert {" ".join(item) for item in benchmark["items"]} == {keys}
    assert {item["verdict"] for item in benchmark["items"]} <= {"pass", "fail", "cannot_tell"}
    assert sum(benchmark["summary"].values()) == len(benchmark["items"])
    first = benchmark["items"][0]["ids"][0]
    assert first == {"benchmark": "CIS Debian 12", "version": "1.1.0", "id": "4.1.1"}


@pytest.mark.parametrize("profile", ["default", "strict"])
def test_without_it_the_answer_is_as_it_was(run: Run, profile: str) -> None:
    args = ("-", "--profile", profile, "--output-format", "json")
    answer = json.loads(run(*args, text=OPEN).stdout)
    assert "benchmark" not in answer
    assert all("references" not in finding for finding in answer["findings"])


@pytest.mark.parametrize(
    ("fail_on", "status"), [("error", 0), ("warning", 1), ("info", 1), ("never", 0)]
)
def test_an_item_that_fails_is_as_grave_as_a_warning(run: Run, fail_on: str, status: int) -> None:
    args = ("-", "--profile", "cis", "--select", "IPT201", "--fail-on", fail_on)
    assert run(*args, text=SPOOFABLE).returncode == status


def test_what_cannot_be_told_is_no_failure(run: Run) -> None:
    result = run("-", "--profile", "cis", text=GOOD)
    assert result.returncode == 0, result.stdout
    assert "cannot tell" in result.stdout


def test_files_of_no_tool_of_the_benchmarks(run: Run) -> None:
    result = run("-", "--profile", "cis", text="# nothing\n")
    assert "of no tool that the benchmarks have items for" in result.stdout


def test_findings_name_who_asks(run: Run) -> None:
    result = run("-", "--profile", "cis", text=OPEN)
    assert "= asked for by: CIS Debian 12 1.1.0 4.4.2.1" in result.stdout
    assert "asked for by" not in run("-", text=OPEN).stdout


def test_rules_without_an_item_do_not_run(run: Run) -> None:
    twice = CLEAN.replace("COMMIT", CLEAN.splitlines()[-2] + "\nCOMMIT")
    assert "IPT106" in run("-", text=twice).stdout
    assert "IPT106" not in run("-", "--profile", "cis", text=twice).stdout


def test_the_documentation_of_a_rule_names_the_items(run: Run) -> None:
    assert "CIS RHEL 9 2.0.0 4.3.3" in run("rule", "IPT601").stdout
    (rule,) = json.loads(run("rule", "IPT601", "--output-format", "json").stdout)
    assert "CIS RHEL 9 2.0.0 4.3.3" in rule["references"]


def test_the_api_knows_profiles() -> None:
    assert {f.code for f in iptlint.lint(OPEN, profile="cis")} >= {"IPT601"}
    with pytest.raises(ValueError, match="is not a valid Profile"):
        iptlint.lint(OPEN, profile="pci")
