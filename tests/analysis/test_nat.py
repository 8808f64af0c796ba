"""Which rules give packets another destination, and what the packets are then."""

from __future__ import annotations

import pytest

from iptlint.analysis.nat import (
    DestinationNat,
    address_range,
    destination_nats,
    named_ports,
    to,
    uplink,
)
from iptlint.model import Family, Hook
from iptlint.netfilter.firewall import Hooks
from tests.firewalls import hooks_of, packets, saved

WEB = "-A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.0.0.5:80"


def nat(*rules: str, chains: str = "") -> str:
    return saved(*rules, table="nat", chains=chains)


def only(text: str, family: Family = Family.IP) -> tuple[Hooks, DestinationNat]:
    hooks = hooks_of(text, family)
    (found,) = destination_nats(hooks)
    return hooks, found


@pytest.mark.parametrize(
    ("target", "told", "stays"),
    [
        ("DNAT --to-destination 10.0.0.5:80", "10.0.0.5:80", False),
        ("DNAT --to-destination 10.0.0.5", "10.0.0.5", False),
        ("DNAT --to-destination 10.0.0.5-10.0.0.9", "another machine", False),
        ("DNAT --to-destination 10.0.0.5-10.0.0.9:80", "port 80 of another machine", False),
        ("DNAT --to-destination 127.0.0.1:80", "127.0.0.1:80", True),
        ("DNAT --to-destination :80", "port 80 of another machine", True),
        # xt_REDIRECT sends to the address of the interface that the packet came by.
        ("REDIRECT --to-ports 80", "port 80 of another machine", True),
    ],
)
def test_where_packets_are_sent(target: str, told: str, stays: bool) -> None:
    _, found = only(nat(f"-A PREROUTING -p tcp -m tcp --dport 8080 -j {target}"))
    assert to(found) == told
    assert found.stays is stays


def test_where_packets_of_ipv6_are_sent() -> None:
    rule = "-A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination [2001:db8::5]:80"
    assert to(only(nat(rule), Family.IP6)[1]) == "[2001:db8::5]:80"
    nft = (
        "table inet t {\n\tchain c {\n\t\ttype nat hook prerouting priority dstnat;\n"
        "\t\ttcp dport 8080 dnat ip6 to [2001:db8::5]:80\n\t\ttcp dport 8081 dnat ip to 10.0.0.5\n"
        "\t}\n}\n"
    )
    # One rule is for each family; the other has nothing to say to it.
    assert to(destination_nats(hooks_of(nft, Family.IP6))[0]) == "[2001:db8::5]:80"
    assert "10.0.0.5" in [*map(to, destination_nats(hooks_of(nft, Family.IP)))]


def test_only_rules_that_prerouting_leads_to() -> None:
    own = "-A OUTPUT -p tcp -j DNAT --to-destination 10.0.0.5"
    source = "-A POSTROUTING -o eth0 -j MASQUERADE"
    called = "-A web -p tcp -j DNAT --to-destination 10.0.0.5"
    assert destination_nats(hooks_of(nat(own, source))) == ()
    assert destination_nats(hooks_of(nat(called, chains="web"))) == ()
    assert len(destination_nats(hooks_of(nat(called, "-A PREROUTING -j web", chains="web")))) == 1


def test_packets_as_they_come_and_as_they_arrive() -> None:
    hooks, found = only(nat(WEB) + saved("-A FORWARD -j LOG"))
    before = packets(hooks.space, proto="tcp", dport=8080, ct_state="new")
    before = before & hooks.hook_packets(Hook.PREROUTING)
    assert found.taken(hooks) == before
    arriving = found.arriving(hooks, Hook.FORWARD)
    after = packets(hooks.space, proto="tcp", daddr="10.0.0.5", dport=80)
    assert arriving.satisfiable()
    assert not (arriving & ~after).satisfiable()


def test_a_rule_behind_one_for_everything_is_dead() -> None:
    hooks = hooks_of(nat("-A PREROUTING -p tcp -j REDIRECT --to-ports 1", WEB))
    assert [each.is_dead for each in destination_nats(hooks)] == [False, True]


@pytest.mark.parametrize(
    ("test", "ports"),
    [
        ("-p tcp -m tcp --dport 22", {22}),
        ("-p tcp -m multiport --dports 80,443", {80, 443}),
        ("-p tcp -m tcp --dport 20:23", {20, 21, 22, 23}),
        ("-p tcp -m tcp --dport 1:1024", set()),
        ("-p tcp -m tcp ! --dport 22", set()),
        ("-p tcp", set()),
        ("-p tcp -m tcp --sport 22", set()),
    ],
)
def test_ports_that_a_rule_names(test: str, ports: set[int]) -> None:
    ((_, _, rule),) = hooks_of(saved(f"-A INPUT {test} -j ACCEPT")).ruleset.rules()
    assert named_ports(rule) == ports


def test_an_interface_that_faces_the_world() -> None:
    assert uplink(hooks_of(saved("-A INPUT -i ppp0 -p tcp --dport 22 -j ACCEPT"))) == "ppp0"
    assert uplink(hooks_of(saved())) == "eth0"


@pytest.mark.parametrize(
    ("first", "last", "told"),
    [
        (0x0A000000, 0x0AFFFFFF, "10.0.0.0/8"),
        (0x0A000001, 0x0A000001, "10.0.0.1/32"),
        (0x0A000001, 0x0A000003, "10.0.0.1-10.0.0.3"),
    ],
)
def test_a_range_of_addresses_in_words(first: int, last: int, told: str) -> None:
    assert address_range(hooks_of(saved()), ((first, last),)) == told
