from __future__ import annotations

from ipaddress import ip_network

import pytest

import iptlint
from iptlint.analysis.running_session import SessionFate, session_fate, tracks
from iptlint.model.host_addresses import with_own
from iptlint.packets.packet import Packet
from tests.firewalls import hooked, saved

SESSION = Packet(
    *("ip", None, "eth0", None, "198.51.100.7", "192.0.2.10", "tcp"), sport=50122, dport=22
)


def fate(rules: str, *, tracked: bool = True) -> SessionFate:
    new = iptlint.read(rules)
    return session_fate(new, SESSION, with_own([ip_network("192.0.2.10")], new), tracked=tracked)


@pytest.mark.parametrize(
    ("rules", "works"),
    [
        (("-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT",), True),
        (("-A INPUT -p tcp --dport 22 -j ACCEPT",), True),
        (("-A INPUT -p tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT",), False),
        (("-A INPUT -s 10.0.0.0/8 -p tcp --dport 22 -j ACCEPT",), False),
        (("-A INPUT -m limit --limit 5/min -j ACCEPT",), None),
        (("-A INPUT -j ACCEPT", "-A OUTPUT -p tcp --sport 22 -j DROP"), False),
    ],
)
def test_packets_come_in_and_answers_go_out(rules: tuple[str, ...], works: bool | None) -> None:
    assert fate(saved(*rules, policy="DROP")).works is works


def test_who_stops_it_is_named() -> None:
    (lost,) = fate(saved("-A INPUT -p tcp --dport 22 -j REJECT")).lost
    assert lost.decision is not None
    assert lost.decision.span.line == 5


def test_a_connection_that_nobody_has_tracked_is_a_new_one_first() -> None:
    """Its packets are not SYNs then."""
    rules = saved(
        "-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT",
        "-A INPUT -p tcp --dport 22 --syn -m conntrack --ctstate NEW -j ACCEPT",
        policy="DROP",
    )
    assert fate(rules).works is True
    assert fate(rules, tracked=False).works is False
    assert fate(rules.replace(" --syn", ""), tracked=False).works is True


def test_a_translation_is_for_new_connections() -> None:
    rules = saved("-A PREROUTING -p tcp --dport 22 -j REDIRECT --to-ports 2222", table="nat")
    assert fate(rules).works is True


def test_what_has_connections_tracked() -> None:
    assert tracks(iptlint.read(hooked("ct state new accept")))
    assert not tracks(iptlint.read(hooked("tcp dport 22 accept")))
    assert tracks(iptlint.read(saved("-A POSTROUTING -j MASQUERADE", table="nat")))
