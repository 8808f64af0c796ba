"""The command, on folders of captures and on lists of hosts."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from iptlint.fleet.writers import COLUMNS, WRITERS
from iptlint.host.archive import save
from iptlint.reports.safe import width
from tests.cli.conftest import Run
from tests.expectations import ROOT
from tests.fleet.made_up import OPEN, RULES, as_ssh_says_it, host
from tests.processes import PATIENCE


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """Three hosts that are alike, one that is open, one that is broken."""
    folder = tmp_path / "now"
    folder.mkdir()
    for number in range(3):
        name = f"web-{number:02}"
        save(
            host(name=name, addresses=(f"10.0.0.{number + 5}/24",)), str(folder / f"{name}.tar.gz")
        )
    save(host(OPEN, "db", boot=RULES), str(folder / "db.tar.gz"))
    (folder / "torn.tar.gz").write_bytes((folder / "db.tar.gz").read_bytes()[:300])
    return folder


def _json(run: Run, *args: str) -> tuple[dict[str, Any], int]:
    result = run("fleet", *args, "--output-format", "json")
    assert result.stderr == ""
    data: dict[str, Any] = json.loads(result.stdout)
    return data, result.returncode


def test_every_host_has_a_row_and_alike_ones_are_looked_at_once(run: Run, fleet: Path) -> None:
    data, status = _json(run, str(fleet))
    rows = {row["host"]: row for row in data["hosts"]}
    assert [*rows] == ["db", "torn", "web-00", "web-01", "web-02"]
    assert [rows[name]["like"] for name in rows] == [None, None, None, "web-00", "web-00"]
    assert rows["web-02"]["findings"] == rows["web-00"]["findings"]
    assert "IPT402" in {found["code"] for found in rows["db"]["findings"]}
    assert (rows["torn"]["looked_at"], rows["torn"]["rules"]) == (False, None)
    assert "damaged" in rows["torn"]["why"]
    assert (data["summary"]["different"], data["summary"]["not_looked_at"]) == (2, 1)
    assert status == 1


def test_the_json_is_as_its_schema_says(run: Run, fleet: Path) -> None:
    data, _ = _json(
        run, str(fleet), "--golden", "web-00", "--since", str(fleet), "--profile", "cis"
    )
    schema = json.loads((ROOT / "docs" / "json-schema.json").read_text("utf-8"))
    jsonschema.validate(data, {**schema, "$ref": "#/$defs/fleet"})


def test_a_golden_host_and_last_week(run: Run, fleet: Path, tmp_path: Path) -> None:
    before = tmp_path / "before"
    before.mkdir()
    for name, rules in (("db", RULES), ("web-00", RULES), ("old", RULES)):
        save(host(rules, name), str(before / f"{name}.tar.gz"))
    (before / "web-01.tar.gz").write_text("nonsense")
    data, status = _json(run, str(fleet), "--golden", "web-01", "--since", str(before))
    rows = {row["host"]: row for row in data["hosts"]}
    told = {name: (row["golden"], row["since"]) for name, row in rows.items() if row["looked_at"]}
    matches = {name: (one["match"], two["match"]) for name, (one, two) in told.items()}
    assert matches == {
        "db": ("differs", "differs"),
        "web-00": ("same", "same"),
        "web-01": ("same", "unknown"),
        "web-02": ("same", "new"),
    }
    assert told["db"][0]["changes"][0].startswith("input, ip: drop → accept: tcp")
    assert data["summary"]["gone"] == ["old"]
    assert status == 1


def test_the_page_shows_what_is_printed(run: Run, fleet: Path, tmp_path: Path) -> None:
    fleet.rename(tmp_path / "captures")
    (tmp_path / "captures" / "web-02.tar.gz").unlink()
    before = tmp_path / "captures-of-last-week"
    before.mkdir()
    for name in ("db", "web-00", "web-01"):
        save(host(RULES, name), str(before / f"{name}.tar.gz"))
    page = (ROOT / "docs" / "fleet.md").read_text("utf-8")
    command, shown = page.split("```\n$ iptlint ", 1)[1].split("```", 1)[0].split("\n", 1)
    printed = run(*command.split(), COLUMNS="80").stdout
    assert [line.rstrip() for line in printed.splitlines()] == shown.splitlines()


def test_a_host_without_rules_says_so(run: Run, tmp_path: Path) -> None:
    """Nothing is wrong with rules that are not there; the host is no example for others."""
    save(host("", "bare", boot=""), str(tmp_path / "bare.tar.gz"))
    said = run("fleet", str(tmp_path), "--fail-on", "never").stdout
    assert said.splitlines()[2] == "    it has no rules: all is let in that no policy drops"


def test_status(run: Run, fleet: Path, tmp_path: Path) -> None:
    never = ("--select", "IPT001")
    assert run("fleet", str(fleet), *never).returncode == 1  # one could not be looked at
    assert run("fleet", str(fleet), *never, "--limit", "[dw]*").returncode == 0
    assert run("fleet", str(fleet), "--limit", "db", "--fail-on", "warning").returncode == 1
    assert run("fleet", str(fleet), *never, "--limit", "[dw]*", "--golden", "db").returncode == 1
    assert run("fleet", str(fleet), "--limit", "torn").returncode == 2
    empty = tmp_path / "empty"
    empty.mkdir()
    for wrong, said in (
        ((str(empty),), "no capture (*.tar.gz) is here"),
        ((str(fleet), "--limit", "x*"), "no capture"),
        ((str(fleet), "--golden", "nobody"), "no capture, and no host of"),
        ((str(fleet), "--golden", "torn"), "--golden torn: "),
        ((str(fleet), "--select", "IPT999"), "there is no rule"),
        ((str(fleet), "--output-format", "yaml"), "'yaml' is not one of text"),
        ((str(tmp_path / "nothing"),), "does not exist"),
    ):
        result = run("fleet", *wrong)
        assert result.returncode == 2
        assert said in result.stderr


def test_the_table_is_80_columns_wide(run: Run, fleet: Path) -> None:
    args = ("--golden", "db", "--since", str(fleet), "--profile", "cis")
    text = run("fleet", str(fleet), *args).stdout
    assert max(map(width, text.splitlines())) <= COLUMNS
    assert "differ from the golden host db: web-00, web-01, web-02\n" in text


def test_all_formats_at_once_and_as_several_processes_say_it(run: Run, fleet: Path) -> None:
    def written(*args: str) -> dict[str, str]:
        outputs = [part for name in WRITERS for part in ("--output-format", f"{name}:{name}.out")]
        assert run("fleet", str(fleet), *outputs, *args).returncode == 1
        return {name: (fleet.parent / f"{name}.out").read_text("utf-8") for name in WRITERS}

    one = written("--jobs", "1")
    assert one == written("--jobs", "3")
    assert one == written("--cache", "cache")
    assert one == written("--cache", "cache")
    table = [*csv.reader(io.StringIO(one["csv"]))]
    assert {len(row) for row in table} == {len(table[0])}
    assert one["html"].count('<th scope="row" id="host-') == 5


def test_what_a_capture_says_is_text_in_every_format(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "now"
    folder.mkdir()
    name = "=1+1<b>|\x1b[31m"
    rules = RULES.replace("--dport 22", "--dport 22 -m comment --comment '<script>|\x1b[31m'")
    save(
        host(rules.replace("-j ACCEPT\nCOMMIT", "-j <i>|\nCOMMIT")), str(folder / f"{name}.tar.gz")
    )
    for kind in WRITERS:
        text = run("fleet", str(folder), "--output-format", kind).stdout
        assert "\x1b" not in text
        if kind == "html":
            assert "<b>" not in text
            assert "<script" not in text
            assert "<i>" not in text
        if kind == "csv":
            assert "\"'=1+1" in text


TESTS = """\
tests = [
  "deny from internet to 5432",
  "only from 203.0.113.0/24 to ssh",
]

[[test]]
that = "same as golden.v4"
hosts = ["db"]
"""


def test_policy_tests_and_the_matrix(run: Run, fleet: Path) -> None:
    (fleet.parent / "policy.toml").write_text(TESTS)
    (fleet.parent / "golden.v4").write_text(RULES)
    args = (str(fleet), "--tests", "policy.toml", "--matrix", "--limit", "[dw]*")
    data, status = _json(run, *args)
    rows = {row["host"]: row for row in data["hosts"]}
    ipv4 = {
        name: [each["status"] for each in row["tests"] if each["family"] == "ip"]
        for name, row in rows.items()
    }
    others = {name: ["holds", "holds"] for name in sorted(rows)[1:]}
    assert ipv4 == {"db": ["holds", "fails", "fails"], **others}
    matrix = {(each["zone"], each["service"]): each for each in data["summary"]["matrix"]}
    assert matrix["internet", "ssh"]["some"] + matrix["internet", "ssh"]["no"] == 3
    assert matrix["internet", "ssh"]["yes"] == 1
    assert status == 1
    text = run("fleet", *args).stdout
    assert (
        "4      4  only from 203.0.113.0/24 to ssh\n               db, web-00, web-01, web-02: "
        in text
    )


def test_a_file_of_tests_that_cannot_be_read(run: Run, fleet: Path) -> None:
    (fleet.parent / "policy.toml").write_text('tests = ["same as nowhere.v4"]\n')
    result = run("fleet", str(fleet), "--tests", "policy.toml")
    assert result.returncode == 2
    assert "nowhere.v4" in result.stderr


# -- over ssh ----------------------------------------------------------------------------------

_SSH = """\
#!/bin/sh
cat >/dev/null
case "$*" in *dead*) echo "ssh: connect to host dead: No route to host" >&2; exit 255;; esac
case "$*" in *two*) case "$*" in *"-p 2200 -- two"*) ;; *) exit 1;; esac; esac
cat '%s'
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Where a made-up ssh is that knows what a host says."""
    made = tmp_path / "bin" / "ssh"
    made.parent.mkdir()
    (made.parent / "said").write_text(as_ssh_says_it(host()))
    made.write_text(_SSH % (made.parent / "said"))
    made.chmod(0o755)
    return f"{made.parent}:{os.environ['PATH']}"


def test_hosts_of_a_list(run: Run, tmp_path: Path, path: str) -> None:
    (tmp_path / "hosts").write_text("[up]\none\ntwo ansible_port=2200\n[down]\ndead\n")
    (tmp_path / "saved").mkdir()
    result = run("fleet", "hosts", "--save", "saved", "--output-format", "json", PATH=path)
    rows = {row["host"]: row for row in json.loads(result.stdout)["hosts"]}
    assert [row["looked_at"] for row in rows.values()] == [True, True, False]
    assert rows["dead"]["why"] == "dead: ssh: connect to host dead: No route to host"
    assert rows["two"]["like"] == "one"
    assert sorted(path.name for path in (tmp_path / "saved").iterdir()) == [
        "one.tar.gz",
        "two.tar.gz",
    ]
    assert (tmp_path / "saved" / "one.tar.gz").stat().st_mode & 0o777 == 0o600
    again = run("fleet", "hosts", "--limit", "up", "--since", "saved", PATH=path)
    assert "same" in again.stdout
    assert run("fleet", "hosts", "--limit", "down", PATH=path).returncode == 2


def test_a_list_that_cannot_be_understood(run: Run, tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("one\n-x\n")
    result = run("fleet", "hosts")
    assert result.returncode == 2
    assert "hosts:2: '-x' is no name of a host" in result.stderr
    (tmp_path / "hosts").write_text("one ansible_become=yes\n")
    result = run("fleet", "hosts", PATH="/nonexistent")
    assert "not used, ssh connects as it is set up: ansible_become" in result.stderr


# -- on a cluster ------------------------------------------------------------------------------


def test_a_scheduler_that_is_not_there(run: Run, fleet: Path) -> None:
    result = run("fleet", str(fleet), "--scheduler", "nonsense://x")
    assert result.returncode == 2
    assert "no scheduler answers" in result.stderr


_CLUSTER = """
import json, os, signal, sys, threading, time
from distributed import LocalCluster

if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
                      host="127.0.0.1") as cluster:
        print(cluster.scheduler_address, flush=True)
        for line in sys.stdin:
            pids = [worker.pid for worker in cluster.workers.values()]
            os.kill(pids[0], signal.SIGKILL)
            print(pids[0], flush=True)
"""


def test_a_cluster_says_the_same_though_a_worker_is_killed(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    folder = tmp_path / "now"
    folder.mkdir()
    for number in range(24):
        port = RULES.replace("--dport 22", f"--dport {4000 + number}")
        save(host(port, f"h{number:02}"), str(folder / f"h{number:02}.tar.gz"))
    here = run("fleet", str(folder), "--golden", "h03")
    script = tmp_path / "cluster.py"
    script.write_text(_CLUSTER)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    cluster = subprocess.Popen(
        [sys.executable, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        text=True,
    )
    assert cluster.stdin is not None
    assert cluster.stdout is not None
    try:
        address = cluster.stdout.readline().strip()
        there = subprocess.Popen(
            [
                *(sys.executable, "-m", "iptlint", "fleet", str(folder)),
                *("--golden", "h03", "--scheduler", address),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
        )
        assert there.stdout is not None
        first = "".join(there.stdout.readline() for _ in range(4))  # some hosts are known
        cluster.stdin.write("kill\n")
        cluster.stdin.flush()
        assert cluster.stdout.readline().strip().isdecimal()
        rest, said = there.communicate(timeout=120)
        assert (first + rest, there.returncode) == (here.stdout, here.returncode), said
    finally:
        cluster.stdin.close()
        cluster.wait(PATIENCE)
        cluster.stdout.close()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xbe\x00\xff", "a folder of captures, or a text with a host in each line"),
        (b"", "there is no host in the list"),
    ],
)
def test_what_is_no_inventory_is_said_in_words(
    run: Run, tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "list").write_bytes(content)
    result = run("fleet", "list")
    assert result.returncode == 2
    assert said in result.stderr
