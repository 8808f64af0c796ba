"""What the kernel knows of connections: zones, directions, status; and how long a way may be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest

import iptlint
from iptlint.analysis.reach import Status
from iptlint.model import Family
from tests.kernel.datagrams import ACK, FIN, RST, SYN, TCP, UDP, Datagram
from tests.kernel.exchanges import End, Host
from tests.kernel.restoring import Kind
from tests.kernel.test_harness import KINDS, skip_if_lacking
from tests.kernel.test_topology import CLIENT, OWN, SERVER, call
from tests.kernel.test_translation import lines
from tests.kernel.topology import Topology
from tests.kernel.translation_rulesets import PORT_FORWARD, iptables

HOST = OWN["ip"]
TO_HOST = call(CLIENT, None, "ip")
STATES = ("NEW", "ESTABLISHED")
STATUS = """table inet t {
    chain forward {
        type filter hook forward priority 0
        ct direction original counter
        ct direction reply counter
        ct status dnat counter
        ct status snat counter
        ct status assured counter
        ct status seen-reply counter
        ct original ip daddr 198.51.100.1 counter
        meta l4proto tcp ct original proto-dst 80 counter
        ct reply ip saddr 192.168.1.100 counter
    }
    chain pre {
        type filter hook prerouting priority -300
        ct direction original counter
        ct status dnat counter
    }
}
table ip nat {
    chain changes {
        type nat hook prerouting priority -100
        iifname "eth0" tcp dport 80 counter dnat to 192.168.1.100:8080
    }
}
"""


@pytest.fixture(params=(Kind.LEGACY, Kind.IPTABLES_NFT))
def kind(request: pytest.FixtureRequest) -> Kind:
    skip_if_lacking(request.param, "ip")
    return Kind(request.param)


def zone_ruleset(*interfaces: str) -> str:
    """What comes by one of the interfaces is of zone 1."""
    states = [f"FORWARD -m conntrack --ctstate {state}" for state in STATES]
    zones = [f"PREROUTING -i {name} -j CT --zone 1" for name in interfaces]
    return iptables(raw=zones, nat=[PORT_FORWARD], filter=states)


def test_an_answer_in_another_zone_is_not_translated_back(topology: Topology, kind: Kind) -> None:
    """It is the first packet of a connection of its own: invalid, as no SYN,ACK is."""
    text = zone_ruleset("eth0")
    exchange = Host.with_rules(topology, text, kind).exchange(TO_HOST)
    assert not exchange.works
    asked, answered = exchange.passages
    assert str(answered.heard) == "192.168.1.100 8080 > 198.51.100.7 40000 tcp syn ack"
    assert answered.moved == frozenset()
    assert asked.moved > lines(text, "FORWARD -m conntrack --ctstate NEW")


def test_a_datagram_in_another_zone_is_new(topology: Topology, kind: Kind) -> None:
    text = iptables(
        raw=["PREROUTING -i eth0 -j CT --zone 1"],
        filter=[f"FORWARD -m conntrack --ctstate {state}" for state in STATES],
    )
    exchange = Host.with_rules(topology, text, kind).exchange(call(CLIENT, SERVER, "ip", UDP))
    new = lines(text, "FORWARD -m conntrack --ctstate NEW")
    zone = lines(text, "PREROUTING -i eth0 -j CT --zone 1")
    assert [p.moved for p in exchange.passages] == [new | zone, new, new | zone, new]
    assert exchange.works


def test_an_exchange_in_one_zone_works(topology: Topology, kind: Kind) -> None:
    host = Host.with_rules(topology, zone_ruleset("eth0", "eth1"), kind)
    assert host.exchange(TO_HOST).works


NOTRACK, ZONE_1, ZONE_2 = "CT --notrack", "CT --zone 1", "CT --zone 2"
STATEMENTS = {NOTRACK: "notrack", ZONE_1: "ct zone set 1", ZONE_2: "ct zone set 2"}


@pytest.mark.parametrize(
    ("first", "then", "seen"),
    [
        (NOTRACK, ZONE_2, "UNTRACKED"),
        (ZONE_2, NOTRACK, "NEW"),
        (ZONE_1, ZONE_2, "NEW"),
    ],
)
def test_zone_or_no_tracking(
    topology: Topology, kind: Kind, first: str, then: str, seen: str
) -> None:
    """The first of them wins (xt_ct_target)."""
    raw = [f"PREROUTING -j {target}" for target in (first, then)]
    states = [f"FORWARD -m conntrack --ctstate {state}" for state in ("UNTRACKED", *STATES)]
    text = iptables(raw=raw, filter=states)
    host = Host.with_rules(topology, text, kind)
    moved = host.exchange(call(CLIENT, SERVER, "ip", UDP)).passages[0].moved
    assert moved == lines(text, *raw, f"FORWARD -m conntrack --ctstate {seen}")


@pytest.mark.parametrize(
    ("first", "then", "zone"), [(NOTRACK, ZONE_2, 2), (ZONE_2, NOTRACK, 2), (ZONE_1, ZONE_2, 1)]
)
def test_zone_or_no_tracking_in_nft(topology: Topology, first: str, then: str, zone: int) -> None:
    """A zone is set where there is no connection yet, which untracked packets have not either; what
    has one is not untracked any more (nft_ct_set_zone_eval, nft_notrack_eval)."""
    text = f"""table ip t {{
        chain raw {{
            type filter hook prerouting priority -300
            {STATEMENTS[first]}
            {STATEMENTS[then]}
        }}
        chain forward {{
            type filter hook forward priority 0
            ct state untracked counter
            ct state new counter
            ct zone {zone} counter
        }}
    }}
    """
    host = Host.with_rules(topology, text, Kind.NFT)
    moved = host.exchange(call(CLIENT, SERVER, "ip", UDP)).passages[0].moved
    assert set(moved) == {10, 11}


def test_directions_and_status(topology: Topology) -> None:
    """Before -200 no packet has a connection."""
    exchange = Host.with_rules(topology, STATUS, Kind.NFT).exchange(TO_HOST)
    assert exchange.works
    both = {6, 10, 11, 12}
    assert [set(p.moved) for p in exchange.passages] == [
        {23, 4, *both},
        {5, 9, *both},
        {4, 8, 9, *both},
        {5, 8, 9, *both},
    ]


# What the last packet is to the kernel when the caller has sent these and nobody has answered.
UNANSWERED = {
    "syn": "NEW",
    "ack": "NEW",
    "syn ack": "INVALID",
    "fin ack": "INVALID",
    "rst": "INVALID",
    "syn, syn": "NEW",
    "syn, rst": "NEW",
    "syn, rst ack": "INVALID",
    "syn, syn ack": "INVALID",
    "syn, ack": "INVALID",
    "syn, fin ack": "INVALID",
    "ack, ack": "NEW",
    "ack, syn": "NEW",
    "ack, rst": "NEW",
    "ack, rst ack": "NEW",
    "ack, fin ack": "NEW",
    "ack, fin ack, fin ack": "NEW",
    "ack, syn ack": "INVALID",
    "ack, fin": "INVALID",
}
FLAGS = {"syn": SYN, "ack": ACK, "fin": FIN, "rst": RST}


def test_states_of_unanswered_flags(topology: Topology, kind: Kind) -> None:
    """New is not only the first packet: RST may be, and FIN,ACK, but never SYN,ACK."""
    states = ("NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED")
    text = iptables(filter=[f"FORWARD -m conntrack --ctstate {state}" for state in states])
    host = Host.with_rules(topology, text, kind)
    for sent, state in UNANSWERED.items():
        host.forget()
        passages = [host.pass_through(CLIENT, one) for one in _in_a_row(sent)]
        assert passages[-1].moved == lines(text, f"FORWARD -m conntrack --ctstate {state}"), sent


def _in_a_row(sent: str) -> Iterator[Datagram]:
    opening = call(CLIENT, SERVER, "ip").opening
    for number, words in enumerate(sent.split(", ")):
        flags = sum(FLAGS[word] for word in words.split())
        sequence = opening.seq + bool(number)
        yield replace(opening, flags=flags, seq=sequence, ack=5001 if flags & ACK else 0)


@pytest.mark.parametrize("flags", ["RST", "FIN,ACK"])
def test_reach_knows_that_they_may_be_new(flags: str) -> None:
    rule = f"FORWARD -p tcp --tcp-flags {flags} {flags} -m conntrack --ctstate NEW -j DROP"
    text = iptables(filter=[rule])
    (answer,) = iptlint.reach(iptlint.read(text, Family.IP))
    assert answer.status is Status.REACHABLE


CHAINS = ("PREROUTING", "INPUT", "FORWARD", "POSTROUTING")
CHANGES = ("set 1", "set 2", "dec 1", "dec 63", "dec 64", "inc 1")


@pytest.mark.parametrize(("kind", "family"), KINDS)
def test_a_way_that_is_too_long(topology: Topology, kind: Kind, family: str) -> None:
    """Forwarding ends it where one hop is left before FORWARD (ip_forward, ip6_forward)."""
    skip_if_lacking(kind, family)
    target = "TTL --ttl" if family == "ip" else "HL --hl"
    cases = list(enumerate(product(CHAINS, CHANGES), 1))
    rules = [f"{c} -p tcp --dport {n} -j {target}-{change}" for n, (c, change) in cases]
    text = iptables(mangle=rules)
    host = Host.with_rules(topology, text, kind, family)
    for number, (chain, change) in cases:
        passage = host.exchange(call(CLIENT, SERVER, family, dport=number)).passages[0]
        ended = chain == "PREROUTING" and change in ("set 1", "dec 63", "dec 64")
        assert passage.end is (End.EXCEEDED if ended else End.LEFT)
        assert passage.hooks == (
            ("prerouting",) if ended else ("prerouting", "forward", "postrouting")
        )
        passage = host.exchange(call(CLIENT, None, family, dport=number)).passages[0]
        assert passage.end is End.DELIVERED


@pytest.mark.parametrize(
    ("flags", "states"),
    [
        ((SYN,), ("NEW",)),
        ((ACK,), ("NEW",)),  # picked up in the middle
        ((SYN | ACK,), ("INVALID",)),
        ((RST,), ("INVALID",)),
        ((FIN | ACK,), ("INVALID",)),
        ((SYN, RST), ("NEW", "NEW")),
        ((ACK, RST), ("NEW", "NEW")),
        ((ACK, FIN | ACK), ("NEW", "NEW")),
        ((SYN, SYN | ACK), ("NEW", "INVALID")),
        ((ACK, SYN | ACK), ("NEW", "INVALID")),
    ],
)
def test_which_tcp_packets_are_new(
    topology: Topology, kind: Kind, flags: tuple[int, ...], states: tuple[str, ...]
) -> None:
    """Nobody answers. What closes a connection is new as long as that is so; an answer never is."""
    text = iptables(
        filter=[f"FORWARD -m conntrack --ctstate {each}" for each in ("NEW", "INVALID")]
    )
    host = Host.with_rules(topology, text, kind)
    ends = CLIENT.addresses["ip"], SERVER.addresses["ip"], TCP, 40000, 80
    for number, (sent, expected) in enumerate(zip(flags, states, strict=True)):
        acknowledged = 500 if sent & ACK else 0
        packet = Datagram(*ends, flags=sent, seq=100 + number, ack=acknowledged)
        moved = host.pass_through(CLIENT, packet).moved
        assert moved == lines(text, f"FORWARD -m conntrack --ctstate {expected}")
