"""Files of others that nft refuses, and the rules of nftables' own tests (``tests/py``), with what
nft 1.0.6 on Linux 6.18 said of them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

import pytest

from iptlint.dialects import Reader, read
from iptlint.loads.judges import load
from iptlint.loads.refusal import Refusal
from iptlint.loads.target import target_of
from iptlint.source import SourceFile
from tests.corpus.rows import CORPUS, Row, rows

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="no corpus beside the project")


def _refused(source: SourceFile, target: str | None = "nft=1.0.6,kernel=6.18") -> Refusal | None:
    answer = load(read(source, Reader()), target=target_of(target) if target else None)
    return answer.refusals[0] if answer is not None and answer.refusals else None


STEP = 10
"""Each so many files and rules are looked at, but for ``--long``."""

# -- files -----------------------------------------------------------------------------------

_OF_HOST = re.compile(
    r"Interface does not exist|does not exist|Could not resolve|File not found|Could not open"
    r"|cannot open|can't find|connlabel|BUG:|[Aa]ssertion|status -"
)
"""What nft says for want of something on the host, or where it fails itself."""

DIFFERING = {
    "the host has no such device": (
        r"flowtable|owner__0001|listing__0020|create\.tp\.nft$|firewall4_tests__02_zones__06"
    ),
    "the kernel has no such helper": r"firewall4_tests__0(1_configuration__01|2_zones__07)",
    "the kernel has no module for queues": r"firewall38\.fw\.block03",
    "nft 1.0.6 crashes": r"0042chain_variable_0|packetpath__tcp_options",
    "nft waits for events and never ends": r"monitor\.tp\.nft$",
}
"""Files that are told elsewhere than at nft's line or not at all, by the reason."""

_LINE = re.compile(r":(\d+):\d+-\d+: Error")


def _files() -> list[dict[str, str]]:
    if not CORPUS.is_dir():
        return []
    with (CORPUS / "MANIFEST.tsv").open(encoding="utf-8") as file:
        found = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [
            row
            for row in found
            if row["format"] in ("nft-dump", "nft-script")
            and row["expect"].startswith("refused")
            and not _OF_HOST.search(row["tool_said"])
        ]


def test_what_nft_refuses_is_told_at_its_line(pytestconfig: pytest.Config) -> None:
    long = pytestconfig.getoption("--long")
    looked_at = _files()[:: 1 if long else STEP]
    differing = {row["path"]: _reason(row["path"]) for row in looked_at if not _is_told(row)}
    assert [path for path, reason in differing.items() if reason is None] == []
    assert not long or set(differing.values()) == set(DIFFERING)


def _is_told(row: dict[str, str]) -> bool:
    path = CORPUS / row["path"]
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    refusal = _refused(SourceFile(str(path), text))
    line = _LINE.search(row["tool_said"])
    return refusal is not None and (line is None or refusal.span.line == int(line[1]))


def _reason(path: str) -> str | None:
    return next((why for why, pattern in DIFFERING.items() if re.search(pattern, path)), None)


# -- rules -----------------------------------------------------------------------------------

_FILTER = "type filter hook {} priority 0;"
_NAT = "type nat hook {} priority 0;"
_CHAINS = {
    "ingress": "type filter hook ingress device lo priority 0;",
    "postrouting": _NAT.format("postrouting"),
    "pre": _NAT.format("prerouting"),
    "prerouting": _FILTER.format("prerouting"),
    "y": _FILTER.format("prerouting"),
    "sockchain": _FILTER.format("prerouting"),
    "ipsec-forw": _FILTER.format("forward"),
    "output": _FILTER.format("output"),
}
"""By the name of a chain in the tests; all others are filter chains at input."""
_CHAINS_OF = {
    ("dnat.t", "prerouting"): _NAT.format("prerouting"),
    ("redirect.t", "output"): _NAT.format("output"),
    ("any/rt.t", "output"): _FILTER.format("input"),
    ("ip/rt.t", "output"): _FILTER.format("input"),
    ("rt0.t", "output"): _FILTER.format("input"),
}
"""The same of some files."""

DISAGREEING = {
    "the kernel has no module for queues": r"any/queue\.t .*queue",
    "the kernel has no module for bridges' own selectors and rejects": r"bridge/(meta|reject)\.t ",
    "the updates of Linux 6.18 refuse osf in ip6, and its first release took it": r"osf\.t ip6 ",
    "a mark may have any name in /etc/iproute2/rt_marks": r"any/ct\.t .* ct mark original",
    "a rule before it made the meter": r"ip6/flowtable\.t .* acct_out size 12345",
    "nft 1.0.6 crashes": r"dscp 1/6|ip6/sets\.t .* add @map[12]",
}
"""Rules that nft refuses on this host and we take, by the reason."""


def _texts() -> Iterator[tuple[Row, str]]:
    """Each row that differs, behind its chain and the sets and objects before it."""
    before: dict[tuple[str, str, str], list[str]] = {}
    seen = set()
    for row in rows():
        known = before.setdefault((row.suite, row.place, row.table), _head(row))
        text = "\n".join([*known, row.command]) + "\n"
        if row.kind != "rule" and row.got == "accept":
            known.append(row.command)
        if text not in seen:
            seen.add(text)
            yield row, text


def _head(row: Row) -> list[str]:
    of_file = (t for (end, name), t in _CHAINS_OF.items() if name == row.chain and end in row.place)
    terms = next(of_file, _CHAINS.get(row.chain, _FILTER.format("input")))
    return [f"add table {row.table}", f"add chain {row.table} {row.chain} {{ {terms} }}"]


def test_rules_are_refused_as_nft_does(pytestconfig: pytest.Config) -> None:
    long = pytestconfig.getoption("--long")
    differing = {}
    for row, text in list(_texts())[:: 1 if long else STEP]:
        if (_refused(SourceFile("x.nft", text)) is None) is not (row.got == "accept"):
            name = f"{row.place} {row.table} {row.command}"
            differing[name] = _excuse(name) if row.got != "accept" else None
    assert [name for name, reason in differing.items() if reason is None] == []
    assert not long or set(differing.values()) == set(DISAGREEING)


def _excuse(name: str) -> str | None:
    return next((why for why, pattern in DISAGREEING.items() if re.search(pattern, name)), None)


def test_what_later_versions_take_is_refused_for_a_target_only() -> None:
    """nftables 1.1.0 calls these rules right, and 1.0.6 refuses them."""
    later = [
        (row.command, refusal.cause)
        for row, text in _texts()
        if (row.suite, row.suite_expects, row.got) == ("1.1.0", "ok", "reject")
        and (refusal := _refused(SourceFile("x.nft", text), None)) is not None
    ]
    assert later == []
