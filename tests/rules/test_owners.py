"""Who writes a chain, an interface, a rule: software, or a person."""

from __future__ import annotations

import pytest

from iptlint.analysis.session import Context, Settings
from iptlint.analysis.shadowing import writer_of
from iptlint.dialects import read
from iptlint.model import Rule
from iptlint.model.ownership import owner_of, owner_of_interface, owner_of_rule
from iptlint.source import SourceFile


def rule_of(line: str) -> Rule:
    text = f"*filter\n:DOCKER - [0:0]\n:DOCKER-USER - [0:0]\n{line}\nCOMMIT\n"
    (rule,) = [rule for _, _, rule in read(SourceFile("rules.v4", text)).ruleset.rules()]
    return rule


def owner(line: str) -> str | None:
    found = owner_of_rule(line.split()[1], rule_of(line))
    return found.name if found else None


@pytest.mark.parametrize(
    ("chain", "name"),
    [
        ("tcpre", "shorewall"),
        ("net_frwd", "shorewall"),
        ("eth0_dynf", "shorewall"),
        ("input_guest_rule", "openwrt"),
        ("KIND-MASQ-AGENT", "kind"),
        ("eth0_in", None),
        ("tcp", None),
        ("docker", None),
    ],
)
def test_a_chain_is_known_by_its_name(chain: str, name: str | None) -> None:
    found = owner_of(chain)
    assert (found.name if found else None) == name


@pytest.mark.parametrize(
    ("interface", "name"),
    [
        ("docker0", "docker"),
        ("br-0123456789ab", "docker"),
        ("virbr0-nic", "libvirt"),
        ("cali0a1b2c3d4e5", "calico"),
        ("flannel.1", "flannel"),
        ("cni0", "CNI"),
        ("tailscale0", "tailscale"),
        ("br-lan", None),
        ("br-0123456789xy", None),
        ("eth0", None),
        ("tun0", None),
    ],
)
def test_an_interface_is_known_by_its_name(interface: str, name: str | None) -> None:
    assert owner_of_interface(interface) == name


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("-A DOCKER -i docker0 -j RETURN", "docker"),
        ("-A FORWARD -j DOCKER-USER", "docker"),
        ("-A FORWARD -i docker0 ! -o docker0 -j ACCEPT", "docker"),
        ('-A FORWARD -m comment --comment "cali:wUHhoiAYhphO9Mso" -j ACCEPT', "calico"),
        (
            '-A FORWARD -s 10.244.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT',
            "flannel",
        ),
        ('-A FORWARD -m comment --comment "CNI firewall plugin rules" -j ACCEPT', "CNI"),
        ('-A INPUT -m comment --comment "!fw3: Accept" -j ACCEPT', "openwrt"),
        # A person's: what reaches the host itself, a comment in plain words, DOCKER-USER.
        ("-A INPUT -i docker0 -p tcp --dport 53 -j ACCEPT", None),
        ('-A INPUT -p tcp --dport 6443 -m comment --comment "kubernetes api" -j ACCEPT', None),
        ("-A DOCKER-USER -i eth0 -j DROP", None),
        ("-A DOCKER-USER -j RETURN", None),
        ("-A FORWARD -i eth0 -j ACCEPT", None),
    ],
)
def test_a_rule_is_known_by_what_is_in_it(line: str, name: str | None) -> None:
    assert owner(line) == name


def test_a_bridge_of_docker_may_have_any_name() -> None:
    text = (
        "*nat\n:POSTROUTING ACCEPT [0:0]\n:DOCKER - [0:0]\n"
        "-A POSTROUTING -s 172.18.0.0/16 ! -o shop -j MASQUERADE\n"
        "-A POSTROUTING -s 192.168.1.0/24 -o eth0 -j MASQUERADE\n"
        "-A DOCKER -i shop -j RETURN\nCOMMIT\n"
    )
    ruleset = read(SourceFile("rules.v4", text)).ruleset
    (walk,) = Context((ruleset,), Settings()).analyses()
    first, second = walk.table.chains["POSTROUTING"].rules
    docker = writer_of(walk, first)
    assert docker is not None
    assert docker.name == "docker"
    assert writer_of(walk, second) is None
