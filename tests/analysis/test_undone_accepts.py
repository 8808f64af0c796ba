"""Accepts that a later base chain undoes."""

from __future__ import annotations

import pytest

from iptlint.analysis.undone_accepts import undone_accepts
from iptlint.model import Hook
from tests.firewalls import firewall_of

CHAINS = """table inet one {{
	chain c {{
		type filter hook input priority 0; policy drop;
		tcp dport 22 accept
	}}
}}
table inet two {{
	chain c {{
		type filter hook input priority 10; policy {0};
		{1}
	}}
}}
"""


@pytest.mark.parametrize(
    ("policy", "rule", "undone"),
    [
        ("drop", "udp dport 53 accept", 1),
        ("drop", "tcp dport 22 accept", 0),
        ("accept", "tcp dport 22 drop", 0),
        ("accept", "drop", 1),
    ],
)
def test_what_one_chain_accepts_the_next_may_drop(policy: str, rule: str, undone: int) -> None:
    """NF_ACCEPT of one hook entry goes on to the next (nf_hook_slow). A chain that only bans is
    there to undo."""
    each = undone_accepts(firewall_of(CHAINS.format(policy, rule)), Hook.INPUT)
    assert sum(map(len, each)) == undone
