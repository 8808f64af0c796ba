"""What rules ask of connections, and the rules for the way back."""

from __future__ import annotations

import pytest

from iptlint.analysis.connections import (
    any_port,
    few_ports,
    from_world,
    is_user_decision,
    most,
    other_way,
    state_test,
    user_rules,
    with_state,
    without_state,
)
from iptlint.model import Family, Field, Hook, Rule
from iptlint.netfilter.decision import shares
from tests.firewalls import analysis_of, hooked, hooks_of, packets, saved, texts


def iptables(test: str, chain: str = "INPUT") -> Rule:
    ((_, rule),) = analysis_of(saved(f"-A {chain} {test} -j ACCEPT")).table.rules()
    return rule


def nft(test: str) -> Rule:
    return analysis_of(hooked(f"{test} accept")).table.chains["c"].rules[-1]


@pytest.mark.parametrize(
    ("rule", "more", "less"),
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
def test_a_list_of_states_as_it_is_written(rule: Rule, more: str | None, less: str | None) -> None:
    assert with_state(rule, "new") == more
    assert without_state(rule, "established") == less


def test_where_the_state_is_asked() -> None:
    span = state_test(iptables("-p tcp -m conntrack --ctstate NEW"))
    assert span is not None
    assert span.text.endswith("--ctstate NEW")
    assert state_test(iptables("-p tcp")) is None


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
    hook = Hook.FORWARD if forwarded else Hook.OUTPUT
    hooks = hooks_of(saved(rule))
    share = next(s for s in shares(hooks, hook, hooks.hook_packets(hook)) if s.rule is not None)
    assert other_way(share, forwarded=forwarded) == back


def test_the_rules_that_people_wrote_and_that_packets_meet() -> None:
    rules = (
        "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT",
        "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT",  # a copy
        "-A INPUT -p udp -j DROP",
        "-A INPUT -p udp -m udp --dport 53 -j ACCEPT",  # no packet gets there
        "-A FORWARD -j DOCKER",
        "-A DOCKER -p tcp -j ACCEPT",
        "-A FORWARD -i docker0 -j ACCEPT",
        "-A unused -j DROP",
    )
    analysis = analysis_of(saved(*rules, chains="DOCKER unused"))
    assert texts(rule for _, rule in user_rules(analysis)) == [rules[0], rules[2]]


def test_whose_decision_it_is() -> None:
    rules = ("-A INPUT -p tcp -j DROP", "-A INPUT -j f2b-sshd", "-A f2b-sshd -p udp -j REJECT")
    hooks = hooks_of(saved(*rules, chains="f2b-sshd", policy="DROP"))
    found = shares(hooks, Hook.INPUT, hooks.hook_packets(Hook.INPUT))
    by_chain = {(share.chain.name, share.rule is None): is_user_decision(share) for share in found}
    assert by_chain == {
        ("INPUT", True): True,
        ("INPUT", False): True,
        ("f2b-sshd", False): False,
    }


@pytest.mark.parametrize("family", [Family.IP, Family.IP6])
def test_packets_from_the_world(family: Family) -> None:
    hooks = hooks_of(hooked("tcp dport 22 accept", "drop"), family)
    asked = from_world(hooks, Hook.INPUT, "new", "syn")
    assert len(asked) == 5
    for one in asked:
        assert one.satisfiable()
        assert not (one & packets(hooks.space, family.value, iif="lo")).satisfiable()
        assert not (one & packets(hooks.space, family.value, ct_state="established")).satisfiable()


def test_what_most_of_them_get() -> None:
    hooks = hooks_of(saved("-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT"))
    asked = from_world(hooks, Hook.INPUT, "new", "syn")
    ssh = packets(hooks.space, proto="tcp", dport=22)
    everyone = asked[0] | asked[1] | asked[2]
    assert most(hooks.space, asked, ssh & everyone, Field.DPORT) == hooks.space.value(
        Field.DPORT, 22
    )
    assert not most(hooks.space, asked, ssh & asked[0], Field.DPORT).satisfiable()


def test_any_port_is_each_of_those_that_are_nobodys() -> None:
    space = hooks_of(saved()).space
    inwards, tcp = packets(space, iif="eth0"), packets(space, proto="tcp", iif="eth0")
    assert any_port(space, inwards, Field.PROTO).satisfiable()
    high = tcp & space.ranges(Field.DPORT, ((1024, 65535),))
    assert not any_port(space, high, Field.PROTO).satisfiable()


def test_a_few_ports_are_told_and_many_are_not() -> None:
    space = hooks_of(saved()).space
    three = space.ranges(Field.DPORT, ((443, 443), (22, 22), (80, 80)))
    assert few_ports(space, three, Field.DPORT) == [22, 80, 443]
    assert few_ports(space, three, Field.DPORT, limit=2) == []
