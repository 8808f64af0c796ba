"""What the kernel does with connections that are translated."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.kernel.datagrams import TCP, UDP
from tests.kernel.exchanges import Call, End, Exchange, Host
from tests.kernel.restoring import Kind
from tests.kernel.test_harness import skip_if_lacking
from tests.kernel.test_topology import BASE, CLIENT, GUEST, OWN, SERVER, WEB, call
from tests.kernel.topology import Topology
from tests.kernel.translation_rulesets import (
    ADDRESS_AND_PORT_MAP,
    DOCKER_PORT,
    HAIRPIN,
    HAIRPIN_BACK,
    MAP,
    PORT_FORWARD,
    iptables,
)

IPTABLES = (Kind.LEGACY, Kind.IPTABLES_NFT)
HOST = OWN["ip"]


def to_host(dport: int, proto: int = TCP) -> Call:
    """The client calls the host, whoever that is then."""
    return call(CLIENT, None, "ip", proto, dport)


def first_and_answer(exchange: Exchange) -> tuple[str, str]:
    """As they were heard."""
    return str(exchange.passages[0].heard), str(exchange.passages[1].heard)


def lines(text: str, *rules: str) -> frozenset[int]:
    numbers = {line.removeprefix("-A "): number for number, line in enumerate(text.split("\n"), 1)}
    return frozenset(numbers[rule] for rule in rules)


@pytest.fixture(params=IPTABLES)
def kind(request: pytest.FixtureRequest) -> Kind:
    skip_if_lacking(request.param, "ip")
    return Kind(request.param)


def test_a_published_port_is_forwarded(topology: Topology, kind: Kind) -> None:
    host = Host.with_rules(topology, DOCKER_PORT, kind)
    exchange = host.exchange(to_host(8080))
    first = exchange.passages[0]
    assert exchange.works
    assert (first.by, first.out, first.hooks) == (
        WEB,
        "docker0",
        ("prerouting", "forward", "postrouting"),
    )
    assert first_and_answer(exchange) == (
        "198.51.100.7 40000 > 172.17.0.2 80 tcp syn",
        "198.51.100.1 8080 > 198.51.100.7 40000 tcp syn ack",
    )


def test_another_port_comes_in(topology: Topology, kind: Kind) -> None:
    passage = Host.with_rules(topology, DOCKER_PORT, kind).exchange(to_host(80)).passages[0]
    assert (passage.end, passage.hooks) == (End.DROPPED, ("prerouting", "input"))


def test_a_container_calls_the_world(topology: Topology, kind: Kind) -> None:
    exchange = Host.with_rules(topology, DOCKER_PORT, kind).exchange(call(WEB, CLIENT, "ip"))
    assert exchange.works
    assert first_and_answer(exchange) == (
        "198.51.100.1 40000 > 198.51.100.7 80 tcp syn",
        "198.51.100.7 80 > 172.17.0.2 40000 tcp syn ack",
    )


def test_the_host_calls_its_published_port(topology: Topology, kind: Kind) -> None:
    """What is translated in output is routed anew."""
    exchange = Host.with_rules(topology, DOCKER_PORT, kind).exchange(
        Call(None, HOST, HOST, dport=8080)
    )
    assert exchange.works
    assert exchange.passages[0].out == "docker0"


def test_output_goes_on_with_the_old_interface(topology: Topology, kind: Kind) -> None:
    """After a translation, with the new destination; postrouting has the interface that leads to
    it (nf_nat_ipv4_local_fn)."""
    to = "OUTPUT -p tcp --dport 22 -j DNAT --to-destination 172.17.0.2:22"
    seen = ("OUTPUT -o eth0", "OUTPUT -d 172.17.0.2", "POSTROUTING -o docker0 -m mark --mark 0")
    text = iptables(
        nat=[to],
        mangle=[seen[2], "POSTROUTING -o eth0"],
        filter=[*seen[:2], "OUTPUT -o docker0"],
    )
    exchange = Host.with_rules(topology, text, kind).exchange(call(None, CLIENT, "ip", dport=22))
    assert exchange.works
    assert exchange.passages[0].moved == lines(text, to, *seen)
    assert exchange.passages[2].moved == lines(text, *seen)


@pytest.mark.parametrize("target", ["DNAT --to-destination 192.168.1.1", "REDIRECT"])
def test_what_the_host_sends_to_itself_comes_in_by_lo(
    topology: Topology, kind: Kind, target: str
) -> None:
    """It is translated once."""
    to = f"OUTPUT -p tcp --dport 22 -j {target}"
    seen = ("POSTROUTING -o lo", "PREROUTING -i lo", "INPUT -i lo")
    text = iptables(nat=[to, "PREROUTING -p tcp"], mangle=[*seen, "POSTROUTING -o eth0"])
    exchange = Host.with_rules(topology, text, kind).exchange(call(None, CLIENT, "ip", dport=22))
    assert exchange.works
    assert exchange.passages[0].moved == lines(text, to, *seen)
    assert exchange.passages[0].end is End.DELIVERED


def test_a_forwarded_port_is_not_accepted_by_that(topology: Topology, kind: Kind) -> None:
    host = Host.with_rules(topology, iptables("FORWARD", nat=[PORT_FORWARD], filter=[]), kind)
    passage = host.exchange(to_host(80)).passages[0]
    assert (passage.end, passage.hooks) == (End.DROPPED, ("prerouting", "forward"))


def test_a_running_connection_keeps_its_translation(topology: Topology, kind: Kind) -> None:
    """In every hook: forward sees the new destination of all its packets, and its answers as they
    are sent. nat sees the first packet only."""
    rules = (
        "FORWARD -d 192.168.1.100 -p tcp --dport 8080 -j ACCEPT",
        "FORWARD -s 192.168.1.100 -p tcp --sport 8080 -j ACCEPT",
    )
    mangle = (
        "PREROUTING -d 198.51.100.1 -p tcp --dport 80",
        "POSTROUTING -d 192.168.1.100 -p tcp --dport 8080",
        "PREROUTING -s 192.168.1.100 -p tcp --sport 8080",
        "POSTROUTING -s 192.168.1.100 -p tcp --sport 8080",
        "POSTROUTING -s 198.51.100.1",
    )
    text = iptables("FORWARD", nat=[PORT_FORWARD], filter=rules, mangle=mangle)
    exchange = Host.with_rules(topology, text, kind).exchange(to_host(80))
    assert exchange.works
    to, back = lines(text, rules[0], *mangle[:2]), lines(text, rules[1], *mangle[2:4])
    first = to | lines(text, PORT_FORWARD)
    assert [p.moved for p in exchange.passages] == [first, back, to, back]


@pytest.mark.parametrize("back", [False, True])
def test_hairpin(topology: Topology, kind: Kind, back: bool) -> None:
    """Without a translation of the source the server answers its neighbour directly, who has not
    asked it."""
    text = iptables(nat=[HAIRPIN, *([HAIRPIN_BACK] if back else [])])
    exchange = Host.with_rules(topology, text, kind).exchange(
        Call(GUEST, GUEST.addresses["ip"], HOST)
    )
    assert exchange.works is back
    assert exchange.passages[0].by is SERVER
    assert exchange.passages[1].bypassed is not back


def test_a_translation_to_the_same_is_none(topology: Topology, kind: Kind) -> None:
    text = iptables(
        nat=["PREROUTING -p tcp -j DNAT --to-destination 192.168.1.100"],
        filter=["FORWARD -m conntrack --ctstate DNAT -j DROP"],
    )
    host = Host.with_rules(topology, text, kind)
    assert host.exchange(call(CLIENT, SERVER, "ip")).works
    assert host.exchange(call(CLIENT, WEB, "ip")).passages[0].end is End.DROPPED


def test_a_redirection_to_the_same_is_none(topology: Topology, kind: Kind) -> None:
    """To the address of the interface that it came by; else the address is another."""
    text = iptables(
        nat=["PREROUTING -p udp --dport 53 -j REDIRECT --to-ports 53"],
        filter=["INPUT -m conntrack --ctstate DNAT -j DROP"],
    )
    host = Host.with_rules(topology, text, kind)
    assert host.exchange(to_host(53, UDP)).works
    other = replace(to_host(53, UDP), daddr="192.168.1.1")
    assert host.exchange(other).passages[0].end is End.DROPPED


def test_a_key_that_a_map_lacks_ends_the_rule(topology: Topology) -> None:
    host = Host.with_rules(topology, MAP, Kind.NFT)
    assert [host.exchange(to_host(port)).passages[0].by for port in (80, 8081, 443)] == [
        SERVER,
        WEB,
        BASE,
    ]
    passage = host.exchange(to_host(23)).passages[0]
    assert (passage.end, set(passage.moved)) == (End.DROPPED, {4, 13})


def test_a_map_of_address_and_port(topology: Topology) -> None:
    host = Host.with_rules(topology, ADDRESS_AND_PORT_MAP, Kind.NFT)
    exchange = host.exchange(to_host(80))
    assert exchange.works
    assert str(exchange.passages[0].heard).split(" > ")[1] == "192.168.1.100 8080 tcp syn"
    assert host.exchange(to_host(81)).passages[0].end is End.DELIVERED


def test_a_reset_comes_from_whom_was_called(topology: Topology, kind: Kind) -> None:
    """The answer of REJECT has the connection that it answers, so it is translated back."""
    text = iptables(
        nat=[PORT_FORWARD],
        filter=[
            "FORWARD -p tcp -j REJECT --reject-with tcp-reset",
            "OUTPUT -m conntrack --ctstate ESTABLISHED",
        ],
    )
    passage = Host.with_rules(topology, text, kind).exchange(to_host(80)).passages[0]
    assert passage.end is End.RESET
    assert [str(told) for told in passage.told] == [
        "198.51.100.1 80 > 198.51.100.7 40000 tcp rst ack"
    ]


@pytest.mark.parametrize("back", [False, True])
def test_an_answer_that_a_rule_drops(topology: Topology, kind: Kind, back: bool) -> None:
    rules = ["FORWARD -i eth0 -j ACCEPT"]
    rules += ["FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT"] if back else []
    host = Host.with_rules(topology, iptables("FORWARD", nat=[PORT_FORWARD], filter=rules), kind)
    exchange = host.exchange(to_host(80))
    assert exchange.works is back
    assert exchange.passages[1].end is (End.LEFT if back else End.DROPPED)
