"""Twice the text is at most a little more than twice the work, whatever is wrong with it.

Work is counted in calls, so that no other process and no machine makes a difference; what a whole
file of megabytes may cost is in ``test_bounds.py``.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from iptlint.dialects.decode import decode
from iptlint.dialects.files import NoFiles
from iptlint.dialects.iptables.lowering import read_before
from iptlint.dialects.readers import read
from iptlint.dialects.reading import Reader
from iptlint.linter.run import lint
from iptlint.loads.judges import load
from tests.costs import steps
from tests.fuzz.hostile import HOSTILE

PARTS = 150
LITTLE_MORE = 1.2


def work(name: str, parts: int) -> int:
    """Of reading, and of asking whether the tool would take it."""
    read_before.forget()
    source = decode(name, HOSTILE[name](parts).encode("utf-8", "surrogateescape"))
    reader = Reader(files=NoFiles())
    return steps(lambda: load(read(source, reader)))


@pytest.mark.parametrize("name", HOSTILE)
def test_twice_the_text_is_twice_the_work(name: str) -> None:
    work(name, 3)  # what is worked out once is there
    _grows_no_faster(lambda parts: work(name, parts))


JUDGED = (
    *(
        "base_chains.nft",
        "tables.nft",
        "ignored_chain.v4",
        "ignored_chain.nft",
        "ignored_chains.nft",
    ),
    "chain_chain.nft",
)
"""Of these, all that lint rules ask, too."""


def judging(name: str, parts: int) -> int:
    source = decode(name, HOSTILE[name](parts).encode())
    return steps(lambda: lint([source]))


@pytest.mark.parametrize("name", JUDGED)
def test_twice_the_text_is_judged_with_twice_the_work(name: str) -> None:
    judging(name, 3)
    _grows_no_faster(lambda parts: judging(name, parts))


def _grows_no_faster(work: Callable[[int], int]) -> None:
    once, twice, four_times = (work(PARTS * factor) for factor in (1, 2, 4))
    assert four_times - twice <= 2 * LITTLE_MORE * max(twice - once, 500), (once, twice, four_times)
