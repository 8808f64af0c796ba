"""What comes to one rule alone is what comes to it among all."""

from __future__ import annotations

import pytest

from iptlint.analysis.reach import Reach, Status, why_dead
from iptlint.analysis.reach_bounds import Bounds
from iptlint.dialects import Reader, read
from iptlint.model import Ruleset
from iptlint.netfilter.firewall import Firewall
from iptlint.source import SourceFile

NODE = """\
*nat
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:MASQ - [0:0]
:SERVICES - [0:0]
:ONE - [0:0]
:OTHER - [0:0]
-A PREROUTING -j SERVICES
-A OUTPUT -j SERVICES
-A POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE
-A POSTROUTING -d 10.128.0.2 -j ACCEPT
-A MASQ -j MARK --set-xmark 0x4000/0x4000
-A SERVICES -d 10.96.0.1 -p tcp --dport 80 -j ONE
-A SERVICES -d 10.96.0.2 -p tcp --dport 80 -j OTHER
-A ONE ! -s 10.128.0.0/9 -j MASQ
-A ONE -p tcp -m statistic --mode random --probability 0.5 -j DNAT --to-destination 10.128.0.2:8080
-A ONE -p tcp -j DNAT --to-destination 10.128.0.3:8080
-A ONE -p tcp -j ACCEPT
-A OTHER -p udp -j ACCEPT
-A OTHER -p tcp -j REDIRECT --to-ports 9
COMMIT
*mangle
:PREROUTING ACCEPT [0:0]
-A PREROUTING -s 192.0.2.9 -j DROP
-A PREROUTING -i eth1 -j MARK --set-mark 0x4000
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:WEB - [0:0]
-A INPUT -p tcp --dport 9 -j ACCEPT
-A INPUT -s 192.0.2.9 -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -d 10.128.0.0/24 -j WEB
-A FORWARD -d 10.96.0.1 -p tcp --dport 80 -j ACCEPT
-A WEB -p tcp --dport 8080 -j ACCEPT
-A WEB -p tcp --dport 80 -j ACCEPT
COMMIT
"""
WRITTEN = """\
table ip t {
\tchain early {
\t\ttype filter hook prerouting priority -150; policy accept;
\t\tip daddr 192.0.2.1 ip daddr set 192.0.2.2
\t\tip daddr 192.0.2.1 drop
\t\tip daddr 192.0.2.2 accept
\t}
\tchain late {
\t\ttype filter hook prerouting priority -140; policy accept;
\t\tip daddr 192.0.2.1 drop
\t\tip daddr 192.0.2.2 tcp dport 80 counter
\t}
\tchain in {
\t\ttype filter hook input priority 0; policy drop;
\t\tip daddr 192.0.2.2 jump web
\t}
\tchain web {
\t\ttcp dport { 80, 443 } accept
\t\ttcp dport vmap { 80 : drop, 22 : accept }
\t}
}
"""


def ruleset(text: str) -> Ruleset:
    return read(SourceFile("rules", text), Reader()).ruleset


@pytest.mark.parametrize("text", [NODE, WRITTEN])
def test_each_rule_fares_as_among_all(text: str) -> None:
    rules = ruleset(text)
    firewall = Firewall(rules)
    whole = Reach(rules, firewall=firewall)
    for analysis in firewall.by_decision().analyses():
        for chain, parts in analysis.table.statements():
            bounds = Bounds(firewall, analysis.table, chain, parts)
            alone = Reach(rules, None, firewall, bounds)
            expected, answer = (each.of(analysis.table, chain, parts) for each in (whole, alone))
            assert expected is not None
            assert answer is not None
            assert (expected.status, expected.witness) == (answer.status, answer.witness)
            if expected.status is not Status.DEAD or any(why_dead(analysis, r) for r in parts):
                assert expected == answer
            for rule in parts:
                assert [*whole.matched(rule)] == [*alone.matched(rule)]


def bounds_of(text: str, wanted: str) -> Bounds:
    rules = ruleset(text)
    firewall = Firewall(rules)
    return next(
        Bounds(firewall, table, chain, parts)
        for table in rules.tables
        for chain, parts in table.statements()
        if wanted in parts[0].statement.span.text
    )


def test_of_a_service_only_its_own_packets_are_followed() -> None:
    bounds = bounds_of(NODE, "REDIRECT")
    packets = bounds.packets()
    assert packets.satisfiable()
    everything = bounds_of(NODE, "-A FORWARD -d 10.128").packets()
    assert not (~everything).satisfiable()
    assert (~packets).satisfiable()


def test_what_a_rule_before_writes_is_not_known_by_it() -> None:
    """nft_payload.c: the next chain sees the new address."""
    written = bounds_of(WRITTEN, "ip daddr 192.0.2.2 tcp dport 80").packets()
    assert not (~written).satisfiable()
