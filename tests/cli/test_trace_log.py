from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from tests.cli.conftest import BROKEN, Run
from tests.expectations import ROOT

RULES, LOG = (str(ROOT / "fixtures" / "logs" / name) for name in ("rules.v4", "kern.log"))


def test_each_line_has_its_rule(run: Run) -> None:
    result = run("trace", RULES, "--log", LOG)
    assert (result.returncode, result.stderr) == (0, "")
    assert '-j LOG --log-prefix "ssh: " (at input)' in result.stdout
    assert "1 line: accept, by" in result.stdout
    assert "no rule here logs with this prefix" in result.stdout
    assert "5 packets in" in result.stdout
    assert "1 line of something else" in result.stdout


def test_standard_input(run: Run) -> None:
    text = Path(LOG).read_text("utf-8")
    result = run("trace", RULES, "--log", "-", "--all", text=text)
    assert "line 3: tcp 203.0.113.77:39110 -> 192.0.2.1:22 in eth0, syn" in result.stdout


def test_json_is_the_contract(run: Run) -> None:
    answer = json.loads(run("trace", RULES, "--log", LOG, "--output-format", "json").stdout)
    schema = json.loads((ROOT / "docs" / "json-schema.json").read_text("utf-8"))
    jsonschema.validate(answer, {**schema, "$ref": "#/$defs/log"})
    assert [line["line"] for line in answer["lines"]] == [2, 3, 4, 5, 6]
    assert answer["others"] == [1]
    first = answer["lines"][0]["written_by"][0]
    assert (first["line"], first["hook"], first["outcomes"][0]["verdict"]) == (7, "input", "accept")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--dport", "22"), "--dport is said by each line of the log"),
        (("--reply",), "--reply is said by each line of the log"),
        (("--log", RULES), "would both be read from the same file"),
        (("--log", "gone"), "gone: No such file"),
    ],
)
def test_what_cannot_be_meant(run: Run, args: tuple[str, ...], said: str) -> None:
    result = run("trace", RULES, "--log", LOG, *args)
    assert (result.returncode, result.stdout) == (2, "")
    assert said in result.stderr


def test_a_log_without_a_packet(run: Run) -> None:
    result = run("trace", RULES, "--log", "-", text="usb 1-1: new device\n")
    assert (result.returncode, result.stdout) == (2, "")
    assert "no line shows a packet" in result.stderr


def test_rules_that_cannot_be_read_as_a_whole(run: Run) -> None:
    assert run("trace", "-", "--log", LOG, text=BROKEN).returncode == 2


def test_what_the_log_holds_does_not_speak_to_the_terminal(run: Run) -> None:
    text = Path(LOG).read_text("utf-8").replace("old: ", "\x1b[31mold: ")
    assert "\x1b" not in run("trace", RULES, "--log", "-", text=text).stdout
