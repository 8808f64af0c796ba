"""Policy tests on random rulesets, held against the kernel: a hundred of them with ``--long``."""

from __future__ import annotations

import pytest

from tests.kernel.conftest import RecordOf, lacking, no_topology
from tests.kernel.policy_judge import judge_policies
from tests.kernel.restoring import Kind
from tests.kernel.rulesets_exchanges import exchange_ruleset
from tests.kernel.rulesets_exchanges_nft import exchange_ruleset_nft
from tests.kernel.test_reach_against_the_kernel import report
from tests.kernel.topology import FAMILIES

SEEDS_OF_A_BLOCK = 3
SHORT, LONG = 1, 7
"""Blocks of each kind and family."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    blocks = LONG if metafunc.config.getoption("--long", default=False) else SHORT
    cases = [
        (kind, family, block) for kind in Kind for family in FAMILIES for block in range(blocks)
    ]
    names = [f"{kind.value}-{family}-{block}" for kind, family, block in cases]
    metafunc.parametrize(("kind", "family", "block"), cases, ids=names)


def test_what_holds_holds_in_the_kernel(
    kind: Kind, family: str, block: int, record_of: RecordOf
) -> None:
    if (reason := no_topology() or lacking(kind, family)) is not None:
        pytest.skip(reason)
    record = record_of(f"policies: {kind.value}, {family}")
    objections = []
    for seed in range(block * SEEDS_OF_A_BLOCK, (block + 1) * SEEDS_OF_A_BLOCK):
        write = exchange_ruleset_nft if kind is Kind.NFT else exchange_ruleset
        objections += judge_policies(write(seed, family), kind, family, seed, record)
    assert not objections, report(objections)
