"""``trace`` on random rulesets of a host between networks, held against whole exchanges."""

from __future__ import annotations

import pytest

from tests.kernel.conftest import RecordOf, lacking, no_topology
from tests.kernel.exchange_judge import judge_exchanges
from tests.kernel.restoring import Kind
from tests.kernel.rulesets_exchanges import exchange_ruleset
from tests.kernel.rulesets_exchanges_nft import exchange_ruleset_nft
from tests.kernel.test_reach_against_the_kernel import report
from tests.kernel.topology import FAMILIES

SEEDS_OF_A_BLOCK = 5
SHORT, LONG = 1, 14
"""Blocks of each kind and family."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    blocks = range(LONG if metafunc.config.getoption("--long", default=False) else SHORT)
    cases = [(k, f, b) for k in Kind for f in FAMILIES for b in blocks]
    names = [f"{kind.value}-{family}-{block}" for kind, family, block in cases]
    metafunc.parametrize(("kind", "family", "block"), cases, ids=names)


def test_translations(kind: Kind, family: str, block: int, record_of: RecordOf) -> None:
    if (reason := no_topology() or lacking(kind, family)) is not None:
        pytest.skip(reason)
    record = record_of(f"exchanges: {kind.value}, {family}")
    objections = []
    for seed in range(block * SEEDS_OF_A_BLOCK, (block + 1) * SEEDS_OF_A_BLOCK):
        write = exchange_ruleset_nft if kind is Kind.NFT else exchange_ruleset
        objections += judge_exchanges(write(seed, family), kind, family, seed, record)
    assert not objections, report(objections)
