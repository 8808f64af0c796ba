"""The way over ssh, with a made-up ssh that runs what it is told right here."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from iptlint.host.collect import gather_here
from iptlint.host.remote import RemoteError, answered, argv, gather_remote, script


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Writes down how it was called."""
    made = tmp_path / "bin" / "ssh"
    made.parent.mkdir()
    made.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/argv\necho "Welcome! @file eA=="\neval "$6"\n'
    )
    made.chmod(0o755)
    monkeypatch.setenv("PATH", f"{made.parent}:/usr/sbin:/usr/bin:/sbin:/bin")
    return tmp_path / "argv"


@pytest.mark.parametrize(
    "name",
    ["-oProxyCommand=touch /tmp/x", "", "a b", "host;id", "$(id)", "host\nid", "`id`", "a'b"],
)
def test_what_is_no_name_of_a_host(name: str) -> None:
    with pytest.raises(RemoteError, match="no name of a host"):
        gather_remote(name)


@pytest.mark.parametrize(
    "name", ["web1", "root@web1.example.org", "u@192.0.2.1", "u@[2001:db8::1]"]
)
def test_the_command_is_the_same_for_all(name: str) -> None:
    expected = ["ssh", "-T", "-o", "BatchMode=yes", "--", name, "exec sh -s"]
    assert argv(name) == expected


def test_the_script_is_good_for_any_shell() -> None:
    done = subprocess.run(["sh", "-n"], input=script(), text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_it_gathers_what_is_gathered_here(ssh: Path) -> None:
    here, there = gather_here(), gather_remote("root@web1")
    assert there.name == "root@web1"
    assert ssh.read_text().split("\n")[:-1] == argv("root@web1")[1:]
    assert there.files == {**here.files, **_changing(there.files)}
    assert there.links == here.links
    assert {*there.outputs} == {*here.outputs}
    same = ("kernel", "nft-version", "iptables-version", "hostname")
    assert all(there.outputs.get(n) == here.outputs.get(n) for n in same)


def _changing(files: object) -> dict[str, bytes]:
    assert isinstance(files, dict)
    return {path: data for path, data in files.items() if path.endswith("nf_conntrack_count")}


def test_a_host_that_does_not_answer(ssh: Path) -> None:
    (ssh.parent / "bin" / "ssh").write_text("#!/bin/sh\necho no route to host >&2\nexit 255\n")
    with pytest.raises(RemoteError, match="no route to host"):
        gather_remote("web1")


def test_what_a_host_may_answer() -> None:
    """Whatever it is, it is data."""
    for data in (
        b"",
        b"@iptlint\n@run\n@file\n@link x\n@said\n@end\n",
        b"@iptlint\n@file \xff\n@end",
    ):
        assert answered("x", data).files == {}
