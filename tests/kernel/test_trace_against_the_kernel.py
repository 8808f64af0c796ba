"""``trace`` on random rulesets, held against what the kernel does with the packets."""

from __future__ import annotations

import pytest

from tests.kernel.comparing import translated
from tests.kernel.conftest import RecordOf, lacking
from tests.kernel.following import follow, follow_changes
from tests.kernel.restoring import Kind
from tests.kernel.rulesets_iptables import iptables_ruleset
from tests.kernel.rulesets_nat import nat_ruleset
from tests.kernel.rulesets_nft import nft_ruleset
from tests.kernel.test_reach_against_the_kernel import report

SEEDS_OF_A_BLOCK = 4
FIRST_SEED = 5000
SHORT = {"ip": 1, "ip6": 1}
LONG = {"ip": 30, "ip6": 8}
"""Blocks of each kind of iptables; of nft, which has both families in one ruleset, the sum."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    blocks = LONG if metafunc.config.getoption("--long", default=False) else SHORT
    if "family" in metafunc.fixturenames:
        changing = metafunc.function is test_rulesets_that_change_packets
        kinds = (*Kind,) if changing else (Kind.LEGACY, Kind.IPTABLES_NFT)
        cases = [(k, f, b) for k in kinds for f, count in blocks.items() for b in range(count)]
        names = [f"{kind.value}-{family}-{block}" for kind, family, block in cases]
        metafunc.parametrize(("kind", "family", "block"), cases, ids=names)
    elif "block" in metafunc.fixturenames:
        metafunc.parametrize("block", range(sum(blocks.values())))


def seeds(block: int) -> range:
    first = FIRST_SEED + block * SEEDS_OF_A_BLOCK
    return range(first, first + SEEDS_OF_A_BLOCK)


def test_iptables(kind: Kind, family: str, block: int, record_of: RecordOf) -> None:
    if (reason := lacking(kind, family)) is not None:
        pytest.skip(reason)
    record = record_of(f"trace: {kind.value}, {family}")
    protests = []
    for seed in seeds(block):
        text = iptables_ruleset(seed, "ip6" if family == "ip6" else "ip")
        protests += follow(text, kind, family, seed, record)
    assert not protests, report(protests)


def test_nft(block: int, record_of: RecordOf) -> None:
    record = record_of("trace: nft")
    protests = []
    for seed in seeds(block):
        protests += follow(nft_ruleset(seed), Kind.NFT, ("ip", "ip6")[seed % 2], seed, record)
    assert not protests, report(protests)


def test_rulesets_that_change_packets(
    kind: Kind, family: str, block: int, record_of: RecordOf
) -> None:
    """Those of nft are translated: what the translator leaves out is left out."""
    loader = Kind.IPTABLES_NFT if kind is Kind.NFT else kind
    if (reason := lacking(loader, family)) is not None:
        pytest.skip(reason)
    record = record_of(f"trace: changes, {kind.value}, {family}")
    protests = []
    for seed in seeds(block):
        text = nat_ruleset(seed, family)
        if kind is Kind.NFT:
            text = translated(text, family)
        protests += follow_changes(text, kind, family, seed, record)
    assert not protests, report(protests)
