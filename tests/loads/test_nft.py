"""What nft and the kernel refuse, each put to ``nft -f`` once (nftables 1.0.6, Linux 6.18)."""

from __future__ import annotations

import pytest

from iptlint.dialects import Reader, read
from iptlint.dialects.files import NoFiles
from iptlint.loads.judges import load
from iptlint.loads.refusal import Load, Stage
from iptlint.source import SourceFile


def loaded(text: str, *before: str) -> Load:
    reader = Reader(files=NoFiles())
    readings = [read(SourceFile("before.nft", each), reader) for each in before]
    answer = load(read(SourceFile("rules.nft", text), reader), readings)
    assert answer is not None
    return answer


def refused(text: str) -> str:
    """The token that is refused first; empty where the text is taken."""
    refusals = loaded(text).refusals
    return refusals[0].span.text if refusals else ""


def in_chain(rule: str, family: str = "inet", hook: str = "input", kind: str = "filter") -> str:
    return (
        f"table {family} t {{\n chain x {{ }}\n chain c {{\n"
        f"  type {kind} hook {hook} priority 0;\n  {rule}\n }}\n}}\n"
    )


@pytest.mark.parametrize(
    ("family", "hook", "kind", "rule", "token"),
    [
        ("ip6", "input", "filter", "ip saddr 10.0.0.1 drop", "ip saddr"),
        ("ip", "input", "filter", "ip6 saddr ::1 drop", "ip6 saddr"),
        ("arp", "input", "filter", "tcp dport 22 accept", "tcp dport"),
        ("ip", "input", "filter", "meta nfproto ipv4 accept", "meta nfproto"),
        ("inet", "input", "filter", "ip saddr 10.0.0.1 ip6 saddr ::1 drop", "ip6 saddr"),
        ("inet", "input", "filter", "tcp dport 22 udp dport 53 accept", "udp dport"),
        ("inet", "input", "filter", "accept counter", "counter"),
        ("inet", "postrouting", "nat", "snat to 192.0.2.1", "snat to 192.0.2.1"),
        ("inet", "prerouting", "nat", "dnat ip to 192.0.2.1:80", "80"),
        ("inet", "forward", "filter", "masquerade", "masquerade"),
        ("inet", "input", "filter", "masquerade", "masquerade"),
        ("inet", "prerouting", "nat", "masquerade", "masquerade"),
        ("inet", "postrouting", "filter", "reject", "reject"),
        ("inet", "input", "filter", "tproxy to :1234", "tproxy to :1234"),
        ("inet", "output", "filter", "tcp dport 1 tproxy to :1234", "tproxy to :1234"),
        ("ip", "input", "filter", "reject with icmpv6 no-route", "reject with icmpv6 no-route"),
        ("inet", "input", "filter", "udp dport 1 reject with tcp reset", "reject with tcp reset"),
        ("ip", "input", "filter", "log level debug group 2", "log level debug group 2"),
        ("ip", "input", "filter", "log level loud", "loud"),
        ("ip", "output", "filter", "fib saddr . iif oif missing drop", "fib saddr . iif oif"),
        ("inet", "input", "filter", 'meta iifname set "x"', "meta iifname"),
        ("inet", "input", "filter", "tcp dport > { 1, 2 } drop", "{ 1, 2 }"),
        ("inet", "input", "filter", "tcp dport tcp accept", "tcp"),
        ("inet", "input", "filter", "ip length 10.0.0.1 drop", "10.0.0.1"),
        ("inet", "input", "filter", "meta mark set ip saddr", "ip saddr"),
        ("inet", "input", "filter", "jump c", "jump c"),
        ("inet", "input", "filter", "jump nowhere", "jump nowhere"),
        ("inet", "input", "filter", "limit rate 3/fortnight accept", "rate 3/fortnight"),
        ("ip", "input", "filter", "dup to 192.0.2.1 accept", ""),
        ("inet", "input", "filter", "dup to 192.0.2.1", "dup to 192.0.2.1"),
        ("netdev", "ingress device lo", "filter", "ct state new accept", "ct state"),
        ("netdev", "ingress device lo", "filter", "fwd to lo", ""),
        ("inet", "input", "filter", "meta l4proto { tcp, udp } th dport 53 accept", ""),
        ("inet", "input", "filter", "tcp dport { 22, , 80 } accept", ""),
        ("inet", "input", "filter", "ah hdrlength { 11, ah } accept", ""),
        ("inet", "input", "filter", "meta iiftype { ether, dccp } accept", ""),
        ("inet", "input", "filter", "tcp flags & (tcp | syn) == syn accept", ""),
        ("inet", "input", "filter", "ip daddr ::ffff:127.0.0.1 return", ""),
        ("ip6", "input", "filter", "rt ip nexthop fd00::1 accept", ""),
        ("inet", "input", "filter", "tcp dport { 22 : accept }", "22"),
    ],
)
def test_of_a_rule_the_token_is_told(
    family: str, hook: str, kind: str, rule: str, token: str
) -> None:
    assert refused(in_chain(rule, family, hook, kind)) == token


@pytest.mark.parametrize(
    ("chain", "token"),
    [
        ("type filter hook somewhere priority 0;", "somewhere"),
        ("type firewall hook input priority 0;", "firewall"),
        ("type nat hook forward priority 0;", "nat"),
        ("type route hook input priority 0;", "route"),
        ("type nat hook prerouting priority -300;", "-300"),
        ("type filter hook input priority srcnot;", "srcnot"),
        ("type nat hook forward priority srcnat;", "srcnat"),
        ("type filter hook ingress priority 0;", "type filter hook ingress priority 0"),
        ("type filter hook input device eth0 priority 0;", "eth0"),
        ("type filter hook input priority 0; policy reject;", "policy reject"),
        ("policy drop;", "policy drop"),
        ("type filter hook input priority 0; policy drop; policy drop;", "policy drop"),
        ("type filter hook input priority 0; type filter hook input priority 0;", ""),
    ],
)
def test_of_a_chain_the_token_is_told(chain: str, token: str) -> None:
    answer = loaded(f"table inet t {{\n chain c {{\n  {chain}\n }}\n}}\n")
    assert [each.span.text for each in answer.refusals[:1]] == ([token] if token else [])


@pytest.mark.parametrize(
    ("body", "token"),
    [
        ("type ipv4_addr; elements = { 10.0.0.0/8 };", "10.0.0.0/8"),
        ("type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 10.1.0.0/16 };", "10.1.0.0/16"),
        ("type ipv4_addr; flags interval; auto-merge; elements = { 10.0.0.0/8, 10.1.0.0/16 };", ""),
        ("type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 10.0.0.0/8 };", ""),
        ("type ipv4_addr; auto-merge;", "auto-merge"),
        ("type inet_addr;", "inet_addr"),
        ("type integer;", "integer"),
        ("flags interval;", "s"),
        ("type ipv4_addr; flags often;", "often"),
        ("type ipv4_addr . inet_service; elements = { 10.0.0.1 };", "10.0.0.1"),
        ("type ipv4_addr; elements = { ::1 };", "::1"),
        ("type inet_service; elements = { 2000-1000 }; flags interval;", "2000-1000"),
        ("type ipv4_addr; elements = { 10.0.0.1 : accept };", "10.0.0.1 : accept"),
        ("type inet_service; size 1; elements = { 1, 2 };", "{ 1, 2 }"),
    ],
)
def test_of_a_set_the_token_is_told(body: str, token: str) -> None:
    assert refused(f"table inet t {{\n set s {{\n  {body}\n }}\n}}\n") == token


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("delete table inet f", "f"),
        ("add table inet f\ndelete table inet f", ""),
        ("add rule inet f c accept", "f"),
        ("add table inet f; add rule inet f c accept", "c"),
        ("add table inet f; add element inet f s { 1 }", "s"),
        ("add table inet f; create table inet f", "f"),
        (
            "add table inet f; add chain inet f c; rename chain inet f c d; flush chain inet f c",
            "c",
        ),
        ("table inet t {\n chain chain { }\n}", "chain"),
        ("table inet t { flags sleepy; }", "sleepy"),
        ("add table inet t\n# the end", "# the end"),
        ("add table inet t # the end", "# the end"),
        ("add table inet t\n# the end\n", ""),
        ("add table inet t\ndefine x = 1", "define x = 1"),
        ("add table inet t", ""),
        ("table inet t {\n chain c {\n  counter jump {\n   accept\n  }\n }\n}", ""),
        ('table inet t {\n ct helper h {\n  type "ftp" protocol dccp\n }\n}', "dccp"),
    ],
)
def test_of_a_command_the_token_is_told(text: str, token: str) -> None:
    assert refused(text) == token


def test_what_is_there_before_counts() -> None:
    text = "add rule inet f c accept"
    assert loaded(text).refusals[0].missing
    assert loaded(text, "table inet f {\n chain c { }\n}\n").taken


def test_the_first_stage_hides_the_others() -> None:
    """nft evaluates all of a file before the kernel sees anything of it."""
    text = in_chain("masquerade\n  ip saddr 10.0.0.1 ip6 saddr ::1 drop")
    first, second = loaded(text).refusals
    assert (first.check.stage, first.span.text) == (Stage.EVALUATION, "ip6 saddr")
    assert (second.check.stage, second.span.text) == (Stage.KERNEL, "masquerade")
