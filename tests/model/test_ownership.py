"""Who writes a chain, an interface, a rule: software, or a person."""

from __future__ import annotations

import pytest

import iptlint
from iptlint.model import Rule, Table
from iptlint.model.ownership import (
    holds_user_rules,
    is_for_software,
    is_generated,
    is_user_chain,
    is_user_rule,
    made_by_iptables,
    owner_of_chain,
    writer_of,
)
from tests.firewalls import saved


def table_of(text: str) -> Table:
    return iptlint.read(text).tables[0]


def rule_of(line: str) -> tuple[Table, str, Rule]:
    text = f"*filter\n:DOCKER - [0:0]\n:DOCKER-USER - [0:0]\n{line}\nCOMMIT\n"
    ((table, chain, rule),) = iptlint.read(text).rules()
    return table, chain.name, rule


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
    owner = writer_of(*rule_of(line))
    assert (owner.name if owner else None) == name


def test_a_bridge_of_docker_may_have_any_name() -> None:
    text = (
        "*nat\n:POSTROUTING ACCEPT [0:0]\n:DOCKER - [0:0]\n"
        "-A POSTROUTING -s 172.18.0.0/16 ! -o shop -j MASQUERADE\n"
        "-A POSTROUTING -s 192.168.1.0/24 -o eth0 -j MASQUERADE\n"
        "-A DOCKER -i shop -j RETURN\nCOMMIT\n"
    )
    table = table_of(text)
    first, second = table.chains["POSTROUTING"].rules
    docker = writer_of(table, "POSTROUTING", first)
    assert docker is not None
    assert docker.name == "docker"
    assert writer_of(table, "POSTROUTING", second) is None


@pytest.mark.parametrize(
    ("chain", "owner", "people", "decided", "generated"),
    [
        # By hand, by way of a manager, or by software?
        ("INPUT", None, True, True, False),
        ("web", None, True, True, False),
        ("DOCKER", "docker", False, False, True),
        ("DOCKER-USER", "docker", True, True, False),
        ("f2b-sshd", "fail2ban", False, False, True),
        ("ufw-before-input", "ufw", False, False, False),
        ("ufw-user-input", "ufw", False, True, False),
    ],
)
def test_whose_chain_it_is(
    chain: str, owner: str | None, *, people: bool, decided: bool, generated: bool
) -> None:
    table = table_of(saved(chains="web DOCKER DOCKER-USER f2b-sshd"))
    found = owner_of_chain(table, chain)
    assert (found.name if found else None) == owner
    assert is_user_chain(table, chain) is people
    assert holds_user_rules(table, chain) is decided
    assert is_generated(table, chain) is generated


def test_software_may_have_a_whole_table_of_nft() -> None:
    table = table_of("table ip kube-proxy {\n\tchain services {\n\t\taccept\n\t}\n}\n")
    (rule,) = table.chains["services"].rules
    writer = writer_of(table, "services", rule)
    assert is_generated(table, "services")
    assert writer is not None
    assert writer.name == "kube-proxy"


@pytest.mark.parametrize(
    ("line", "for_software", "by_people"),
    [
        ("-A INPUT -p tcp -j ACCEPT", False, True),
        ("-A INPUT -i docker0 -p tcp --dport 53 -j ACCEPT", True, False),
        ("-A FORWARD -j DOCKER-USER", True, False),
        ("-A DOCKER-USER -s 192.0.2.1 -j DROP", False, True),
        ("-A DOCKER -d 172.17.0.2 -p tcp -j ACCEPT", False, False),
    ],
)
def test_whose_decision_a_rule_is(line: str, *, for_software: bool, by_people: bool) -> None:
    table, chain, rule = rule_of(line)
    assert is_for_software(rule) is for_software
    assert is_user_rule(table, chain, rule) is by_people


@pytest.mark.parametrize(
    ("name", "chain", "made"),
    [
        ("ip filter", "INPUT", True),
        ("ip6 mangle", "INPUT", True),
        ("ip filter", "input", False),
        ("inet filter", "INPUT", False),
        ("ip mine", "INPUT", False),
    ],
)
def test_tables_of_iptables(name: str, chain: str, made: bool) -> None:
    text = f"table {name} {{\nchain {chain} {{\ntype filter hook input priority 0;\n}}\n}}"
    assert made_by_iptables(table_of(text)) is made
