"""What a ban by xt_recent leaves open: who has done nothing yet is on no list (recent_mt in
net/netfilter/xt_recent.c), and gets past the rule that asks for it."""

from __future__ import annotations

import pytest

from iptlint.dialects.readers import read
from iptlint.linter.run import lint
from iptlint.model.recent import is_listed, lists_and_lets_go_on
from iptlint.source import SourceFile
from tests.firewalls import saved

TRUST = "-A INPUT -p udp -m udp --sport 53 -j ACCEPT"
BAN = "-A INPUT -m recent --name bad --set --rsource -j DROP"


def is_told(*rules: str) -> bool:
    text = "*filter\n:INPUT DROP [0:0]\n" + "\n".join(rules) + "\nCOMMIT\n"
    return bool(lint([SourceFile("rules.v4", text)], select=("IPT205",)).findings)


@pytest.mark.parametrize("how", ["--update --seconds 600", "--rcheck", "--update --hitcount 3"])
def test_a_stranger_is_on_no_list(how: str) -> None:
    asks = f"-A INPUT -m recent --name bad {how} --rsource -j DROP"
    assert is_told(asks, TRUST, BAN)
    assert is_told(asks, "-A INPUT -m limit --limit 9/sec -p udp --sport 53 -j ACCEPT", BAN)


@pytest.mark.parametrize(
    "rules",
    [
        # Only who has knocked gets by.
        ("-A INPUT -m recent ! --rcheck --name ok -j DROP", TRUST),
        ("-A INPUT -p udp --sport 53 -m recent --rcheck --name ok -j ACCEPT",),
        # The packet itself has put its sender on the list.
        (
            "-A INPUT -m recent --name all --set",
            "-A INPUT -m recent --name all --rcheck -j DROP",
            TRUST,
        ),
        (BAN, TRUST),
    ],
)
def test_who_has_to_be_on_one_is_no_stranger(rules: tuple[str, ...]) -> None:
    assert not is_told(*rules)


def test_what_a_rule_does_to_a_list() -> None:
    def only(rule: str) -> bool:
        ruleset = read(SourceFile("rules.v4", saved(rule))).ruleset
        ((_, _, made),) = ruleset.rules()
        return lists_and_lets_go_on(made)

    assert only("-A INPUT -m recent --name all --set")
    assert not only(BAN)
    assert not only("-A INPUT -m recent --name all --update -j ACCEPT")
    assert is_listed("recent", "recent --name bad --rcheck")
    assert not is_listed("recent", "recent ! --rcheck --name bad")
    assert not is_listed("limit", "limit --limit 9/sec")
