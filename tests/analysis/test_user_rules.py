"""Which rules and policies are what people decided."""

from __future__ import annotations

from iptlint.analysis.shares import shares
from iptlint.analysis.user_rules import is_user_decision, user_rules_testing
from iptlint.model import Hook
from tests.firewalls import analysis_of, hooks_of, saved, texts


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
    assert texts(rule for _, rule in user_rules_testing(analysis, lambda _: True)) == [
        rules[0],
        rules[2],
    ]


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
