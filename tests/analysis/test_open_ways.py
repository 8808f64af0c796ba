"""What leaves, or goes through, over IPv6 alone."""

from __future__ import annotations

import pytest

from iptlint.analysis.open_ways import open_ways
from tests.firewalls import context_of

HOST = """flush ruleset
table ip fw {{
	chain c {{
		type filter hook {hook} priority 0; policy {policy};
		{rules}
	}}
}}
table ip6 fw {{
	chain input {{
		type filter hook input priority 0; policy drop;
		ct state established accept
	}}
	{six}
}}
"""
SIX = "chain c {{ type filter hook {}; policy accept;\n{}\n}}"
TUNNEL, ESTABLISHED = 'oifname "wg0" accept', "ct state established accept"


@pytest.mark.parametrize(
    ("hook", "rules", "six", "found"),
    [
        ("output", TUNNEL, "", [("output", True)]),
        ("output", ESTABLISHED, "", [("output", False)]),
        ("output", TUNNEL, SIX.format("output priority 0", ""), [("output", True)]),
        # Somebody thought about it, and IPT601 speaks of what they thought.
        ("output", TUNNEL, SIX.format("output priority 0", "tcp dport 25 drop"), []),
        ("forward", 'iifname "lan0" oifname "wan0" accept', "", [("forward", False)]),
        # A host that forwards nothing over IPv4 hardly forwards over IPv6.
        ("forward", "", "", []),
        ("forward", ESTABLISHED, "", []),
        ("forward", 'iifname "docker0" accept', "", []),
    ],
)
def test_a_hook_that_is_closed_over_ipv4_alone(
    hook: str, rules: str, six: str, found: list[tuple[str, bool]]
) -> None:
    """A family without a base chain at the hook passes it (nf_hook_entries)."""
    context = context_of(HOST.format(hook=hook, policy="drop", rules=rules, six=six))
    assert [(way.hook.value, way.tunnel) for way in open_ways(context)] == found
    open_too = context_of(HOST.format(hook=hook, policy="accept", rules=rules, six=six))
    assert not [*open_ways(open_too)]


def test_what_software_forwards_is_its_own_matter() -> None:
    docker = 'iifname "docker0" accept\n}\nchain DOCKER {'
    text = HOST.format(hook="forward", policy="drop", rules=docker, six="")
    assert not [*open_ways(context_of(text))]


def test_one_table_for_both_families_is_closed_for_both() -> None:
    text = HOST.format(hook="output", policy="drop", rules=TUNNEL, six="")
    assert not [*open_ways(context_of(text.replace("table ip fw", "table inet fw")))]
