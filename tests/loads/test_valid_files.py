"""Files of others that the tools took (nftables 1.0.6, iptables 1.8.9, Linux 6.18)."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from iptlint.dialects import Reader, read
from iptlint.loads.judges import load
from iptlint.loads.refusal import Refusal
from iptlint.model import Family
from iptlint.source import SourceFile

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="no corpus beside the project")
FORMATS = {
    "iptables-save": Family.IP,
    "ip6tables-save": Family.IP6,
    "nft-dump": Family.IP,
    "nft-script": Family.IP,
}
STEP = 25
"""Each so many files are taken, but for ``--long``."""

LABELLED_WRONGLY = {
    "optimizations__dumps__merge_nat.nft": "nft 1.0.6 refuses its own test's dump, line 18",
    "transactions__bad_expression.heredoc00.nft": "a test of what has to fail",
}
"""Files that are called valid and that ``nft -f`` refuses at the line that we name."""


def _files() -> list[tuple[Path, Family]]:
    with (CORPUS / "MANIFEST.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    valid = [row for row in rows if row["expect"] == "valid" and row["format"] in FORMATS]
    return [(CORPUS / row["path"], FORMATS[row["format"]]) for row in valid]


def _excused(path: Path, refusal: Refusal) -> bool:
    """What another host may have, what one variant refuses, and listings of ``xt``, which nft
    prints and does not read."""
    wrong = any(path.name.endswith(name) for name in LABELLED_WRONGLY)
    return wrong or refusal.missing or bool(refusal.variant) or refusal.check.name == "xt"


def test_what_the_tools_take_is_taken(pytestconfig: pytest.Config) -> None:
    step = 1 if pytestconfig.getoption("--long") else STEP
    differing = []
    for path, family in _files()[::step]:
        text = path.read_bytes().decode("utf-8", "surrogateescape")
        answer = load(read(SourceFile(path.name, text), Reader(family)))
        assert answer is not None
        differing += [
            (path.name, refusal.span.line, refusal.cause)
            for refusal in answer.refusals[:1]
            if not _excused(path, refusal)
        ]
    assert differing == []
