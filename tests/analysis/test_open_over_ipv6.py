"""Which ports are kept for some over IPv4, and open to all over IPv6."""

from __future__ import annotations

import pytest

from iptlint.analysis.open_over_ipv6 import open_over_ipv6
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
