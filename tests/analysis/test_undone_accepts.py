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


def test_what_an_earlier_chain_drops_is_not_undone_later() -> None:
    """The hook entries are in the order of their priority: no packet comes to an accept at 1 that
    a chain at 0 has dropped."""
    earlier = CHAINS.format("accept", "drop").replace("priority 0", "priority 1")
    text = earlier.replace("priority 10", "priority 0")
    assert not any(undone_accepts(firewall_of(text), Hook.INPUT))
