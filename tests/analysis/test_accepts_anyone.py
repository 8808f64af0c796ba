"""Who lets everyone in."""

from __future__ import annotations

import pytest

from iptlint.analysis.accepts_anyone import accept_any
from iptlint.analysis.shares import responsible_call
from iptlint.model import Hook
from tests.firewalls import hooks_of, saved


@pytest.mark.parametrize(
    ("rules", "policy", "lines"),
    [
        (("-A INPUT -j ACCEPT",), "DROP", ("line 5", "the policy of INPUT")),
        (("-A INPUT -j ACCEPT", "-A INPUT -j DROP"), "ACCEPT", ("line 5", "line 6")),
        (("-A INPUT -p tcp -j ACCEPT", "-A INPUT -j REJECT"), "ACCEPT", ("line 5", "line 6")),
        (("-A INPUT -j ACCEPT",), "ACCEPT", None),
        (("-A INPUT -j ACCEPT", "-A INPUT -s 192.0.2.1 -j DROP"), "ACCEPT", None),
        (("-A INPUT -j ACCEPT", "-A INPUT -m limit --limit 9/s -j DROP"), "ACCEPT", None),
        (("-A INPUT -s 192.0.2.0/24 -j ACCEPT",), "DROP", None),
        (("-A INPUT -i eth1 -j ACCEPT",), "DROP", None),
        (("-A INPUT -m limit --limit 9/s -j ACCEPT",), "DROP", None),
    ],
)
def test_let_in_anyway(rules: tuple[str, ...], policy: str, lines: tuple[str, str] | None) -> None:
    found = accept_any(hooks_of(saved(*rules, policy=policy)), Hook.INPUT)
    assert (found and (found.by.name, found.denied.name)) == lines


def test_the_call_of_a_chain_that_accepts_everything() -> None:
    rules = ("-A INPUT -p tcp --dport 80 -j pass", "-A INPUT -j pass", "-A pass -j ACCEPT")
    found = accept_any(hooks_of(saved(*rules, policy="DROP", chains="pass")), Hook.INPUT)
    assert found is not None
    assert found.by.name == "line 8"
    assert responsible_call(found.by).name == "line 7"
