"""What rules show of bridges, and what is said not to be followed over them."""

from __future__ import annotations

import pytest

import iptlint
from iptlint.analysis.bridge_ports import bridge_ports, is_shown_to_ip, not_followed
from tests.firewalls import hooked, saved

BRIDGE = """table bridge b {
    chain c {
        type filter hook forward priority 0
        iifname "va" oifname "vb" udp dport 53 drop
    }
}
"""
PORTS = saved("-A FORWARD -m physdev --physdev-in va --physdev-is-bridged -j ACCEPT")
SWITCHED_ON = """#!/bin/sh
{}
iptables -A FORWARD -i br0 -o br0 -j ACCEPT
"""


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        (saved("-A INPUT -j DROP"), []),
        (BRIDGE, []),
        (BRIDGE + hooked("drop"), ["bridge b"]),
        (PORTS, ["br_netfilter"]),
        (SWITCHED_ON.format("sysctl -w net.bridge.bridge-nf-call-iptables=1"), ["br_netfilter"]),
        (SWITCHED_ON.format("sysctl -w net.ipv4.ip_forward=1"), []),
    ],
)
def test_where_bridge_and_ip_are_asked_apart_it_is_said(text: str, notes: list[str]) -> None:
    said = not_followed(iptlint.read(text))
    assert len(said) == len(notes)
    assert all(each.startswith("not followed: ") for each in said)
    assert all(word in each for word, each in zip(notes, said, strict=True))


@pytest.mark.parametrize(
    ("text", "ports", "shown"), [(BRIDGE, {"va", "vb"}, False), (PORTS, {"va"}, True)]
)
def test_ports_of_bridges(text: str, ports: set[str], shown: bool) -> None:
    ruleset = iptlint.read(text)
    assert bridge_ports(ruleset) == ports
    assert is_shown_to_ip(ruleset) is shown
