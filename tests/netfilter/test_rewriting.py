"""What translations make of packets, and of the status of their connections (nf_nat_core.c)."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address

import pytest

import iptlint
from iptlint.model import Chain, Family, Field, Hook, Rule
from iptlint.model.host_addresses import HostAddresses
from iptlint.netfilter.firewall import Firewall
from iptlint.netfilter.packet_group import PacketGroup
from iptlint.netfilter.rewriting import Writer, side_of
from iptlint.netfilter.unknowns import ExactMatcher, Unknowns
from iptlint.packets.rewrite import Rewrite
from iptlint.packets.space import Space

NAT = "*nat\n:{chain} ACCEPT [0:0]\n-A {chain} {rule}\nCOMMIT\n"
HOOKS = {
    "PREROUTING": Hook.PREROUTING,
    "OUTPUT": Hook.OUTPUT,
    "POSTROUTING": Hook.POSTROUTING,
    "INPUT": Hook.INPUT,
}


def translated(
    rule: str, chain: str = "PREROUTING", addresses: HostAddresses | None = None
) -> Rewrite:
    ruleset = iptlint.read(NAT.format(chain=chain, rule=rule), Family.IP)
    firewall = Firewall(ruleset)
    rules: list[tuple[Chain, Rule]] = [(c, r) for t in ruleset.tables for c, r in t.rules()]
    matcher = ExactMatcher(Unknowns(firewall.space), firewall.left_open)
    ((_, only),) = rules
    group = PacketGroup(Rewrite(firewall.space, {}), firewall.space.true)
    return Writer(Family.IP, matcher, addresses).after(only, group, HOOKS[chain]).rewrite


def always(rewrite: Rewrite, field: Field, low: int, high: int) -> bool:
    space: Space = rewrite.space
    return rewrite.now(space.fields[field].within(low, high)) == space.true


def test_one_of_a_range() -> None:
    rewrite = translated("-p tcp -j DNAT --to-destination 10.0.0.1-10.0.0.6:80-90")
    assert always(rewrite, Field.DADDR, 0x0A000001, 0x0A000006)
    assert always(rewrite, Field.DPORT, 80, 90)


def test_netmap_keeps_the_host_s_part() -> None:
    rewrite = translated("-d 10.9.0.0/24 -j NETMAP --to 10.8.0.0/24")
    came = rewrite.space.value(Field.DADDR, 0x0A090007)
    assert not (came & ~rewrite.now(rewrite.space.value(Field.DADDR, 0x0A080007))).satisfiable()
    assert all(number not in rewrite.bits for number in rewrite.space.fields[Field.SADDR].variables)


def test_the_side_is_that_of_the_hook() -> None:
    assert side_of(Hook.PREROUTING).status is Field.CT_DNAT
    assert side_of(Hook.INPUT).status is Field.CT_SNAT


def test_what_the_host_sends_itself_is_redirected_to_the_loopback_address() -> None:
    rewrite = translated("-p tcp -j REDIRECT --to-ports 80", "OUTPUT")
    assert rewrite.number(Field.DADDR) == 0x7F000001


@pytest.mark.parametrize(("address", "status"), [(0x0A000005, False), (0x0A000006, True)])
def test_a_translation_to_what_the_packet_has_sets_no_status(address: int, status: bool) -> None:
    rewrite = translated("-j DNAT --to-destination 10.0.0.5")
    space = rewrite.space
    came = space.value(Field.DADDR, address) & space.value(Field.CT_DNAT, 0)
    assert not (came & ~rewrite.now(space.value(Field.CT_DNAT, int(status)))).satisfiable()


@pytest.mark.parametrize(("ports", "status"), [("9000-9010/8000", 1), ("8000-8010/8000", 0)])
def test_a_port_that_is_moved_to_where_it_was_sets_no_status(ports: str, status: int) -> None:
    """nf_nat_setup_info compares the tuple that it has made with the one that came."""
    rewrite = translated(f"-p tcp --dport 8000:8010 -j DNAT --to-destination :{ports}")
    space = rewrite.space
    ports_there = space.ranges(Field.DPORT, ((8000, 8010),)) & space.value(Field.PROTO, 6)
    came = ports_there & space.value(Field.CT_DNAT, 0)
    assert not (came & ~rewrite.now(space.value(Field.CT_DNAT, status))).satisfiable()


@pytest.mark.parametrize("others", [(), (("eth0", ip_address("192.0.2.2")),)])
def test_what_is_redirected_is_sent_to_the_first_address_of_its_interface(
    others: tuple[tuple[str, IPv4Address], ...],
) -> None:
    """nf_nat_redirect_ipv4. Where eth0 stands for interfaces with several, none is known."""
    addresses = HostAddresses(first=(("eth0", ip_address("192.0.2.1")), *others))
    rewrite = translated("-i eth0 -p tcp -j REDIRECT --to-ports 80", addresses=addresses)
    space = rewrite.space
    came = space.interface(Field.IIF, "eth0") & ~space.no_interface(Field.OIF)
    elsewhere = came & ~rewrite.now(space.value(Field.DADDR, 0xC0000201))
    assert elsewhere.satisfiable() is bool(others)


@pytest.mark.parametrize(("port", "becomes"), [(8000, 9000), (8003, 9003), (8010, 9010)])
def test_ports_with_a_base_are_moved_one_by_one(port: int, becomes: int) -> None:
    """NF_NAT_RANGE_PROTO_OFFSET (nf_nat_l4proto_unique_tuple); what lies outside is left open."""
    rule = "-p tcp --dport 1:9999 -j DNAT --to-destination 10.0.0.8:9000-9010/8000"
    rewrite = translated(rule)
    space = rewrite.space
    exactly = rewrite.now(space.value(Field.DPORT, becomes))
    assert not (space.value(Field.DPORT, port) & ~exactly).satisfiable()
    elsewhere = space.value(Field.DPORT, 7999) & ~exactly
    assert elsewhere.satisfiable()
