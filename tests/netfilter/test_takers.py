"""Of a long chain who takes packets, and who of them takes all of a dead rule."""

from __future__ import annotations

import pytest

from iptlint.netfilter import table_analysis
from iptlint.netfilter.dead_rules import DeadRules
from iptlint.netfilter.long_chain import LongChain
from iptlint.netfilter.table_analysis import TableAnalysis
from iptlint.netfilter.takers import Takers
from iptlint.packets import chain_shape
from tests.firewalls import analysis_of, saved

RULES = (
    "-A INPUT -s 192.0.2.0/25 -p tcp -j ACCEPT",
    "-A INPUT -s 192.0.2.0/24 -j LOG",
    "-A INPUT -s 192.0.2.128/25 -p tcp -j DROP",
    "-A INPUT -s 192.0.2.0/24 -p tcp -m limit --limit 1/s -j ACCEPT",
    "-A INPUT -s 192.0.2.0/24 -j DROP",
    "-A INPUT -s 192.0.2.7 -p tcp -j DROP",
    "-A INPUT -s 192.0.2.0/24 -p tcp -j DROP",
    "-A INPUT -s 192.0.2.9 -p udp -j ACCEPT",
    "-A INPUT -p udp -j DROP",
    "-A INPUT -s 198.51.100.7 -p udp -j ACCEPT",
)


@pytest.fixture
def analysis(monkeypatch: pytest.MonkeyPatch) -> TableAnalysis:
    monkeypatch.setattr(table_analysis, "LONG", 0)
    monkeypatch.setattr(chain_shape, "_MOST_ROWS", 1 << 30)
    return analysis_of(saved(*RULES))


def flow(analysis: TableAnalysis) -> LongChain:
    chain = analysis.flows["INPUT"]
    assert isinstance(chain, LongChain)
    return chain


def takers_of(chain: LongChain) -> Takers:
    return Takers(chain.chain, chain.rules, chain.taken_by)


def test_the_broad_take_of_all_addresses(analysis: TableAnalysis) -> None:
    takers = takers_of(flow(analysis))
    assert (takers.broad, takers.odd) == ([8], [])


def test_the_first_that_holds_all_of_a_row(analysis: TableAnalysis) -> None:
    """One that only logs holds nothing back, nor one that may."""
    takers = takers_of(flow(analysis))
    assert takers.held_by.tolist() == [-1, -1, -1, -1, -1, 0, 4, 4, -1, 8]


def test_dead_rules_and_who_takes_all_their_packets(analysis: TableAnalysis) -> None:
    """The seventh has none for itself: the first and the third leave nothing of it."""
    chain = flow(analysis)
    entering = analysis.entries["INPUT"].reachable
    dead = DeadRules(takers_of(chain), chain.arriving_at)
    assert dead.unmatched(entering) == {3, 5, 6, 7, 9}
    assert dead.sole_takers(entering) == {5: 0, 7: 4, 9: 8}
    one = dead.one_that_comes(4, entering)
    assert one is not None
    assert not (one & ~analysis.matched(chain.chain.rules[4])).satisfiable()
    assert dead.one_that_comes(5, entering) is None
