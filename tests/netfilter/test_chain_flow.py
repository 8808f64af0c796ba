"""What a chain does with the packets that enter it (xt_tables: ipt_do_table; nft_do_chain)."""

from __future__ import annotations

from itertools import pairwise

import pytest

import iptlint
from iptlint.model import Chain, VerdictKind
from iptlint.netfilter import table_analysis
from iptlint.netfilter.chain_flow import ChainFlow
from iptlint.netfilter.firewall import Firewall
from iptlint.packets.bdd import union
from tests.firewalls import analysis_of, packets, saved
from tests.oracle.generate import random_ruleset

SSH = "-p tcp -m tcp --dport 22"
ONE, ALL = "-A INPUT -s 192.0.2.1", "-A INPUT"


def fates(*rules: str, chains: str = "one") -> tuple[set[VerdictKind], bool]:
    """What may become of a packet from 192.0.2.1 in INPUT, and whether it may get to the end."""
    analysis = analysis_of(saved(*rules, chains=chains))
    flow, packet = analysis.flows["INPUT"], packets(analysis.space, saddr="192.0.2.1")
    kinds = {kind for kind, ends in flow.outcomes.items() if (ends & packet).satisfiable()}
    return kinds, (flow.arriving[-1] & packet).satisfiable()


@pytest.mark.parametrize(
    ("rules", "kinds", "gets_to_the_end"),
    [
        ((), {VerdictKind.RETURN}, True),
        (("{one} -j ACCEPT",), {VerdictKind.ACCEPT}, False),
        (("{one} -j DROP", "{all} -j ACCEPT"), {VerdictKind.DROP}, False),
        (("{all} -s 192.0.2.2 -j DROP",), {VerdictKind.RETURN}, True),
        (("{one} -j LOG", "{one} -j MARK --set-xmark 1"), {VerdictKind.RETURN}, True),
        (("{one} -j RETURN", "{one} -j DROP"), {VerdictKind.RETURN}, False),
        # A limit takes some packets, and nobody can say which.
        (
            ("{one} -m limit --limit 1/s -j DROP",),
            {VerdictKind.DROP, VerdictKind.RETURN},
            True,
        ),
        # What becomes of queued packets a program decides; they come to no further rule.
        (("{one} -j NFQUEUE --queue-num 1",), {VerdictKind.QUEUE}, False),
        # A target that nobody knows may go on.
        (("{one} -j SOMETHING",), {VerdictKind.UNKNOWN, VerdictKind.RETURN}, True),
    ],
)
def test_what_a_rule_does(
    rules: tuple[str, ...], kinds: set[VerdictKind], gets_to_the_end: bool
) -> None:
    assert fates(*(rule.format(one=ONE, all=ALL) for rule in rules)) == (kinds, gets_to_the_end)


@pytest.mark.parametrize(
    ("call", "kinds"),
    [
        # Who falls off the end of a chain, or returns, goes on behind a jump.
        ("-j", {VerdictKind.ACCEPT}),
        # After a goto, it goes on behind the call of the chain with the goto: here, the policy.
        ("-g", {VerdictKind.RETURN}),
    ],
)
@pytest.mark.parametrize("inside", [(), ("-A one -j RETURN",)])
def test_where_packets_come_back_to(
    call: str, kinds: set[VerdictKind], inside: tuple[str, ...]
) -> None:
    assert fates(*inside, f"{ALL} {call} one", f"{ALL} -j ACCEPT")[0] == kinds


def test_after_a_goto_packets_come_back_to_the_jump_before_it() -> None:
    rules = ("-A one -g two", "-A one -j REJECT", f"{ALL} -j one", f"{ALL} -j DROP")
    assert fates(*rules, chains="one two") == ({VerdictKind.DROP}, False)


def test_a_called_chain_takes_only_what_the_call_sends_it() -> None:
    rules = (f"{ALL} -s 192.0.2.2 -j one", "-A one -j DROP")
    assert fates(*rules) == ({VerdictKind.RETURN}, True)


def test_calls_that_the_kernel_refuses_may_do_anything() -> None:
    """A chain that is not there, and a loop (ELOOP)."""
    assert VerdictKind.UNKNOWN in fates(f"{ALL} -g nowhere")[0]
    rules = ("-A one -j two", "-A two -j one", f"{ALL} -j one")
    assert VerdictKind.UNKNOWN in fates(*rules, chains="one two")[0]


@pytest.mark.parametrize("seed", range(20))
def test_every_packet_has_an_end_and_rules_only_take_away(seed: int) -> None:
    firewall = Firewall(iptlint.read(random_ruleset(seed, rules=25).text))
    space = firewall.space
    for analysis in firewall.analyses():
        for flow in analysis.flows.values():
            assert union([*flow.outcomes.values()], space.false) == space.universe
            for here, further in zip(flow.arriving, flow.arriving[1:], strict=False):
                assert not (further & ~here).satisfiable()


def test_a_chain_alone() -> None:
    """Its callees are what the caller says they are."""
    analysis = analysis_of(saved(f"{ALL} {SSH} -j one", "-A one -j DROP", chains="one"))
    chain, matcher = analysis.table.chains["INPUT"], analysis.matcher_of("INPUT")
    ssh = packets(analysis.space, proto="tcp", dport=22)
    empty = ChainFlow(matcher, Chain("one", ()), {})
    assert ChainFlow(matcher, chain, analysis.flows).outcomes[VerdictKind.DROP] == ssh
    assert ChainFlow(matcher, chain, {"one": empty}).returns == analysis.space.universe
    assert ChainFlow(matcher, chain, {}).outcomes[VerdictKind.UNKNOWN] == ssh


@pytest.mark.parametrize(
    ("rules", "blocked_at"),
    [
        (("-p tcp -j ACCEPT", "-j DROP", "-p udp -j ACCEPT"), 1),
        (("-p tcp -j ACCEPT", "-p udp -j DROP"), 2),
        (("-m limit --limit 1/s -j DROP",), 1),
    ],
)
def test_where_nothing_gets_past(rules: tuple[str, ...], blocked_at: int) -> None:
    analysis = analysis_of(saved(*(f"-A INPUT {rule}" for rule in rules)))
    flow, entering = analysis.flows["INPUT"], analysis.entries["INPUT"].reachable
    assert flow.blocked_at(entering) == blocked_at
    assert flow.blocked_at(entering, 1) == min(1, blocked_at)


@pytest.mark.parametrize("rules_of_a_long_chain", [1, 1500])
def test_calls_are_nested_as_deep_as_they_are(
    rules_of_a_long_chain: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """iptables-legacy takes as many calls in each other as a table has chains: the kernel's stack
    is that deep (x_tables.c: xt_jumpstack_alloc)."""
    monkeypatch.setattr(table_analysis, "LONG", rules_of_a_long_chain)
    depth = 600
    names = [f"c{number}" for number in range(depth)]
    calls = [f"-A {one} -p tcp -j {other}" for one, other in pairwise(["INPUT", *names])]
    flow = analysis_of(saved(*calls, f"-A {names[-1]} -j DROP", chains=" ".join(names))).flows[
        "INPUT"
    ]
    assert flow.outcomes[VerdictKind.DROP].satisfiable()


@pytest.mark.parametrize(
    ("table", "rules"),
    [
        ("raw", ("-A PREROUTING -m conntrack --ctstate NEW", "-A PREROUTING -s 10.0.0.1")),
        ("raw", ("-A OUTPUT -m connmark --mark 1", "-A OUTPUT -p tcp -m tcp --dport 22")),
        ("mangle", ("-A INPUT -j MARK --set-mark 1", "-A INPUT -m mark --mark 1")),
        ("mangle", ("-A INPUT -m connmark --mark 1", "-A INPUT -m conntrack --ctstate NEW")),
        ("filter", ("-A INPUT -m limit --limit 5/min", "-A INPUT -m connmark --mark 1 -i eth0")),
        ("filter", ("-A INPUT -m string --string x --algo bm", "-A INPUT -p tcp --syn")),
    ],
)
def test_who_is_certain_takes_the_same_in_any_case(table: str, rules: tuple[str, ...]) -> None:
    lines = (line if " -j " in line else f"{line} -j ACCEPT" for line in rules)
    for flow in analysis_of(saved(*lines, table=table)).flows.values():
        for number, tests in enumerate(flow.tests):
            assert flow.is_certain(number) == (tests.may == tests.sure)
