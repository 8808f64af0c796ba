"""Who denies most, found without making the shares of all."""

from __future__ import annotations

import random

import pytest

from iptlint.analysis import largest_share
from iptlint.analysis.largest_share import largest_denier, largest_of
from iptlint.analysis.shares import shares
from iptlint.model import Family, Hook
from iptlint.netfilter import table_analysis
from iptlint.packets import chain_shape
from iptlint.packets.witness import witness, witness_of_part
from tests.firewalls import hooks_of, packets, saved

NETWORKS = {
    Family.IP: ("192.0.2.0/24", "192.0.2.{}", "198.51.100.{}", "0.0.0.0/1", "203.0.113.0/25"),
    Family.IP6: ("2001:db8::/32", "2001:db8::{}", "2001:db8:7::{}", "::/1", "2001:db8:5::/64"),
}
OTHERS = ("", "", "", "-p udp", "-m limit --limit 1/s", "-m string --string x --algo bm", "-i eth1")


@pytest.fixture(autouse=True)
def _every_chain_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_analysis, "LONG", 0)
    monkeypatch.setattr(chain_shape, "MOST_ODD", 1 << 30)
    monkeypatch.setattr(chain_shape, "_MOST_ROWS", 1 << 30)


def bans(seed: int, family: Family) -> str:
    """Nothing of what is asked about passes."""
    draw = random.Random(seed)
    rules: list[str] = []
    for _ in range(draw.choice((1, 2, 3, 12))):
        ends = [f"{end} {draw.choice(NETWORKS[family])}" for end in draw.choice((["-s"], ["-d"]))]
        tests = draw.choice(OTHERS)
        port = draw.choice(("", "-p tcp --dport 80")) if "-p" not in tests else ""
        negated = draw.choice(("", "", "! "))
        verdict = draw.choice(("DROP", "DROP", "REJECT", "RETURN", "LOG"))
        rules.append(f"-A INPUT {negated}{ends[0]} {tests} {port} -j {verdict}")
    rules = [rule.format(draw.randrange(1, 255)) for rule in rules]
    policy = draw.choice(("DROP", "DROP", "ACCEPT"))
    if policy == "ACCEPT":
        rules.append("-A INPUT -j DROP")
    return saved("-A INPUT -p tcp --dport 22 -j ACCEPT", *rules, policy=policy)


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("family", [Family.IP, Family.IP6])
def test_it_is_the_first_of_all_shares(seed: int, family: Family) -> None:
    hooks = hooks_of(bans(seed, family), family)
    for fields in ({"proto": "tcp", "dport": 443}, {"proto": "icmp"}, {"ct_state": "new"}):
        asked = packets(hooks.space, family.value, **fields)
        asked = asked & ~packets(hooks.space, family.value, dport=22)
        each = [s for s in shares(hooks, Hook.INPUT, asked) if s.kind.denies]
        found, first = largest_denier(hooks, Hook.INPUT, asked), largest_of(each)
        assert (found is None) is (first is None)
        if found is None or first is None:
            continue
        share = found.share_of(asked)
        assert (share, found.others, found.other) == (each[0], first.others, first.other)
        of_part = witness_of_part(hooks.space, asked, found.part, Hook.INPUT)
        assert of_part == witness(hooks.space, share.packets, Hook.INPUT)


def test_few_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the policy, and none of the bans: the largest of them is for one address."""
    bans = (f"-A INPUT -s 192.0.2.{number} -j DROP" for number in range(200))
    hooks = hooks_of(saved("-A INPUT -p tcp --dport 22 -j ACCEPT", *bans, policy="DROP"))
    monkeypatch.setattr(largest_share, "_MADE", 1)
    monkeypatch.setattr(largest_share, "shares", lambda *_: pytest.fail("all are made"))
    asked = packets(hooks.space, proto="udp")
    most = largest_denier(hooks, Hook.INPUT, asked)
    assert most is not None
    assert (most.by.name, most.others) == ("the policy of INPUT", 200)


def test_where_nobody_denies() -> None:
    hooks = hooks_of(saved("-A INPUT -p tcp -j DROP"))
    assert largest_denier(hooks, Hook.INPUT, hooks.space.false) is None
