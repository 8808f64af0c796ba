"""Base chains of one priority."""

from __future__ import annotations

import pytest

from iptlint.analysis.priority_clashes import clashes
from tests.firewalls import firewall_of

CHAINS = """table inet one {{
	chain c {{
		type filter hook input priority 0; policy accept;
		{0}
	}}
}}
table inet two {{
	chain c {{
		type filter hook input priority {2}; policy accept;
		{1}
	}}
}}
"""


NAT = CHAINS.replace("filter hook input", "{3} hook prerouting")


@pytest.mark.parametrize(
    ("to", "test", "reason"),
    [
        ("dnat ip to 10.0.0.1", "ip daddr 10.0.0.1", "changes the daddr that"),
        ("redirect to :8080", "tcp dport 8080", "changes the dport that"),
        ("dnat ip to 10.0.0.1:8080-8090", "tcp dport 8080", None),
        ("redirect", "ip daddr 10.0.0.1", "changes the daddr that"),
    ],
)
def test_a_translation_need_not_change_the_port(to: str, test: str, reason: str | None) -> None:
    """A port that is in the range stays (nf_nat_l4proto_in_range); an address that the kernel
    chooses mostly is another."""
    text = NAT.replace("{3}", "nat", 1).replace("{3}", "filter")
    firewall = firewall_of(text.format(f"udp dport 7 accept; tcp dport 80 {to}", f"{test} drop", 0))
    reasons = [clash.reason for clash in clashes(firewall)]
    assert any(reason in each for each in reasons) if reason else not reasons


@pytest.mark.parametrize(
    ("one", "two", "priority", "reason"),
    [
        ("tcp dport 22 meta mark set 1", "meta mark 1 drop", 0, "changes the mark that"),
        ("tcp dport 22 drop", 'tcp dport 22 log prefix "x"', 0, "logs packets that"),
        ("tcp dport 22 drop", 'tcp dport 23 log prefix "x"', 0, None),
        ("tcp dport 22 meta mark set 1", "meta mark 1 drop", 1, None),
    ],
)
def test_the_order_matters(one: str, two: str, priority: int, reason: str | None) -> None:
    """nf_hook_entries_grow puts the one that is registered later before its equals."""
    reasons = [clash.reason for clash in clashes(firewall_of(CHAINS.format(one, two, priority)))]
    assert len(reasons) == (reason is not None)
    assert reason is None or reason in reasons[0]
