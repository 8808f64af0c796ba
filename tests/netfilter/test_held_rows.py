"""Which rows are held by an earlier one: those of which a look at each pair says so."""

from __future__ import annotations

import numpy as np
import pytest

from iptlint.model import VerdictKind
from iptlint.netfilter import held_rows, table_analysis
from iptlint.netfilter.held_rows import held_by
from iptlint.netfilter.long_chain import LongChain
from iptlint.packets import chain_shape
from tests.netfilter.test_long_chain import table_of


@pytest.fixture(autouse=True)
def _every_chain_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_analysis, "LONG", 0)
    monkeypatch.setattr(chain_shape, "MOST_ODD", 1 << 30)
    monkeypatch.setattr(chain_shape, "_MOST_ROWS", 1 << 30)


@pytest.mark.parametrize("step", [1, 5, 2048])
@pytest.mark.parametrize("seed", range(9))
def test_by_the_first_that_takes_all_of_it(
    seed: int, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_rows, "_FIRST_STEP", step)
    chain = table_of(seed).flows["long"]
    assert isinstance(chain, LongChain)
    rules, columns = chain.rules, chain.columns
    kinds = [chain.chain.rules[number].verdict.kind for number in columns.number.tolist()]
    taking = [row for row, kind in enumerate(kinds) if kind is not VerdictKind.CONTINUE]

    def holds(one: int, other: int) -> bool:
        taken = rules.rests[columns.rest[one]].sure
        left = rules.rests[columns.rest[other]].may & ~taken
        low, high = columns.low, columns.high
        inside = (low[:, one] <= low[:, other]) & (high[:, other] <= high[:, one])
        return columns.number[one] < columns.number[other] and (
            bool(inside.all()) and not left.satisfiable()
        )

    assert held_by(rules, np.array(taking, np.int64)).tolist() == [
        next((one for one in taking if holds(one, row)), -1) for row in range(len(kinds))
    ]
