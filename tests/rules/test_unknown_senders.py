"""Scripts that name senders whom only their run tells: a list of bans or of trusted addresses that
is read from a file says nothing of everybody else."""

from __future__ import annotations

import pytest

from iptlint.findings import Finding
from iptlint.linter.run import lint
from iptlint.model.addresses import anybodys
from iptlint.model.matches import Uncertain
from iptlint.model.ruleset import Family
from iptlint.source import SourceFile

SHUT = (
    "iptables -P INPUT DROP\niptables -A INPUT -i lo -j ACCEPT\n"
    "iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n"
)
LIST = 'while read -r ip; do\n  iptables -A INPUT -s "$ip" -j {}\ndone < list\n'


def found(text: str, *codes: str) -> list[Finding]:
    return list(lint([SourceFile("fw.sh", f"#!/bin/bash\n{text}")], select=codes).findings)


@pytest.mark.parametrize("verdict", ["ACCEPT", "DROP"])
@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("-p tcp --dport 3306 -j ACCEPT", "IPT603"),
        ("-p tcp --dport 22 -j ACCEPT", "IPT604"),
        ("-p udp --sport 53 -j ACCEPT", "IPT205"),
        ("-p tcp --syn -m limit --limit 10/s -j ACCEPT", "IPT602"),
        ("-j LOG", "IPT901"),
    ],
)
def test_a_list_of_senders_hides_nothing_of_all_others(verdict: str, rule: str, code: str) -> None:
    assert found(f"{SHUT}{LIST.format(verdict)}iptables -A INPUT {rule}\n", code)


def test_who_lets_in_a_list_of_senders_denies_by_default() -> None:
    assert found(f"{SHUT}{LIST.format('ACCEPT')}", "IPT705")


def test_a_list_of_senders_may_have_who_administers_the_host() -> None:
    assert found(SHUT, "IPT301")
    assert not found(f"{SHUT}{LIST.format('ACCEPT')}", "IPT301")


@pytest.mark.parametrize("test", ["! -s $IT", "-i $IT", "-p $IT"])
def test_what_is_no_name_of_senders_may_be_of_anybody(test: str) -> None:
    """A rule for all but some is for everybody else, and an interface may be the world's."""
    text = f"IT=$(cat it)\n{SHUT}iptables -A INPUT {test} -j DROP\n"
    assert not found(f"{text}iptables -A INPUT -p tcp --dport 3306 -j ACCEPT\n", "IPT603")


def test_names_of_senders() -> None:
    assert Uncertain("script", "-s $ip").names_senders
    assert not Uncertain("script", "! -s $ip").names_senders
    assert not Uncertain("limit", "-s $ip").names_senders
    assert all(low <= high for family in (Family.IP, Family.IP6) for low, high in anybodys(family))


def test_policies_deny_only_behind_the_last_accept() -> None:
    """The first of them may be for nobody who is cut off."""
    text = f"{SHUT}{LIST.format('ACCEPT')}iptables -A INPUT -p tcp --dport 22 -j ACCEPT\n"
    (cut,) = found(text, "IPT303")
    assert "set the policies to DROP only after the last accept" in cut.help
    assert cut.related[-1].message == "from here on some may open a new connection"


def test_a_kind_of_interfaces_beside_tunnels_is_no_uplink() -> None:
    """What goes out by either gets an address of the host's, and neither leads to the world."""
    text = (
        "iptables -P FORWARD DROP\niptables -t nat -A POSTROUTING -o tun+ -j MASQUERADE\n"
        "iptables -t nat -A POSTROUTING -o {} -j MASQUERADE\niptables -A FORWARD -i {} -j ACCEPT\n"
    )
    assert not found(text.format("orga+", "orga+"), "IPT605")
    assert found(text.format("ppp+", "ppp+"), "IPT605")
    assert found(text.format("ens3", "ens3"), "IPT605")
