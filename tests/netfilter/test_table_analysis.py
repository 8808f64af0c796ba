"""Who enters which chain of a table, and which rules that leaves something to."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

import iptlint
from iptlint.model import Field, Hook
from iptlint.netfilter.firewall import Firewall
from iptlint.netfilter.routes import at_hook
from iptlint.netfilter.table_analysis import TableAnalysis
from tests.firewalls import analysis_of, packets, saved
from tests.oracle.generate import random_ruleset

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

LOST = "-A INPUT -s 192.0.2.0/24 -j DROP"


def rule(analysis: TableAnalysis, chain: str, number: int = -1):  # type: ignore[no-untyped-def]
    return analysis.table.chains[chain].rules[number]


def test_what_a_rule_is_for_and_what_it_gets() -> None:
    analysis = analysis_of(saved(LOST, "-A INPUT -p tcp -j ACCEPT"))
    accept, space = rule(analysis, "INPUT"), analysis.space
    tcp = packets(space, proto="tcp") & at_hook(space, Hook.INPUT)
    assert analysis.intended(accept) == tcp
    assert analysis.matched(accept) == tcp & ~packets(space, saddr="192.0.2.0/24")
    assert analysis.is_matched(accept)


@pytest.mark.parametrize(
    ("tests", "fields"),
    [
        ("-p tcp -m tcp --dport 22", {Field.PROTO, Field.DPORT}),
        ("-s 192.0.2.0/24 -i eth0", {Field.SADDR}),
        ("! -s 192.0.2.0/24", {Field.SADDR}),
        ("-m limit --limit 3/min", set()),
        ("-s 0.0.0.0/0", set()),
    ],
)
def test_the_fields_that_a_rule_is_for_some_values_of(tests: str, fields: set[Field]) -> None:
    analysis = analysis_of(saved(f"-A INPUT {tests} -j ACCEPT"))
    asked = (Field.PROTO, Field.DPORT, Field.SADDR)
    accept = rule(analysis, "INPUT")
    assert {field for field in asked if analysis.restricts(accept, field)} == fields


@pytest.mark.parametrize("call", ["-j", "-g"])
def test_a_called_chain_is_entered_by_what_its_callers_send(call: str) -> None:
    rules = (LOST, f"-A INPUT -p tcp {call} web", f"-A FORWARD -p udp {call} web")
    analysis = analysis_of(saved(*rules, "-A web -j ACCEPT", chains="web unused"))
    entry, space = analysis.entries["web"], analysis.space
    tcp = packets(space, proto="tcp") & at_hook(space, Hook.INPUT)
    udp = packets(space, proto="udp") & at_hook(space, Hook.FORWARD)
    assert entry.intended == tcp | udp
    assert entry.reachable == (tcp & ~packets(space, saddr="192.0.2.0/24")) | udp
    assert not analysis.entries["unused"].intended.satisfiable()


def test_a_limit_leaves_something_to_later_rules() -> None:
    limited = "-A INPUT -p tcp -m limit --limit 3/min -j ACCEPT"
    analysis = analysis_of(saved(limited, "-A INPUT -p tcp -j DROP"))
    drop = rule(analysis, "INPUT")
    assert analysis.matched(drop) == analysis.intended(drop)
    assert not analysis.tests(rule(analysis, "INPUT", 0)).sure.satisfiable()


@pytest.mark.parametrize("seed", range(15))
def test_the_quick_question_and_the_whole_set_agree(seed: int) -> None:
    firewall = Firewall(iptlint.read(random_ruleset(seed, rules=40).text))
    for analysis in firewall.analyses():
        for _, each in analysis.table.rules():
            assert analysis.is_matched(each) == analysis.matched(each).satisfiable()


def web_of_chains(seed: int) -> str:
    """Chains that call those behind them, and sometimes one before them, by a few tests."""
    draw = random.Random(seed)
    names = ["INPUT", "FORWARD", *(f"c{number}" for number in range(8))]
    rules: list[str] = []
    for place, name in enumerate(names):
        for _ in range(draw.randrange(1, 6)):
            tests = draw.choice(("", "-s 192.0.2.0/24", "-s 192.0.2.8/29 -p tcp", "! -s 192.0.2.9"))
            tests += draw.choice(("", "", " -i eth0", " -m limit --limit 1/s"))
            behind = names[max(place + 1, 2) :] or names[-1:]
            callee = draw.choice(behind if draw.random() < 0.95 else names[2:])
            verdict = draw.choice((*(f"-j {callee}", f"-g {callee}") * 2, "-j ACCEPT", "-j RETURN"))
            verdict = draw.choice((verdict, verdict, "-j LOG"))
            rules.append(f"-A {name} {tests} {verdict}")
    return saved(*rules, chains=" ".join(names[2:]))


@pytest.mark.parametrize("seed", range(40))
def test_entries_are_what_the_calls_send(seed: int) -> None:
    analysis = analysis_of(web_of_chains(seed))
    entering: dict[str, PacketSet] = {}
    sent: dict[str, PacketSet] = {}
    for name in reversed(analysis.calls.order):
        chain = analysis.table.chains[name]
        whole = analysis.base_packets(chain) if chain.hook else analysis.space.false
        entering[name] = sent[name] = whole
        for caller, index in analysis.calls.callers(name):
            if caller in entering and caller != name:  # a call that closes a loop sends nothing
                flow = analysis.flows[caller]
                arriving = flow.arriving_at(index, flow.tests[index].may)
                entering[name] = entering[name] | (arriving & entering[caller])
                sent[name] = sent[name] | (flow.tests[index].may & sent[caller])
    for name in random.Random(seed).sample([*entering], len(entering)):
        entry = analysis.entries[name]
        assert entry.is_reachable == entering[name].satisfiable()
        assert not (entry.some & ~entering[name]).satisfiable()
        flow = analysis.flows[name]
        for number, each in enumerate(flow.chain.rules):
            arriving = flow.arriving_at(number, flow.tests[number].may)
            assert flow.met(number, entering[name]) == arriving & entering[name]
            assert analysis.is_matched(each) == (arriving & entering[name]).satisfiable()
        assert entry.reachable == entering[name]
        assert entry.intended == sent[name]


def test_a_chain_that_gives_all_back_takes_nothing_from_later_rules() -> None:
    calls = ("-A INPUT -s 192.0.2.0/24 -j log", "-A INPUT -s 192.0.2.0/24 -j DROP")
    for last, gives_all in (("-j LOG", True), ("-j RETURN", True), ("-p tcp -j ACCEPT", False)):
        analysis = analysis_of(saved(*calls, f"-A log {last}", chains="log"))
        assert analysis.flows["log"].gives_all_back == gives_all
        left = packets(analysis.space, saddr="192.0.2.0/24") & at_hook(analysis.space, Hook.INPUT)
        if not gives_all:
            left = left & ~packets(analysis.space, proto="tcp")
        assert analysis.matched(rule(analysis, "INPUT")) == left


WAYS_IN = {Hook.PREROUTING, Hook.INPUT, Hook.FORWARD}
WAYS_OUT = {Hook.FORWARD, Hook.OUTPUT, Hook.POSTROUTING}


@pytest.mark.parametrize("hook", sorted(WAYS_IN | WAYS_OUT, key=lambda hook: hook.value))
def test_interfaces_of_packets_at_a_hook(hook: Hook) -> None:
    """state->in and state->out of nf_hook_state: of postrouting, a packet of the host's own has
    none, and one that is forwarded is not told apart."""
    space = analysis_of(saved("-A INPUT -i eth0 -j DROP")).space
    at, none = at_hook(space, hook), {f: space.no_interface(f) for f in (Field.IIF, Field.OIF)}
    comes_in, goes_out = ((at & ~one).satisfiable() for one in none.values())
    assert (comes_in or hook is Hook.POSTROUTING) == (hook in WAYS_IN | {Hook.POSTROUTING})
    assert goes_out == (hook in WAYS_OUT)
    if hook in WAYS_IN:
        assert not (at & none[Field.IIF]).satisfiable()
    if hook in WAYS_OUT:
        assert not (at & none[Field.OIF]).satisfiable()


def test_datagrams_are_whole_at_input() -> None:
    """ip_local_deliver puts them together; ip6's are only where connections are tracked."""
    space = analysis_of(saved("-A INPUT -f -j DROP")).space
    later = space.value(Field.FRAGMENT, 1) & space.family("ip")
    assert (at_hook(space, Hook.PREROUTING) & later).satisfiable()
    assert not (at_hook(space, Hook.INPUT) & later).satisfiable()
