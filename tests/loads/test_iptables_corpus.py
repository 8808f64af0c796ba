"""Files and rules of others, with what the tools said of them (iptables 1.8.9)."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from tests.loads.iptables_judge import HOST, judged

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="no corpus beside the project")


def _tsv(name: str) -> list[dict[str, str]]:
    path = CORPUS / name
    if not path.is_file():
        return []
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def _files(*expects: str) -> list[dict[str, str]]:
    return [
        row
        for row in _tsv("MANIFEST.tsv")
        if row["format"] in ("iptables-save", "ip6tables-save") and row["expect"] in expects
    ]


_LINE = re.compile(r"line:? (\d+)")


@pytest.mark.parametrize(
    "row", _files("refused-syntax", "refused-other"), ids=lambda row: Path(row["path"]).name
)
def test_what_was_refused_is_told(row: dict[str, str]) -> None:
    """At the tool's line, save what only a host lacks."""
    text = (CORPUS / row["path"]).read_bytes().decode("utf-8", "surrogateescape")
    family = "ip6" if row["format"] == "ip6tables-save" else "ip"
    refusals = [r for r in judged(text, family) if r.variant != "legacy"]
    if HOST.search(row["tool_said"]):
        return
    assert refusals, row["tool_said"]
    line = _LINE.search(row["tool_said"])
    if line is not None and not text.split("\n")[int(line[1]) - 1].startswith("COMMIT"):
        assert refusals[0].span.line == int(line[1]), row["tool_said"]


DISAGREEING = {
    "this kernel has no such module, object, group or label of SELinux": (
        r"-m (?:l2tp|ipvs|nfacct|bpf)|-j LED|--path|object-pinned|--selctx"
    ),
    "an estimator that a rule of another table makes is not there": r"-m rateest ",
    "iptables 1.8.10 brought these names": r"--icmpv6-type mld-listener-",
    "iptables 1.8.9 alone misreads a protocol that is glued to its option": r"-ptcp|--protocol=",
}
"""Rules that we do not refuse and iptables 1.8.9 does on this host, by the reason."""


def _rules() -> list[dict[str, str]]:
    rows = _tsv("iptables-rules.tsv")
    return [row for row in rows if row["tool"] in ("iptables", "ip6tables")]


def test_the_tests_of_the_extensions_agree() -> None:
    """Each row is a rule that the project's own tests give to the tools."""
    differing = []
    for row in _rules():
        taken_in = row["nft_accepts_in"].split(",") if row["nft_accepts_in"] else []
        for chain in row["chains"].split(","):
            text = f"*{row['table']}\n-A {chain} {row['rule']}\nCOMMIT\n"
            family = "ip" if row["tool"] == "iptables" else "ip6"
            refusals = [r for r in judged(text, family) if r.variant != "legacy"]
            agrees = bool(refusals) is not (chain in taken_in)
            if not agrees and (refusals or not _excused(row)):
                differing.append((row["file"], chain, row["rule"], row["nft_error"]))
    assert differing == []


def _excused(row: dict[str, str]) -> bool:
    reasons = (pattern for pattern in DISAGREEING.values() if re.search(pattern, row["rule"]))
    return bool(HOST.search(row["nft_error"])) or any(reasons)
