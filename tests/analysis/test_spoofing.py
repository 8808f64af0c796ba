"""A rule against spoofed addresses is no denial by default."""

from __future__ import annotations

import pytest

from iptlint.analysis.spoofing import is_against_spoofing, turns_strangers_away
from tests.firewalls import hooks_of, saved


@pytest.mark.parametrize(
    ("rule", "against"),
    [
        ("-A INPUT ! -s 192.168.4.0/24 -i wlan0 -j DROP", True),
        ("-A INPUT ! -s 192.168.4.0/24 -i br-lan -j REJECT", True),
        # The world is behind this one, and all but one network of it is denied.
        ("-A INPUT ! -s 192.168.4.0/24 -i eth0 -j DROP", False),
        ("-A INPUT ! -s 192.168.4.0/24 -j DROP", False),
        ("-A INPUT -s 192.168.4.0/24 -i wlan0 -j DROP", False),
        ("-A INPUT ! -s 192.168.4.0/24 ! -i wlan0 -j DROP", False),
        ("-A INPUT ! -s 192.168.4.0/24 -i wlan0 -j ACCEPT", False),
    ],
)
def test_which_rules_are_against_spoofing(rule: str, against: bool) -> None:
    hooks = hooks_of(saved(rule))
    ((_, written),) = (each for table in hooks.tables() for each in table.rules())
    assert is_against_spoofing(written) is against


@pytest.mark.parametrize(
    ("rules", "policy", "away"),
    [
        (("-A INPUT ! -s 192.168.4.0/24 -i wlan0 -j DROP",), "ACCEPT", False),
        (("-A INPUT ! -s 192.168.4.0/24 -i wlan0 -j DROP",), "DROP", True),
        (("-A INPUT ! -s 192.168.4.0/24 -i wlan0 -j DROP", "-A INPUT -j DROP"), "ACCEPT", True),
        (("-A INPUT ! -s 192.168.4.0/24 -j DROP",), "ACCEPT", True),
        ((), "ACCEPT", False),
    ],
)
def test_who_turns_strangers_away(rules: tuple[str, ...], policy: str, away: bool) -> None:
    assert turns_strangers_away(hooks_of(saved(*rules, policy=policy))) is away
