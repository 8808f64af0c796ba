"""The rulesets of others: what nft takes is read, what it refuses is refused where it is."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from iptlint.dialects.files import NoFiles
from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.parser import parse
from iptlint.dialects.nft.parsing.bulk import PlainElements
from iptlint.source import SourceFile
from tests.corpus.rows import CORPUS, WHY_SKIPPED, rows
from tests.parts import Part

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=WHY_SKIPPED)

VALID = ("nft-dump/valid", "nft-script/valid")
REFUSED = ("nft-dump/refused-syntax", "nft-script/refused-syntax")

READ_ALL_THE_SAME = {
    r"xt (match|target) (icmp|policy|set)\b": "nft printed it, and quotes the name since 1.0.9",
    r"(jump|goto) reject\b": "nft printed it: a chain that was made by iptables-nft",
    r"ip protocol set icmp": "nft printed it and does not read it back",
    r"snat to \S+/24:1024": "nft printed it and does not read it back",
    r": ct expectation": "since 1.1.1",
    r"flags owner, ?persist": "since 1.0.9",
    r"quota \d+ bytes used": "quotas in elements since 1.0.7",
    r"^\s*destroy ": "since 1.0.7",
    r"^\s*delete chain .*\{": "since 1.0.8, to delete a chain's devices",
    r"^\s*devices = ": "since 1.0.8, to give a chain more devices",
    r"dccp option": "since 1.0.8",
    r"^\s*last\b": "since 1.0.8",
    r"fib saddr .* check": "since 1.1.1",
    r"^add synproxy myTable https-synproxy": "refused for the line that went wrong before it",
}
"""Lines that 1.0.6, which labelled the corpus, names in its first complaint."""

ROWS_READ_ALL_THE_SAME = {
    "meta broute set 1": "only in the bridge family, since 1.0.8",
    "geneve vni 10": "since 1.0.7; refused for want of `udp dport` before it",
    "vxlan vni 10": "since 1.0.7; refused for want of `udp dport` before it",
}


def source_of(path: Path) -> SourceFile:
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        return SourceFile(path.name, file.read())


def files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((CORPUS / folder).iterdir())]


@pytest.mark.parametrize("folder", VALID)
def test_what_nft_takes_is_read_without_a_problem(folder: str) -> None:
    complaints = {
        path.name: (diagnostic.message, source_of(path).line_of(diagnostic.start))
        for path in files(folder)
        for diagnostic in parse(source_of(path), NoFiles()).diagnostics[:1]
        if not diagnostic.hides_text
    }
    assert complaints == {}


def first_refusals() -> Iterator[tuple[Path, int]]:
    with (CORPUS / "MANIFEST.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            place = re.match(r"FILE:(\d+):\d+-\d+: Error: syntax", row["tool_said"] or "")
            if place and row["path"].startswith(REFUSED):
                yield CORPUS / row["path"], int(place[1])


def test_what_nft_refuses_is_refused_where_it_says() -> None:
    missed = []
    refusals = list(first_refusals())
    assert len(refusals) > 100
    for path, line in refusals:
        source = source_of(path)
        text = source.line_text(line)
        lines = {
            source.line_of(diagnostic.start) for diagnostic in parse(source, NoFiles()).diagnostics
        }
        near = lines & {line - 1, line, line + 1}
        if not near and not any(re.search(each, text) for each in READ_ALL_THE_SAME):
            missed.append((path.name, line, text.strip()))
    assert missed == []


def test_every_rule_of_the_suites_is_read_and_what_is_no_nft_refused() -> None:
    wrong = []
    for row in rows():
        refused = bool(parse(SourceFile("-", row.command + "\n"), NoFiles()).diagnostics)
        syntax = "syntax error" in row.error and row.suite_expects != "ok"
        if row.suite_expects == "ok" and refused:
            wrong.append(("refused", row.text))
        if syntax and not refused and row.text not in ROWS_READ_ALL_THE_SAME:
            wrong.append(("read", row.text))
    assert wrong == []


def places(part: Any) -> Iterator[tuple[str, int, int]]:
    if isinstance(part, t.Node):
        yield type(part).__name__, part.start, part.end
    if isinstance(part, Sequence) and not isinstance(part, str):
        for each in part:
            yield from places(each)
    elif is_dataclass(part):
        for each in fields(part):
            if each.name not in ("source", "text"):
                yield from places(getattr(part, each.name))


def test_shapes_and_bulk_read_what_the_grammar_reads(part: Part) -> None:
    differing = []
    for path in part.of(files(*VALID, *REFUSED, "nft-script/refused-other"), 400):
        source = source_of(path)
        fast, plain = parse(source, NoFiles()), parse(source, NoFiles(), fast=False)
        same_places = list(places(fast.items)) == list(places(plain.items))
        if fast.items != plain.items or fast.diagnostics != plain.diagnostics or not same_places:
            differing.append(path.name)
    assert differing == []


def test_every_place_is_in_its_text(part: Part) -> None:
    for path in part.of(files(*VALID), 400):
        source = source_of(path)
        for name, start, end in places(parse(source, NoFiles()).items):
            assert 0 <= start <= end <= len(source.text), (path.name, name, start, end)


def test_the_corpus_has_sets_that_are_read_in_bulk() -> None:
    """Otherwise the comparison of the two ways would prove nothing."""
    text = "add element t s { " + ", ".join(f"10.0.0.{i}" for i in range(200)) + " }\n"
    command = parse(SourceFile("-", text)).items[0]
    assert isinstance(command, t.Command)
    assert command.body is not None
    assert isinstance(command.body[0], t.SetLiteral)
    assert isinstance(command.body[0].elements, PlainElements)
