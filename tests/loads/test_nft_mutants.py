"""``iptlint loads`` against ``nft -f``: mutants of our fixtures, each in a network of its own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from random import Random

import pytest

from tests.loads.nft_judge import judge, put, readable

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "fixtures").rglob("*.nft"))
CORPUS = ROOT.parent / "shared" / "corpus"
MOST_PASSED = 0.03
MOST_FALSE = 1 / 2000
OF_A_SAMPLE = 8
"""As many may pass of some two hundred, where three in a hundred do of very many."""


@pytest.fixture(scope="module", autouse=True)
def _possible(tmp_path_factory: pytest.TempPathFactory) -> None:
    if shutil.which("nft") is None:
        pytest.skip("there is no nft")
    probe = tmp_path_factory.mktemp("probe") / "probe.nft"
    probe.write_text("table inet t { chain c { type filter hook input priority 0; }\n}\n")
    try:
        said = put(probe)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"no network can be made here: {error}")
    if said is not None:
        pytest.skip(f"nft does nothing here: {said}")


def test_what_nft_refuses_is_refused_and_nothing_else(pytestconfig: pytest.Config) -> None:
    """A false refusal is the worst; of the others a few pass."""
    long = pytestconfig.getoption("--long")
    random = Random("mutants of nft")
    paths = [*FILES, *sorted(CORPUS.glob("nft-*/valid/*"))] if long else FILES
    random.shuffle(paths)
    texts = list(readable(paths if long else paths[:60]))
    count = 10_000 if long else 250
    tally = judge(texts, max(1, round(count / max(1, len(texts)))), random)
    assert len(tally.false) <= MOST_FALSE * tally.taken, tally.false
    assert len(tally.passed) <= max(MOST_PASSED * tally.refused, OF_A_SAMPLE), (
        str(tally),
        tally.passed,
    )
