"""``iptlint convert``: what it prints, and its exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from iptlint.cli import group
from tests.expectations import broken

GOOD = """\
*filter
:INPUT DROP [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
"""
BAD = GOOD.replace("COMMIT", '-A INPUT -m string --string "x" --algo bm -j DROP\nCOMMIT')


def run(*arguments: str, text: str = "") -> Result:
    return CliRunner().invoke(group, ["convert", *arguments], input=text, standalone_mode=False)


def test_a_file_that_is_proved() -> None:
    result = run("-", text=GOOD)
    assert result.return_value == 0
    assert result.stdout.startswith("#!/usr/sbin/nft -f\n# From -, by `iptlint convert`.\n")
    assert "tcp dport 22 accept" in result.stdout
    assert result.stderr == (
        "2 of 2 rules converted and proved; every packet fares alike in both\n"
    )


def test_a_rule_that_has_no_words_is_named_by_its_line() -> None:
    result = run("-", text=BAD)
    assert result.return_value == 1
    assert "# not converted: -:5: -A INPUT -m string" in result.stdout
    assert "  -:5: -A INPUT -m string" in result.stderr
    assert "2 of 3 rules converted and proved, 1 not converted" in result.stderr


def test_json() -> None:
    answer = json.loads(run("-", "--output-format", "json", text=BAD).stdout)
    assert (answer["version"], answer["proved"], answer["whole"]) == (1, False, None)
    (rule,) = answer["rules"]
    assert (rule["path"], rule["line"], rule["state"]) == ("-", 5, "not_converted")
    assert answer["summary"] == {"proved": 2, "not_proved": 0, "not_converted": 1, "left_out": 0}
    good = json.loads(run("-", "--output-format", "json", text=GOOD).stdout)
    assert good["whole"] is True
    assert broken(answer, "conversion") == broken(good, "conversion") == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("table ip t { }\n", "is not what `iptables-save` prints"),
        ("#!/bin/sh\niptables -A INPUT -j DROP\n", "is a script: run it"),
    ],
)
def test_what_is_no_file_of_iptables(text: str, why: str) -> None:
    result = run("-", text=text)
    assert why in str(result.exception)


def test_two_files_of_one_family(tmp_path: Path) -> None:
    for name in ("a.v4", "b.v4"):
        (tmp_path / name).write_text(GOOD)
    result = run(str(tmp_path / "a.v4"), str(tmp_path / "b.v4"))
    assert "both have a table filter for ip" in str(result.exception)


def test_a_file_with_a_mistake_is_no_success() -> None:
    result = run("-", text=GOOD.replace("--dport", "--dprot"))
    assert result.return_value == 2
    assert "not converted: this rule could not be read" in result.stderr


def test_chains_that_are_left_out() -> None:
    text = GOOD.replace(
        ":INPUT DROP [0:0]\n",
        ":INPUT DROP [0:0]\n:DOCKER - [0:0]\n-A INPUT -j DOCKER\n-A DOCKER -j DROP\n",
    )
    told = run("-", text=text)
    assert "docker writes these chains itself" in " ".join(told.stderr.split())
    assert "DOCKER" not in run("-", "--ignore-chains", "DOCKER*", text=text).stdout


NFT = """\
table ip t {
 chain c {
  type filter hook input priority 0; policy drop;
  tcp dport 22 accept
 }
}
"""


def test_nft_and_its_json(tmp_path: Path) -> None:
    (tmp_path / "x.nft").write_text(NFT)
    made = run(str(tmp_path / "x.nft"), "--to", "nft-json")
    assert (made.return_value, made.stderr) == (0, "")
    (tmp_path / "x.json").write_text(made.stdout)
    again = run(str(tmp_path / "x.json"))
    assert again.return_value == 0
    assert "tcp dport 22 accept" in again.stdout
    told = json.loads(run(str(tmp_path / "x.json"), "--output-format", "json").stdout)
    assert broken(told, "conversion") == []
    wrong = run(str(tmp_path / "x.json"), "--to", "nft-json")
    assert "is nft-json, and nft-json is written of nft here" in str(wrong.exception)
