"""What only the place of a use decides: features that a version lacks, and what newer kernels
refuse. Each was put to nft 1.0.6 on Linux 6.18; the commits say what others do."""

from __future__ import annotations

import pytest

from iptlint.dialects import read
from iptlint.source import SourceFile
from tests.loads.test_nft import in_chain
from tests.loads.test_nft_refused_rules import table
from tests.loads.test_versions import causes

HERE = "nft=1.0.6,kernel=6.18"


MARKS = "map m { type mark : mark; }"
PORTS = "set s { type ipv4_addr . inet_service; flags dynamic; }"
VLANS = "set s { typeof ether saddr . vlan id; flags dynamic; }"
SIZED = "map m { type ipv4_addr : mark; size 5; }"


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        (table(rule="meta mark set ip dscp"), "nft 1.0.8"),
        (table(rule="meta mark set ip dscp << 2 | 0x10"), "nft 1.0.8"),
        (table(rule="meta mark set ct mark | meta mark"), "nft 1.1.2"),
        (table(MARKS, rule="meta mark set ip dscp map @m"), "nft 1.0.9"),
        (table(rule="ct original proto-dst 80"), "nft 1.0.7"),
        (table(PORTS, rule="update @s { ip saddr . ct reply proto-src }"), "nft 1.0.7"),
        (table(VLANS, rule="update @s { ether saddr . 5 }"), "nft 1.0.7"),
        (table(SIZED, rule="update @m { ip saddr : 5 }"), "nft 1.1.1"),
        (table("map m { typeof ip saddr : counter; }"), "nft 1.1.0"),
        (table("map m { type ipv4_addr : mark; timeout 5m; gc-interval 5s; }"), "nft 1.0.9"),
        (
            in_chain("dnat to ip daddr map { 10.0.0.1 : 10.0.0.2 }", "inet", "prerouting", "nat"),
            "nft 1.0.7",
        ),
        (in_chain("redirect to :tcp dport map { 1 : 2 }", "ip", "prerouting", "nat"), "nft 1.0.8"),
        ("reset rules\n", "nft 1.0.7"),
    ],
)
def test_what_a_version_lacks(text: str, needs: str) -> None:
    assert causes(text, None) == []
    assert f"needs {needs}" in causes(text, HERE)[0]
    assert causes(text, "nft=1.1.2,kernel=6.18") == []


METER = "chain x { meter m { ip saddr limit rate 1/second } drop; }"
SYNPROXY = "synproxy s { mss 1460; wscale 7; }"
RANGES = "map m { type ipv4_addr : interval ipv4_addr; elements = { 1.1.1.1 : 1.1.1.2 } }"
SLEEPING = "add table ip t\nadd table ip t { flags dormant; }\n"
BASE = "add chain ip t c { type filter hook output priority 0; }\n"


@pytest.mark.parametrize(
    ("text", "since"),
    [
        (table(METER, rule="meter m { ip saddr limit rate 1/second } drop"), "6.4"),
        (table("set m { type ipv4_addr; }", METER), "6.2"),
        (table("set s { type ipv4_addr; }", "set s { type ipv4_addr; flags interval; }"), "6.2"),
        (table(RANGES), "5.19"),
        (f"{SLEEPING}{BASE}", "6.9"),
        (f"{SLEEPING}add table ip t\n", "6.6"),
    ],
)
def test_what_newer_kernels_refuse(text: str, since: str) -> None:
    assert causes(text, None) == []
    assert f"is refused since Linux {since}" in causes(text, HERE)[0]
    assert causes(text, "nft=1.0.6,kernel=5.10") == []


def test_a_synproxy_object_is_bound_to_hooks_as_the_statement_is() -> None:
    text = table(SYNPROXY, "chain b { type filter hook output priority 0; synproxy name s; }")
    assert causes(text, None) == []
    assert "synproxy name is refused in the filter chain b at output" in causes(text, HERE)[0]


@pytest.mark.parametrize(
    "text",
    [
        f"{SLEEPING}add chain ip t c\n",
        f"{SLEEPING}delete table ip t\nadd table ip t\n{BASE}",
        table(METER) + "flush table ip t\n" + table(METER),
        table("set s { type ipv4_addr; }", "set s { typeof ip saddr; size 5; }"),
        table(RANGES.replace("1.1.1.2", "1.1.1.2-1.1.1.3")),
        table("map m { typeof ip saddr : ct helper; }"),
    ],
)
def test_what_is_taken_beside_them(text: str) -> None:
    assert causes(text, HERE) == []


WITHOUT = "table netdev t {\n chain c {\n  type filter hook ingress priority 0\n }\n}\n"
ADDED = "add chain netdev t c { devices = { lo }; }\n"


def test_a_chain_without_a_device_is_new() -> None:
    assert causes(WITHOUT + ADDED, None) == []
    cause = "a chain at ingress or egress without a device needs nft 1.0.8"
    assert causes(WITHOUT, "debian-12")[0].startswith(cause)
    assert "needs Linux 6.4" in causes(WITHOUT, "nft=1.0.8,kernel=6.1")[0]


def test_devices_of_a_chain_may_come_later() -> None:
    (table,) = read(SourceFile("x.nft", WITHOUT + ADDED)).ruleset.tables
    assert table.chains["c"].devices == ("lo",)
    assert "a block that gives a chain devices needs nft 1.0.8" in causes(ADDED, HERE)[0]


def test_a_tag_may_be_tested_behind_what_it_carries() -> None:
    text = "table netdev t {\n chain c {\n  ip saddr 10.1.1.1 vlan id 3 accept\n }\n}\n"
    assert causes(text, None) == []
    assert "needs nft 1.1.0" in causes(text, HERE)[0]
