"""Why a rule gets no packet, and what is said of one that may get some."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

import iptlint
from iptlint.analysis.reach import Reason, RuleReach, Status, reach
from iptlint.model import Family
from iptlint.model.host_addresses import with_own
from tests.firewalls import hooked, saved, texts


def last(text: str, family: Family = Family.IP) -> RuleReach:
    return [*reach(iptlint.read(text, family))][-1]


@pytest.mark.parametrize(
    ("rules", "status", "reason"),
    [
        (("-A INPUT -p tcp -j ACCEPT",), Status.REACHABLE, None),
        (("-A INPUT -p tcp -j ACCEPT", "-A INPUT -p tcp -j DROP"), Status.DEAD, Reason.TAKEN),
        (
            ("-A INPUT -p udp -m conntrack --ctstate NEW -m conntrack --ctstate RELATED -j DROP",),
            Status.DEAD,
            Reason.CONTRADICTION,
        ),
        (("-A web -p tcp -j ACCEPT",), Status.DEAD, Reason.NEVER_CALLED),
        (
            ("-A INPUT -p udp -j web", "-A web -p tcp -j ACCEPT"),
            Status.DEAD,
            Reason.NOT_SENT,
        ),
        (("-A INPUT -o eth0 -j ACCEPT",), Status.DEAD, Reason.NOT_SENT),
        # What an uncertain test is before, perhaps comes.
        (
            ("-A INPUT -m limit --limit 1/s -j web", "-A web -p tcp -j ACCEPT"),
            Status.CONDITIONAL,
            None,
        ),
        (
            ("-A INPUT -p tcp -m recent --rcheck --name a -j RETURN", "-A INPUT -p tcp -j DROP"),
            Status.CONDITIONAL,
            None,
        ),
    ],
)
def test_of_one_rule(rules: tuple[str, ...], status: Status, reason: Reason | None) -> None:
    # iptables-save writes the built-in chains first, so the rules of web are asked of last.
    found = last(saved(*rules, chains="web"))
    assert (found.status, found.reason) == (status, reason)
    assert (found.witness is not None) is (status is not Status.DEAD)


def test_a_rule_for_what_no_packet_is_any_more() -> None:
    """A packet that came for port 8080 has another port behind its translation."""
    nat = saved("-A PREROUTING -p tcp -m tcp --dport 8080 -j REDIRECT --to-ports 80", table="nat")
    found = last(
        nat + saved("-A INPUT -p tcp -m tcp --dport 8080 -m conntrack --ctstate NEW -j DROP")
    )
    assert (found.status, found.reason) == (Status.DEAD, Reason.CHANGED)


def test_who_ends_them_in_another_hook_takes_them() -> None:
    raw = saved("-A PREROUTING -p tcp -j DROP", table="raw")
    found = last(raw + saved("-A INPUT -p tcp -j ACCEPT"))
    assert (found.status, found.reason) == (Status.DEAD, Reason.TAKEN)
    assert texts(found.taken_by) == ["-A PREROUTING -p tcp -j DROP"]


@pytest.mark.parametrize("family", [Family.IP, Family.IP6])
def test_a_witness_is_one_of_the_packets(family: Family) -> None:
    found = last(hooked("tcp dport 1-1023 drop", "tcp dport 1000-2000 accept"), family)
    assert found.witness is not None
    assert 1024 <= (found.witness.dport or 0) <= 2000
    assert (found.witness.hook, found.witness.proto) == ("input", "tcp")


def test_of_a_statement_with_parts_the_best_counts() -> None:
    """A verdict map is one rule as it is written."""
    some = hooked("tcp dport 22 drop", "tcp dport vmap { 22 : accept, 80 : accept }")
    assert last(some).status is Status.REACHABLE
    none = hooked("tcp dport { 22, 80 } drop", "tcp dport vmap { 22 : accept, 80 : accept }")
    assert (last(none).status, last(none).reason) == (Status.DEAD, Reason.TAKEN)
    assert texts(last(none).taken_by) == ["tcp dport { 22, 80 } drop"]


def test_every_rule_is_answered_for_in_the_order_of_the_text() -> None:
    rules = ("-A INPUT -p tcp -j ACCEPT", "-A INPUT -p udp -j web", "-A web -j DROP")
    found = [*reach(iptlint.read(saved(*rules, chains="web")))]
    assert [answer.line for answer in found] == [6, 7, 8]


def test_an_element_that_goes_on_is_matched() -> None:
    """``continue`` is a verdict, too: nft counts the packets of its element (nft_do_chain)."""
    rules = (
        'iifname "wg0" accept',
        'iifname vmap { "eth0" : continue, "wg0" : return }',
        "tcp dport 22 accept",
    )
    _, mapping, _ = reach(iptlint.read(hooked(*rules)))
    assert mapping.status is Status.REACHABLE
    assert mapping.witness is not None
    assert mapping.witness.iif == "eth0"


def test_the_witness_of_a_rule_for_what_was_translated_is_translated_on_its_way() -> None:
    nat = "-A PREROUTING -d 192.0.2.10 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.1"
    accept = "-A FORWARD -m conntrack --ctstate DNAT -j ACCEPT"
    witness = last(saved(nat, table="nat") + saved(accept)).witness
    assert witness is not None
    assert (witness.daddr, witness.dport) == ("192.0.2.10", 80)
    assert witness.conditions == ()


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("ip dscp cs0", "tos 0x4"),
        ("ip ttl 64", "ttl 0"),
        ("meta pkttype host", "pkttype broadcast"),
        ("meta length 60", "length 0"),
        ("ct direction original", "ct direction reply"),
    ],
)
def test_what_has_to_fail_on_the_way_is_said_of_the_witness(before: str, said: str) -> None:
    """It has no field of its own in a packet that is shown; a plain packet would not come."""
    rules = (f"{before} accept", "tcp dport 22 drop")
    witness = last(hooked("meta nfproto ipv4", *rules)).witness
    assert witness is not None
    assert said in witness.conditions


FORWARDED = saved(
    "-A PREROUTING -i eth0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 192.168.1.10",
    table="nat",
)
FROM_WIRE = "-A INPUT -i eth0 -d {} -p tcp -m tcp --dport 80 -m conntrack --ctstate NEW -j ACCEPT"


def test_the_witness_of_a_rule_of_input_is_not_one_that_is_forwarded() -> None:
    accept = "-A INPUT -i eth0 -p tcp -m tcp --dport 80 -m conntrack --ctstate NEW -j ACCEPT"
    witness = last(FORWARDED + saved(accept)).witness
    assert witness is not None
    assert (witness.daddr, witness.conditions) == ("192.168.1.10", ())


def test_what_is_translated_comes_to_input_of_some_host() -> None:
    first = "-A INPUT -d 192.168.1.10 -m conntrack ! --ctstate DNAT -j DROP"
    answer = last(FORWARDED + saved(first, FROM_WIRE.format("192.168.1.10")))
    assert answer.status is Status.REACHABLE
    assert answer.witness is not None
    assert answer.witness.conditions == ("192.168.1.10 is an address of this host",)


def test_of_a_host_with_known_addresses_it_does_not() -> None:
    ruleset = iptlint.read(FORWARDED + saved(FROM_WIRE.format("203.0.113.1")))
    *_, answer = reach(ruleset, with_own([ip_network("203.0.113.1")]))
    assert (answer.status, answer.reason) == (Status.DEAD, Reason.CHANGED)


def test_an_address_that_packets_get_as_their_source_need_not_be_the_hosts() -> None:
    """A router may send from an address that is routed to it and that no interface has."""
    nat = saved(
        "-A PREROUTING -d 198.51.100.1 -j DNAT --to-destination 10.0.0.5",
        "-A POSTROUTING -j SNAT --to-source 10.0.0.5",
        table="nat",
    )
    forward = (
        "-A FORWARD -d 10.0.0.5 -m conntrack --ctstate NEW -m conntrack --ctstate DNAT -j DROP"
    )
    assert last(nat + saved(forward)).status is Status.REACHABLE


def test_who_accepts_packets_that_were_marked_on_their_way_is_named_with_who_drops_others() -> None:
    text = """table inet f {
    chain pre { type filter hook prerouting priority mangle; iifname "wg0" meta mark set 0x10; }
    chain input {
        type filter hook input priority filter; policy drop
        ct state established,related accept
        ct state invalid drop
        meta mark 0x10 accept
        iifname "wg0" tcp dport 8080 drop
    }
}
"""
    (dead,) = (answer for answer in reach(iptlint.read(text)) if answer.status is Status.DEAD)
    assert dead.line == 8
    assert [rule.origin.span.line for rule in dead.taken_by] == [5, 6, 7]
