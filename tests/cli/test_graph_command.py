"""``iptlint graph``: what it prints, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.conftest import BROKEN, CLEAN, Run


@pytest.mark.parametrize(
    ("name", "start"),
    [("svg", "<svg "), ("dot", "digraph "), ("mermaid", "flowchart LR"), ("json", "{")],
)
def test_each_format(run: Run, name: str, start: str) -> None:
    result = run("graph", "-", "--output-format", name, text=CLEAN)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(start)


def test_the_way_of_a_packet(run: Run) -> None:
    args = (
        "--iif",
        "eth0",
        "--proto",
        "tcp",
        "--dport",
        "80",
        "--saddr",
        "192.0.2.1",
        "--output-format",
        "json",
    )
    answer = json.loads(run("graph", "-", *args, text=CLEAN).stdout)
    assert answer["way"]["verdict"] == "drop"
    assert answer["way"]["said"].startswith("drop, by the policy of INPUT")
    names = {node["id"]: node["name"] for node in answer["nodes"]}
    assert [names[node] for node in answer["way"]["nodes"]] == ["input", "INPUT"]
    picture = run("graph", "-", "--trace", text=CLEAN).stdout
    assert ElementTree.fromstring(picture).findall(".//*[@class='node hook on']")


def test_several_files_are_one_picture(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rules.v4").write_text(CLEAN)
    (tmp_path / "rules.v6").write_text(CLEAN.replace("192.0.2.0/24", "2001:db8::/32"))
    answer = json.loads(run("graph", "rules.v4", "rules.v6", "--output-format", "json").stdout)
    tables = {node["table"] for node in answer["nodes"]}
    assert tables == {None, "ip filter", "ip6 filter"}


def test_what_cannot_be_read(run: Run) -> None:
    result = run("graph", "-", text=BROKEN)
    assert result.returncode == 2
    assert "-:2: " in result.stderr
    assert result.stdout.startswith("<svg ")
    assert run("graph", "nowhere").returncode == 2
    wrong = run("graph", "-", "--saddr", "x", text=CLEAN)
    assert wrong.returncode == 2
    assert "'x' is no address and no network" in wrong.stderr
