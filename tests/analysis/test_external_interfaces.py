"""Which interfaces face the world: names, translation, and what is let in by them tell."""

from __future__ import annotations

import pytest

import iptlint
from iptlint.analysis.external_interfaces import (
    external_classes,
    is_external_name,
    uplink_names,
    visited_names,
)
from iptlint.model import Family
from iptlint.netfilter.firewall import Firewall, Hooks
from iptlint.packets.interfaces import InterfaceClass
from tests.firewalls import hooked, hooks_of, saved

SSH = "-p tcp -m tcp --dport 22 -j ACCEPT"


def names(hooks: Hooks) -> set[str]:
    """Of those that face the world; "" is any that no rule names."""
    return {hooks.space.interfaces.classes[number - 1].name for number in external_classes(hooks)}


@pytest.mark.parametrize(
    ("name", "wildcard", "outward"),
    [
        *((name, False, True) for name in ("ppp0", "wan", "wwan0", "br-wan", "ext1", "uplink")),
        *((name, False, False) for name in ("eth0", "ens3", "lan0", "wg0", "docker0", "lo")),
        ("wan", True, True),
        # The clients of a server of tunnels, as often as its uplink.
        ("ppp", True, False),
    ],
)
def test_names_that_say_so(name: str, wildcard: bool, outward: bool) -> None:
    assert is_external_name(InterfaceClass(name, wildcard)) is outward


@pytest.mark.parametrize("name", ["lo", "docker0", "br-1a2b3c", "wg0", "tun0", "virbr0", "lan1"])
def test_behind_these_the_world_is_not(name: str) -> None:
    assert name not in names(hooks_of(saved(f"-A INPUT -i {name} {SSH}", policy="DROP")))


def test_one_of_many_callers_is_no_uplink() -> None:
    """pppd numbers its links: `ppp+` lets in the clients of a server, and `ppp0` is one of them."""
    clients = saved(f"-A INPUT -i ppp+ {SSH}", "-A INPUT -i ppp0 -j LOG", policy="DROP")
    assert "ppp0" not in names(hooks_of(clients))
    one = saved(f"-A INPUT -i ppp0 {SSH}", "-A INPUT -i eth0 -j LOG", policy="DROP")
    assert "ppp0" in names(hooks_of(one))
    uplink = saved("-A POSTROUTING -o ppp0 -j MASQUERADE", table="nat")
    assert "ppp0" in names(hooks_of(uplink + clients))


def test_packets_leave_by_an_uplink_with_an_address_of_the_host() -> None:
    rules = saved("-A INPUT -i eth0 -j LOG", "-A INPUT -i eth1 -j LOG")
    for target in ("MASQUERADE", "SNAT --to-source 192.0.2.1"):
        nat = saved(f"-A POSTROUTING -o eth1 -j {target}", table="nat")
        assert uplink_names(hooks_of(nat + rules)) == {"eth1"}
        assert names(hooks_of(nat + rules)) == {"", "eth1"}
        kind = saved(f"-A POSTROUTING -o eth+ -j {target}", table="nat")
        assert uplink_names(hooks_of(kind + rules)) == {"eth"}
    elsewhere = saved("-A POSTROUTING ! -o docker0 -j MASQUERADE", table="nat")
    assert uplink_names(hooks_of(elsewhere + rules)) == set()


def test_a_chain_of_an_interface_may_translate_for_it() -> None:
    """As shorewall has `eth0_masq`, firewalld `POST_public`."""
    chains = ":masq - [0:0]\n:deeper - [0:0]\n:kept - [0:0]\n"
    rules = (
        "-A POSTROUTING -o eth0 -j masq\n-A POSTROUTING -o eth1 -j kept\n-A masq -j deeper\n"
        "-A deeper -s 10.0.0.0/8 -j MASQUERADE\n-A kept -d 10.0.0.0/8 -j ACCEPT\n"
    )
    nat = f"*nat\n:POSTROUTING ACCEPT [0:0]\n{chains}{rules}COMMIT\n"
    filtering = saved("-A INPUT -i eth0 -j LOG", "-A INPUT -i eth1 -j LOG")
    assert uplink_names(hooks_of(nat + filtering)) == {"eth0"}


def test_what_a_rule_of_translation_leaves_out_as_a_kind_is_no_uplink() -> None:
    rules = saved("-A INPUT -i vmi0 -j ACCEPT", "-A INPUT -i ppp0 -j LOG", policy="DROP")
    others = "-A POSTROUTING -s 10.0.0.0/24 ! -o vmi+ -j MASQUERADE"
    hairpin = saved(others, "-A POSTROUTING -o vmi0 -j MASQUERADE", table="nat")
    assert uplink_names(hooks_of(hairpin + rules)) == set()
    clients = "-A POSTROUTING ! -o ppp+ -j MASQUERADE"
    uplink = saved(clients, "-A POSTROUTING -o ppp0 -j MASQUERADE", table="nat")
    assert uplink_names(hooks_of(uplink + rules)) == {"ppp0"}


@pytest.mark.parametrize("family", [Family.IP, Family.IP6])
def test_in_nft(family: Family) -> None:
    nat = "table inet n {\n\tchain post {\n\t\ttype nat hook postrouting priority srcnat;\n"
    nat += '\t\toifname "eth1" masquerade\n\t}\n}\n'
    assert uplink_names(hooks_of(nat + hooked("iifname eth0 accept"), family)) == {"eth1"}


def test_a_list_of_interfaces_names_each_of_them() -> None:
    nat = "table ip n {\n\tchain post {\n\t\ttype nat hook postrouting priority srcnat;\n"
    nat += "\t\toifname { vlan7, vlan8 } masquerade\n\t}\n}\n"
    assert uplink_names(hooks_of(nat + hooked("iifname eth0 accept"))) == {"vlan7", "vlan8"}
    others = nat.replace("oifname {", "oifname != {")
    assert uplink_names(hooks_of(others + hooked("iifname eth0 accept"))) == set()


def test_what_is_known_of_the_host_comes_first() -> None:
    """Its addresses tell, where the names do not."""
    ruleset = iptlint.read(saved("-A INPUT -i eth0 -j LOG", "-A INPUT -i eth1 -j LOG"))
    facing = {"eth0": False, "eth1": True, "eth2": True}
    assert names(Hooks(Firewall(ruleset), Family.IP, facing)) == {"", "eth1"}


def test_all_but_one_may_come_in() -> None:
    """Whoever accepts what comes by any interface but X means X by the world."""
    assert names(hooks_of(saved("-A INPUT ! -i eth0 -j ACCEPT", policy="DROP"))) == {"eth0"}
    software = saved("-A INPUT ! -i docker0 -j ACCEPT", policy="DROP")
    assert "docker0" not in names(hooks_of(software))
    for_one = f"-A INPUT -i eth0 {SSH}"
    but_one = "! -i eth1 -p tcp -m tcp --dport 3306 -j"
    service = saved(f"-A INPUT {but_one} ACCEPT", for_one, policy="DROP")
    assert names(hooks_of(service)) == {"eth1"}
    denied = saved(f"-A INPUT {but_one} DROP", for_one, policy="DROP")
    assert "" in names(hooks_of(denied))
    of_docker = ("-A INPUT -j DOCKER", f"-A DOCKER {but_one} ACCEPT", for_one)
    owned = saved(*of_docker, policy="DROP", chains="DOCKER")
    assert "" in names(hooks_of(owned))


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ("-A INPUT -i eth3 -s 198.51.100.7 -j ACCEPT", {"eth3"}),
        ("-A INPUT -i eth3 -s 10.0.0.7 -j ACCEPT", set()),
        ("-A INPUT -i eth3 -s 0.0.0.0/0 -j ACCEPT", set()),
        ("-A INPUT -i eth3 -s 198.51.100.7 -j DROP", set()),
        ("-A FORWARD -i eth3 -s 198.51.100.7 -j ACCEPT", set()),
        ("-A INPUT -i eth+ -s 198.51.100.7 -j ACCEPT", set()),
        ("-A INPUT -i wg0 -s 198.51.100.7 -j ACCEPT", set()),
    ],
)
def test_by_which_somebody_of_the_world_is_let_in(rule: str, found: set[str]) -> None:
    assert visited_names(hooks_of(saved(rule, policy="DROP"))) == found


def test_an_open_policy_says_nothing_about_the_one_card() -> None:
    assert names(hooks_of(saved("-A INPUT -i eth0 -j LOG"))) == {"", "eth0"}
    for_all = saved(
        f"-A INPUT {SSH}", "-A INPUT -i eth0 -p udp --dport 53 -j ACCEPT", policy="DROP"
    )
    assert names(hooks_of(for_all)) == {""}


@pytest.mark.parametrize("to", ["127.0.0.1", "127.0.0.0/8"])
def test_what_is_for_an_address_of_lo_is_for_no_stranger(to: str) -> None:
    """The trap: `-d 127.0.0.1` without `-i lo` is not said for all, so that the one card that has
    a name is the world's."""
    to_lo = saved(f"-A INPUT -d {to} -j ACCEPT", f"-A INPUT -i eth0 {SSH}", policy="DROP")
    assert names(hooks_of(to_lo)) == {"", "eth0"}
