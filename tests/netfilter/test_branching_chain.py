"""A chain that many others are called from answers as ``ChainFlow`` does."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from iptlint.netfilter import branching_chain, table_analysis
from iptlint.netfilter.branching_chain import BranchingChain
from iptlint.netfilter.chain_flow import ChainFlow
from tests.firewalls import analysis_of
from tests.fuzz.hostile import HOSTILE
from tests.netfilter.many_chains import look_at_them_together, web_of_chains

if TYPE_CHECKING:
    from iptlint.netfilter.table_analysis import TableAnalysis
    from iptlint.packets.bdd import PacketSet


def plain_flows(analysis: TableAnalysis) -> dict[str, ChainFlow]:
    flows: dict[str, ChainFlow] = {}
    for name in analysis.calls.order:
        chain = analysis.table.chains[name]
        flows[name] = ChainFlow(analysis.matcher_of(name), chain, flows)
    return flows


def some_packets(analysis: TableAnalysis, draw: Random) -> PacketSet:
    rules = [rule for _, rule in analysis.table.rules()]
    one, other = draw.choice(rules), draw.choice(rules)
    packets = analysis.tests(one).may
    both = packets & analysis.tests(other).may
    return draw.choice((packets, both, packets & ~both, packets.pick_cube_dd(), both))


@pytest.mark.parametrize("seed", range(40))
def test_it_answers_as_a_plain_one(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    look_at_them_together(monkeypatch)
    draw, analysis = Random(seed), analysis_of(web_of_chains(seed))
    plain = plain_flows(analysis)
    branching = [flow for flow in analysis.flows.values() if isinstance(flow, BranchingChain)]
    assert branching
    for flow in branching:
        other = plain[flow.chain.name]
        for _ in range(4):
            packets, beside = some_packets(analysis, draw), some_packets(analysis, draw)
            whole = other.outcomes_of(packets)
            for kind, those in flow.outcomes_of(packets).items():
                assert those == whole.get(kind, analysis.space.false)
            missing = whole.keys() - flow.outcomes_of(packets).keys()
            assert not any(whole[kind].satisfiable() for kind in missing)
            assert flow.kept(packets, beside) & beside == other.kept(packets, beside) & beside
            numbers = range(len(flow.chain.rules))
            assert [*flow.matched_of(numbers, packets)] == [*other.matched_of(numbers, packets)]
            for number in numbers:
                assert flow.arriving_at(number, packets) == other.arriving_at(number, packets)
                entering = packets & analysis.space.universe
                assert flow.met(number, entering) == other.met(number, entering)
        assert "_walked" not in vars(flow)


def test_who_is_asked_often_tells_of_all_packets(monkeypatch: pytest.MonkeyPatch) -> None:
    look_at_them_together(monkeypatch)
    monkeypatch.setattr(branching_chain, "_OFTEN", 1)
    analysis = analysis_of(web_of_chains(3))
    flow, other = analysis.flows["INPUT"], plain_flows(analysis)["INPUT"]
    for number in range(len(flow.chain.rules)):
        packets = analysis.space.universe & flow.tests[number].may
        assert flow.outcomes_of(packets).keys() <= other.outcomes_of(packets).keys()
    assert "_walked" in vars(flow)


@pytest.mark.parametrize("seed", range(10))
def test_what_gets_to_the_first_rules_is_all_that_enters(seed: int) -> None:
    analysis = analysis_of(web_of_chains(seed))
    for flow in analysis.flows.values():
        for number in range(len(flow.chain.rules) + 1):
            arriving = flow.arriving_at(number, analysis.space.universe)
            assert arriving == flow.arriving[number]
        if flow.comes_back:
            assert flow.returns == analysis.space.universe


def test_chains_that_each_call_the_next_are_told_of_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Asked one by one, each would look at all below: 10,000 that jump twice took a minute."""
    monkeypatch.setattr(table_analysis, "MANY", 100)
    monkeypatch.setattr(branching_chain, "_MOST_CHAINS", 500)
    analysis = analysis_of(HOSTILE["jumps.nft"](400))
    branching = [flow for flow in analysis.flows.values() if isinstance(flow, BranchingChain)]
    (seen,) = {flow._seen for flow in branching}
    packets = analysis.space.state("new")
    arriving = [flow.arriving_at(1, packets) for flow in branching]
    assert len(branching) > 300
    assert seen.chains < 500 + len(analysis.flows)
    plain = plain_flows(analysis)
    assert arriving == [plain[flow.chain.name].arriving_at(1, packets) for flow in branching]
