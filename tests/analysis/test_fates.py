"""Who decides, at their hook, the packets that come to one rule."""

from __future__ import annotations

import pytest

from iptlint.analysis.fates import fates, surely_taken
from tests.firewalls import hooks_of, saved

LOG = "-A INPUT -p tcp -m tcp --dport 23 -j LOG"


def deciders(text: str) -> list[str] | None:
    """The verdicts on what the first rule that logs sees; None where nobody can tell."""
    firewall = hooks_of(text).firewall
    for analysis in firewall.analyses():
        for _, rule in analysis.table.rules():
            if rule.verdict.name in ("LOG", "log"):
                shares = fates(firewall, analysis, rule)
                return None if shares is None else sorted(share.kind.value for share in shares)
    raise AssertionError("no rule logs")


@pytest.mark.parametrize(
    ("rules", "kinds"),
    [
        ((LOG,), ["accept"]),
        ((LOG, "-A INPUT -p tcp -j DROP"), ["drop"]),
        ((LOG, "-A INPUT -p tcp -m tcp --sport 1024: -j DROP"), ["accept", "drop"]),
        ((LOG, "-A INPUT -m limit --limit 1/sec -j DROP"), ["accept", "drop"]),
        (("-A INPUT -p udp -j DROP", LOG), ["accept"]),
        ((LOG, "-A INPUT -j NFQUEUE --queue-num 1"), ["queue"]),
    ],
)
def test_what_is_behind_the_rule(rules: tuple[str, ...], kinds: list[str]) -> None:
    assert deciders(saved(*rules)) == kinds


def test_a_later_chain_may_have_the_last_word() -> None:
    first = (
        "table ip a {{ chain c {{ type filter hook input priority {}; tcp dport 23 log; }}; }}\n"
    )
    last = "table ip b { chain c { type filter hook input priority 0; tcp sport 7 drop; }; }\n"
    assert deciders(first.format(-1) + last) is None
    assert deciders(first.format(1) + last) == ["accept"]
    assert deciders(first.format(0) + last) is None  # whichever is registered last is asked first


def test_where_nothing_is_decided() -> None:
    text = (
        "table ip a { chain c { type filter hook prerouting priority -300; tcp dport 23 log; }; }\n"
    )
    assert deciders(text) is None


def test_what_a_limit_lets_go_on_is_not_sure() -> None:
    hooks = hooks_of(saved(LOG, "-A INPUT -m limit --limit 1/sec -j DROP"))
    (analysis,) = hooks.firewall.analyses()
    rule = analysis.table.chains["INPUT"].rules[0]
    shares = fates(hooks.firewall, analysis, rule) or []
    sure = {share.kind.value: surely_taken(share).satisfiable() for share in shares}
    assert sure == {"drop": False, "accept": True}
