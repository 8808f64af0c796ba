"""IPT401, IPT402 and IPT408, and what facts make of other findings, on made-up hosts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from iptlint.findings import Confidence, Severity
from iptlint.host.examine import examine
from iptlint.host.gathered import CommandOutput
from iptlint.host.ports import Reach, ports, unused_openings
from iptlint.linter.applicability import without_sshd
from iptlint.linter.run import lint
from iptlint.model.host import Unread
from iptlint.source import SourceFile
from tests.host.made_up import CLOSED, CLOSED6, NFT, Root, codes, findings, outputs

LEGACY = {"iptables_legacy_save": CLOSED}
BOTH = {"iptables_legacy_save": CLOSED, "ip6tables_legacy_save": CLOSED6}
DOCKER = """\
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER-USER -j RETURN
COMMIT
"""
DUMP = NFT.split("\n", 2)[2]


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return Root(tmp_path)


def persistent(root: Root, v4: str = CLOSED, v6: str | None = CLOSED6) -> None:
    root.enable("netfilter-persistent")
    root.file("/etc/iptables/rules.v4", v4)
    if v6 is not None:
        root.file("/etc/iptables/rules.v6", v6)


# -- IPT401 ---------------------------------------------------------------------------


def test_rules_that_nothing_loads(root: Root) -> None:
    (found,) = findings(root.alive(**LEGACY))
    assert (found.code, found.severity, found.confidence) == (
        "IPT401",
        Severity.ERROR,
        Confidence.CERTAIN,
    )
    assert found.span.text == "-A INPUT -i lo -j ACCEPT"
    assert "these 3 rules and 2 policies for IPv4 are gone" in found.message
    assert "netfilter-persistent" in found.help


@pytest.mark.parametrize("system", ["rhel", "alpine", "arch", "debian"])
def test_the_help_is_that_of_the_distribution(tmp_path: Path, system: str) -> None:
    (found,) = findings(Root(tmp_path, system).alive(**LEGACY))
    words = {"rhel": "dnf", "alpine": "rc-update", "arch": "iptables-save", "debian": "apt"}
    assert words[system] in found.help


def test_a_file_that_is_there_and_not_loaded(root: Root) -> None:
    root.file("/etc/iptables/rules.v4", CLOSED)
    (found,) = findings(root.alive(**LEGACY))
    assert "rules.v4 is there, but no service that loads it" in found.message


def test_only_the_family_that_nothing_loads(root: Root) -> None:
    persistent(root, v6=None)
    (found,) = findings(root.alive(**BOTH))
    assert found.code == "IPT401"
    assert findings(root.alive(**BOTH), "IPT402") == []
    assert "for IPv6 are gone: netfilter-persistent loads only" in found.message


def test_what_is_loaded_is_left_alone(root: Root) -> None:
    persistent(root)
    assert codes(root.alive(**BOTH)) == []


def test_nft_rules_that_nothing_loads(root: Root) -> None:
    (found,) = findings(root.alive(nft=DUMP))
    assert found.code == "IPT401"
    assert "for IPv4 and IPv6" in found.message
    assert "systemctl enable nftables" in found.help


@pytest.mark.parametrize(
    "line",
    [
        "iptables -A INPUT -j DROP",
        "/usr/local/sbin/firewall start",
        "sh /etc/my-iptables.sh",
        "cat /etc/rules | iptables-restore",
        "iptables-restore -n /etc/rules",
        "iptables-restore < $RULES",
    ],
)
def test_what_is_not_understood_is_no_claim(root: Root, line: str) -> None:
    root.file("/etc/rc.local", f"#!/bin/sh\n{line}\n")
    assert codes(root.alive(**LEGACY)) == []


def test_no_claim_without_an_init_system(tmp_path: Path) -> None:
    root = Root(tmp_path)
    bare = replace(root.alive(**LEGACY), links={})
    assert codes(bare) == []


def test_no_claim_in_a_namespace_of_its_own(root: Root) -> None:
    assert codes(replace(root.alive(**LEGACY), own_namespace=True)) == []


@pytest.mark.parametrize("unit", ["ufw", "firewalld", "shorewall", "ferm"])
def test_managers_make_their_rules(root: Root, unit: str) -> None:
    root.enable(unit)
    assert codes(root.alive(**LEGACY)) == []


def test_what_may_not_be_read_makes_it_possible_only(root: Root) -> None:
    shut = (Unread("/var/spool/cron/crontabs/*", "Permission denied"),)
    (found,) = findings(replace(root.alive(**LEGACY), unread=shut))
    assert found.confidence is Confidence.POSSIBLE


@pytest.mark.parametrize(
    "text",
    [
        DOCKER,
        "*filter\n:INPUT ACCEPT [9:9]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n",
        "*filter\n:INPUT ACCEPT [0:0]\n:f2b-sshd - [0:0]\n"
        "-A INPUT -p tcp -m multiport --dports 22 -j f2b-sshd\n-A f2b-sshd -j RETURN\nCOMMIT\n",
        "*filter\n:INPUT ACCEPT [0:0]\n"
        "-A INPUT -m set --match-set crowdsec-blacklists src -j DROP\n"
        "-A INPUT -i virbr0 -p udp -m udp --dport 53 -j ACCEPT\nCOMMIT\n",
        "*security\n:OUTPUT ACCEPT [0:0]\n"
        "-A OUTPUT -d 168.63.129.16/32 -p tcp -m owner --uid-owner 0 -j ACCEPT\nCOMMIT\n",
    ],
)
def test_rules_of_software_and_empty_chains_need_no_saving(root: Root, text: str) -> None:
    assert codes(root.alive(iptables_legacy_save=text)) == []


def test_rules_for_ipv6_play_no_part_where_it_is_switched_off(root: Root) -> None:
    persistent(root, v6=None)
    root.file("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1\n")
    gathered = root.alive(**BOTH)
    switch = {"/proc/sys/net/ipv6/conf/eth0/disable_ipv6": b"1\n"}
    assert codes(replace(gathered, files={**gathered.files, **switch})) == []


def test_a_root_file_system_with_a_file_that_nothing_loads(root: Root) -> None:
    root.file("/etc/nftables.conf", NFT)
    (found,) = findings(root.gather(), "IPT401")
    assert found.advice == "`systemctl enable nftables`"
    root.enable("nftables")
    assert codes(root.gather(), "IPT401") == []


def test_the_empty_file_that_a_package_brings_is_none(root: Root) -> None:
    stock = "flush ruleset\ntable inet filter {\n\tchain input {\n\t\ttype filter hook input "
    root.file("/etc/nftables.conf", stock + "priority filter;\n\t}\n}\n")
    assert codes(root.gather()) == []


# -- IPT402 ---------------------------------------------------------------------------


def test_who_can_no_longer_get_in(root: Root) -> None:
    persistent(root, CLOSED.replace("203.0.113.0/24", "198.51.100.0/24"))
    gained, lost = sorted(findings(root.alive(**BOTH)), key=lambda f: f.span.start)
    assert {gained.code, lost.code} == {"IPT402"}
    assert lost.message.startswith(
        "after a reboot, tcp from 203.0.113.0/24 to port 22 (over IPv4) no longer reaches this host"
    )
    assert "198.51.100.0/24 to port 22 (over IPv4) reaches this host" in gained.message
    assert lost.confidence is Confidence.CERTAIN
    assert lost.witness is not None
    assert lost.witness.dport == 22
    assert lost.related[0].span.source.path.endswith("/etc/iptables/rules.v4")
    assert "netfilter-persistent save" in lost.help


@pytest.mark.parametrize(
    "saved",
    [
        CLOSED.replace("[0:0]", "[917:12345]"),
        CLOSED.replace("RELATED,ESTABLISHED", "ESTABLISHED,RELATED"),
        CLOSED.replace("-s 203.0.113.0/24", "-s 203.0.113.0/25,203.0.113.128/25"),
        "# a comment\n" + CLOSED.replace("-j ACCEPT", '-m comment --comment "x" -j ACCEPT'),
    ],
)
def test_the_same_meaning_is_no_drift(root: Root, saved: str) -> None:
    persistent(root, saved)
    assert codes(root.alive(**BOTH)) == []


def test_the_same_rules_in_another_language(root: Root) -> None:
    root.enable("nftables")
    root.file("/etc/nftables.conf", NFT)
    both = {"iptables_nft_save": CLOSED, "ip6tables_nft_save": CLOSED6}
    found = findings(root.alive(**both))
    assert [f.code for f in found] == ["IPT402"] * len(found)
    assert all("forward" not in f.message for f in found)


def test_rules_of_docker_are_no_drift(root: Root) -> None:
    persistent(root, CLOSED.replace(":FORWARD DROP", ":FORWARD ACCEPT"))
    running = DOCKER.replace(":INPUT ACCEPT", ":INPUT DROP").replace(
        "-A FORWARD -j DOCKER-USER",
        "-A INPUT -i lo -j ACCEPT\n"
        "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
        "-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j ACCEPT\n"
        "-A FORWARD -j DOCKER-USER",
    )
    assert codes(root.alive(iptables_nft_save=running, ip6tables_nft_save=CLOSED6)) == []


def test_a_network_of_docker_with_a_name_of_its_own(root: Root) -> None:
    persistent(root)
    rules = (
        ":DOCKER - [0:0]\n-A FORWARD -o shop -j DOCKER\n-A FORWARD -i shop ! -o shop -j ACCEPT\n"
        "-A DOCKER -d 172.20.0.2/32 ! -i shop -o shop -p tcp -m tcp --dport 80 -j ACCEPT\nCOMMIT\n"
    )
    running = CLOSED.replace("COMMIT\n", rules)
    assert codes(root.alive(iptables_nft_save=running, ip6tables_nft_save=CLOSED6)) == []


def test_a_limit_on_one_side_is_possible_drift(root: Root) -> None:
    persistent(root, CLOSED.replace("--dport 22", "--dport 22 -m limit --limit 3/min"))
    found = findings(root.alive(**BOTH))
    assert {f.confidence for f in found} == {Confidence.POSSIBLE}


def test_two_files_for_one_family_are_not_compared(root: Root) -> None:
    persistent(root)
    root.enable("nftables")
    root.file("/etc/nftables.conf", NFT)
    host = examine(root.alive(**BOTH)).host
    assert host.saved is None
    assert "both loaded at boot" in host.untold
    assert codes(root.alive(**BOTH)) == ["IPT408"]


def test_a_file_with_a_fault_is_not_compared(root: Root) -> None:
    persistent(root, CLOSED.replace("--dport 22", "--dprot 22"))
    assert codes(root.alive(**BOTH)) == []


def test_includes_that_are_elsewhere_are_not_compared(root: Root) -> None:
    root.enable("nftables")
    root.file("/etc/nftables.conf", NFT + 'include "/etc/nftables.d/*.nft"\n')
    far = replace(root.alive(nft=DUMP), root=None)
    assert codes(far) == []
    assert "includes files" in examine(far).host.untold


def test_includes_are_looked_for_below_the_root(root: Root) -> None:
    root.enable("nftables")
    root.file("/etc/nftables.conf", '#!/usr/sbin/nft -f\ninclude "/etc/nftables.d/*.nft"\n')
    root.file("/etc/nftables.d/main.nft", NFT.split("\n", 1)[1])
    assert codes(root.alive(nft=DUMP)) == []
    changed = DUMP.replace("dport 22", "dport 2222")
    assert set(codes(root.alive(nft=changed))) == {"IPT402"}


def test_sets_are_taken_to_stay_as_they_are(root: Root) -> None:
    rule = "-A INPUT -m set --match-set friends src -j ACCEPT\nCOMMIT\n"
    persistent(root, CLOSED.replace("COMMIT\n", rule))
    running = root.alive(
        iptables_legacy_save=CLOSED.replace("COMMIT\n", rule),
        ip6tables_legacy_save=CLOSED6,
        ipset="create friends hash:net family inet hashsize 1024 maxelem 65536\n"
        "add friends 192.0.2.0/28\n",
    )
    assert codes(running) == []


# -- IPT408 ---------------------------------------------------------------------------


def test_two_managers(root: Root) -> None:
    persistent(root)
    root.enable("ufw")
    (found,) = findings(root.gather(), "IPT408")
    assert "both started at boot" in found.message
    assert "ufw" in found.message
    assert found.span.source.path.startswith("/etc/systemd/system/")


def test_two_managers_without_a_file(root: Root) -> None:
    root.enable("ufw")
    root.enable("firewalld")
    assert codes(root.gather(), "IPT") == ["IPT408"]


def test_managers_that_bring_nothing_do_not_count(root: Root) -> None:
    root.enable("ufw")
    root.enable("netfilter-persistent")
    root.enable("nftables")
    root.file("/etc/nftables.conf", "flush ruleset\n")
    assert codes(root.gather(), "IPT408") == []


def test_two_services_of_one_package(tmp_path: Path) -> None:
    root = Root(tmp_path, "rhel")
    root.enable("iptables")
    root.enable("ip6tables")
    root.file("/etc/sysconfig/iptables", CLOSED)
    root.file("/etc/sysconfig/ip6tables", CLOSED6)
    assert codes(root.gather(), "IPT408") == []


def test_legacy_and_nft_tables(root: Root) -> None:
    (found,) = findings(root.alive(iptables_legacy_save=CLOSED, nft=DUMP), "IPT408")
    assert found.span.source.path == "iptables-save (legacy)"
    assert "iptables-nft-restore --noflush`" in found.help
    assert found.related[0].span.source.path == "nft list ruleset"


def test_tables_of_software_beside_ones_own(root: Root) -> None:
    assert codes(root.alive(iptables_legacy_save=DOCKER, nft=DUMP), "IPT408") == []


# -- what the whole host says of other findings -------------------------------------------


def test_a_chain_that_is_open_beside_one_that_is_closed(root: Root) -> None:
    """Docker's table of iptables accepts what the table of nft drops."""
    root.enable("nftables")
    root.file("/etc/nftables.conf", NFT)
    printed = "table ip filter {\n\tchain INPUT {\n\t\ttype filter hook input priority filter; "
    printed += "policy accept;\n\t}\n}\n" + DUMP
    alive = root.alive(iptables_nft_save=DOCKER, nft=printed)
    assert "IPT601" not in codes(alive, "IPT6")
    legacy = root.alive(iptables_legacy_save=DOCKER.replace("DROP", "ACCEPT"), nft=DUMP)
    assert "IPT601" not in codes(legacy, "IPT6")


def test_advice_is_in_the_language_of_the_line(root: Root) -> None:
    text = CLOSED.replace("COMMIT", "-A INPUT -p tcp -m tcp --dport 3306 -j ACCEPT\nCOMMIT")
    nft = DUMP.replace("ip saddr 203.0.113.0/24 ", "").replace("dport 22", "dport { 22, 3306 }")
    found = findings(root.alive(iptables_legacy_save=text, nft=nft), "IPT603")
    assert {(f.span.source.path, f.help != "") for f in found} <= {
        ("iptables-save (legacy)", False),
        ("nft list ruleset", True),
    }
    assert found


def test_what_runs_is_no_file_that_goes_stale(root: Root) -> None:
    assert "IPT404" not in codes(root.alive(iptables_legacy_save=DOCKER))


def test_ipv6_without_any_rule(root: Root) -> None:
    alive = root.alive(iptables_legacy_save=CLOSED)
    assert codes(alive, "IPT7") == ["IPT701"]
    off = {"/proc/sys/net/ipv6/conf/eth0/disable_ipv6": b"1\n"}
    assert codes(replace(alive, files={**alive.files, **off}), "IPT7") == []


def test_an_open_forward_chain_where_nothing_is_forwarded(root: Root) -> None:
    text = CLOSED.replace(":FORWARD DROP", ":FORWARD ACCEPT").replace(
        "COMMIT", "-A FORWARD -s 10.0.0.9/32 -j DROP\n-A FORWARD -i eth1 -j ACCEPT\nCOMMIT"
    )
    alive = root.alive(iptables_legacy_save=text)
    assert "IPT601" in codes(alive, "IPT601")
    off = {"/proc/sys/net/ipv4/ip_forward": b"0\n"}
    assert codes(replace(alive, files={**alive.files, **off}), "IPT601") == []


SOCKETS = """\
udp   UNCONN 0      0      127.0.0.53%lo:53        0.0.0.0:*
tcp   LISTEN 0      128          0.0.0.0:22        0.0.0.0:*
tcp   LISTEN 0      128             [::]:22           [::]:*
tcp   LISTEN 0      511                *:443             *:*
tcp   LISTEN 0      70         127.0.0.1:3306      0.0.0.0:*
"""


def test_listening_sockets_and_who_gets_to_them(root: Root) -> None:
    opened = "-A INPUT -p tcp -m multiport --dports 443,8443 -j ACCEPT\nCOMMIT"
    alive = root.alive(iptables_legacy_save=CLOSED.replace("COMMIT", opened), ss=SOCKETS)
    host = examine(alive).host
    reach = {(p.listener.address, p.listener.port): p for p in ports(host)}
    assert reach["0.0.0.0", 22].reach is Reach.CLOSED
    assert reach["::", 22].reach is Reach.OPEN  # no rule for IPv6
    assert reach["*", 443].by == "iptables-save (legacy):8 (IPv4)"
    assert reach["127.0.0.1", 3306].reach is Reach.LOCAL
    assert reach["127.0.0.53", 53].reach is Reach.LOCAL
    assert unused_openings(host) == (("tcp", 8443, "iptables-save (legacy):8"),)


def test_ports_of_sshd(root: Root) -> None:
    config = root.alive(sshd="port 2222\nport 22\nlistenaddress 0.0.0.0:2222\n")
    assert examine(config).host.facts.ssh_ports == (2222, 22)
    listening = outputs(config, {"ss": CommandOutput(SOCKETS.encode(), 0)})
    assert examine(listening).host.facts.ssh_ports == (22,)
    root.file("/etc/ssh/sshd_config", "# Port 22\nPort 2200\nPasswordAuthentication no\n")
    assert examine(root.gather()).host.facts.ssh_ports == (2200,)


def test_a_host_without_sshd(root: Root) -> None:
    nothing = outputs(root.alive(**LEGACY), {"ss": CommandOutput(b"", 0)})
    assert "IPT301" in without_sshd(examine(nothing).host)
    some = outputs(root.alive(**LEGACY), {"ss": CommandOutput(SOCKETS.encode(), 0)})
    assert without_sshd(examine(some).host) == ()


def test_what_could_not_be_read_is_not_known(root: Root) -> None:
    alive = outputs(root.alive(**LEGACY), {"nft": CommandOutput(b"", 1, "Operation not permitted")})
    host = examine(alive).host
    assert host.running is None
    assert codes(alive) == []


def test_what_is_seen_of_half_the_rules_is_possible_only(root: Root) -> None:
    text = CLOSED.replace("COMMIT", "-A INPUT -p tcp -m tcp --dport 3306 -j ACCEPT\nCOMMIT")
    alive = outputs(
        root.alive(iptables_legacy_save=text),
        {"nft": CommandOutput(b"", 1, "Operation not permitted")},
    )
    assert {f.confidence for f in findings(alive, "IPT603")} == {Confidence.POSSIBLE}


def test_empty_legacy_tables_beside_those_of_nft(root: Root) -> None:
    empty = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"
    alive = root.alive(iptables_legacy_save=empty, iptables_nft_save=CLOSED)
    host = examine(alive).host
    assert [s.path for s in host.sources if s.text] == ["iptables-save (nft)"]
    assert not host.mixed


# -- services and interfaces ------------------------------------------------------------------

DATABASE = "-A INPUT {} -p tcp -m tcp --dport 3306 -j ACCEPT\nCOMMIT"
MYSQL = "tcp LISTEN 0 128 {}:3306 0.0.0.0:*\n"
TWO_CARDS = """[
 {"ifname": "eth0", "addr_info": [{"family": "inet", "local": "10.0.0.4", "prefixlen": 24}]},
 {"ifname": "eth1", "addr_info": [{"family": "inet", "local": "198.51.100.4", "prefixlen": 24}]}
]"""


def exposed(root: Root, interface: str, **outputs: str) -> list[str]:
    rules = CLOSED.replace("COMMIT", DATABASE.format(interface))
    return codes(root.alive(iptables_legacy_save=rules, **outputs), "IPT603")


@pytest.mark.parametrize(
    ("address", "found"), [("0.0.0.0", ["IPT603"]), ("127.0.0.1", []), (None, [])]
)
def test_a_service_is_exposed_where_something_listens(
    root: Root, address: str | None, found: list[str]
) -> None:
    assert exposed(root, "", ss=MYSQL.format(address) if address else "") == found


@pytest.mark.parametrize(("interface", "found"), [("eth0", []), ("eth1", ["IPT603"])])
def test_the_world_is_behind_the_interface_with_a_public_address(
    root: Root, interface: str, found: list[str]
) -> None:
    """By their names alone eth1 would be the inner one of two cards."""
    interfaces = f"-i {interface}"
    assert exposed(root, interfaces, addresses=TWO_CARDS, ss=MYSQL.format("0.0.0.0")) == found


@pytest.mark.parametrize("tool", ["iptables", "ip6tables"])
def test_a_dump_that_says_it_is_one_half(tool: str) -> None:
    """iptables-nft-save says so on its standard error where the kernel has legacy tables, with
    rules or without (check_legacy_tables). Moved over without --noflush, the old rules would take
    the place of those that are there: iptables-restore(8)."""
    warning = f"# Warning: {tool}-legacy tables present, use {tool}-legacy-save to see them"
    dump = SourceFile("dump", f"{CLOSED}{warning}\n")
    (found,) = lint([dump], select=["IPT408"]).findings
    assert (found.span.text, found.confidence) == (warning, Confidence.POSSIBLE)
    assert "iptables-nft-restore --noflush`" in found.help
    assert not lint([SourceFile("dump", f"{CLOSED}# legacy tables\n")], select=["IPT408"]).findings
