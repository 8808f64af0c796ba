"""What a hook does by default, asked of rulesets that say it in different ways."""

from __future__ import annotations

import pytest

import iptlint
from iptlint.analysis.default_verdict import (
    accepted_by_default,
    denied_destinations,
    dropped_by_default,
    forwards_on_its_own,
    outside,
    probes,
)
from iptlint.analysis.handshake import opening
from iptlint.analysis.shares import shares
from iptlint.model import Family, Field, Hook, Opaque, VerdictKind
from iptlint.netfilter.firewall import Firewall, Hooks

HOOKS = (Hook.INPUT, Hook.FORWARD, Hook.OUTPUT)


def walk(*rules: str, policy: str = "DROP", chains: str = "", family: Family = Family.IP) -> Hooks:
    declared = "".join(f":{name} - [0:0]\n" for name in chains.split())
    text = f"*filter\n:INPUT {policy} [0:0]\n{declared}" + "\n".join((*rules, "COMMIT\n"))
    ruleset = iptlint.read(text, family)
    return Hooks(Firewall(ruleset), family)


def interfaces(walked: Hooks, hook: Hook = Hook.INPUT) -> set[str]:
    """Where the hook denies by default; "" is every interface without a name."""
    denied, space = dropped_by_default(walked, hook), walked.space
    return {
        cls.name
        for number, cls in enumerate(space.interfaces.classes, start=1)
        if (denied & space.value(Field.IIF, number)).satisfiable()
    }


def is_open(walked: Hooks, hook: Hook = Hook.INPUT) -> bool:
    return accepted_by_default(walked, hook).satisfiable()


@pytest.mark.parametrize("family", [Family.IP, Family.IP6])
def test_policies(family: Family) -> None:
    assert interfaces(walk(family=family)) == {""}
    assert not is_open(walk(family=family))
    assert interfaces(walk(policy="ACCEPT", family=family)) == set()
    assert is_open(walk(policy="ACCEPT", family=family))


@pytest.mark.parametrize(
    "rules",
    [
        ("-A INPUT -j DROP",),
        ("-A INPUT -j REJECT --reject-with icmp-port-unreachable",),
        ("-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT", "-A INPUT -j one"),
        ("-A INPUT -g one",),
        ("-A INPUT -m conntrack --ctstate NEW -j DROP",),
        ("-A INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP",),
        ("-A INPUT ! -s 10.0.0.0/8 -j DROP",),
        ("-A INPUT -m set ! --match-set allowed src -j DROP",),
        ("-A INPUT -p tcp -m tcp --dport 1024:65535 -j ACCEPT", "-A INPUT -j DROP"),
        ("-A INPUT -p tcp -m multiport --dports 22,80,443,28417 -j ACCEPT", "-A INPUT -j DROP"),
    ],
)
def test_closing_rules(rules: tuple[str, ...]) -> None:
    walked = walk(
        *rules,
        "-A one -m limit --limit 1/s -j LOG",
        "-A one -j DROP",
        policy="ACCEPT",
        chains="one",
    )
    assert interfaces(walked) == {""}
    assert not is_open(walked)


@pytest.mark.parametrize(
    "rules",
    [
        ("-A INPUT -s 203.0.113.0/24 -j DROP",),
        ("-A INPUT -p tcp -m tcp --dport 22 -j DROP",),
        ("-A INPUT -m conntrack --ctstate INVALID -j DROP",),
        ("-A INPUT -m recent --rcheck --name SCAN -j DROP",),
        ("-A INPUT -m set --match-set banned src -j DROP",),
        ("-A INPUT -m geoip --src-cc CN,RU -j DROP",),
        ("-A INPUT -m rpfilter --invert -j DROP",),
        ("-A INPUT -m addrtype ! --dst-type LOCAL -j DROP",),
        ("-A INPUT -m addrtype --src-type BROADCAST -j DROP",),
        ("-A INPUT -p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -m state --state NEW -j DROP",),
    ],
)
def test_bans_close_nothing(rules: tuple[str, ...]) -> None:
    walked = walk(*rules, policy="ACCEPT")
    assert interfaces(walked) == set()
    assert is_open(walked)


def test_interfaces_differ() -> None:
    walked = walk("-A INPUT -i eth1 -j ACCEPT", "-A INPUT -i tun+ -j ACCEPT")
    assert interfaces(walked) == {""}
    walked = walk("-A INPUT -i eth0 -j DROP", policy="ACCEPT")
    assert interfaces(walked) == {"eth0"}
    assert is_open(walked)


def test_what_may_pass_by_luck_is_neither_closed_nor_open() -> None:
    walked = walk("-A INPUT -m limit --limit 1/s -j ACCEPT")
    assert interfaces(walked) == set()
    assert not is_open(walked)


def test_elsewhere_decided_is_neither_closed_nor_open() -> None:
    walked = walk("-A INPUT -j NFQUEUE --queue-num 1", policy="ACCEPT")
    assert interfaces(walked) == set()
    assert not is_open(walked)


def test_loopback_does_not_count() -> None:
    assert interfaces(walk("-A INPUT -i lo -j DROP", policy="ACCEPT")) == set()
    walked = walk()
    assert not (dropped_by_default(walked, Hook.INPUT) & ~outside(walked.space)).satisfiable()


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("state", ["new", "established"])
@pytest.mark.parametrize("family", [Family.IP, Family.IP6])
def test_strangers_are_packets(hook: Hook, state: str, family: Family) -> None:
    walked = walk("-A INPUT -m string --algo bm --string x -j DROP", family=family)
    everyone = list(probes(walked, hook, state, "ack"))
    assert len(everyone) == 5
    assert all((one & walked.hook_packets(hook)).satisfiable() for one in everyone)


def test_denied_destinations() -> None:
    walked = walk(
        "-A INPUT -d 192.0.2.5 -j DROP",
        "-A INPUT -d 224.0.0.0/4 -j DROP",
        "-A INPUT -d 192.0.2.255 -j DROP",
        policy="ACCEPT",
    )
    found = denied_destinations(walked, Hook.INPUT)
    assert found.sat_count_float(32) == 1
    assert (found & walked.space.ranges(Field.DADDR, ((0xC0000205, 0xC0000205),))).satisfiable()


@pytest.mark.parametrize(
    ("chains", "owned"), [("DOCKER", True), ("KUBE-FORWARD", True), ("a", False)]
)
def test_software_that_forwards(chains: str, owned: bool) -> None:
    assert forwards_on_its_own(walk(chains=chains)) is owned


def test_deciders_are_sorted_by_share() -> None:
    walked = walk(
        "-A INPUT -s 10.0.0.0/8 -j DROP",
        "-A INPUT -p tcp -j one",
        "-A one -s 128.0.0.0/1 -m limit --limit 1/s -j REJECT",
        "-A one -d 192.0.2.1 -j RETURN",
        "-A one -p tcp -m tcp --dport 22 -j DROP",
        chains="one",
    )
    found = shares(walked, Hook.INPUT, opening(walked, (22,)))
    assert [(d.chain.name, d.kind, d.rule is None) for d in found] == [
        ("one", VerdictKind.DROP, False),
        ("one", VerdictKind.REJECT, False),
        ("INPUT", VerdictKind.DROP, False),
        ("INPUT", VerdictKind.DROP, True),
    ]
    assert [d.span.line for d in found] == [8, 6, 4, 2]


def test_deciders_of_nothing() -> None:
    walked = walk()
    assert shares(walked, Hook.INPUT, walked.space.false) == []


def test_a_probe_fares_with_every_test_that_is_known_by_then() -> None:
    hooks = walk("-A INPUT -p tcp --dport 22 -j ACCEPT")
    before = [*probes(hooks, Hook.INPUT, "new", "syn")]
    assert [*probes(hooks, Hook.INPUT, "new", "syn")] == before
    named = hooks.space.opaque(Opaque("met later"))
    after = [*probes(hooks, Hook.INPUT, "new", "syn")]
    assert after == [each & ~named for each in before] != before
    assert len({*before}) == len(before) == 5
