"""Who takes the packets that a rule was written for: few rules, and together all of them."""

from __future__ import annotations

import pytest

import iptlint
from iptlint.analysis.blockers import blockers
from iptlint.analysis.reach import Reason, why_dead
from iptlint.model import Family, Field, Rule
from iptlint.netfilter.firewall import Firewall
from iptlint.netfilter.table_analysis import TableAnalysis
from iptlint.packets.bdd import union
from tests.costs import steps
from tests.firewalls import analysis_of, hooked, saved, texts
from tests.oracle.generate import random_ruleset


def of_last(analysis: TableAnalysis, chain: str) -> list[str]:
    """The blockers of the last rule of the chain."""
    return texts(blockers(analysis, analysis.table.chains[chain].rules[-1]))


def of_last_in(*rules: str, chain: str = "INPUT", chains: str = "one two") -> list[str]:
    return of_last(analysis_of(saved(*rules, chains=chains)), chain)


TCP, NEVER = "-A INPUT -p tcp -j ACCEPT", "-A INPUT -p tcp --dport 22 -j DROP"


def test_one_rule() -> None:
    assert of_last_in("-A INPUT -p udp -j DROP", TCP, NEVER) == [TCP]


def test_several_rules_only_together() -> None:
    halves = [f"-A INPUT -s {network} -j ACCEPT" for network in ("0.0.0.0/1", "128.0.0.0/1")]
    assert of_last_in(*halves, NEVER) == halves


def test_no_more_than_are_needed() -> None:
    """Of rules that take the same packets the first does; what the others take is not asked."""
    some = "-A INPUT -s 192.0.2.0/24 -p tcp -j ACCEPT"
    assert of_last_in(some, TCP, NEVER) == [TCP]
    assert of_last_in(TCP, "-A INPUT -p tcp -j REJECT", NEVER) == [TCP]


def test_a_limit_or_a_log_takes_nothing() -> None:
    limited = "-A INPUT -p tcp -m limit --limit 9/s -j ACCEPT"
    assert of_last_in(limited, "-A INPUT -j LOG", "-A INPUT -j one", TCP, NEVER) == [TCP]


def test_the_rule_in_a_called_chain_takes_and_not_the_call() -> None:
    inside = "-A one -p tcp -j REJECT"
    assert of_last_in(inside, "-A INPUT -j one", NEVER) == [inside]


def test_a_return_or_a_goto_that_goes_past_is_named() -> None:
    returned = "-A one -p tcp -j RETURN"
    rules = (returned, "-A one -p tcp --dport 22 -j DROP", "-A INPUT -j one")
    assert of_last_in(*rules, chain="one") == [returned]
    assert of_last_in("-A INPUT -p tcp -g one", NEVER) == ["-A INPUT -p tcp -g one"]


def test_rules_before_the_call_of_the_chain_take() -> None:
    rules = (TCP, "-A INPUT -j one", "-A one -j two", "-A two -p tcp -j DROP")
    assert of_last_in(*rules, chain="two") == [TCP]


def test_before_each_of_several_calls_another_may_take() -> None:
    early = ("-A INPUT -p tcp -j ACCEPT", "-A FORWARD -p tcp -j REJECT")
    calls = ("-A INPUT -j one", "-A FORWARD -j one")
    assert of_last_in(*early, *calls, "-A one -p tcp -j DROP", chain="one") == [*early]


@pytest.mark.parametrize("family", [Family.IP, Family.IP6])
def test_a_chain_of_another_table_takes(family: Family) -> None:
    """NF_DROP there ends the packet's way before this chain is asked."""
    early = hooked("tcp dport 22 drop", head="type filter hook input priority -10")
    late = hooked("tcp dport 22 accept").replace("inet t", "inet u")
    assert of_last(analysis_of(early + late, family, table=1), "c") == ["tcp dport 22 drop"]


def test_a_rule_that_gets_no_packet_takes_none() -> None:
    """Those it was for are dropped in raw, but for who is let past there: the first rule of mangle
    takes them."""
    dropped = "-A PREROUTING -m length --length 40 -j DROP"
    raw = ["-A PREROUTING -s 192.0.2.1 -j ACCEPT", dropped, "-A PREROUTING -p udp -j DROP"]
    mangle = ["-A PREROUTING -s 192.0.2.1 -j ACCEPT", dropped, "-A PREROUTING -p udp -j LOG"]
    text = "\n".join(["*raw", *raw, "COMMIT", "*mangle", *mangle, "COMMIT"]) + "\n"
    found = of_last(analysis_of(text, table=1), "PREROUTING")
    assert found == ["-A PREROUTING -p udp -j DROP", "-A PREROUTING -s 192.0.2.1 -j ACCEPT"]


@pytest.mark.parametrize("seed", range(25))
def test_together_they_match_all_that_was_meant_for_the_rule(seed: int) -> None:
    firewall = Firewall(iptlint.read(random_ruleset(seed, rules=40).text))
    for analysis in firewall.analyses():
        for _, rule in analysis.table.rules():
            if why_dead(analysis, rule) is Reason.TAKEN:
                found = blockers(analysis, rule)
                assert not (analysis.intended(rule) & ~taken(analysis, found)).satisfiable()
                assert rule not in found


def taken(analysis: TableAnalysis, rules: tuple[Rule, ...]):  # type: ignore[no-untyped-def]
    return union([analysis.tests(rule).sure for rule in rules], analysis.space.false)


def test_the_same_packets_are_searched_for_once_in_a_chain() -> None:
    """An element that is in many lists is for the same packets in each."""
    ports = [f"-A INPUT -p tcp --dport {port} -j DROP" for port in range(1, 300)]
    lists = [f"-A INPUT -p tcp -m multiport --dports 7,{port} -j ACCEPT" for port in (400, 500)]
    analysis = analysis_of(saved(*ports, *lists))
    first, second = analysis.table.chains["INPUT"].rules[-2:]
    space = analysis.space
    seven = space.value(Field.PROTO, 6) & space.value(Field.DPORT, 7)
    asked = [analysis.intended(rule) & seven for rule in (first, second)]
    assert texts(blockers(analysis, first, asked[0])) == [ports[6]]
    assert steps(lambda: blockers(analysis, second, asked[1])) < 10
    assert texts(blockers(analysis, second, asked[1])) == [ports[6]]
