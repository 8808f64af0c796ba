"""Bans below the rules that let in whom they ban."""

from __future__ import annotations

from itertools import pairwise

import pytest

from iptlint.analysis.bans import LateBans, late_bans
from iptlint.model import Family, Field, Hook
from tests.firewalls import hooks_of, saved, texts

SSH = "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT"
BAN = "-A INPUT -s 198.51.100.0/24 -j DROP"
CLOSING = "-A INPUT -j REJECT --reject-with icmp-host-prohibited"


def late(*rules: str, policy: str = "DROP", chains: str = "") -> LateBans | None:
    return late_bans(hooks_of(saved(*rules, policy=policy, chains=chains)), Hook.INPUT)


def asked(*rules: str, policy: str = "DROP", chains: str = "") -> list[str]:
    found = late(*rules, policy=policy, chains=chains)
    return texts(found.asked) if found else []


def test_who_accepts_and_whom() -> None:
    found = late("-A INPUT -s 192.0.2.7/32 -j ACCEPT", SSH, BAN)
    assert found is not None
    assert texts([found.accepting]) == [SSH]
    banned = found.analysis.space.ranges(Field.SADDR, ((0xC6336400, 0xC63364FF),))
    assert not (found.packets & ~banned).satisfiable()


@pytest.mark.parametrize("closing", [(), (CLOSING,), ("-A INPUT -j DROP",)])
def test_what_denies_all_the_rest(closing: tuple[str, ...]) -> None:
    assert asked(SSH, BAN, *closing) == [BAN]
    assert asked(SSH, BAN, *closing, policy="ACCEPT") == ([BAN] if closing else [])


@pytest.mark.parametrize(
    "below",
    [
        "-A INPUT -p tcp -m tcp --dport 25 -j ACCEPT",
        "-A INPUT -p tcp -m tcp --dport 25 -m limit --limit 1/s -j ACCEPT",
        "-A INPUT -p tcp -m tcp --dport 25 -j NFQUEUE --queue-num 0",
        "-A INPUT -j MAIL",
    ],
)
def test_a_ban_that_stands_above_something_open_is_of_use(below: str) -> None:
    mail = "-A MAIL -p tcp -m tcp --dport 25 -j ACCEPT"
    assert asked(SSH, BAN, below, mail, chains="MAIL") == []


@pytest.mark.parametrize(
    "below", ["-A INPUT -m limit --limit 1/s -j LOG", "-A INPUT -p udp -j DROP", "-A INPUT -j LOGS"]
)
def test_what_only_writes_or_denies_lets_nobody_in(below: str) -> None:
    logs = ("-A LOGS -j LOG", "-A LOGS -p tcp -j RETURN", "-A LOGS -j DROP")
    assert asked(SSH, BAN, below, *logs, chains="LOGS") == [BAN]


def test_a_chain_of_bans_is_one() -> None:
    call, chains = "-A INPUT -j BANS", "BANS"
    bans = ("-A BANS -s 10.0.0.0/8 -j RETURN", "-A BANS -s 198.51.100.7/32 -j REJECT")
    assert asked(SSH, call, *bans, chains=chains) == [call]
    port = "-A BANS -p tcp -m tcp --dport 25 -j DROP"
    assert asked(SSH, call, *bans, port, chains=chains) == []


def test_a_chain_that_logs_and_drops_is_a_ban_of_whom_the_call_names() -> None:
    call, chains = "-A INPUT -s 198.51.100.0/24 -j LOGDROP", "LOGDROP"
    log_and_drop = ("-A LOGDROP -m limit --limit 1/s -j LOG", "-A LOGDROP -j DROP")
    assert asked(SSH, call, *log_and_drop, chains=chains) == [call]
    assert asked(SSH, "-A INPUT -j LOGDROP", *log_and_drop, chains=chains) == []
    others = "-A INPUT -m conntrack --ctstate INVALID -j LOGDROP"
    found = late(others, SSH, call, *log_and_drop, chains=chains)
    assert found is not None
    banned = found.analysis.space.ranges(Field.SADDR, ((0xC6336400, 0xC63364FF),))
    assert not (found.packets & ~banned).satisfiable()


@pytest.mark.parametrize(
    "ban",
    [
        "-A INPUT -s 10.0.0.0/8 -j DROP",
        "-A INPUT ! -s 198.51.100.0/24 -j DROP",
        "-A INPUT -s 198.51.100.0/24 -p tcp -m tcp --dport 25 -j DROP",
        "-A INPUT -d 192.0.2.7/32 -j DROP",
        "-A INPUT -s 198.51.100.0/24 -i lo -j DROP",
    ],
)
def test_what_is_no_ban_of_strangers(ban: str) -> None:
    assert asked(SSH, ban) == []


@pytest.mark.parametrize(
    "above",
    [
        "-A INPUT -s 198.51.100.7/32 -p tcp -m tcp --dport 22 -j ACCEPT",
        "-A INPUT -i lo -j ACCEPT",
        "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "-A INPUT -p icmp -j ACCEPT",
        "-A INPUT -p tcp -m tcp --dport 22 -m limit --limit 1/s -j ACCEPT",
        f"{BAN}\n{SSH}",
    ],
)
def test_who_is_not_let_in_for_certain(above: str) -> None:
    assert asked(above, BAN) == []


def test_senders_named_by_the_call_are_named() -> None:
    chains, accept = "OFFICE", "-A OFFICE -p tcp -m tcp --dport 22 -j ACCEPT"
    assert asked("-A INPUT -s 198.51.100.0/28 -j OFFICE", BAN, accept, chains=chains) == []
    assert asked("-A INPUT -j OFFICE", BAN, accept, chains=chains) == [BAN]


def test_what_another_table_drops_before_does_not_get_in() -> None:
    raw = saved("-A PREROUTING -s 198.51.100.0/24 -j DROP", table="raw")
    assert late_bans(hooks_of(raw + saved(SSH, BAN, policy="DROP")), Hook.INPUT) is None


def test_over_ipv6() -> None:
    rules = "tcp dport 22 accept\nip6 saddr 2a00::/16 drop\n"
    head = "type filter hook input priority 0; policy drop;"
    text = f"table inet t {{\nchain c {{ {head}\n{rules}}}\n}}\n"
    assert late_bans(hooks_of(text), Hook.INPUT) is None
    found = late_bans(hooks_of(text, Family.IP6), Hook.INPUT)
    assert found is not None
    assert texts(found.asked) == ["ip6 saddr 2a00::/16 drop"]


def test_chains_that_call_each_other_in_a_circle() -> None:
    """nft and iptables refuse them, and the text is judged all the same."""
    calls = ("-A INPUT -j A", "-A A -j B", "-A B -j A")
    assert asked(SSH, BAN, *calls, chains="A B") == []


def test_chains_that_call_the_next_one_twice_each() -> None:
    names = [f"C{number}" for number in range(2000)]
    calls = [f"-A {one} -j {other}" for one, other in pairwise(names) for _ in range(2)]
    rules = (SSH, BAN, "-A INPUT -j C0", *calls, "-A C1999 -j DROP")
    assert asked(*rules, chains=" ".join(names)) == [BAN]
