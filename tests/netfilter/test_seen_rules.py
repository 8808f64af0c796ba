"""Rules of many chains that packets are seen to get to: what is seen is so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from iptlint.model import Family
from iptlint.model.call_graph import Place
from iptlint.netfilter import seen_rules
from iptlint.netfilter.called_chains import CalledChains
from iptlint.netfilter.entries import Callers
from iptlint.netfilter.seen_rules import SeenRules
from iptlint.netfilter.table_analysis import TableAnalysis
from iptlint.packets import overlaps
from tests.firewalls import analysis_of, saved
from tests.netfilter.many_chains import look_at_them_together, web_of_chains


def seen_in(analysis: TableAnalysis) -> SeenRules:
    seen = analysis._seen
    assert seen is not None
    return seen


def places(analysis: TableAnalysis) -> Iterator[Place]:
    for name, chain in analysis.table.chains.items():
        yield from (Place(name, number) for number in range(len(chain.rules)))


@pytest.mark.parametrize("ipv6", [False, True])
@pytest.mark.parametrize("few", [0, 64])
@pytest.mark.parametrize("seed", range(25))
def test_what_is_seen_is_so(
    seed: int, few: int, ipv6: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``few``: up to how many rules of a chain are compared one by one."""
    family, text = Family.IP6 if ipv6 else Family.IP, web_of_chains(seed, ipv6=ipv6)
    by_sets = analysis_of(text, family)
    look_at_them_together(monkeypatch)
    monkeypatch.setattr(seen_rules, "_FEW", few)
    analysis = analysis_of(text, family)
    seen = seen_in(analysis)
    for place, same in zip(places(analysis), places(by_sets), strict=True):
        rule = by_sets.table.chains[same.chain].rules[same.number]
        assert by_sets.is_matched(rule) or not seen.is_met(place)
        assert analysis.is_matched(analysis.table.chains[place.chain].rules[place.number]) == (
            by_sets.is_matched(rule)
        )
    for name, entry in by_sets.entries.items():
        assert entry.is_reachable or name not in seen.entered
        assert analysis.entries[name].is_reachable == entry.is_reachable


TREE = (
    "-A INPUT -i lo -j ACCEPT",
    "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "-A INPUT -s 10.0.0.0/8 -j ten",
    "-A INPUT -s 192.0.0.0/8 -j other",
    "-A ten -s 10.0.0.0/16 -j low",
    "-A ten -j DROP",
    "-A low -p tcp -m tcp --dport 22 -j ACCEPT",
    "-A low -p tcp -m tcp --dport 22:23 -j ACCEPT",
    "-A low -j DROP",
    "-A other -m limit --limit 5/min -j LOG",
    "-A other -j low",
    "-A other -s 10.0.0.0/8 -j ACCEPT",
)


@pytest.mark.parametrize("base", ["INPUT -i", "OUTPUT -o"])
def test_each_rule_of_a_tree_is_seen_and_no_dead_one(
    base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_at_them_together(monkeypatch)
    hook = base.split()[0]
    rules = (r.replace("INPUT -i", base).replace("INPUT", hook) for r in TREE)
    analysis = analysis_of(saved(*rules, chains="ten low other"))
    unseen = [place for place in places(analysis) if not seen_in(analysis).is_met(place)]
    assert unseen == [Place("other", 2)]
    assert [rule for _, rule in analysis.table.rules() if not analysis.is_matched(rule)] == [
        analysis.table.chains["other"].rules[2]
    ]


@pytest.mark.parametrize("seed", range(25))
def test_packets_that_a_rule_is_seen_to_take(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    look_at_them_together(monkeypatch)
    analysis = analysis_of(web_of_chains(seed))
    for chain, rule in analysis.table.rules():
        wanted = analysis.space.universe & analysis.tests(rule).may
        taken = analysis.seen_to_take(rule.verdict.kind, wanted)
        if taken is not None:
            assert taken.satisfiable()
            assert not (taken & ~wanted).satisfiable()
            alike = [r for _, r in analysis.table.rules() if r.verdict.kind is rule.verdict.kind]
            assert any(not (taken & ~analysis.matched(each)).satisfiable() for each in alike)
        assert chain.name in analysis.entries


def test_rules_that_name_no_address_and_no_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no dimension then, and what rules test beside tells all."""
    look_at_them_together(monkeypatch)
    names = [f"-A a -i if{number} -j ACCEPT" for number in range(60)]
    last = ("-A a -i if3 -j DROP", "-A a -j DROP", "-A a -i if4 -j LOG")
    analysis = analysis_of(saved("-A INPUT -j a", *names, *last, chains="a"))
    dead = [rule for _, rule in analysis.table.rules() if not analysis.is_matched(rule)]
    rules = analysis.table.chains["a"].rules
    assert dead == [rules[60], rules[62]]
    assert all(seen_in(analysis).is_met(Place("a", number)) for number in (*range(60), 61))


def test_nothing_is_worked_out_of_a_chain_of_which_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Too many pairs of rules: so none of them is asked what it leaves of another."""
    look_at_them_together(monkeypatch)
    monkeypatch.setattr(overlaps, "_PAIRS", 100)
    names = [f"-A a -i if{number} -j ACCEPT" for number in range(90)]
    analysis = analysis_of(saved("-A INPUT -j a", *names, chains="a"))
    seen = seen_in(analysis)
    assert not any(seen.is_met(Place("a", number)) for number in range(80, 90))
    assert len(seen._backgrounds._left) == sum(range(65))  # each with each before it, up to 64


def test_chains_stand_before_those_they_call_whatever_calls_close_a_loop() -> None:
    rules = ("-A INPUT -j a", "-A a -j b", "-A INPUT -j b", "-A b -j a", "-A b -j LOG")
    analysis = analysis_of(saved(*rules, chains="b a"))
    order = [analysis.table.chains[name] for name in reversed(analysis.calls.order)]
    called = CalledChains(order, Callers(analysis.table, analysis.calls).of)
    names = [chain.name for chain in called.chains]
    assert called.depth == 3
    assert names[-2:] == ["a", "b"]
    callees = {names[n] for n in called.called.tolist() if n >= 0}
    assert callees == {"a", "b"}
    first, last = called.number_of(Place("b", 0)), called.number_of(Place("b", 1))
    assert called.called[first] == called.called[last] == -1
    # What goes to b comes back by no rule before its end: but the call that closes a loop may
    # keep it.
    assert first in called.takers
    assert last not in called.takers


def test_little_is_asked_rule_by_rule() -> None:
    assert analysis_of(saved(*TREE, chains="ten low other"))._seen is None
