"""What two rulesets do differently, whatever languages they are in.

The nft sides are what iptables-translate 1.8.9 makes of the iptables sides.
"""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

import iptlint
from iptlint.analysis.diff import Difference, difference
from iptlint.model import Field, Hook, VerdictKind
from iptlint.model.host_addresses import with_own

FILTER = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n{}COMMIT\n"
NAT = (
    "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
    ":POSTROUTING ACCEPT [0:0]\n{}COMMIT\n"
)
NFT_FILTER = """table ip filter {{
    {}
    chain INPUT {{ type filter hook input priority 0; policy accept;
        {}
    }}
    chain FORWARD {{ type filter hook forward priority 0; policy drop; }}
}}
"""
NFT_NAT = """table ip nat {{
    chain {chain} {{ type nat hook {hook} priority {priority}; policy accept;
        {rules}
    }}
}}
"""
DYNAMIC = "set connlimit0 { type ipv4_addr; flags dynamic; }"


def compared(old: str, new: str) -> Difference:
    return difference(iptlint.read(old), iptlint.read(new))


def saved(*rules: str) -> str:
    return FILTER.format("".join(f"-A INPUT {rule}\n" for rule in rules))


def listed(*rules: str) -> str:
    return NFT_FILTER.format(DYNAMIC, "\n".join(rules))


SAME = [
    ("-m limit --limit 2/min -j DROP", "limit rate 2/minute burst 5 packets counter drop"),
    ("-m limit --limit 60/min -j DROP", "limit rate 1/second drop"),
    ("-m limit --limit 5/sec --limit-burst 9 -j DROP", "limit rate 5/second burst 9 packets drop"),
    ("-m quota --quota 1024 -j DROP", "quota 1 kbytes drop"),
    ("-m quota ! --quota 1024 -j DROP", "quota over 1024 bytes drop"),
    (
        "-m statistic --mode random --probability 0.1 -j DROP",
        "meta random & 2147483647 < 214748365 drop",
    ),
    (
        "-m statistic --mode random ! --probability 0.5 -j DROP",
        "meta random & 2147483647 >= 1073741824 drop",
    ),
    ("-m statistic --mode nth --every 3 --packet 1 -j DROP", "numgen inc mod 3 1 drop"),
    ("-m statistic --mode nth ! --every 5 --packet 2 -j DROP", "numgen inc mod 5 != 2 drop"),
    (
        "-m connbytes --connbytes 1024:4096 --connbytes-mode packets --connbytes-dir both -j DROP",
        "ct packets 1024-4096 drop",
    ),
    (
        "-m connbytes ! --connbytes 2048 --connbytes-mode bytes --connbytes-dir original -j DROP",
        "ct original bytes lt 2048 drop",
    ),
    (
        "-m connlimit --connlimit-above 4 --connlimit-mask 24 --connlimit-saddr -j DROP",
        "add @connlimit0 { ip saddr and 255.255.255.0 ct count over 4 } drop",
    ),
    (
        "-m connlimit --connlimit-upto 2 --connlimit-daddr -j DROP",
        "add @connlimit0 { ip daddr ct count 2 } drop",
    ),
    (
        "-m hashlimit --hashlimit-upto 10/min --hashlimit-burst 30 --hashlimit-mode dstip"
        " --hashlimit-name foobar -j DROP",
        "meter foobar { ip daddr timeout 60s limit rate 10/minute burst 30 packets } drop",
    ),
    (
        "-m hashlimit --hashlimit-above 200kb/s --hashlimit-mode srcip --hashlimit-name x -j DROP",
        "meter x { ip saddr timeout 15s limit rate over 200 kbytes/second } drop",
    ),
    (
        "-p tcp -m hashlimit --hashlimit-above 5/sec --hashlimit-mode srcip,dstport"
        " --hashlimit-srcmask 24 --hashlimit-name x -j DROP",
        "meta l4proto tcp meter x { tcp dport . ip saddr and 255.255.255.0"
        " limit rate over 5/second } drop",
    ),
    ("-j NFQUEUE --queue-num 3 --queue-bypass", "counter queue num 3 bypass"),
    (
        "-j NFQUEUE --queue-balance 0:3 --queue-bypass --queue-cpu-fanout",
        "counter queue num 0-3 bypass,fanout",
    ),
    ("-p tcp -j REJECT --reject-with tcp-reset", "meta l4proto tcp reject with tcp reset"),
    ("-j REJECT --reject-with icmp-net-unreachable", "reject with icmp net-unreachable"),
]


@pytest.mark.parametrize(("iptables", "nft"), SAME)
def test_what_counts_is_the_same_in_both_languages(iptables: str, nft: str) -> None:
    for old, new in ((saved(iptables), listed(nft)), (listed(nft), saved(iptables))):
        assert compared(old, new).equivalent


OTHER = [
    ("-m limit --limit 2/min -j DROP", "limit rate 3/minute burst 5 packets drop"),
    ("-m limit --limit 2/min -j DROP", "limit rate 2/minute burst 6 packets drop"),
    ("-m limit --limit 2/min -j DROP", "limit rate over 2/minute drop"),
    ("-m statistic --mode nth --every 3 --packet 1 -j DROP", "numgen inc mod 3 2 drop"),
    (
        "-m statistic --mode random --probability 0.1 -j DROP",
        "meta random & 2147483647 < 214748366 drop",
    ),
    (
        "-m connlimit --connlimit-above 4 -j DROP",
        "add @connlimit0 { ip daddr ct count over 4 } drop",
    ),
    (
        "-m hashlimit --hashlimit-upto 10/min --hashlimit-mode dstip --hashlimit-name a -j DROP",
        "meter b { ip daddr timeout 60s limit rate 10/minute } drop",
    ),
    ("-j NFQUEUE --queue-num 3", "queue num 4"),
]


@pytest.mark.parametrize(("iptables", "nft"), OTHER)
def test_what_counts_otherwise_is_not_the_same(iptables: str, nft: str) -> None:
    assert not compared(saved(iptables), listed(nft)).equivalent


def test_a_set_that_several_rules_count_in_is_not_one_of_each_rule() -> None:
    """``xt_connlimit`` has a tree for each rule; a set of nft is one for all that name it."""
    iptables = saved(*(f"-p {p} -m connlimit --connlimit-above 4 -j DROP" for p in ("tcp", "udp")))
    count = "add @connlimit0 { ip saddr ct count over 4 } drop"
    shared = listed(*(f"meta l4proto {p} {count}" for p in ("tcp", "udp")))
    assert not compared(iptables, shared).equivalent


TRANSLATIONS = [
    ("POSTROUTING -s 10.0.0.0/8 -o eth0 -j MASQUERADE", 'oifname "eth0" ip saddr 10.0.0.0/8 {}'),
    ("POSTROUTING -j MASQUERADE --random", "{} random"),
    ("POSTROUTING -j MASQUERADE --random-fully", "{} fully-random"),
    (
        "POSTROUTING -p udp -j MASQUERADE --to-ports 1024-65535",
        "meta l4proto udp {} to :1024-65535",
    ),
]


@pytest.mark.parametrize(("iptables", "nft"), TRANSLATIONS)
def test_masquerade_equals_its_own_translation(iptables: str, nft: str) -> None:
    rules = nft.format("counter masquerade")
    new = NFT_NAT.format(chain="POSTROUTING", hook="postrouting", priority=100, rules=rules)
    assert compared(NAT.format(f"-A {iptables}\n"), new).equivalent


@pytest.mark.parametrize(
    ("iptables", "nft"),
    [
        ("SNAT --to-source 192.0.2.1-192.0.2.9", "snat to 192.0.2.1-192.0.2.9"),
        ("SNAT --to-source 192.0.2.0-192.0.2.255", "snat to 192.0.2.0/24"),
        ("SNAT --to-source 192.0.2.1-192.0.2.9:1025-2000", "snat to 192.0.2.1-192.0.2.9:1025-2000"),
        (
            "SNAT --to-source 192.0.2.1-192.0.2.9 --random --persistent",
            "snat to 192.0.2.1-192.0.2.9 persistent,random",
        ),
    ],
)
def test_translation_to_a_range_equals_its_own_translation(iptables: str, nft: str) -> None:
    old = NAT.format(f"-A POSTROUTING -p tcp -j {iptables}\n")
    rules = f"meta l4proto tcp {nft}"
    new = NFT_NAT.format(chain="POSTROUTING", hook="postrouting", priority=100, rules=rules)
    assert compared(old, new).equivalent


@pytest.mark.parametrize(
    ("iptables", "nft"),
    [
        ("REDIRECT", "redirect"),
        ("REDIRECT --to-ports 8080", "redirect to :8080"),
        ("REDIRECT --to-ports 10-20 --random", "redirect to :10-20 random"),
    ],
)
def test_redirect_equals_its_own_translation(iptables: str, nft: str) -> None:
    old = NAT.format(f"-A PREROUTING -p tcp -j {iptables}\n")
    rules = f"ip protocol tcp counter {nft}"
    new = NFT_NAT.format(chain="PREROUTING", hook="prerouting", priority=-100, rules=rules)
    assert compared(old, new).equivalent


def test_the_type_of_a_destination_is_that_of_the_new_one_wherever_it_is_asked_for() -> None:
    """Behind a translation, the first test of a type asks for the type of where it leads to."""
    dnat = NAT.format("-A PREROUTING -p tcp --dport 443 -j DNAT --to-destination 192.168.7.20\n")
    rules = (
        "-A FORWARD -m addrtype --dst-type MULTICAST -j DROP\n"
        "-A FORWARD -p tcp -j REJECT --reject-with tcp-reset\n"
    )
    assert compared(dnat + FILTER.format(rules), dnat + FILTER.format(rules)).equivalent
    without = FILTER.format(rules.splitlines(keepends=True)[1])
    (change,) = compared(dnat + FILTER.format(rules), dnat + without).changes
    assert (change.hook, change.old.kind) == (Hook.FORWARD, VerdictKind.DROP)
    assert change.witness.dport != 443


def test_two_translations_of_disjoint_networks_may_be_swapped() -> None:
    rules = [f"-A POSTROUTING -s 10.{n}.0.0/16 -j MASQUERADE\n" for n in (1, 2)]
    assert compared(NAT.format("".join(rules)), NAT.format("".join(rules[::-1]))).equivalent


def test_the_order_of_tables_and_chains_makes_no_difference() -> None:
    rule = "-A {} -m limit --limit 5/sec -j DROP\n"
    mangle = "*mangle\n:PREROUTING ACCEPT [0:0]\n" + rule.format("PREROUTING") + "COMMIT\n"
    rules = (":a - [0:0]\n", ":b - [0:0]\n")
    calls = "-A INPUT -p tcp -j a\n-A INPUT -p udp -j b\n" + rule.format("b") + rule.format("a")
    one, other = (FILTER.format("".join((*order, calls))) for order in (rules, rules[::-1]))
    assert compared(mangle + one, other + mangle).equivalent


def test_an_answer_is_part_of_what_becomes_of_a_packet() -> None:
    reset = "-p tcp -j REJECT --reject-with tcp-reset"
    (change,) = compared(saved(reset), saved("-p tcp -j REJECT")).changes
    assert change.certain
    assert (change.old.kind, change.new.kind) == (VerdictKind.REJECT, VerdictKind.REJECT)
    (contrast,) = change.contrasts
    assert contrast.name == "answer"
    assert contrast.old == "reject with tcp-reset"
    assert contrast.new == "reject with port-unreachable"


def test_how_a_reject_is_logged_is_no_part_of_its_answer() -> None:
    logged = listed('log prefix "no: " level info reject with tcp reset')
    apart = listed('log prefix "no: " level info', "meta l4proto tcp reject with tcp reset")
    assert compared(logged, apart).equivalent


def test_of_what_is_accepted_either_way_it_is_said_what_differs_and_by_which_line() -> None:
    old = NAT.format("-A POSTROUTING -o eth0 -j SNAT --to-source 192.0.2.1\n")
    new = NAT.format("-A POSTROUTING -o eth0 -j MASQUERADE\n")
    changes = compared(old, new).changes
    assert changes
    for change in changes:
        by_name = {contrast.name: contrast for contrast in change.contrasts}
        address = by_name["source address"]
        assert (address.old, address.new) == ("192.0.2.1", "the address of eth0")
        decisions = change.old.decision, change.new.decision
        assert [d and d.rule and d.rule.verdict.name for d in decisions] == ["SNAT", "MASQUERADE"]


def test_only_the_packets_that_are_translated_are_said_to_differ() -> None:
    new = NAT.format("-A PREROUTING -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8080\n")
    compared_changes = compared(NAT.format(""), new)
    space = compared_changes.space
    web = space.value(Field.DPORT, 80) & space.value(Field.PROTO, 6)
    assert compared_changes.changes
    assert not any((c.packets & ~web).satisfiable() for c in compared_changes.changes)


def test_another_ttl_is_a_difference() -> None:
    mangle = "*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j TTL --ttl-set 1\nCOMMIT\n"
    changes = compared(mangle + FILTER.format(""), FILTER.format("")).changes
    assert {contrast.name for change in changes for contrast in change.contrasts} == {"ttl"}


def test_a_limit_that_decides_nothing_leaves_no_doubt() -> None:
    counting = saved("-m limit --limit 5/sec", "-p tcp -j DROP")
    assert compared(counting, saved("-p tcp -j DROP")).equivalent


def test_a_limit_that_sees_other_packets_lets_others_through() -> None:
    """Behind a rule that drops some before, its tokens last longer."""
    limit = "-m limit --limit 5/sec -j DROP"
    assert not compared(saved(limit), saved("-p tcp -j ACCEPT", limit)).equivalent


def test_what_differs_in_other_ways_is_told_apart() -> None:
    """A mark is not said to be a translation."""
    mark = "*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p udp -j MARK --set-mark 7\nCOMMIT\n"
    nat = NAT.format("-A PREROUTING -p tcp -j DNAT --to-destination 192.0.2.7\n")
    changes = compared(NAT.format(""), mark + nat).changes
    assert {change.aspects for change in changes} == {("mark",), ("destination",)}
    for change in changes:
        assert {contrast.name for contrast in change.contrasts} <= {"mark", "destination address"}


def test_a_time_to_live_that_rules_let_run_out_ends_forwarding() -> None:
    """ip_forward looks at it before the hook; what comes to the host itself is delivered."""
    cases = Path(__file__).parents[2] / "fixtures" / "translation"
    old, new = (iptlint.read(cases / f"TTL.{name}.v4") for name in ("old", "new"))
    fates = {(c.hook, c.old.kind, c.new.kind) for c in difference(old, new).changes}
    assert (Hook.FORWARD, VerdictKind.DROP, VerdictKind.ACCEPT) in fates
    assert not any(hook is Hook.INPUT and a is not b for hook, a, b in fates)


def test_what_another_zone_knows_of_a_connection_is_no_luck() -> None:
    """An answer to what the host sends: conntrack looks for it in the zone of the wire, where it
    is not, while packets without a zone find it (nf_conntrack_in)."""
    cases = Path(__file__).parents[2] / "fixtures" / "translation"
    zone, none = (iptlint.read(cases / f"p5{name}.v4") for name in ("zone", "none"))
    answer = difference(zone, none)
    (change,) = answer.changes
    assert answer.certain
    assert (change.old.kind, change.new.kind) == (VerdictKind.DROP, VerdictKind.ACCEPT)
    assert change.witness.conditions == ("zone 1 has no such connection",)
    assert difference(zone, zone).equivalent


PORT_FORWARD = NAT.format(
    "-A PREROUTING -i eth0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 192.168.1.10\n"
)
OWN = with_own([ip_network("203.0.113.1"), ip_network("192.168.1.1")])


def ways(*rules: str) -> str:
    return PORT_FORWARD + FILTER.format("".join(f"-A {rule}\n" for rule in rules))


NEW = "-p tcp -m tcp --dport 80 -m conntrack --ctstate NEW -j"


def test_what_is_translated_to_another_host_does_not_come_to_input() -> None:
    """The kernel asks INPUT of none of these (tests/kernel/test_translation.py)."""
    old, new = ways(), ways(f"INPUT -i eth0 -d 203.0.113.1 {NEW} DROP")
    change = compared(old, new)
    assert change.equivalent
    assert change.assumed == ("192.168.1.10",)


def test_it_comes_to_input_if_the_address_is_the_hosts_own() -> None:
    rulesets = [iptlint.read(each) for each in (ways(), ways(f"INPUT -i eth0 {NEW} DROP"))]
    own = with_own([ip_network("192.168.1.10")])
    (change,) = difference(*rulesets, addresses=own).changes
    assert (change.hook, change.certain, change.witness.dport) == (Hook.INPUT, True, 80)
    assert not difference(*rulesets, addresses=OWN).assumed


def test_what_is_forwarded_after_translation_is_told_once() -> None:
    """Of a packet that sets out to this host, as of one to another."""
    old, new = ways(), ways(f"FORWARD -i eth0 -o lan0 -d 192.168.1.10 {NEW} ACCEPT")
    (change,) = compared(old, new).changes
    assert (change.hook, change.new.way) == (Hook.FORWARD, None)


def test_redirected_packets_come_to_input_wherever_they_were_sent() -> None:
    redirect = NAT.format("-A PREROUTING -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 3128\n")
    old = redirect + FILTER.format("")
    rule = "-A FORWARD -p tcp -m tcp --dport 3128 -m conntrack --ctstate NEW -j ACCEPT\n"
    change = compared(old, redirect + FILTER.format(rule))
    (direct,) = change.changes
    assert direct.witness.dport == 3128
    assert not (direct.packets & change.space.value(Field.DPORT, 80)).satisfiable()
