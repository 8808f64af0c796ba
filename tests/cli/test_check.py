from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import BROKEN, CLEAN, Run

OPEN = "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n"


def test_no_finding_is_status_0(run: Run) -> None:
    result = run("-", text=CLEAN)
    assert (result.returncode, result.stderr) == (0, ""), result.stdout
    assert result.stdout == "no findings in 1 file\n"


def test_a_finding_is_status_1_and_check_may_be_left_out(run: Run) -> None:
    short, long = run("-", text=BROKEN), run("check", "-", text=BROKEN)
    assert short.stdout == long.stdout
    assert short.returncode == long.returncode == 1
    assert "-:2:17: error IPT001 syntax-error:" in short.stdout


def test_an_option_may_come_before_the_file(run: Run) -> None:
    result = run("--output-format", "json", "-", text=BROKEN)
    assert json.loads(result.stdout)["findings"][0]["code"] == "IPT001"


@pytest.mark.parametrize(
    ("fail_on", "status"), [("error", 0), ("warning", 1), ("info", 1), ("never", 0)]
)
def test_fail_on(run: Run, fail_on: str, status: int) -> None:
    result = run("-", "--select", "IPT008", "--fail-on", fail_on, text="# nothing\n")
    assert (result.returncode, "IPT008" in result.stdout) == (status, True)


@pytest.mark.parametrize("rule", ["IPT601", "IPT6", "default-accept", "ipt601"])
def test_select_takes_codes_prefixes_and_names(run: Run, rule: str) -> None:
    result = run("-", "--select", rule, "--output-format", "json", text=OPEN)
    assert {f["code"] for f in json.loads(result.stdout)["findings"]} == {"IPT601"}


def test_ignore(run: Run) -> None:
    assert run("-", "--select", "IPT6", "--ignore", "IPT601", text=OPEN).returncode == 0


def test_an_unknown_code_is_a_usage_error(run: Run) -> None:
    result = run("-", "--select", "defualt-accept", text=OPEN)
    assert result.returncode == 2
    assert "did you mean default-accept?" in result.stderr


def test_select_does_not_hide_that_a_file_could_not_be_read(run: Run) -> None:
    assert "IPT001" in run("-", "--select", "IPT601", text=BROKEN).stdout
    assert "IPT001" not in run("-", "--ignore", "IPT001", text=BROKEN).stdout


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--ssh-ports", "22,70000", "'70000' is not a port from 1 to 65535"),
        ("--management-networks", "10.0.0.1/8", "did you mean 10.0.0.0/8?"),
        ("--management-networks", "office", "is not a network such as 10.0.0.0/8"),
        ("--fail-on", "fatal", "'fatal' is not one of"),
    ],
)
def test_a_bad_value_is_a_usage_error(run: Run, option: str, value: str, told: str) -> None:
    result = run("-", option, value, text=CLEAN)
    assert result.returncode == 2
    assert told in result.stderr


def test_settings_reach_the_rules(run: Run) -> None:
    assert run("-", "--select", "IPT3", text=CLEAN).returncode == 0
    assert "IPT301" in run("-", "--select", "IPT3", "--ssh-ports", "2222", text=CLEAN).stdout
    network = run("-", "--management-networks", "198.51.100.0/24", text=CLEAN)
    assert "IPT302" in network.stdout


def test_the_rest_is_linted_where_a_file_cannot_be_read(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rules.v4").write_text(BROKEN)
    result = run("missing", "rules.v4")
    assert result.returncode == 2
    assert result.stderr == "iptlint: missing: No such file or directory\n"
    assert "IPT001" in result.stdout


def test_a_mistyped_command_is_recognised(run: Run) -> None:
    assert "did you mean the command reach?" in run("raech").stderr


def test_the_name_of_a_file_is_taken_for_no_command(run: Run) -> None:
    assert run("rules.v4").stderr == "iptlint: rules.v4: No such file or directory\n"


def test_a_directory_is_searched(run: Run, tmp_path: Path) -> None:
    deep = tmp_path / "etc" / "iptables"
    deep.mkdir(parents=True)
    for name in ("rules.v4", "rules.v6", "notes.txt"):
        (deep / name).write_text(OPEN)
    report = json.loads(run("etc", "--output-format", "json").stdout)
    found = [Path(file["path"]).name for file in report["files"]]
    assert found == ["rules.v4", "rules.v6"]
    assert [file["family"] for file in report["files"]] == ["ip", "ip6"]


def test_a_directory_without_a_firewall(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = run("empty")
    assert result.returncode == 2
    assert "no firewall file is in this directory" in result.stderr


def test_the_same_file_is_read_once(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rules.v4").write_text(OPEN)
    (tmp_path / "link").symlink_to("rules.v4")
    report = json.loads(run("rules.v4", "./rules.v4", "link", "--output-format", "json").stdout)
    assert [file["path"] for file in report["files"]] == ["rules.v4"]


def test_a_file_called_like_a_command(run: Run, tmp_path: Path) -> None:
    (tmp_path / "check").write_text(CLEAN)
    assert run("./check").stdout == "no findings in 1 file\n"


@pytest.mark.parametrize("family", ["ip6", "6", "ipv6"])
def test_family(run: Run, family: str) -> None:
    report = json.loads(run("-", "--family", family, "--output-format", "json", text=OPEN).stdout)
    assert report["files"][0]["family"] == "ip6"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\xff" * 100,
        "*filter\n".encode("utf-16"),
        b"\x1f\x8b\x08\0",
        b'*filter\n-A INPUT -m comment --comment "\xff\xfe" -j DROP\nCOMMIT',
        b'*filter\n-A INPUT -m comment --comment "\x1b[31m" -j \x1b]0;x\x07\nCOMMIT\n',
        b"*" * 100_000,
        b"*filter\n" + b"-A INPUT -j ACCEPT " * 2000 + b"\nCOMMIT\n",
        b"\r\n\r\n*filter\r\n:INPUT DROP [0:0]\r\nCOMMIT\r\n",
    ],
)
@pytest.mark.parametrize("output_format", ["text", "json"])
def test_no_input_ends_in_a_traceback(tmp_path: Path, data: bytes, output_format: str) -> None:
    (tmp_path / "rules.v4").write_bytes(data)
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "iptlint",
            str(tmp_path / "rules.v4"),
            "--output-format",
            output_format,
        ],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        timeout=60,
        check=False,
    )
    assert result.returncode in (0, 1), result.stderr
    assert result.stderr == b""
    assert b"IPT009" not in result.stdout
    assert not {*result.stdout} & {0x1B, 0x07, 0}
    if output_format == "json":
        json.loads(result.stdout.decode("utf-8"))


def test_what_is_shown_says_the_same_however_many_are_left_out(run: Run) -> None:
    """Of what is left out no packet is looked for."""
    accepts = [f"-A INPUT -s 198.51.100.{n} -j ACCEPT" for n in range(1, 9)]
    bans = [f"-A INPUT -s 198.51.100.{n} -p tcp -j DROP" for n in range(1, 9)]
    text = "\n".join(["*filter", ":INPUT DROP [0:0]", *accepts, *bans, "COMMIT", ""])

    def findings(*options: str) -> list[dict[str, object]]:
        printed = run("--output-format=json", *options, "-", text=text).stdout
        found: list[dict[str, object]] = json.loads(printed)["findings"]
        return [each for each in found if each["code"] != "IPT010"]

    each = findings()
    ranked = sorted(each, key=lambda f: ["error", "warning", "info"].index(str(f["severity"])))
    assert len(each) > 3
    for most in (1, 3, len(each) - 1):
        assert findings(f"--max-findings={most}") == [f for f in each if f in ranked[:most]]
