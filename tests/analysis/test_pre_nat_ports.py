"""The filter sees a port after it was translated: a rule for the one before misses its packets."""

from __future__ import annotations

import pytest

from iptlint.analysis.pre_nat_ports import Mistake, mistaken
from iptlint.model import Family, Hook
from tests.firewalls import hooks_of, packets, saved, texts

BEHIND = "-A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.0.0.5:80"
HERE = "-A PREROUTING -p tcp -m tcp --dport 2222 -j REDIRECT --to-ports 22"


def mistakes(*rules: str, nat: str = BEHIND, policy: str = "DROP") -> tuple[Mistake, ...]:
    forward = saved(*rules, policy=policy, chains="web").replace(":FORWARD ACCEPT", ":FORWARD DROP")
    return mistaken(hooks_of(saved(nat, table="nat") + forward))


def test_a_rule_for_the_port_before_lets_nobody_in() -> None:
    (mistake,) = mistakes("-A FORWARD -p tcp -m tcp --dport 8080 -j ACCEPT")
    assert mistake.hook is Hook.FORWARD
    assert texts([mistake.rule]) == ["-A FORWARD -p tcp -m tcp --dport 8080 -j ACCEPT"]
    assert texts(each.rule for each in mistake.translations) == [BEHIND]
    space = mistake.analysis.space
    after = packets(space, proto="tcp", daddr="10.0.0.5", dport=80)
    assert not (mistake.missed & ~after).satisfiable()


def test_a_rule_for_the_port_before_keeps_nobody_out() -> None:
    rules = ("-A INPUT -p tcp -m tcp --dport 2222 -j DROP",)
    (mistake,) = mistakes(*rules, nat=HERE, policy="ACCEPT")
    assert mistake.hook is Hook.INPUT


@pytest.mark.parametrize(
    ("rule", "nat"),
    [
        # The port after, and the packets of that rule are let in.
        ("-A FORWARD -p tcp -m tcp --dport 80 -j ACCEPT", BEHIND),
        # They are let in anyway.
        ("-A FORWARD -d 10.0.0.5 -j ACCEPT", BEHIND),
        # Not what the translation is about.
        ("-A FORWARD -p udp -m udp --dport 8080 -j ACCEPT", BEHIND),
        ("-A FORWARD -d 10.0.0.6 -p tcp -m tcp --dport 8080 -j ACCEPT", BEHIND),
        ("-A INPUT -p tcp -m tcp --dport 8080 -j ACCEPT", BEHIND),
        # The port stays what it was.
        ("-A FORWARD -p tcp -m tcp --dport 8080 -j ACCEPT", BEHIND.replace(":80", ":8080")),
        ("-A FORWARD -p tcp -m tcp --dport 8080 -j ACCEPT", BEHIND.replace("5:80", "5")),
        # It names more than that port.
        ("-A FORWARD -p tcp -m multiport --dports 8080,9090 -j ACCEPT", BEHIND),
    ],
)
def test_what_is_no_mistake(rule: str, nat: str) -> None:
    others = ("-A FORWARD -d 10.0.0.5 -j ACCEPT",) if "10.0.0.5 -j" in rule else ()
    assert mistakes(rule, *others, nat=nat) == ()


def test_who_is_let_in_by_another_rule_misses_nothing() -> None:
    rules = [f"-A FORWARD -p tcp -m tcp --dport {port} -j ACCEPT" for port in (8080, 80)]
    assert mistakes(*rules) == ()


def test_in_a_called_chain() -> None:
    rules = ("-A FORWARD -j web", "-A web -p tcp -m tcp --dport 8080 -j ACCEPT")
    (mistake,) = mistakes(*rules)
    assert mistake.chain.name == "web"


def test_of_ipv6() -> None:
    text = """table ip6 t {
	chain pre {
		type nat hook prerouting priority dstnat;
		tcp dport 8080 dnat to [2001:db8::5]:80
	}
	chain forward {
		type filter hook forward priority 0; policy drop;
		tcp dport 8080 accept
	}
}
"""
    (mistake,) = mistaken(hooks_of(text, Family.IP6))
    assert texts([mistake.rule]) == ["tcp dport 8080 accept"]
    assert mistaken(hooks_of(text.replace("8080 accept", "80 accept"), Family.IP6)) == ()
