"""What the rules on translation and containers say, and how sure they are."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from iptlint.findings import Confidence, Finding, Severity
from iptlint.linter.run import lint
from iptlint.source import SourceFile

TRANSLATED = "-A PREROUTING -i eth0 -p tcp --dport 8080 -j DNAT --to-destination 192.168.1.10:80"


def findings(text: str, code: str, path: str = "rules.v4") -> list[Finding]:
    return list(lint([SourceFile(path, text)], select=[code]).findings)


def host(nat: str, forward: str, inside: str = "DROP") -> str:
    return (
        f"*nat\n:PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n{nat}\nCOMMIT\n"
        f"*filter\n:INPUT {inside} [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n"
        f"-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n{forward}\nCOMMIT\n"
    )


def test_a_target_that_may_be_the_host_itself_is_only_possible() -> None:
    (certain,) = findings(host(TRANSLATED, ""), "IPT802")
    (possible,) = findings(host(TRANSLATED, "", inside="ACCEPT"), "IPT802")
    assert certain.confidence is Confidence.CERTAIN
    assert possible.confidence is Confidence.POSSIBLE
    assert "unless 192.168.1.10 is this host itself" in possible.message


def test_an_address_that_the_host_shows_as_its_own_is_not_looked_for_in_forward() -> None:
    own = f"{TRANSLATED}\n-A POSTROUTING -d 192.168.1.11 -j SNAT --to-source 192.168.1.10"
    assert findings(host(own, ""), "IPT802") == []


def test_the_rule_that_is_missing_is_proposed() -> None:
    (finding,) = findings(host(TRANSLATED, ""), "IPT802")
    assert finding.advice == "add: -A FORWARD -d 192.168.1.10 -p tcp -m tcp --dport 80 -j ACCEPT"


def test_a_translation_of_what_is_not_tracked_is_told_as_one_that_sees_nothing() -> None:
    raw = "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp --dport 8080 -j NOTRACK\nCOMMIT\n"
    (finding,) = findings(raw + host(TRANSLATED, ""), "IPT802")
    assert "line 3 turns connection tracking off for all of its packets" in finding.message
    assert finding.confidence is Confidence.CERTAIN


def test_an_accept_by_the_old_port_is_wrong_for_those_that_come_to_it() -> None:
    forward = (
        "-A FORWARD -s 10.0.0.0/8 -d 192.168.1.10 -j ACCEPT\n"
        "-A FORWARD -p tcp --dport 8080 -j ACCEPT"
    )
    (finding,) = findings(host(TRANSLATED, forward), "IPT803")
    assert finding.advice.partition(",")[0] == "write -A FORWARD -p tcp --dport 80 -j ACCEPT"


def test_many_ports_that_lead_nowhere_are_one_finding() -> None:
    many = "\n".join(
        TRANSLATED.replace("8080", str(8080 + n)).replace(":80", f":{80 + n}") for n in range(12)
    )
    (finding,) = findings(host(many, ""), "IPT802")
    assert finding.message.endswith("; likewise lines 5, 6, 7, 8, 9 and 6 more")


def test_a_port_before_translation_is_one_cause() -> None:
    text = host(TRANSLATED, "-A FORWARD -d 192.168.1.10 -p tcp --dport 8080 -j ACCEPT")
    (finding,) = findings(text, "IPT8")
    assert finding.code == "IPT803"
    assert (
        finding.advice.partition(",")[0]
        == "write -A FORWARD -d 192.168.1.10 -p tcp --dport 80 -j ACCEPT"
    )


@pytest.mark.parametrize(
    ("tests", "confidence"),
    [("-i eth0", Confidence.CERTAIN), ("-s 203.0.113.0/24", Confidence.POSSIBLE)],
)
def test_a_ban_that_may_be_for_others_is_possible(tests: str, confidence: Confidence) -> None:
    forward = (
        f"-A FORWARD {tests} -p tcp --dport 8080 -j DROP\n"
        "-A FORWARD -d 192.168.1.10 -p tcp --dport 80 -j ACCEPT"
    )
    (finding,) = findings(host(TRANSLATED, forward), "IPT803")
    assert finding.confidence is confidence
    assert "--ctorigdstport 8080" in finding.help


def test_unscoped_masquerade_names_the_interface_of_the_world() -> None:
    nat = "-A POSTROUTING -o wan0 -p udp -j MASQUERADE\n-A POSTROUTING -j MASQUERADE"
    (finding,) = findings(host(nat, "-A FORWARD -o wan0 -j ACCEPT"), "IPT801")
    assert finding.help.endswith("-A POSTROUTING -o wan0 -j MASQUERADE")


@pytest.mark.parametrize("out", ["! -o lo", "! --out-interface lo"])
def test_what_named_an_interface_to_leave_out_names_one_to_the_world_instead(out: str) -> None:
    (finding,) = findings(host(f"-A POSTROUTING {out} -j MASQUERADE", ""), "IPT801")
    assert finding.help.endswith(": -A POSTROUTING -o eth0 -j MASQUERADE")


def test_copies_of_software_are_told_once() -> None:
    text = "*filter\n:INPUT ACCEPT [0:0]\n:KUBE-FIREWALL - [0:0]\n"
    text += "-A INPUT -j KUBE-FIREWALL\n" * 200
    text += "-A KUBE-FIREWALL -m mark --mark 0x8000/0x8000 -j DROP\nCOMMIT\n"
    (finding,) = findings(text, "IPT855")
    assert "200 copies" in finding.message
    assert "199 times iptables -t filter -D INPUT -j KUBE-FIREWALL" in finding.help
    assert findings(text, "IPT106") == []


def test_a_rule_behind_dockers_return_is_one_cause() -> None:
    text = (
        "*filter\n:FORWARD DROP [0:0]\n:DOCKER-USER - [0:0]\n-A FORWARD -j DOCKER-USER\n"
        "-A DOCKER-USER -j RETURN\n-A DOCKER-USER -i eth0 -p tcp --dport 80 -j DROP\n"
        "-A DOCKER-USER -i eth0 -p tcp --dport 443 -j DROP\nCOMMIT\n"
    )
    (finding,) = findings(text, "IPT853")
    assert "nor does 1 more rule behind it" in finding.message
    assert findings(text, "IPT101") == []
    assert findings(text, "IPT102") == []


def published(*user: str) -> str:
    return "\n".join(
        (
            "*nat\n:PREROUTING ACCEPT [0:0]\n:DOCKER - [0:0]",
            "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
            "-A DOCKER ! -i docker0 -p tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80",
            "COMMIT\n*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]",
            ":DOCKER - [0:0]\n:DOCKER-USER - [0:0]\n-A INPUT -p tcp --dport 22 -j ACCEPT",
            "-A FORWARD -j DOCKER-USER\n-A FORWARD -o docker0 -j DOCKER",
            "-A DOCKER -d 172.17.0.2 ! -i docker0 -o docker0 -p tcp --dport 80 -j ACCEPT",
            *(f"-A DOCKER-USER {rule}" for rule in user),
            "COMMIT\n",
        )
    )


@pytest.mark.parametrize(
    "rule",
    [
        "-i eth0 -p tcp -m conntrack --ctorigdstport 8080 -j DROP",
        "-i eth0 ! -s 10.0.0.0/8 -p tcp --dport 80 -j DROP",
        "-i eth0 -p tcp -m conntrack --ctorigdstport 8000:8999 -j REJECT",
        "-i eth0 -m conntrack ! --ctorigdstport 443 -j DROP",
        "-i eth0 -p tcp -m limit --limit 1/min -j DROP",
    ],
)
def test_what_docker_user_denies_is_not_public(rule: str) -> None:
    assert findings(published(rule), "IPT851") == []


@pytest.mark.parametrize(
    "rule",
    [
        "-i eth0 -p tcp -m conntrack --ctorigdstport 8081 -j DROP",
        "-i eth0 -s 203.0.113.0/24 -j DROP",
        "-i eth0 -s 203.0.113.0/24 -p tcp --dport 8080 -j DROP",
        "-j RETURN",
    ],
)
def test_what_docker_user_lets_by_is_public(rule: str) -> None:
    (finding,) = findings(published(rule), "IPT851")
    assert "port 8080/tcp is reachable" in finding.message
    assert finding.witness is not None
    assert finding.witness.dport == 8080


@pytest.mark.parametrize(
    ("code", "user"),
    [
        ("IPT803", ("-i eth0 -p tcp --dport 8080 -j DROP",)),
        ("IPT803", ("-p tcp --dport 8080 -j REJECT",)),
        ("IPT853", ("-j RETURN", "-i eth0 -p tcp --dport 80 -j DROP")),
        ("IPT853", ("-j RETURN", "-p tcp -m conntrack --ctorigdstport 8080 -j DROP")),
    ],
)
def test_a_drop_that_misses_its_port_is_told_once(code: str, user: tuple[str, ...]) -> None:
    assert len(findings(published(*user), code)) == 1
    assert findings(published(*user), "IPT851") == []


def test_a_drop_that_misses_some_ports_does_not_hide_the_others() -> None:
    text = published("-j RETURN", "-p tcp -m conntrack --ctorigdstport 9999 -j DROP")
    assert len(findings(text, "IPT851")) == 1


@pytest.mark.parametrize("source", ["-s 198.51.100.0/24", "-s 203.0.113.9"])
def test_a_drop_on_an_interface_where_the_world_is_not(source: str) -> None:
    text = published("-i eth1 -p tcp -m conntrack --ctorigdstport 8080 -j DROP")
    accept = "-A INPUT -p tcp --dport 22 -j ACCEPT"
    (finding,) = findings(text.replace(accept, f"{accept} -i eth0 {source}"), "IPT851")
    assert finding.confidence is Confidence.POSSIBLE
    assert finding.severity is Severity.WARNING
    assert "reachable from the world by eth0" in finding.message


@pytest.mark.parametrize("source", ["", "-s 10.0.0.0/8", "-s 0.0.0.0/0"])
def test_a_drop_on_what_may_be_the_interface_of_the_world(source: str) -> None:
    text = published("-i eth1 -p tcp -m conntrack --ctorigdstport 8080 -j DROP")
    accept = "-A INPUT -p tcp --dport 22 -j ACCEPT"
    assert findings(text.replace(accept, f"{accept} -i eth0 {source}"), "IPT851") == []


@pytest.mark.skipif(
    shutil.which("iptables-restore-translate") is None, reason="iptables is not installed"
)
def test_what_the_translator_leaves_out_is_found(tmp_path: Path) -> None:
    rules = tmp_path / "rules.v4"
    rules.write_text(
        "*filter\n:INPUT DROP [0:0]\n-A INPUT -m string --algo bm --string abc -j DROP\n"
        "-A INPUT -p tcp -m recent --name x --set\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n"
    )
    command = ["iptables-restore-translate", "-f", str(rules)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (found,) = findings(done.stdout, "IPT409", "rules.nft")
    assert found.message.startswith("a DROP rule of INPUT in the filter table was lost")
    assert [label.span.text for label in found.related] == [
        "# -t filter -A INPUT -p tcp -m recent --name x --set"
    ]


@pytest.mark.parametrize(
    ("test", "words"),
    [
        ("", "everything that leaves"),
        ("-p tcp ", "all tcp that leaves"),
        ("-p udp ", "all udp that leaves"),
    ],
)
def test_what_an_unscoped_rule_takes(test: str, words: str) -> None:
    (finding,) = findings(host(f"-A POSTROUTING {test}-j MASQUERADE", ""), "IPT801")
    assert finding.message.startswith(words)
    assert finding.help.endswith(f"-A POSTROUTING -o eth0 {test}-j MASQUERADE")


def test_where_docker_leaves_a_chain_to_the_user_the_advice_names_it() -> None:
    hosts = Path(__file__).parents[2] / "fixtures" / "hosts"
    text = (hosts / "nft-firewalld-docker" / "ruleset.nft").read_text()
    (finding,) = findings(text, "IPT851", "ruleset.nft")
    assert "iptables -I DOCKER-USER -i eth0 -p tcp" in finding.help


def test_what_swarm_publishes_cannot_be_bound_to_loopback() -> None:
    rules = Path(__file__).parents[2] / "fixtures" / "rules"
    (finding,) = findings((rules / "IPT851" / "bad_swarm.v4").read_text(), "IPT851")
    assert finding.advice.startswith("deny it by the port it comes with, if eth0 ")


@pytest.mark.parametrize("name", ["IPT851/bad_netavark.nft", "IPT854/bad_netavark.nft"])
def test_netavark_is_podmans(name: str) -> None:
    """netavark 1.10, src/firewall/nft.rs: the network stands in the jump to its chain, and a port
    is sent on as docker does it. There is no chain for the user."""
    rules = Path(__file__).parents[2] / "fixtures" / "rules"
    (finding,) = findings((rules / name).read_text(), name[:6], "ruleset.nft")
    assert "podman" in finding.message
    assert "DOCKER" not in finding.help


def test_what_podman_publishes_is_denied_in_forward() -> None:
    filter_ = "*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:DOCKER-USER - [0:0]\nCOMMIT\n"
    chain = "NETAVARK-DN-1D8721804F16F"
    nat = f"""*nat
:PREROUTING ACCEPT [0:0]
:{chain} - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j {chain}
-A {chain} -p tcp -m tcp --dport 6379 -j DNAT --to-destination 10.88.0.5:6379
COMMIT
"""
    (finding,) = findings(nat + filter_, "IPT851")
    assert "podman sends these packets to 10.88.0.5:6379" in finding.message
    assert ": -I FORWARD -i eth0 -p tcp" in finding.help


@pytest.mark.parametrize(
    ("table", "told"), [("filter", True), ("raw", True), ("mangle", False), ("security", True)]
)
def test_only_mangle_has_a_marked_packet_routed_again(table: str, told: bool) -> None:
    """Datagrams that OUTPUT of filter or raw marks leave by the main routing table for all that
    `ip rule add fwmark` says, those of mangle by the other: seen with iptables-legacy and
    iptables-nft (ipt_mangle_out)."""
    rule = "-A OUTPUT -p udp -m udp --dport 9999 -j MARK --set-xmark 0x64/0xffffffff"
    found = findings(f"*{table}\n:OUTPUT ACCEPT [0:0]\n{rule}\nCOMMIT\n", "IPT808")
    assert [f"the table {table} does not" in finding.message for finding in found] == [True] * told
