from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from iptlint.cli import group
from iptlint.host.archive import save
from tests.cli.conftest import Run
from tests.host.made_up import CLOSED, CLOSED6, Root

OTHER = CLOSED.replace("203.0.113.0/24", "198.51.100.0/24")


@pytest.fixture
def root(tmp_path: Path) -> Root:
    made = Root(tmp_path / "root")
    made.enable("netfilter-persistent")
    made.file("/etc/iptables/rules.v4", CLOSED)
    made.file("/etc/iptables/rules.v6", CLOSED6)
    return made


def archive(root: Root, tmp_path: Path, running: str = OTHER) -> str:
    path = str(tmp_path / "host.tar.gz")
    save(root.alive(iptables_legacy_save=running, ip6tables_legacy_save=CLOSED6), path)
    return path


def test_a_root_file_system(run: Run, root: Root) -> None:
    result = run("live", "--root", str(root.path))
    assert (result.returncode, result.stderr) == (0, "")
    head, _, rest = result.stdout.partition("\n\n")
    assert head.splitlines() == [
        f"root file system: {root.path} (made up debian)",
        f"loaded rules: {root.path}/etc/iptables/rules.v4, {root.path}/etc/iptables/rules.v6",
        "at boot: netfilter-persistent loads /etc/iptables/rules.v4, /etc/iptables/rules.v6 "
        "(/etc/systemd/system/multi-user.target.wants/netfilter-persistent.service)",
    ]
    assert rest == "no findings in 2 files\n"


def test_a_saved_host_is_checked_elsewhere(run: Run, root: Root, tmp_path: Path) -> None:
    result = run(archive(root, tmp_path))
    assert result.returncode == 1
    assert "warning IPT402 drift: after a reboot, tcp from 198.51.100.0/24 to" in result.stdout
    assert run(archive(root, tmp_path, CLOSED)).returncode == 0


def test_the_page_tells_of_the_host_and_who_listens(run: Run, root: Root, tmp_path: Path) -> None:
    sockets = "tcp   LISTEN 0 128 0.0.0.0:22 0.0.0.0:*\ntcp LISTEN 0 128 127.0.0.1:5432 0.0.0.0:*\n"
    open_ = CLOSED.replace("COMMIT", "-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT\nCOMMIT")
    gathered = root.alive(iptables_legacy_save=open_, ip6tables_legacy_save=CLOSED6, ss=sockets)
    path = tmp_path / "host.tar.gz"
    save(gathered, str(path))
    page = run(str(path), "--output-format", "html").stdout
    assert "Open to the internet: web (HTTP)." in page
    assert "nothing listens there now" in page
    assert "0.0.0.0:22" in page
    assert "only this host itself" in page
    assert "at boot: netfilter-persistent loads" in page


def test_json_is_that_of_check_and_the_host(run: Run, root: Root, tmp_path: Path) -> None:
    result = run(archive(root, tmp_path), "--output-format", "json")
    answer = json.loads(result.stdout)
    assert {*answer} == {"version", "files", "findings", "summary", "host"}
    assert answer["host"]["boot"][0]["files"] == [
        "/etc/iptables/rules.v4",
        "/etc/iptables/rules.v6",
    ]
    assert answer["host"]["compared"] is True
    assert {f["code"] for f in answer["findings"]} == {"IPT402"}
    assert {f["path"] for f in answer["files"]} == {
        "iptables-save (legacy)",
        "ip6tables-save (legacy)",
        "/etc/iptables/rules.v4",
        "/etc/iptables/rules.v6",
    }


def test_options_of_check_carry_over(run: Run, root: Root, tmp_path: Path) -> None:
    path = archive(root, tmp_path)
    assert run(path, "--ignore", "drift").returncode == 0
    assert run(path, "--fail-on", "error").returncode == 0
    assert "IPT301" in run(path, "--ssh-ports", "2222").stdout
    assert run("live", "--select", "nonsense", "--root", str(root.path)).returncode == 2


def test_a_saved_host_stands_alone(run: Run, root: Root, tmp_path: Path) -> None:
    result = run(archive(root, tmp_path), str(root.path))
    assert result.returncode == 2
    assert "name it alone" in result.stderr


def test_some_other_archive_is_a_file_like_any(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz").write_bytes(b"\x1f\x8b nothing")
    assert "IPT001" in run("x.tar.gz").stdout


@pytest.mark.parametrize("host", ["-oProxyCommand=true", "a b", ""])
def test_what_is_no_host(run: Run, host: str) -> None:
    result = run("live", f"--host={host}")
    assert result.returncode == 2
    assert "is no name of a host" in result.stderr


def test_one_host_at_a_time(run: Run, root: Root) -> None:
    assert run("live", "--host", "web1", "--root", str(root.path)).returncode == 2
    assert run("live", "--root", str(root.path / "nowhere")).returncode == 2


def test_saving(run: Run, root: Root, tmp_path: Path) -> None:
    result = run("live", "--root", str(root.path), "--save", "host.tar.gz")
    assert (result.returncode, result.stdout) == (
        0,
        "wrote host.tar.gz; `iptlint check host.tar.gz` reads it\n",
    )
    assert run("host.tar.gz").returncode == 0
    assert run("live", "--root", str(root.path), "--save", "no/where").returncode == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become someone who is not root")
def test_not_root() -> None:
    """Says what it could not read, and goes on with the rest."""
    live()  # loads what another user may not be allowed to
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgid(65534)
        os.setuid(65534)
        with os.fdopen(writing, "w") as pipe:
            pipe.write("{} {}".format(*live()))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    assert said.startswith("2 "), said
    assert "rules: none could be read\n" in said
    (not_read,) = (line for line in said.splitlines() if "not read" in line)
    assert not_read.startswith("not read, as only root can: the running rules")
    assert not_read.endswith(": use sudo")
    assert "at boot: " in said
    assert "IPT4" not in said


def live() -> tuple[int, str]:
    result = CliRunner().invoke(group, ["live"], standalone_mode=False)
    return result.return_value, result.output


def test_what_is_wrong_with_the_saved_files(run: Run, root: Root, tmp_path: Path) -> None:
    rule = "-A INPUT -m set --match-set friends src -j ACCEPT\nCOMMIT"
    root.file("/etc/iptables/rules.v4", CLOSED.replace("COMMIT", rule))
    result = run(archive(root, tmp_path))
    assert "/etc/iptables/rules.v4:8:17: warning IPT407 set-not-persisted" in result.stdout
    root.file("/etc/iptables/rules.v4", CLOSED.replace("--dport", "--dprot"))
    found = json.loads(run(archive(root, tmp_path), "--output-format", "json").stdout)["findings"]
    assert ("/etc/iptables/rules.v4", 7, "IPT001") in {
        (f["path"], f["line"], f["code"]) for f in found
    }


def test_a_packet_through_a_saved_host(run: Run, root: Root, tmp_path: Path) -> None:
    """The rules that ran there; and a destination is its own or is not."""
    path = str(tmp_path / "host.tar.gz")
    eth0 = {"ifname": "eth0", "addr_info": [{"local": "192.0.2.10", "prefixlen": 24}]}
    addresses = json.dumps([eth0])
    gathered = root.alive(
        iptables_legacy_save=OTHER, ip6tables_legacy_save=CLOSED6, addresses=addresses
    )
    save(gathered, path)
    asked = ("trace", path, "--iif", "eth0", "--proto", "tcp", "--dport", "22", "--daddr")
    for destination, way in (("192.0.2.10", "to this host"), ("203.0.113.9", "forwarded")):
        result = run(*asked, destination, "--saddr", "198.51.100.9")
        assert (result.returncode, result.stderr) == (0, "")
        assert f"\n  {way}\n" in result.stdout
        assert "an address of this host" not in result.stdout


USUAL_ROUTING = json.dumps(
    [
        {"priority": 0, "src": "all", "table": "local"},
        {"priority": 32766, "src": "all", "table": "main"},
    ]
)
ROUTER = """\
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT DROP [0:0]
-A FORWARD -o eth1 -j ACCEPT
-A OUTPUT -o eth1 -j ACCEPT
COMMIT
"""


@pytest.mark.parametrize(
    ("destination", "verdict"), [("10.9.0.7", "accept"), ("203.0.113.9", "drop")]
)
@pytest.mark.parametrize("asked", [("--iif", "eth0"), ("--hook", "output")])
def test_a_packet_leaves_by_the_interface_that_its_route_names(
    run: Run, root: Root, tmp_path: Path, asked: tuple[str, str], destination: str, verdict: str
) -> None:
    path = str(tmp_path / "host.tar.gz")
    eth0 = {"ifname": "eth0", "addr_info": [{"local": "192.0.2.10", "prefixlen": 24}]}
    table = [
        {"dst": "default", "gateway": "192.0.2.1", "dev": "eth0", "flags": []},
        {"dst": "10.0.0.0/8", "gateway": "192.0.2.1", "dev": "eth0", "flags": []},
        {"dst": "10.9.0.0/16", "dev": "eth1", "scope": "link", "flags": []},
    ]
    gathered = root.alive(
        iptables_legacy_save=ROUTER,
        ip6tables_legacy_save=CLOSED6,
        addresses=json.dumps([eth0]),
        routes=json.dumps(table),
        routes6="[]",
        routing_rules=USUAL_ROUTING,
        routing_rules6=USUAL_ROUTING,
    )
    save(gathered, path)
    question = ("trace", path, *asked, "--daddr", destination, "--proto", "udp", "--dport", "53")
    answer = json.loads(run(*question, "--output-format", "json").stdout)
    assert [each["verdict"] for each in answer["outcomes"]] == [verdict]


@pytest.mark.parametrize("asked", [("--iif", "eth0"), ("--hook", "output")])
def test_what_no_route_leads_to_is_not_sent_on(
    run: Run, root: Root, tmp_path: Path, asked: tuple[str, str]
) -> None:
    """Neither is what a rule sends to such an address; an address with a route is."""
    path = str(tmp_path / "host.tar.gz")
    eth0 = {"ifname": "eth0", "addr_info": [{"local": "192.0.2.10", "prefixlen": 24}]}
    gathered = root.alive(
        iptables_legacy_save=ROUTER,
        ip6tables_legacy_save=CLOSED6,
        addresses=json.dumps([eth0]),
        routes=json.dumps([{"dst": "10.0.0.0/8", "dev": "eth1", "flags": []}]),
        routes6="[]",
        routing_rules=USUAL_ROUTING,
        routing_rules6=USUAL_ROUTING,
    )
    save(gathered, path)
    for destination, unrouted in (("203.0.113.9", True), ("10.9.0.7", False)):
        question = ("trace", path, *asked, "--daddr", destination, "--proto", "udp")
        (outcome,) = json.loads(run(*question, "--output-format", "json").stdout)["outcomes"]
        assert outcome["unrouted"] is unrouted
        assert (outcome["verdict"] == "drop") is unrouted
        assert (outcome["decided_by"] is None) is unrouted
        assert not outcome["expired"]
        told = "drop, as no route of this host leads to its destination"
        assert (told in run(*question).stdout) is unrouted
