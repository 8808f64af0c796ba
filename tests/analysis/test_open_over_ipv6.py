"""Which ports are kept for some over IPv4, and open to all over IPv6."""

from __future__ import annotations

from pathlib import Path

import pytest

import iptlint
from iptlint.analysis.open_over_ipv6 import open_over_ipv6
from iptlint.analysis.session import Context, Settings
from tests.firewalls import context_of

HOST = """\
table inet filter {{
 chain input {{
  type filter hook input priority 0; policy drop;
  ct state established,related accept
  {ip}
  {ip6}
 }}
}}
"""
"""Of the IPv4 rule and the IPv6 rule."""


@pytest.mark.parametrize(
    ("ip", "ip6", "ports"),
    [
        ("ip saddr 10.0.0.0/8 tcp dport 22 accept", "meta nfproto ipv6 tcp dport 22 accept", (22,)),
        (
            "ip saddr 10.0.0.0/8 tcp dport 20-24 accept",
            "meta nfproto ipv6 tcp dport { 22, 24, 99 } accept",
            (22, 24),
        ),
        # As many as may be for services of their own, and one more.
        *(
            (
                "ip saddr 10.0.0.0/8 tcp dport 20-99 accept",
                f"meta nfproto ipv6 tcp dport 20-{last} accept",
                ports,
            )
            for last, ports in ((35, tuple(range(20, 36))), (36, ()))
        ),
        # Nobody is let in over IPv4: perhaps the service is for IPv6.
        ("ip saddr 10.0.0.0/8 tcp dport 80 accept", "meta nfproto ipv6 tcp dport 22 accept", ()),
        # Everybody is.
        ("tcp dport 22 accept", "meta nfproto ipv6 tcp dport 22 accept", ()),
        # Who knocked is let in, and anybody may have.
        (
            "meta nfproto ipv4 tcp dport 22 limit rate 5/minute accept",
            "meta nfproto ipv6 tcp dport 22 accept",
            (),
        ),
        # A network is trusted with everything, not with this port.
        ("ip saddr 10.0.0.0/8 accept", "meta nfproto ipv6 tcp dport 22 accept", ()),
        # Some only over IPv6, too.
        (
            "ip saddr 10.0.0.0/8 tcp dport 22 accept",
            "ip6 saddr fd00::/8 tcp dport 22 accept",
            (),
        ),
    ],
)
def test_what_ipv4_keeps_and_ipv6_opens(ip: str, ip6: str, ports: tuple[int, ...]) -> None:
    context = context_of(HOST.format(ip=ip, ip6=ip6))
    assert tuple(port for each in open_over_ipv6(context) for port in each.ports) == ports


PAIR = "*filter\n:INPUT DROP [0:0]\n{rules}\nCOMMIT\n*nat\n{nat}COMMIT\n"


@pytest.mark.parametrize(
    ("ip", "nat", "ip6", "ports"),
    [
        # Over both the card is eth0; that something else is for an address of lo says nothing.
        ("-i eth0 {}", "", "-i eth0 {}", ()),
        # Of IPv4 it is known that the world is behind eth1; the port is open alike over both.
        ("-i eth0 {}", "-A POSTROUTING -o eth1 -j MASQUERADE\n", "-i eth0 {}", ()),
        ("-i eth0 {}", "-A POSTROUTING -o eth1 -j MASQUERADE\n", "{}", (22,)),
        ("-i eth0 -s 10.0.0.0/8 {}", "", "-i eth0 {}", (22,)),
    ],
)
def test_the_same_rule_over_both_keeps_nothing(
    tmp_path: Path, ip: str, nat: str, ip6: str, ports: tuple[int, ...]
) -> None:
    ssh = "-p tcp --dport 22 -j ACCEPT"
    for name, rule, more, to_lo in (
        ("rules.v4", ip, nat, "127.0.0.1"),
        ("rules.v6", ip6, "", "::1"),
    ):
        rules = f"-A INPUT -d {to_lo} -j ACCEPT\n-A INPUT {rule.format(ssh)}"
        (tmp_path / name).write_text(PAIR.format(rules=rules, nat=more))
    context = Context(tuple(iptlint.read(path) for path in sorted(tmp_path.iterdir())), Settings())
    assert tuple(port for each in open_over_ipv6(context) for port in each.ports) == ports
