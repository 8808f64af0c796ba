"""The real tools in a network namespace of its own; only the root file system is made up."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from iptlint.host.archive import load, save
from iptlint.host.collect import gather_here
from iptlint.host.examine import examine
from iptlint.host.gathered import Gathered
from iptlint.host.ports import Reach, ports
from tests.host.made_up import CLOSED, CLOSED6, NFT, Root, codes, findings
from tests.kernel.namespaces import Namespace

TOOLS = ("nft", "ip", "ss", "ipset", "iptables-legacy-restore", "iptables-nft-restore")


def _missing() -> str | None:
    if os.geteuid() != 0:
        return "needs root for network namespaces"
    lacking = [tool for tool in TOOLS if shutil.which(tool) is None]
    if lacking:
        return f"needs {', '.join(lacking)}"
    try:
        Namespace().close()
    except OSError as error:
        return f"the kernel gives no namespace: {error}"
    return None


_REASON = _missing()
pytestmark = pytest.mark.skipif(_REASON is not None, reason=_REASON or "")


class Kernel:
    def __init__(self, root: Root) -> None:
        self.root = root
        self.namespace = Namespace()
        self.namespace.run(["ip", "link", "set", "lo", "up"])

    def load(self, tool: str, text: str) -> None:
        arguments = ["-f", "-"] if tool == "nft" else []
        try:
            self.namespace.run([tool, *arguments], text)
        except RuntimeError as error:
            pytest.skip(f"{tool} lacks something: {str(error).splitlines()[0]}")

    def gather(self) -> Gathered:
        from dataclasses import replace

        with self.namespace.entered():
            found = gather_here(root=str(self.root.path))
        # The first process has another network, which is not what these tests are about.
        return replace(found, own_namespace=False)


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    made = Kernel(Root(tmp_path))
    yield made
    made.namespace.close()


def persistent(root: Root) -> None:
    root.enable("netfilter-persistent")
    root.file("/etc/iptables/rules.v4", CLOSED)
    root.file("/etc/iptables/rules.v6", CLOSED6)


@pytest.mark.parametrize("backend", ["legacy", "nft"])
def test_what_netfilter_persistent_loads_is_what_runs(kernel: Kernel, backend: str) -> None:
    persistent(kernel.root)
    kernel.load(f"iptables-{backend}-restore", CLOSED)
    kernel.load(f"ip6tables-{backend}-restore", CLOSED6)
    assert codes(kernel.gather()) == []
    kernel.namespace.run([f"iptables-{backend}", "-A", "INPUT", "-p", "udp", "-j", "ACCEPT"])
    (found,) = findings(kernel.gather())
    assert (found.code, found.span.source.path) == ("IPT402", f"iptables-save ({backend})")
    assert "after a reboot, udp (over IPv4) no longer reaches this host" in found.message


def test_what_nftables_service_loads_is_what_runs(kernel: Kernel) -> None:
    kernel.root.enable("nftables")
    kernel.root.file("/etc/nftables.conf", NFT)
    kernel.load("nft", NFT)
    assert codes(kernel.gather()) == []
    kernel.load("nft", "insert rule inet filter input ip saddr 192.0.2.66 drop")
    found = findings(kernel.gather())
    assert {f.code for f in found} == {"IPT402"}
    assert any("192.0.2.66" in f.message for f in found)


def test_nothing_loads_what_runs(kernel: Kernel) -> None:
    kernel.load("iptables-nft-restore", CLOSED)
    assert codes(kernel.gather()) == ["IPT401"]


def test_tables_of_both_kinds(kernel: Kernel) -> None:
    kernel.load("iptables-legacy-restore", CLOSED)
    kernel.load("nft", NFT)
    kernel.load("iptables-nft-restore", CLOSED)
    gathered = kernel.gather()
    host = examine(gathered).host
    assert [s.path for s in host.sources] == ["iptables-save (legacy)", "nft list ruleset"]
    assert codes(gathered, "IPT408") == ["IPT408"]
    assert codes(gathered, "IPT001", "IPT002", "IPT003", "IPT009") == []


def test_sets_and_sockets(kernel: Kernel, tmp_path: Path) -> None:
    kernel.namespace.run(["ipset", "create", "friends", "hash:net"])
    kernel.namespace.run(["ipset", "add", "friends", "192.0.2.0/24"])
    opened = (
        "-A INPUT -m set --match-set friends src -j ACCEPT\n"
        "-A INPUT -p tcp -m tcp --dport 4443 -j ACCEPT\nCOMMIT"
    )
    kernel.load("iptables-legacy-restore", CLOSED.replace("COMMIT", opened))
    with ExitStack() as stack:
        with kernel.namespace.entered():
            for address, port in (("0.0.0.0", 4443), ("0.0.0.0", 22), ("127.0.0.1", 6379)):
                one = stack.enter_context(socket.socket())
                one.bind((address, port))
                one.listen()
        gathered = kernel.gather()
    save(gathered, str(tmp_path / "host.tar.gz"))
    for each in (gathered, load(str(tmp_path / "host.tar.gz"))):
        host = examine(each).host
        reach = {port.listener.port: port.reach for port in ports(host)}
        assert reach == {4443: Reach.OPEN, 22: Reach.CLOSED, 6379: Reach.LOCAL}
        assert host.facts.addresses is not None
        assert {one.interface for one in host.facts.addresses} == {"lo"}
        assert "IPT003" not in codes(each, "IPT")


def test_gathering_changes_nothing(kernel: Kernel) -> None:
    kernel.gather()
    assert kernel.namespace.run(["nft", "list", "ruleset"]) == ""
    kernel.load("nft", NFT)
    before = kernel.namespace.run(["nft", "-a", "list", "ruleset"])
    kernel.gather()
    assert kernel.namespace.run(["nft", "-a", "list", "ruleset"]) == before


IN_AN_OLD_TABLE = """\
table ip filter {
    chain INPUT {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        tcp dport { 22, 80 } accept
    }
}
"""


def test_a_table_of_iptables_with_rules_of_nft(kernel: Kernel) -> None:
    """iptables-save prints `-p tcp -j ACCEPT` of it."""
    kernel.load("nft", IN_AN_OLD_TABLE)
    gathered = kernel.gather()
    assert [s.path for s in examine(gathered).host.sources] == ["nft list ruleset"]
    running = examine(gathered).host.running
    assert running is not None
    assert {rule.origin.span.source.path for _, _, rule in running.rules()} == {"nft list ruleset"}


def test_what_nft_shows_of_a_multiport_match(kernel: Kernel) -> None:
    rule = "-A INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT\nCOMMIT"
    kernel.load("iptables-nft-restore", CLOSED.replace("COMMIT", rule))
    sources = [s.path for s in examine(kernel.gather()).host.sources]
    assert sources == ["iptables-save (nft)", "ip6tables-save (nft)"]
