"""--from and --script-args: how the firewall is before a script, and what it is called with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run

SCRIPT = """\
case "$1" in
start) iptables -A INPUT -p tcp --dport 80 -j ACCEPT
       ip6tables -A INPUT -p tcp --dport 80 -j ACCEPT ;;
stop) iptables -F; ip6tables -F ;;
esac
"""
SAVED = "*filter\n:INPUT DROP [0:0]\n-A INPUT -s {} -p tcp --dport 22 -j ACCEPT\nCOMMIT\n"


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("fw.sh").write_text(SCRIPT)
    Path("rules.v4").write_text(SAVED.format("192.0.2.0/24"))
    Path("rules.v6").write_text(SAVED.format("2001:db8::/32"))


BOTH = ("--from", "rules.v4", "--from", "rules.v6")
SSH = ("--proto", "tcp", "--dport", "22")


def test_trace_starts_from_both_families(run: Run) -> None:
    four = run("trace", "fw.sh", *BOTH, *SSH, "--saddr", "192.0.2.1")
    six = run("trace", "fw.sh", *BOTH, *SSH, "--saddr", "2001:db8::1")
    assert "accept" in four.stdout.splitlines()[0]
    assert "rules.v4:3" in four.stdout
    assert "accept" in six.stdout.splitlines()[0]
    assert "rules.v6:3" in six.stdout


def test_of_a_family_that_was_not_given_nothing_is_said(run: Run) -> None:
    assert "ip6 filter" not in run("reach", "fw.sh", "--from", "rules.v4").stdout
    assert "ip6 filter" in run("reach", "fw.sh", *BOTH).stdout
    told = run("check", "fw.sh", "--from", "rules.v4", "--select", "IPT7,IPT6").stdout
    assert "IPv6" not in told


def test_diff_says_what_a_script_changes(run: Run) -> None:
    same = run("diff", "fw.sh", "fw.sh", *BOTH)
    assert same.returncode == 0
    changed = run("diff", "rules.v4", "fw.sh", "--from", "rules.v4")
    assert changed.returncode == 1


def test_what_the_script_is_called_with(run: Run) -> None:
    stopped = run("trace", "fw.sh", *BOTH, "--script-args", "stop", *SSH)
    assert stopped.stdout.startswith("drop")
    assert "--script-args" not in run("check", "fw.sh", "--script-args", "stop").stdout
    assert "--script-args stop" in run("check", "fw.sh").stdout


def test_two_files_of_one_family_are_refused(run: Run) -> None:
    Path("other.v4").write_text(SAVED.format("192.0.2.0/24"))
    told = run("trace", "fw.sh", "--from", "rules.v4", "--from", "other.v4", *SSH)
    assert told.returncode != 0
    assert "same family" in told.stderr
