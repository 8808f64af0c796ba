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
