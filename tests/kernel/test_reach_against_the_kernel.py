"""``reach`` on random rulesets, held against what the kernel does with its witnesses and others."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.kernel.conftest import RecordOf, lacking
from tests.kernel.judge import judge
from tests.kernel.restoring import Kind
from tests.kernel.rulesets_iptables import iptables_ruleset
from tests.kernel.rulesets_nft import nft_ruleset

SEEDS_OF_A_BLOCK = 6
FIRST_SEED = 1000
SHORT = {"ip": 4, "ip6": 2}
LONG = {"ip": 50, "ip6": 10}
"""Blocks of each kind of iptables; of nft, which has both families in one ruleset, the sum."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    blocks = LONG if metafunc.config.getoption("--long", default=False) else SHORT
    if "family" in metafunc.fixturenames:
        kinds = (Kind.LEGACY, Kind.IPTABLES_NFT)
        cases = [(k, f, b) for k in kinds for f, count in blocks.items() for b in range(count)]
        names = [f"{kind.value}-{family}-{block}" for kind, family, block in cases]
        metafunc.parametrize(("kind", "family", "block"), cases, ids=names)
    elif "block" in metafunc.fixturenames:
        metafunc.parametrize("block", range(sum(blocks.values())))


def seeds(block: int) -> Iterable[int]:
    first = FIRST_SEED + block * SEEDS_OF_A_BLOCK
    return range(first, first + SEEDS_OF_A_BLOCK)


def test_iptables(kind: Kind, family: str, block: int, record_of: RecordOf) -> None:
    if (reason := lacking(kind, family)) is not None:
        pytest.skip(reason)
    record = record_of(f"{kind.value}, {family}")
    disputes = []
    for seed in seeds(block):
        text = iptables_ruleset(seed, "ip6" if family == "ip6" else "ip")
        disputes += judge(text, kind, family, seed, record)
    assert not disputes, report(disputes)


def test_nft(block: int, record_of: RecordOf) -> None:
    record = record_of("nft")
    disputes = []
    for seed in seeds(block):
        disputes += judge(nft_ruleset(seed), Kind.NFT, ("ip", "ip6")[seed % 2], seed, record)
    assert not disputes, report(disputes)


def report(disputes: list[str]) -> str:
    """The first in full, the others in a line each."""
    rest = "\n".join(dispute.split("\n")[0] for dispute in disputes[1:])
    return f"{len(disputes)} disputed:\n{disputes[0]}\n{rest}"
