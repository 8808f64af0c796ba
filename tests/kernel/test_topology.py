"""The host between networks: what is said of an exchange is what became of it."""

from __future__ import annotations

from itertools import product

import pytest

from tests.kernel.datagrams import ICMP, ICMP6, RST, TCP, UDP, Datagram, answer, opening, parse
from tests.kernel.exchanges import Call, End, Host
from tests.kernel.restoring import Kind
from tests.kernel.test_harness import KINDS, skip_if_lacking
from tests.kernel.topology import DOCKER, FAMILIES, LAN, WAN, Station, Topology

(CLIENT,), (GUEST, SERVER), (WEB, BASE) = WAN.stations, LAN.stations, DOCKER.stations
ECHO = {"ip": ICMP, "ip6": ICMP6}
NO_RULES = "table inet none {\n}\n"
OWN = {"ip": "198.51.100.1", "ip6": "2001:db8:1::1"}
"""The host's address in the network of ``CLIENT``."""


def call(
    caller: Station | None, called: Station | None, family: str, proto: int = TCP, dport: int = 80
) -> Call:
    """None is the host."""
    saddr, daddr = (OWN[family] if s is None else s.addresses[family] for s in (caller, called))
    return Call(caller, saddr, daddr, proto, dport=dport)


@pytest.mark.parametrize("family", FAMILIES)
def test_all_talk_to_all(topology: Topology, family: str) -> None:
    host = Host.with_rules(topology, NO_RULES, Kind.NFT)
    parties = (CLIENT, GUEST, SERVER, WEB, BASE, None)
    for caller, called in product(parties, parties):
        if caller is called:
            continue
        for proto in (TCP, UDP, ECHO[family]):
            exchange = host.exchange(call(caller, called, family, proto))
            assert exchange.works, exchange
            first = exchange.passages[0]
            assert (first.by, first.bypassed) == (called, {caller, called} == {GUEST, SERVER})
            assert [p.end is End.DELIVERED for p in exchange.passages] == [
                party is None for party in (called, caller) * 2
            ]


@pytest.mark.parametrize("family", FAMILIES)
def test_hooks_and_interfaces(topology: Topology, family: str) -> None:
    host = Host.with_rules(topology, NO_RULES, Kind.NFT)
    ways = (
        (CLIENT, SERVER, ("prerouting", "forward", "postrouting"), "eth1"),
        (CLIENT, WEB, ("prerouting", "forward", "postrouting"), "docker0"),
        (WEB, BASE, (), None),
        (GUEST, None, ("prerouting", "input"), None),
        (None, BASE, ("output", "postrouting"), "docker0"),
    )
    for caller, called, hooks, out in ways:
        passage = host.exchange(call(caller, called, family)).passages[0]
        assert (passage.hooks, passage.out) == (hooks, out)


@pytest.mark.parametrize(("kind", "family"), KINDS)
def test_ends_and_counters(topology: Topology, kind: Kind, family: str) -> None:
    skip_if_lacking(kind, family)
    rules = (
        *(f"-A {chain} -p tcp --dport 1 -j DROP" for chain in ("INPUT", "FORWARD")),
        *(f"-A {chain} -p tcp --dport 2 -j REJECT" for chain in ("INPUT", "FORWARD")),
        "-A INPUT -p tcp --dport 3 -j REJECT --reject-with tcp-reset",
        "-A FORWARD -p tcp --dport 3 -j REJECT --reject-with tcp-reset",
    )
    target = "TTL --ttl-set 1" if family == "ip" else "HL --hl-set 1"
    heads = ":INPUT ACCEPT\n:FORWARD ACCEPT"
    text = "\n".join(("*filter", heads, *rules, "COMMIT", "*mangle", ":PREROUTING ACCEPT"))
    text += f"\n-A PREROUTING -p tcp --dport 4 -j {target}\nCOMMIT\n"
    host = Host.with_rules(topology, text, kind, family)
    ends = (End.DROPPED, End.UNREACHABLE, End.RESET, End.EXCEEDED)
    for port, end in enumerate(ends, 1):
        exchange = host.exchange(call(CLIENT, SERVER, family, dport=port))
        assert [(p.end, p.by) for p in exchange.passages] == [(end, None)], exchange
        assert exchange.passages[0].moved == {2 * port + 3 if port < 4 else 13}
        assert len(exchange.passages[0].told) == (end is not End.DROPPED)
    for port, end in enumerate(ends[:3], 1):
        passage = host.exchange(call(CLIENT, None, family, dport=port)).passages[0]
        assert (passage.end, sorted(passage.moved)) == (end, [2 * port + 2])
    assert host.exchange(call(CLIENT, None, family, dport=4)).works


@pytest.mark.parametrize("family", FAMILIES)
def test_strangers(topology: Topology, family: str) -> None:
    """An address that is nobody's is somewhere beyond the first network."""
    far = {"ip": "203.0.113.9", "ip6": "2001:db8:99::9"}[family]
    exchange = Host.with_rules(topology, NO_RULES, Kind.NFT).exchange(
        Call(GUEST, GUEST.addresses[family], far)
    )
    assert exchange.works
    by = exchange.passages[0].by
    assert by is not None
    assert (by.name, by.wire) == ("stranger", "eth0")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("proto", [TCP, UDP, ICMP])
def test_datagrams_are_read_as_written(family: str, proto: int) -> None:
    proto = ECHO[family] if proto == ICMP else proto
    first = opening(CLIENT.addresses[family], OWN[family], proto, 40000, 80)
    for datagram in (first, answer(first)):
        assert parse(datagram.pack()) == datagram
    assert answer(first).ends == first.reverse_ends


def test_a_datagram_in_words() -> None:
    reset = Datagram("192.0.2.1", "192.0.2.2", TCP, 1, 2, flags=RST)
    assert str(reset) == "192.0.2.1 1 > 192.0.2.2 2 tcp rst"
