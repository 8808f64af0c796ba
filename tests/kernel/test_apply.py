"""Rules put into a kernel and taken back: exactly, and also where the session is cut off."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import pytest

from tests.kernel.namespaces import Namespace
from tests.processes import PATIENCE

ROOT = Path(__file__).parent.parent.parent
SERVER, CLIENT, PORT = "192.0.2.10", "192.0.2.20", 22
SECONDS = "5"
OPEN = """*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
"""
SHUT = OPEN.replace("-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n", "").replace(
    "192.0.2.0/24", "10.0.0.0/8"
)
CLOSER = OPEN.replace("192.0.2.0/24", CLIENT + "/32")
NFT = """flush ruleset
table inet filter {
    set friends { type ipv4_addr; elements = { 192.0.2.20 } }
    chain input {
        type filter hook input priority filter; policy drop;
        iifname "lo" accept
        ct state established,related accept
        icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept
        ip saddr @friends tcp dport 22 accept
    }
}
"""
_COUNTERS = re.compile(r"packets \d+ bytes \d+|\[\d+:\d+\]|^#.*\n|expires \w+", re.MULTILINE)


class Host:
    """A host with one client, in a network namespace; /run of it is a file system of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.network, self.client = Namespace(), Namespace()
        host, world = self.network, self.client
        host.run(["ip", "link", "set", "lo", "up"])
        wire = f"link add eth0 type veth peer name eth0 netns {world.path}"
        host.run(["ip", "-batch", "-"], f"{wire}\naddr add {SERVER}/24 dev eth0\nlink set eth0 up")
        world.run(["ip", "-batch", "-"], f"addr add {CLIENT}/24 dev eth0\nlink set eth0 up")
        with host.entered():
            self.holder = subprocess.Popen(
                ["unshare", "-m", "sh", "-c", "mount -t tmpfs none /run && echo ready && exec cat"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            self.server = socket.create_server((SERVER, PORT))
        assert self.holder.stdout is not None
        if self.holder.stdout.readline() != b"ready\n":
            pytest.skip("no file system can be mounted here")

    def connect(self) -> None:
        """The SSH session that somebody is in."""
        with self.client.entered():
            self.near = socket.create_connection((SERVER, PORT), 5)
        self.far, _ = self.server.accept()
        for end in (self.near, self.far):
            end.settimeout(0.5)

    def answers(self) -> bool:
        """Whether the session goes on: what is lost may come again later."""
        with suppress(OSError):
            self.near.send(b"x")
            return bool(self.far.recv(1))
        return False

    def command(self, *args: str) -> list[str]:
        inside = ["nsenter", "-t", str(self.holder.pid), "-m", "-n"]
        return [*inside, sys.executable, "-m", "iptlint", "apply", *args]

    @property
    def environment(self) -> dict[str, str]:
        name, port = self.near.getsockname()
        told = f"{name} {port} {SERVER} {PORT}"
        return {**os.environ, "SSH_CONNECTION": told, "PYTHONPATH": str(ROOT)}

    def apply(self, *args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*args),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def file(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def state(self) -> str:
        """All rules and sets, without what counts by itself, tables in any order."""
        printed = [
            self.network.run(command)
            for command in (["nft", "list", "ruleset"], ["iptables-legacy-save"], ["ipset", "save"])
        ]
        printed.append(self.network.run(["iptables-nft-save"]))
        bare = _COUNTERS.sub("", "\n".join(printed))
        return "\n".join(sorted(re.split(r"(?m)(?<=^\})\n|\n(?=add|create)", bare)))

    def close(self) -> None:
        self.holder.kill()
        self.holder.wait()
        for each in (self.server, *(getattr(self, n) for n in ("near", "far") if hasattr(self, n))):
            each.close()
        self.network.close()
        self.client.close()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    try:
        made = Host(tmp_path)
    except (OSError, RuntimeError) as error:
        pytest.skip(f"no host can be made here: {error}")
    made.network.run(["iptables-restore"], OPEN)
    made.connect()
    yield made
    made.close()


def ends(host: Host, seconds: float = PATIENCE) -> str:
    """How what waits ends."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        said = host.apply().stdout
        if "the last ones were" in said:
            return said
        time.sleep(0.3)
    pytest.fail("it does not end")


def test_what_would_cut_the_session_off_is_refused(host: Host) -> None:
    before = host.state()
    result = host.apply(host.file("shut.v4", SHUT))
    assert result.returncode == 1
    assert "refused: this closes the SSH session you are in (192.0.2.20 port" in result.stdout
    assert "drop, by the policy of INPUT" in result.stdout
    assert host.state() == before
    assert host.answers()


def test_the_session_is_cut_off_and_its_terminal_gone(host: Host) -> None:
    """As where the connection is lost: who typed the command gets no chance to say anything."""
    before = host.state()
    path = host.file("shut.v4", SHUT)
    master, slave = pty.openpty()
    process = subprocess.Popen(
        ["setsid", "-c", *host.command("--force", "--confirm-within", SECONDS, path)],
        env=host.environment,
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    said = b""
    while b"Keep the new rules?" not in said:
        said += os.read(master, 4096)
    assert not host.answers()
    assert host.state() != before
    os.close(master)  # the terminal hangs up
    process.wait(PATIENCE)
    assert "rolled back" in ends(host)
    assert host.state() == before
    assert any(host.answers() for _ in range(60))  # once TCP sends again what was lost


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP])
def test_the_command_is_killed(host: Host, number: signal.Signals) -> None:
    before = host.state()
    path = host.file("closer.v4", CLOSER)
    process = subprocess.Popen(
        host.command("--confirm-within", SECONDS, path),
        env=host.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while host.state() == before and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    process.wait(PATIENCE)
    assert "rolled back" in ends(host)
    assert host.state() == before


def test_confirmed_from_another_session(host: Host) -> None:
    before = host.state()
    path = host.file("closer.v4", CLOSER)
    result = host.apply("--confirm-within", SECONDS, path)
    assert (result.returncode, result.stderr) == (0, "")
    assert "the SSH session you are in goes on" in result.stdout
    assert "applied: the rules before come back in" in result.stdout
    assert host.apply("--confirm").returncode == 0
    time.sleep(float(SECONDS) + 1)
    assert host.state() != before
    assert "192.0.2.20/32" in host.network.run(["iptables-save"])
    assert host.apply("--confirm").returncode == 1


def test_json_is_the_contract(host: Host) -> None:
    schema = json.loads((ROOT / "docs" / "json-schema.json").read_text("utf-8"))
    asked = ("--output-format", "json")
    told = {}
    for args in (
        (host.file("shut.v4", SHUT),),
        ("--dry-run", host.file("closer.v4", CLOSER)),
        (host.file("closer.v4", CLOSER),),
        (),
        ("--roll-back",),
        ("--confirm",),
    ):
        answer = json.loads(host.apply(*asked, *args).stdout)
        jsonschema.validate(answer, {**schema, "$ref": "#/$defs/apply"})
        told[args] = answer["state"]
    states = ["refused", "unchanged", "waiting", "waiting", "rolled back", "rolled back"]
    assert [*told.values()] == states


def test_the_difference_to_what_runs(host: Host) -> None:
    def differ(*args: str) -> subprocess.CompletedProcess[str]:
        command = ["diff", "--live", *args]
        asked = [each for each in host.command() if each != "apply"]
        return subprocess.run(
            [*asked, *command], env=host.environment, capture_output=True, text=True, check=False
        )

    same = differ(host.file("same.v4", OPEN))
    assert (same.returncode, same.stderr) == (0, "")
    assert "equivalent: every packet fares the same" in same.stdout
    other = differ(host.file("shut.v4", SHUT))
    assert other.returncode == 1
    assert "old: iptables-save (nft):" in other.stdout
    assert "this closes the SSH session you are in" in other.stdout
    as_json = json.loads(differ(host.file("shut.v4", SHUT), "--output-format", "json").stdout)
    assert as_json["session"]["goes_on"] is False


def test_two_at_once(host: Host) -> None:
    path = host.file("closer.v4", CLOSER)
    assert host.apply("--confirm-within", "60", path).returncode == 0
    second = host.apply(path)
    assert second.returncode == 2
    assert "unless `iptlint apply --confirm` keeps the new ones" in second.stderr
    assert host.apply("--roll-back").returncode == 1


@dataclass(frozen=True)
class Before:
    """What the host has, by command."""

    texts: tuple[tuple[tuple[str, ...], str], ...]


MINE = """table inet mine {
    set s { type ipv4_addr; flags timeout; elements = { 192.0.2.1 timeout 1h }; }
    map m { type inet_service : verdict; elements = { 80 : accept }; }
    counter c { packets 3 bytes 7
    }
    chain x {
        type filter hook forward priority 5; policy drop;
        ip saddr @s counter name c log prefix "a b" accept
        tcp dport vmap @m
    }
}
table netdev n {
}
"""
LOTS = Before(
    (
        (
            ("ipset", "restore"),
            "create bad hash:ip\nadd bad 203.0.113.1\ncreate nets hash:net\n"
            "create all list:set\nadd all bad\n",
        ),
        (
            ("iptables-nft-restore",),
            OPEN.replace(
                "COMMIT",
                "-A INPUT -m set --match-set bad src -j DROP\n"
                "-A INPUT -m string --string x --algo bm -j DROP\nCOMMIT",
            )
            + "*nat\n:PREROUTING ACCEPT\n:USER - [0:0]\n-A PREROUTING -j USER\nCOMMIT\n",
        ),
        (
            ("nft", "-f", "-"),
            MINE,
        ),
    )
)
NEW_SETS = "create bad hash:ip\nadd bad 203.0.113.9\ncreate good hash:net\nadd good 192.0.2.0/24\n"
NEW_RULES = OPEN.replace("-s 192.0.2.0/24", "-m set --match-set good src")


@pytest.mark.parametrize(
    "files",
    [
        {"closer.v4": CLOSER},
        {"new.nft": NFT},
        {"more.nft": "table inet mine { chain y { tcp dport 81 drop; }; }\ntable ip new { }\n"},
        {"sets": NEW_SETS, "new.v4": NEW_RULES},
        {"nat.v4": OPEN + "*mangle\n:INPUT ACCEPT\n-A INPUT -j MARK --set-mark 1\nCOMMIT\n"},
        {"new.v6": OPEN.replace("192.0.2.0/24", "fd00::/8")},
    ],
    ids=lambda files: "+".join(files),
)
def test_everything_is_as_before(host: Host, files: dict[str, str]) -> None:
    for command, text in LOTS.texts:
        host.network.run(command, text)
    before = host.state()
    paths = [host.file(name, text) for name, text in files.items()]
    result = host.apply("--force", *paths)
    assert result.returncode == 0, result.stderr
    assert host.state() != before
    back = host.apply("--roll-back")
    assert (back.returncode, back.stdout) == (1, "rolled back: the rules are as they were before\n")
    assert host.state() == before


def test_legacy_tables(host: Host) -> None:
    """Where iptables is the one of nf_tables, those of the legacy one are left alone."""
    host.network.run(["iptables-legacy-restore"], OPEN)
    before = host.state()
    assert host.apply("--force", host.file("closer.v4", CLOSER)).returncode == 0
    host.apply("--roll-back")
    assert host.state() == before


def test_what_the_tool_refuses_changes_nothing(host: Host) -> None:
    before = host.state()
    path = host.file(
        "broken.v4", OPEN.replace("--dport 22", "--dport 22 -m set --match-set no src")
    )
    result = host.apply("--force", "--fail-on", "never", path)
    assert result.returncode == 1
    assert "iptables-restore" in result.stdout
    assert host.state() == before


def test_why_the_tool_refuses_it_is_said(host: Host) -> None:
    text = NFT.replace("192.0.2.20", "192.0.2.0/24")
    result = host.apply(host.file("new.nft", text), "--force")
    assert "You must add 'flags interval' to your set declaration" in result.stdout
    assert "help: add `flags interval;` to the declaration of friends" in result.stdout


def test_rules_behind_sets_are_judged_before_a_set_is_made(host: Host) -> None:
    before = host.state()
    sets = host.file("sets", "create friends hash:ip\n")
    rules = OPEN.replace("COMMIT", "-A OUTPUT -i eth0 -j ACCEPT\nCOMMIT")
    result = host.apply(sets, host.file("rules.v4", rules), "--force")
    assert "iptables-restore refuses it" in result.stdout
    assert host.state() == before


def test_a_second_file_that_fails_takes_the_first_back(host: Host) -> None:
    before = host.state()
    sets = host.file("sets", NEW_SETS)
    rules = host.file("new.v4", NEW_RULES.replace("good", "gone"))
    result = host.apply("--force", "--fail-on", "never", sets, rules)
    assert result.returncode == 2
    assert "rolled back" in result.stdout
    assert host.state() == before
