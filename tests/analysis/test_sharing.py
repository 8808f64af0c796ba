"""What many ask is worked out once, and goes with what it is about."""

from __future__ import annotations

import gc
import weakref

from iptlint.analysis.sharing import per_walk
from iptlint.netfilter.table_analysis import TableAnalysis
from tests.firewalls import analysis_of, saved


def test_once_for_each_table() -> None:
    asked = []

    @per_walk
    def name(analysis: TableAnalysis) -> str:
        asked.append(analysis)
        return analysis.table.name

    one, other = analysis_of(saved()), analysis_of(saved(table="nat"))
    assert [name(one), name(other), name(one), name(other)] == ["filter", "nat", "filter", "nat"]
    assert asked == [one, other]


def test_an_answer_keeps_nothing_alive() -> None:
    @per_walk
    def rules(analysis: TableAnalysis) -> int:
        return sum(1 for _ in analysis.table.rules())

    analysis = analysis_of(saved("-A INPUT -j DROP"))
    assert rules(analysis) == 1
    gone = weakref.ref(analysis)
    del analysis
    gc.collect()
    assert gone() is None
