"""Only what is in the list is run, without a shell, and not for ever."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from iptlint.host import commands
from iptlint.host.collect import gather_here
from iptlint.host.commands import COMMANDS, Command, run

READING = {
    *("-c", "list", "ruleset", "-j", "save", "-Htuln", "-T", "addr", "list-unit-files"),
    *("--no-legend", "--no-pager", "--type=service", "--version", "-sr", "-n"),
    *("-4", "-6", "route", "rule", "show", "table", "all"),
}


def test_the_commands_only_read() -> None:
    for command in COMMANDS:
        assert {*command.argv[1:]} <= READING, command
        assert "/" not in command.argv[0]


def test_no_command_goes_through_a_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, object]] = []

    class Popen(subprocess.Popen[bytes]):
        def __init__(self, args: tuple[str, ...], **more: object) -> None:
            asked.append((args, more.get("shell")))
            raise FileNotFoundError

    monkeypatch.setattr(commands.subprocess, "Popen", Popen)
    gathered = gather_here(root=str(tmp_path))
    assert asked == [(command.argv, None) for command in COMMANDS]
    assert gathered.outputs == {}


def test_a_tool_that_is_not_there() -> None:
    assert run(Command("x", ("iptlint-no-such-tool",))) is None


def test_a_tool_of_the_same_name_in_the_path_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "uname").write_text("#!/bin/sh\necho mine\n")
    (tmp_path / "uname").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    output = run(Command("kernel", ("uname", "-s")))
    assert output is not None
    assert output.data == b"Linux\n"


def test_what_it_complains_of() -> None:
    output = run(Command("x", ("cat", "/no/such/file")))
    assert output is not None
    assert output.status == 1
    assert "No such file" in output.complaint


def test_a_command_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    process = subprocess.Popen(["sleep", "30"], stdout=subprocess.PIPE, start_new_session=True)
    assert commands.read_limited(process, 0.2) == (b"", False)
    assert process.returncode == -signal.SIGKILL


def test_a_command_that_prints_without_end() -> None:
    process = subprocess.Popen(["yes"], stdout=subprocess.PIPE, start_new_session=True)
    data, ended = commands.read_limited(process, 10, 1000)
    assert (len(data), ended) == (1000, False)


def test_a_pipe_among_the_files_is_not_waited_for(tmp_path: Path) -> None:
    import os

    (tmp_path / "etc").mkdir()
    os.mkfifo(tmp_path / "etc" / "nftables.conf")
    gathered = gather_here(lambda _: None, str(tmp_path))
    assert "/etc/nftables.conf" not in gathered.files
