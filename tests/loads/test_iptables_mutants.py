"""``iptlint loads`` against iptables-restore and ip6tables-restore, in both variants: mutants of
short rulesets, committed in a network of their own."""

from __future__ import annotations

import shutil
import subprocess
from random import Random

import pytest

from tests.kernel.namespaces import Namespace
from tests.loads.iptables_judge import judge
from tests.loads.iptables_seeds import FAMILIES
from tests.loads.iptables_tools import VARIANTS, Tools

MOST_PASSED = 0.03
MOST_FALSE = 1 / 2000
OF_A_SAMPLE = 4
"""As many may pass of some hundred, where three in a hundred do of very many."""

_TABLE = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp -j ACCEPT\nCOMMIT\n"


@pytest.fixture(scope="module")
def namespace() -> Namespace:
    wanted = [f"{name}-{v}-restore" for _, name in FAMILIES.values() for v in VARIANTS]
    missing = [tool for tool in (*wanted, "nft") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"there is no {missing[0]}")
    try:
        made = Namespace()
        with made.entered():
            answers = [Tools(f).ask(v, _TABLE) for f in FAMILIES for v in VARIANTS]
    except (OSError, subprocess.SubprocessError, AssertionError) as error:
        pytest.skip(f"no network can be made here: {error}")
    refused = [answer.said for answer in answers if not answer.taken]
    if refused:
        pytest.skip(f"the tools do nothing here: {refused[0]}")
    return made


@pytest.mark.parametrize("family", FAMILIES)
def test_what_the_tools_refuse_is_refused_and_nothing_else(
    family: str, namespace: Namespace, pytestconfig: pytest.Config
) -> None:
    """A false refusal is the worst; of the others a few pass."""
    count = 5_000 if pytestconfig.getoption("--long") else 125
    with namespace.entered():
        tallies = judge(family, count, Random(f"mutants of {family}"))
    for tally in tallies:
        assert tally.refused > tally.taken > 0
        assert len(tally.false) <= MOST_FALSE * tally.taken, tally.false
        most = max(MOST_PASSED * tally.refused, OF_A_SAMPLE)
        assert len(tally.passed) <= most, (str(tally), tally.passed)
