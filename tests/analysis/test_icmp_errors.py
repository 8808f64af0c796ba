"""Whether routers get to say that a packet was too big (RFC 1191, RFC 8201).

Where they do not, connections over narrower links hang: path MTU discovery finds a black hole.
"""

from __future__ import annotations

import pytest

from iptlint.analysis.icmp_errors import FRAGMENTATION_NEEDED, PACKET_TOO_BIG, Loss, lost
from iptlint.model import Family, Hook
from tests.firewalls import hooked, hooks_of, saved

NEEDED = FRAGMENTATION_NEEDED
"""Fragmentation needed: type 3, code 4."""
TOO_BIG = PACKET_TOO_BIG
SSH = "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT"
STATE = "-A INPUT -m conntrack --ctstate {} -j ACCEPT"
NO_ICMP = "-A INPUT -p icmp -j DROP"


def losses(*rules: str, policy: str = "DROP") -> list[Loss]:
    return [*lost(hooks_of(saved(*rules, policy=policy)), NEEDED)]


def test_a_rule_that_drops_icmp_drops_them() -> None:
    (loss,) = losses(NO_ICMP, policy="ACCEPT")
    assert (loss.hook, loss.chain, loss.share.name) == (Hook.INPUT, "INPUT", "line 5")
    assert loss.witness is not None
    assert (loss.witness.proto, loss.witness.icmp_type, loss.witness.icmp_code) == ("icmp", 3, 4)


@pytest.mark.parametrize(
    "rules",
    [
        # conntrack calls an error about a connection related (nf_conntrack_icmpv4_error).
        (STATE.format("RELATED,ESTABLISHED"), NO_ICMP),
        ("-A INPUT -p icmp -m icmp --icmp-type 3 -j ACCEPT", NO_ICMP),
        ("-A INPUT -p icmp -m icmp --icmp-type fragmentation-needed -j ACCEPT", NO_ICMP),
        ("-A INPUT -p icmp -m icmp --icmp-type 8 -j DROP",),
        (),
        # Perhaps is not certainly.
        ("-A INPUT -p icmp -m limit --limit 1/s -j ACCEPT", NO_ICMP),
    ],
)
def test_where_they_come_through(rules: tuple[str, ...]) -> None:
    assert losses(*rules, policy="ACCEPT") == []


def test_without_running_connections_nothing_is_lost() -> None:
    assert losses(policy="DROP") == []


def test_the_order_matters() -> None:
    running = STATE.format("RELATED,ESTABLISHED")
    assert losses(running, NO_ICMP, policy="ACCEPT") == []
    (loss,) = losses(NO_ICMP, running, policy="ACCEPT")
    assert (loss.share.name, loss.by_state) == ("line 5", True)


def test_errors_are_lost_with_all_of_state_related() -> None:
    (loss,) = losses(STATE.format("ESTABLISHED"), SSH)
    assert loss.by_state


def test_an_earlier_hook_loses_them_too() -> None:
    raw = saved("-A PREROUTING -p icmp -j DROP", table="raw")
    (loss,) = lost(hooks_of(raw + saved(SSH)), NEEDED)
    assert (loss.hook, loss.chain) == (Hook.INPUT, "PREROUTING")
    assert not loss.by_state


def test_of_what_is_forwarded_too_and_one_cause_once() -> None:
    rules = ("-A FORWARD -p icmp -j DROP", "-A INPUT -j one", "-A FORWARD -j one")
    (loss,) = losses(rules[0], policy="ACCEPT")
    assert loss.hook is Hook.FORWARD
    both = saved(*rules[1:], "-A one -p icmp -j DROP", chains="one")
    assert [each.hook for each in lost(hooks_of(both), NEEDED)] == [Hook.INPUT]


@pytest.mark.parametrize(
    ("rule", "is_lost"),
    [
        ("meta l4proto ipv6-icmp drop", True),
        ("icmpv6 type packet-too-big drop", True),
        ("icmpv6 type echo-request drop", False),
        ("meta l4proto icmp drop", False),
    ],
)
def test_of_ipv6(rule: str, is_lost: bool) -> None:
    found = [*lost(hooks_of(hooked(rule), Family.IP6), TOO_BIG)]
    assert bool(found) is is_lost


def test_an_error_of_one_family_is_none_of_the_other() -> None:
    assert [*lost(hooks_of(hooked("drop"), Family.IP), TOO_BIG)] == []
