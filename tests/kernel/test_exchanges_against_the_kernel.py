"""What is said of random rulesets of a host between networks, held against whole exchanges."""

from __future__ import annotations

from functools import cache

import pytest

from tests.kernel.conftest import RecordOf, lacking, no_topology
from tests.kernel.exchange_judge import judge_exchanges
from tests.kernel.restoring import Kind
from tests.kernel.rulesets_exchanges import exchange_ruleset
from tests.kernel.rulesets_exchanges_nft import exchange_ruleset_nft
from tests.kernel.rulesets_link_layers import EGRESS_PROBE, bridge_ruleset, netdev_ruleset
from tests.kernel.rulesets_operators import BRIDGED, RULESETS
from tests.kernel.test_reach_against_the_kernel import report
from tests.kernel.topology import FAMILIES, Topology

SEEDS_OF_A_BLOCK = 5
SHORT = {"translations": 1, "below ip": 1}
LONG = {"translations": 14, "below ip": 6}
"""Blocks of each kind and family."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    blocks = LONG if metafunc.config.getoption("--long", default=False) else SHORT
    if "kind" in metafunc.fixturenames:
        cases = [(k, f, b) for k in Kind for f in FAMILIES for b in range(blocks["translations"])]
        names = [f"{kind.value}-{family}-{block}" for kind, family, block in cases]
        metafunc.parametrize(("kind", "family", "block"), cases, ids=names)
    elif "block" in metafunc.fixturenames:
        pairs = [(f, b) for f in FAMILIES for b in range(blocks["below ip"])]
        metafunc.parametrize(("family", "block"), pairs)


def seeds(block: int) -> range:
    return range(block * SEEDS_OF_A_BLOCK, (block + 1) * SEEDS_OF_A_BLOCK)


def test_translations(kind: Kind, family: str, block: int, record_of: RecordOf) -> None:
    if (reason := no_topology() or lacking(kind, family)) is not None:
        pytest.skip(reason)
    record = record_of(f"exchanges: {kind.value}, {family}")
    objections = []
    for seed in seeds(block):
        write = exchange_ruleset_nft if kind is Kind.NFT else exchange_ruleset
        objections += judge_exchanges(write(seed, family), kind, family, seed, record)
    assert not objections, report(objections)


@pytest.mark.parametrize(
    ("name", "load_as", "version", "text"), RULESETS, ids=[f"{r[1].value}-{r[0]}" for r in RULESETS]
)
def test_operators(name: str, load_as: Kind, version: str, text: str, record_of: RecordOf) -> None:
    if (reason := no_topology() or lacking(load_as, version)) is not None:
        pytest.skip(reason)
    record, is_ip = record_of("exchanges: operators"), name not in BRIDGED
    objections = judge_exchanges(text, load_as, version, len(name), record, followed=is_ip)
    assert not objections, report(objections)


def test_below_ip(family: str, block: int, record_of: RecordOf) -> None:
    """Devices; and bridges, between whose ports and the host the first packets are followed."""
    if (reason := no_topology()) is not None:
        pytest.skip(reason)
    record = record_of(f"exchanges: netdev and bridge, {family}")
    objections = []
    for seed in seeds(block):
        text = netdev_ruleset(seed, family, egress=egress())
        objections += judge_exchanges(text, Kind.NFT, family, seed, record)
        text = bridge_ruleset(seed, family)
        objections += judge_exchanges(text, Kind.NFT, family, seed, record, followed=False)
    assert not objections, report(objections)


@cache
def egress() -> bool:
    """Whether devices have that hook (CONFIG_NETFILTER_EGRESS)."""
    topology = Topology()
    try:
        topology.host.run(["nft", "-c", "-f", "-"], EGRESS_PROBE)
    except RuntimeError:
        return False
    finally:
        topology.close()
    return True
