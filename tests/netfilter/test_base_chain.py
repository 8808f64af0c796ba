"""A base chain as a stop on the way of packets."""

from __future__ import annotations

from random import Random

import pytest

from iptlint.model import Family, Hook, VerdictKind
from iptlint.netfilter import table_analysis
from iptlint.netfilter.base_chain import BaseChain
from iptlint.packets import chain_shape
from iptlint.packets.bdd import union
from tests.firewalls import hooked, hooks_of, packets, saved


def chain_of(text: str, hook: Hook = Hook.INPUT, family: Family = Family.IP) -> BaseChain:
    (base_chain,) = hooks_of(text, family).base_chains(hook)
    return base_chain


@pytest.mark.parametrize(
    ("text", "is_open"),
    [
        (saved(), True),
        (saved(policy="DROP"), False),
        (saved("-A INPUT -j LOG"), False),
        (hooked(), True),
        (hooked("counter"), False),
    ],
)
def test_without_rules_and_with_a_policy_that_accepts_it_is_open(text: str, is_open: bool) -> None:
    assert chain_of(text).is_open is is_open


def test_the_policy_takes_what_is_left() -> None:
    base_chain = chain_of(saved("-A INPUT -p tcp --dport 22 -j ACCEPT", policy="DROP"))
    ssh = packets(base_chain.analysis.space, proto="tcp", dport=22) & base_chain.seen
    assert base_chain.end(VerdictKind.ACCEPT) == ssh
    assert base_chain.end(VerdictKind.DROP) == base_chain.seen & ~ssh
    assert base_chain.may_drop == base_chain.seen & ~ssh
    assert not (base_chain.may_survive & base_chain.may_drop).satisfiable()


@pytest.mark.parametrize("target", ["NFQUEUE --queue-num 1", "SOMETHING"])
def test_whom_a_program_or_an_unknown_target_gets_may_live_or_die(target: str) -> None:
    base_chain = chain_of(saved(f"-A INPUT -s 192.0.2.1 -j {target}"))
    one = packets(base_chain.analysis.space, saddr="192.0.2.1") & base_chain.seen
    assert base_chain.may_drop == one
    assert not (one & ~base_chain.may_survive).satisfiable()


@pytest.mark.parametrize("family", [Family.IP, Family.IP6])
def test_a_table_of_one_family_sees_no_other(family: Family) -> None:
    base_chain = chain_of(saved(policy="DROP"), family=family)
    space = base_chain.analysis.space
    assert base_chain.seen == base_chain.seen & space.family(family.value)
    both = chain_of(hooked("drop"))
    for name in ("ip", "ip6"):
        assert (both.seen & both.analysis.space.family(name)).satisfiable()


def test_nat_is_asked_for_the_first_packet_of_a_connection_only() -> None:
    """nf_nat_inet_fn; an expected connection begins as related."""
    rule = "-A PREROUTING -j DNAT --to-destination 10.0.0.5"
    base_chain = chain_of(saved(rule, table="nat"), Hook.PREROUTING)
    space = base_chain.analysis.space
    for state in ("new", "related"):
        assert (base_chain.seen & space.state(state)).satisfiable()
    for state in ("established", "invalid", "untracked"):
        assert not (base_chain.seen & space.state(state)).satisfiable()


@pytest.mark.parametrize(("family", "proto"), [(Family.IP, "icmp"), (Family.IP6, "ipv6-icmp")])
def test_nat_is_not_asked_for_an_error_about_a_connection(family: Family, proto: str) -> None:
    """nf_nat_ipv4_fn and nf_nat_ipv6_fn: it is translated as its connection is."""
    rule = "-A PREROUTING -j MARK --set-mark 1"
    base_chain = chain_of(saved(rule, table="nat"), Hook.PREROUTING, family)
    space = base_chain.analysis.space
    for state, is_seen in (("new", True), ("related", False)):
        sent = packets(space, family.value, proto=proto, ct_state=state)
        assert (base_chain.seen & sent).satisfiable() is is_seen


def test_a_netdev_chain_sees_what_comes_by_its_devices() -> None:
    text = "table netdev t {\n\tchain c {\n\t\ttype filter hook ingress device eth0 priority 0;\n"
    text += "\t\tip saddr 192.0.2.1 drop\n\t}\n}\n"
    base_chain = chain_of(text, Hook.INGRESS, Family.NETDEV)
    space = base_chain.analysis.space
    assert (base_chain.seen & packets(space, iif="eth0")).satisfiable()
    assert not (base_chain.seen & packets(space, iif="eth1")).satisfiable()


def test_what_a_rule_writes_is_open_behind_the_chain() -> None:
    """Only of the packets that the rule takes, and no other field of them."""
    rule = "-A PREROUTING -p tcp -m tcp --dport 22 -j MARK --set-xmark 0x1/0xffffffff"
    base_chain = chain_of(saved(rule, table="mangle"), Hook.PREROUTING)
    space = base_chain.analysis.space
    ssh, web = (packets(space, proto="tcp", dport=n, iif="eth0", mark=0) for n in (22, 80))
    marked = packets(space, proto="tcp", dport=22, iif="eth0", mark=1)
    ssh, web, marked = (each & base_chain.seen for each in (ssh, web, marked))
    assert base_chain.afterwards(web) == web
    assert (base_chain.afterwards(ssh) & marked).satisfiable()
    assert not (base_chain.afterwards(ssh) & packets(space, dport=80)).satisfiable()
    assert (base_chain.beforehand(marked) & ssh).satisfiable()


def test_who_accepts_rewrites_too() -> None:
    """A translation ends the chain: what comes behind it is the translated packet."""
    rule = "-A PREROUTING -p tcp -m tcp --dport 8080 -j REDIRECT --to-ports 80"
    base_chain = chain_of(saved(rule, table="nat"), Hook.PREROUTING)
    space = base_chain.analysis.space
    before = packets(space, proto="tcp", dport=8080, ct_state="new") & base_chain.seen
    after = packets(space, proto="tcp", dport=80)
    assert (base_chain.afterwards(before) & after).satisfiable()


def nested_rules(seed: int) -> str:
    """Networks in each other; some files with rules of which not the packet alone decides."""
    draw = Random(seed)
    targets = draw.choice((("ACCEPT", "DROP"), ("ACCEPT", "REJECT", "RETURN", "DROP", "LOG")))
    limits = draw.choice(([""], ["", "", "-m limit --limit 5/min "]))
    rules = (
        f"-A INPUT -s 198.51.{draw.randrange(3)}.0/{draw.choice((8, 16, 23, 24))} "
        f"{draw.choice(('', '-p tcp ', '-p tcp -m tcp --dport 22 '))}{draw.choice(limits)}"
        f"-j {draw.choice(targets)}"
        for _ in range(12)
    )
    return saved(*rules, policy=draw.choice(("ACCEPT", "DROP")))


@pytest.mark.parametrize("seed", range(20))
def test_a_long_chain_tells_how_some_end(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a glance, where the packet alone decides."""
    monkeypatch.setattr(table_analysis, "LONG", 0)
    monkeypatch.setattr(chain_shape, "_MOST_ROWS", 1 << 30)
    base_chain = chain_of(nested_rules(seed))
    flow, draw = base_chain.analysis.flows["INPUT"], Random(seed)
    nothing = base_chain.space.false
    for number in range(12):
        packets = flow.tests[number].may & base_chain.seen
        packets = packets & ~flow.tests[draw.randrange(12)].may
        accepted = base_chain.surely_accepted(packets)
        assert base_chain.accepts_some(packets) == accepted.satisfiable()
        kinds = {*draw.sample((VerdictKind.ACCEPT, VerdictKind.DROP, VerdictKind.REJECT), 2)}
        alike = [base_chain.ends_of(packets).get(kind, nothing) for kind in kinds]
        otherwise = packets & ~union(alike, nothing)
        assert base_chain.some_end_otherwise(kinds, packets) == otherwise.satisfiable()
