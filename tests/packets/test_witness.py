"""A witness is a packet that anyone can send."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from random import Random
from typing import TYPE_CHECKING

import pytest

from iptlint.model import Family, Field, Hook, Opaque
from iptlint.model.matches import SegmentSize
from iptlint.netfilter.routes import at_hook
from iptlint.packets import preferences
from iptlint.packets.bdd import union
from iptlint.packets.ordinary import typically_holds
from iptlint.packets.space import Space
from iptlint.packets.witness import witness, witness_of_part
from iptlint.reports.witness import describe
from tests.firewalls import firewall_of, packets, saved

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


@pytest.fixture(params=[Family.IP, Family.IP6])
def space(request: pytest.FixtureRequest) -> Space:
    return Space(request.param.packets, (), defragmented=True)


def test_an_empty_set_has_no_witness(space: Space) -> None:
    assert witness(space, space.false, Hook.INPUT) is None


def test_where_all_is_free_it_is_the_first_packet_of_a_tcp_connection(space: Space) -> None:
    incoming = space.no_interface(Field.OIF) & ~space.no_interface(Field.IIF)
    packet = witness(space, space.universe & incoming, Hook.INPUT)
    assert packet is not None
    assert (packet.proto, packet.tcp_flags, packet.ct_state) == ("tcp", ("syn",), "new")
    assert packet.iif not in (None, "lo")
    assert packet.oif is None
    documentation = ["198.51.100.0/24", "2001:db8::/32"]
    assert any(
        ip_address(packet.saddr or "") in ip_network(net)
        for net in documentation
        if ip_network(net).version == ip_address(packet.saddr or "").version
    )


def test_an_established_tcp_packet_carries_ack(space: Space) -> None:
    packet = witness(space, space.universe & space.state("established"), Hook.INPUT)
    assert packet is not None
    assert packet.tcp_flags == ("ack",)


@pytest.mark.parametrize("network", ["10.20.30.0/24", "198.51.100.64/26", "203.0.113.4/30"])
def test_an_address_is_no_network_or_broadcast_address(network: str) -> None:
    space = Space(Family.IP.packets, (), defragmented=True)
    net = ip_network(network)
    packets = space.universe & space.fields[Field.SADDR].within(int(net[0]), int(net[-1]))
    packet = witness(space, packets, Hook.INPUT)
    assert packet is not None
    assert ip_address(packet.saddr or "") in list(net.hosts())


def test_on_the_loopback_interface_both_ends_are_loopback(space: Space) -> None:
    packets = space.universe & space.interface(Field.IIF, "lo") & space.no_interface(Field.OIF)
    packet = witness(space, packets, Hook.INPUT)
    assert packet is not None
    assert ip_address(packet.saddr or "").is_loopback
    assert ip_address(packet.daddr or "").is_loopback


@pytest.mark.parametrize("end", ["saddr", "daddr"])
def test_nobody_sends_to_itself_but_by_lo(end: str) -> None:
    """Elsewhere such a packet is a martian one (fib_validate_source)."""
    space = Space(("ip",), (), defragmented=True)
    for address in ("198.51.100.7", "192.0.2.10"):
        asked = packets(space, iif="eth0", oif="eth1", **{end: address})
        packet = witness(space, asked, Hook.FORWARD)
        assert packet is not None
        assert address in (packet.saddr, packet.daddr)
        assert packet.saddr != packet.daddr


def test_what_can_only_be_sent_to_its_sender_leaves_as_it_came() -> None:
    """Docker's rule for a container that asks for its own port by the address of the host."""
    space = firewall_of(saved("-A FORWARD -i docker0 -o lo -j DROP")).space
    asked = packets(space, saddr="172.17.0.2", daddr="172.17.0.2", oif="docker0")
    packet = witness(space, asked, Hook.POSTROUTING)
    assert packet is not None
    assert (packet.iif, packet.oif) == ("docker0", "docker0")


@pytest.mark.parametrize(
    "other", ["-i lan0 -j DROP", "-i eth1 -j DROP", "-i wg+ -j DROP", "-j LOG"]
)
def test_what_is_sent_on_leaves_by_another_interface_where_it_may(other: str) -> None:
    rules = ["-A FORWARD -i eth0 -j LOG", f"-A FORWARD {other}", "-A FORWARD -o eth0 -j ACCEPT"]
    space = firewall_of(saved(*rules)).space
    out = at_hook(space, Hook.FORWARD) & space.interface(Field.OIF, "eth0")
    packet = witness(space, out & space.universe, Hook.FORWARD)
    assert packet is not None
    assert (packet.ct_state, packet.oif) == ("new", "eth0")
    assert packet.iif not in (None, "eth0", "lo")
    back = witness(space, out & space.interface(Field.IIF, "eth0"), Hook.FORWARD)
    assert back is not None
    assert (back.iif, back.oif) == ("eth0", "eth0")


def test_a_new_connection_tells_more_than_another_interface() -> None:
    space = firewall_of(saved("-A FORWARD -i eth0 -o eth0 -j ACCEPT")).space
    back = space.interface(Field.OIF, "eth0") & space.state("new")
    out = at_hook(space, Hook.FORWARD) & space.interface(Field.IIF, "eth0") & space.universe
    packet = witness(space, out & (back | space.state("related")), Hook.FORWARD)
    assert packet is not None
    assert (packet.ct_state, packet.oif) == ("new", "eth0")


def test_ports_and_flags_belong_to_their_protocols(space: Space) -> None:
    gre = witness(space, space.universe & space.value(Field.PROTO, 47), Hook.INPUT)
    assert gre is not None
    assert (gre.proto, gre.sport, gre.dport, gre.tcp_flags) == ("gre", None, None, None)


def test_an_uninterpreted_test_that_must_hold_is_a_condition(space: Space) -> None:
    packets = space.universe & space.opaque(Opaque("string x"))
    packet = witness(space, packets, Hook.INPUT)
    assert packet is not None
    assert packet.conditions == ("string x",)


@pytest.mark.parametrize("number", [130, 133, 134, 135, 136, 143])
def test_neighbour_discovery_is_not_tracked(number: int) -> None:
    """nf_conntrack_icmpv6_error leaves these types alone (noct_valid_new)."""
    space = Space(("ip6",), (), defragmented=True)
    asked = space.value(Field.PROTO, 58) & space.value(Field.ICMP_TYPE, number)
    packet = witness(space, space.universe & asked, Hook.INPUT)
    assert packet is not None
    assert packet.ct_state == "untracked"


@pytest.mark.parametrize("flags", [("rst",), ("fin", "ack")])
def test_what_closes_a_connection_is_new_behind_another_packet(flags: tuple[str, ...]) -> None:
    """Packets that go through a router show it: a reset is new behind a SYN that nobody has
    answered, a FIN behind an ACK."""
    space = Space(("ip",), (), defragmented=True)
    asked = packets(space, proto="tcp", tcp_flags=flags, ct_state="new")
    packet = witness(space, asked, Hook.INPUT)
    assert packet is not None
    assert packet.conditions == ("after a first packet that nobody answered",)


def test_what_comes_from_a_wire_has_no_mark_where_that_may_be(space: Space) -> None:
    marked = space.value(Field.MARK, 1) & space.value(Field.DPORT, 22)
    packet = witness(space, space.universe & (marked | space.value(Field.DPORT, 9)), Hook.INPUT)
    assert packet is not None
    assert (packet.mark, packet.dport) == (0, 9)


def test_what_comes_to_a_host_has_an_address_of_the_host_where_one_is_known() -> None:
    nat = "-A POSTROUTING -o eth0 -j SNAT --to-source 203.0.113.80"
    space = firewall_of(saved(nat, table="nat") + saved("-A INPUT -p tcp -j ACCEPT")).space
    coming = witness(space, space.universe & ~space.no_interface(Field.IIF), Hook.INPUT)
    going = witness(space, space.universe & ~space.no_interface(Field.OIF), Hook.OUTPUT)
    assert coming is not None
    assert going is not None
    assert coming.daddr == going.saddr == "203.0.113.80"


def test_where_it_can_be_no_example_an_address_is_one_that_the_rules_name() -> None:
    examples = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
    drops = [f"-A INPUT -s {network} -j DROP" for network in examples]
    firewall = firewall_of(saved(*drops, "-A INPUT -s 62.4.17.0/24 -j ACCEPT"))
    space, (analysis,) = firewall.space, firewall.analyses()
    came = analysis.flows["INPUT"].returns & analysis.base_packets(analysis.table.chains["INPUT"])
    packet = witness(space, analysis.matched(analysis.table.chains["INPUT"].rules[-1]), Hook.INPUT)
    other = witness(space, came, Hook.INPUT)
    assert packet is not None
    assert other is not None
    assert ip_address(packet.saddr or "") in ip_network("62.4.17.0/24")
    assert ip_address(other.saddr or "") in ip_network("10.0.0.0/8")


def test_an_arp_packet_has_nothing_of_ip() -> None:
    """No time to live, no ports, and conntrack never sees it."""
    text = "table arp t { chain c { type filter hook input priority 0; arp operation 1 drop; }; }\n"
    firewall = firewall_of(text)
    packet = witness(firewall.space, at_hook(firewall.space, Hook.INPUT), Hook.INPUT)
    assert packet is not None
    assert (packet.family, packet.iif, packet.ct_state) == ("arp", "eth0", None)
    assert packet.conditions == ()
    assert describe(packet) == "arp in eth0"


@pytest.mark.parametrize(
    ("sizes", "passes"),
    [("536:65535", True), ("1:535", False), ("1400:1450", True), ("1450:1460", False)],
)
def test_an_ordinary_syn_has_the_segment_size_of_ethernet(sizes: str, passes: bool) -> None:
    low, high = map(int, sizes.split(":"))
    test = Opaque("tcpmss --mss " + sizes, asks=SegmentSize(low, high))
    assert typically_holds(test, Hook.PREROUTING) is passes


@pytest.mark.parametrize("seed", range(30))
def test_a_large_set_has_the_witness_that_it_has_as_a_small_one(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = Random(seed)
    family = draw.choice((Family.IP, Family.IP6))
    low = int(ip_address({Family.IP: "198.51.0.0", Family.IP6: "2001:db8::"}[family]))
    space = Space(family.packets, (), defragmented=True)
    packets = space.universe & at_hook(space, Hook.INPUT)
    for _ in range(draw.randrange(1, 9)):
        field = draw.choice((family.saddr, family.daddr))
        numbers = ((n, n + draw.randrange(99)) for n in draw.sample(range(low, low + 999), 9))
        taken = space.ranges(field, tuple(numbers))
        if draw.random() < 0.5:
            taken = taken | space.value(Field.DPORT, draw.choice((22, 80, 443)))
        if draw.random() < 0.4:
            taken = ~taken | space.state("new", "invalid")
        packets = packets & ~taken if (packets & ~taken).satisfiable() else packets
    small = witness(space, packets, Hook.INPUT)
    monkeypatch.setattr(preferences, "_LARGE", 0)
    assert witness(space, packets, Hook.INPUT) == small


@pytest.mark.parametrize("seed", range(40))
def test_what_is_plainest_of_all_is_plainest_of_some(seed: int) -> None:
    """Where it is among them."""
    draw, family = Random(seed), Family.IP
    space = Space(family.packets, (), defragmented=True)
    low = int(ip_address("198.51.0.0"))

    def drawn() -> PacketSet:
        some = [
            space.ranges(field, ((low + draw.randrange(9), low + draw.randrange(9, 999)),))
            for field in (family.saddr, family.daddr)
        ]
        some += [
            space.ranges(Field.DPORT, ((draw.randrange(90), draw.randrange(90, 500)),)),
            space.state(draw.choice(("new", "established"))),
            space.interface(Field.IIF, "lo"),
            space.value(Field.PROTO, draw.choice((6, 17))),
        ]
        sets = [draw.choice((each, ~each, space.true)) for each in some]
        return draw.choice((union(sets[:2], space.false), space.true)) & sets[2] & sets[3] & sets[5]

    packets = space.universe & at_hook(space, Hook.INPUT) & drawn()
    some = draw.choice((drawn(), space.interface(Field.IIF, "lo"), space.true))
    packet = witness_of_part(space, packets, lambda few: few & some, Hook.INPUT)
    assert packet == witness(space, packets & some, Hook.INPUT)


def test_a_port_is_one_that_people_know_where_that_may_be(space: Space) -> None:
    tcp = space.universe & space.value(Field.PROTO, 6)
    shown = []
    for _ in range(3):
        packet = witness(space, tcp, Hook.INPUT)
        assert packet is not None
        assert packet.dport is not None
        shown.append(packet.dport)
        tcp = tcp & ~space.value(Field.DPORT, packet.dport)
    assert shown == [22, 80, 443]
