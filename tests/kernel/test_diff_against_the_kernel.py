"""``diff`` on random rulesets and what small changes make of them, held against two firewalls."""

from __future__ import annotations

import pytest

from tests.kernel.comparing import Version, compare, listed, mutants, translated
from tests.kernel.conftest import RecordOf, lacking
from tests.kernel.restoring import Kind
from tests.kernel.rulesets_iptables import iptables_ruleset
from tests.kernel.rulesets_nat import nat_ruleset
from tests.kernel.rulesets_nft import nft_ruleset
from tests.kernel.test_reach_against_the_kernel import report

SEEDS_OF_A_BLOCK = 4
FIRST_SEED = 7000
SHORT = {"ip": 1, "ip6": 1}
LONG = {"ip": 20, "ip6": 6}
"""Blocks of each kind of iptables; of nft, which has both families in one ruleset, the sum."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    blocks = LONG if metafunc.config.getoption("--long", default=False) else SHORT
    families = [(family, block) for family, count in blocks.items() for block in range(count)]
    names = [f"{family}-{block}" for family, block in families]
    if "kind" in metafunc.fixturenames:
        kinds = (Kind.LEGACY, Kind.IPTABLES_NFT)
        cases = [(kind, *each) for kind in kinds for each in families]
        ids = [f"{kind.value}-{name}" for kind in kinds for name in names]
        metafunc.parametrize(("kind", "family", "block"), cases, ids=ids)
    elif "family" in metafunc.fixturenames:
        metafunc.parametrize(("family", "block"), families, ids=names)
    elif "block" in metafunc.fixturenames:
        metafunc.parametrize("block", range(sum(blocks.values())))


def seeds(block: int) -> range:
    first = FIRST_SEED + block * SEEDS_OF_A_BLOCK
    return range(first, first + SEEDS_OF_A_BLOCK)


def ruleset(seed: int, family: str) -> str:
    return iptables_ruleset(seed, "ip6" if family == "ip6" else "ip")


def test_iptables(kind: Kind, family: str, block: int, record_of: RecordOf) -> None:
    if (reason := lacking(kind, family)) is not None:
        pytest.skip(reason)
    record = record_of(f"diff: {kind.value}, {family}")
    found = []
    for seed in seeds(block):
        for old, new in mutants(ruleset(seed, family), kind, family, seed):
            found += compare(old, new, family, seed, record)
    assert not found, report(found)


def test_nft(block: int, record_of: RecordOf) -> None:
    record = record_of("diff: nft")
    found = []
    for seed in seeds(block):
        family = ("ip", "ip6")[seed % 2]
        for old, new in mutants(nft_ruleset(seed), Kind.NFT, family, seed):
            found += compare(old, new, family, seed, record)
    assert not found, report(found)


def test_a_translation(family: str, block: int, record_of: RecordOf) -> None:
    """What the translator leaves out is left out in the kernel, too."""
    if (reason := lacking(Kind.LEGACY, family)) is not None:
        pytest.skip(reason)
    record = record_of(f"diff: a translation, {family}")
    found = []
    for seed in seeds(block):
        for old, new in mutants(ruleset(seed, family), Kind.LEGACY, family, seed):
            other = Version(translated(new.text, family), Kind.NFT)
            found += compare(old, other, family, seed, record)
    assert not found, report(found)


def test_a_listing(family: str, block: int, record_of: RecordOf) -> None:
    """What iptables-nft has loaded, read as nft lists it."""
    if (reason := lacking(Kind.IPTABLES_NFT, family)) is not None:
        pytest.skip(reason)
    record = record_of(f"diff: a listing, {family}")
    found = []
    for seed in seeds(block):
        # nft lists only the first port of each range of --ports.
        lines = ruleset(seed, family).split("\n")
        text = "\n".join(line for line in lines if "--ports" not in line)
        for old, new in mutants(text, Kind.IPTABLES_NFT, family, seed):
            other = Version(new.text, new.kind, listed(new.text, family))
            found += compare(old, other, family, seed, record)
    assert not found, report(found)


def test_rulesets_that_change_packets(
    kind: Kind, family: str, block: int, record_of: RecordOf
) -> None:
    if (reason := lacking(kind, family)) is not None:
        pytest.skip(reason)
    record = record_of(f"diff: changes, {kind.value}, {family}")
    found = []
    for seed in seeds(block):
        for old, new in mutants(nat_ruleset(seed, family), kind, family, seed):
            found += compare(old, new, family, seed, record, watch=True)
    assert not found, report(found)
