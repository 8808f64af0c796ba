"""A rule written otherwise, in the language that it is in."""

from __future__ import annotations

import pytest

from iptlint.model import Ruleset
from tests.firewalls import analysis_of, hooked, saved


def iptables(test: str) -> Ruleset:
    return analysis_of(saved(f"-A INPUT {test} -j ACCEPT")).ruleset


def nft(test: str) -> Ruleset:
    return analysis_of(hooked(f"{test} accept")).ruleset


@pytest.mark.parametrize(
    ("ruleset", "more", "less"),
    [
        (
            iptables("-m conntrack --ctstate ESTABLISHED,RELATED"),
            "-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED,NEW -j ACCEPT",
            "-A INPUT -m conntrack --ctstate RELATED -j ACCEPT",
        ),
        (
            iptables("-m state --state ESTABLISHED"),
            "-A INPUT -m state --state ESTABLISHED,NEW -j ACCEPT",
            None,  # none would be left
        ),
        (
            nft("ct state established, related"),
            "ct state established, related, new accept",
            "ct state related accept",
        ),
        (
            nft("ct state { established, related }"),
            "ct state { established, related, new } accept",
            "ct state { related } accept",
        ),
        # A negated list means the others.
        (iptables("-m conntrack ! --ctstate ESTABLISHED"), None, None),
        (nft("ct state != established"), None, None),
        (iptables("-p tcp"), None, None),
    ],
)
def test_a_list_of_states_as_it_is_written(
    ruleset: Ruleset, more: str | None, less: str | None
) -> None:
    *_, (_, _, rule) = ruleset.rules()
    assert ruleset.syntax.with_state(rule, "new") == more
    assert ruleset.syntax.without_state(rule, "established") == less


@pytest.mark.parametrize(
    ("rule", "forwarded", "back"),
    [
        (
            "-A OUTPUT -o eth0 -d 10.0.0.1 -p tcp --dport 22 -j ACCEPT",
            False,
            "-A PREROUTING -i eth0 -s 10.0.0.1 -p tcp --sport 22 -j ACCEPT",
        ),
        (
            "-A FORWARD -i eth1 -o eth0 -s 10.0.0.0/8 -j ACCEPT",
            True,
            "-A FORWARD -o eth1 -i eth0 -d 10.0.0.0/8 -j ACCEPT",
        ),
    ],
)
def test_the_rule_for_the_answers(rule: str, forwarded: bool, back: str) -> None:
    ruleset = analysis_of(saved(rule)).ruleset
    ((_, _, written),) = ruleset.rules()
    assert ruleset.syntax.reply_of(written, forwarded=forwarded) == back
