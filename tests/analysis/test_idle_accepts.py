"""Accept rules that decide nothing."""

from __future__ import annotations

import pytest

from iptlint.analysis.idle_accepts import idle_output
from tests.firewalls import hooks_of

OUTPUT = """table inet fw {{
	chain output {{
		type filter hook output priority 0; policy {0};
		{1}
	}}
}}
"""


@pytest.mark.parametrize(
    ("policy", "rules", "tunnel"),
    [
        ("accept", 'oifname "tun0" accept', True),
        ("accept", "tcp dport 443 accept", False),
        ("accept", 'oifname "wg0" accept\nip daddr 192.0.2.1 accept', True),
        ("drop", 'oifname "tun0" accept', None),
        ("accept", 'oifname "tun0" accept\nreject', None),
        ("accept", 'oifname "lo" accept\nct state established accept', None),
        ("accept", "tcp sport 22 accept", None),
        ("accept", "ip daddr != 192.0.2.1 accept", None),
        ("accept", "ip daddr 192.0.2.1 tcp dport 25 accept\ntcp dport 25 drop", None),
        ("accept", "ct state established tcp dport 40000-50000 accept", None),
        ("accept", "tcp dport 25 drop", None),
    ],
)
def test_what_may_leave_is_listed_in_vain(policy: str, rules: str, tunnel: bool | None) -> None:
    """A packet that no rule takes has the policy's verdict (nft_do_chain)."""
    idle = idle_output(hooks_of(OUTPUT.format(policy, rules)))
    assert (None if idle is None else idle.tunnel) == tunnel


def test_the_rules_that_say_what_may_leave() -> None:
    rules = 'oifname "lo" accept\ntcp dport 25 drop\ntcp dport 443 accept'
    idle = idle_output(hooks_of(OUTPUT.format("accept", rules)))
    assert idle is not None
    assert [rule.origin.span.text for rule in idle.rules] == ["tcp dport 443 accept"]
