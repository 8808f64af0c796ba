"""Every packet that is printed comes where the report says: each is replayed, one by one.

Where the corpus is there, a sample of it is replayed as well.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

import iptlint
from iptlint.analysis.divergence import Divergence
from iptlint.analysis.trace_outcome import TraceOutcome
from iptlint.findings import Finding
from iptlint.linter.budget import Budget, Watch
from iptlint.linter.collect import collect
from iptlint.linter.run import lint
from iptlint.model import Rule, Ruleset
from iptlint.packets.packet import Packet
from iptlint.rules.registry import Profile
from iptlint.source import SourceFile, Span
from tests.corpus.rows import CORPUS
from tests.expectations import FIXTURES
from tests.oracle.replay import Replay, replay
from tests.parts import Part

SUFFIXES = {".v4", ".v6", ".nft", ".rules"}
SMALL, LARGEST = 12_000, 60_000
SAMPLE = 30
WAYS = tuple(product(("ip", "ip6"), ("input", "forward", "output")))


def folders() -> list[Path]:
    return sorted({path.parent for path in FIXTURES.rglob("*") if path.suffix in SUFFIXES})


def corpus() -> list[Path]:
    paths = sorted(path for path in CORPUS.rglob("*") if path.suffix in SUFFIXES)
    small = [path for path in paths if path.stat().st_size < LARGEST]
    return random.Random(12).sample(small, min(SAMPLE, len(small)))


def rulesets(source: SourceFile) -> list[Ruleset]:
    with Watch(Budget(), 1) as watch:
        return [reading.ruleset for reading in collect([source], (), None, watch).readings]


def places(ruleset: Ruleset, walked: Replay) -> Iterator[Span]:
    """The rules that took the packet, and the policies that decided it."""
    for rule in walked.taken:
        yield rule.statement.span
    for _, chain, rule in walked.decided:
        if rule is None and chain is not None:
            table = next(t for t in ruleset.tables if chain in t.chains.values())
            yield ruleset.declaration_of(table, chain)


def astray(source: SourceFile, read: Sequence[Ruleset]) -> Iterator[Finding]:
    """The findings whose packet comes to none of the lines that they name."""
    for finding in lint([source], profile=Profile.STRICT).findings:
        if finding.witness is None:
            continue
        claimed = [finding.span, *(label.span for label in finding.related)]
        walks = [(each, replay(each, finding.witness)) for each in read]
        came = any(
            walked.given_up
            or any(any(map(span.overlaps, claimed)) for span in places(each, walked))
            for each, walked in walks
        )
        if not came:
            yield finding


def unreached(ruleset: Ruleset) -> Iterator[Rule]:
    """The rules that are called reachable, and to which their packet does not come."""
    for answer in iptlint.reach(ruleset):
        if answer.witness is None:
            continue
        walked = replay(ruleset, answer.witness)
        statements = [rule.statement for rule in walked.taken]
        if not walked.given_up and answer.rule.statement not in statements:
            yield answer.rule


def untraced(ruleset: Ruleset, ways: Sequence[tuple[str, str]]) -> Iterator[TraceOutcome]:
    """The outcomes of a trace that their own packet does not have."""
    for family, hook in ways:
        for outcome in iptlint.trace(ruleset, Packet(family, hook)).outcomes:
            walked = replay(ruleset, outcome.witness, outcome.way.value, outcome.arrived)
            decided = outcome.decision and outcome.decision[2:]
            end = (outcome.kind, *(decided or (None, None)))
            if not (walked.given_up or outcome.expired or end in walked.decided):
                yield outcome


def undecided(old: Ruleset, new: Ruleset) -> Iterator[Divergence]:
    """The divergences whose packet has not the two fates that it is said to have."""
    for change in iptlint.diff(old, new).changes:
        for ruleset, fate in ((old, change.old), (new, change.new)):
            way, arrived = (fate.way.value, fate.becomes) if fate.way else (None, None)
            walked = replay(ruleset, change.witness, way, arrived)
            rule = fate.decision.rule if fate.decision else None
            decided = fate.decision and fate.decision[2:]
            came = (fate.kind, *(decided or (None, None))) in walked.decided
            if rule is not None and rule.verdict.kind.goes_on:  # it wrote what is another
                came = rule in walked.taken and fate.kind in {kind for kind, *_ in walked.decided}
            if not (walked.given_up or came):
                yield change


def check(path: Path, part: Part) -> None:
    """With a part of the ways."""
    source = SourceFile(str(path), path.read_text("utf-8", "replace"))
    read = rulesets(source)
    ways = replace(part, seed=path.name).of(WAYS, 2)
    stray = [(f.code, f.span.line, f.message, f.witness) for f in astray(source, read)]
    assert not stray, f"{path}: {stray[0]}"
    for ruleset in read:
        assert not [rule.origin.span.line for rule in unreached(ruleset)], path
        missed = [(o.kind, o.decision and o.decision.span.line) for o in untraced(ruleset, ways)]
        assert not missed, path


@pytest.mark.slow
@pytest.mark.parametrize("folder", folders(), ids=lambda path: str(path.relative_to(FIXTURES)))
def test_the_packets_of_fixtures_come_where_it_is_said(folder: Path, part: Part) -> None:
    for path in sorted(folder.iterdir()):
        if path.suffix in SUFFIXES and path.stat().st_size < (LARGEST if part.whole else SMALL):
            check(path, part)


def pairs() -> list[tuple[Path, Path]]:
    """Rulesets of one language that have much in common: of each rule a good one and a bad one."""
    for_rules = (FIXTURES / "rules").iterdir()
    names = [("good", "bad"), ("good_2", "bad_2")]
    each = (
        (folder / f"{good}{suffix}", folder / f"{bad}{suffix}")
        for folder in sorted(for_rules)
        for good, bad in names
        for suffix in (".v4", ".v6", ".nft")
    )
    return [(good, bad) for good, bad in each if good.exists() and bad.exists()]


@pytest.mark.slow
def test_the_packets_that_tell_two_rulesets_apart_do() -> None:
    for good, bad in pairs():
        if max(good.stat().st_size, bad.stat().st_size) < SMALL // 2:
            old, new = iptlint.read(good), iptlint.read(bad)
            wrong = [(c.hook, c.old.kind, c.new.kind, c.witness) for c in undecided(old, new)]
            assert not wrong, f"{good} {bad}: {wrong[0]}"


@pytest.mark.slow
@pytest.mark.parametrize("path", corpus(), ids=lambda path: path.name)
def test_the_packets_of_a_corpus_come_where_it_is_said(path: Path, part: Part) -> None:
    check(path, part)


# -- the judge itself -------------------------------------------------------------------------


def ends(text: str, **fields: object) -> set[tuple[str, int | None]]:
    """How the ways of a packet end, and at which line."""
    ruleset = iptlint.read(text)
    plain: dict[str, object] = {"iif": "eth0", "saddr": "198.51.100.7", "daddr": "192.0.2.10"}
    plain |= {"proto": "tcp", "sport": 40000, "dport": 22, "ct_state": "new", "mark": 0}
    packet = Packet("ip", "input", **(plain | fields))
    return {
        (kind.value, rule and rule.origin.span.line)
        for kind, chain, rule in replay(ruleset, packet).decided
        if chain is not None and chain.name in ("INPUT", "web")
    }


TABLE = """*filter
:INPUT DROP [0:0]
:web - [0:0]
-A INPUT -p tcp -m tcp --dport 80 -g web
-A INPUT -p tcp -m tcp --dport 22 -m limit --limit 1/sec -j ACCEPT
-A INPUT -i eth1 -j MARK --set-xmark 0x1/0xffffffff
-A INPUT -m mark --mark 0x1 -j REJECT
-A web -s 192.0.2.0/24 -j ACCEPT
COMMIT
"""


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {("accept", 5), ("drop", None)}),  # within the limit, or over it
        ({"dport": 23}, {("drop", None)}),
        ({"dport": 23, "iif": "eth1"}, {("reject", 7)}),
        ({"dport": 23, "mark": 1}, {("reject", 7)}),
        ({"dport": 80, "saddr": "192.0.2.1"}, {("accept", 8)}),
        ({"dport": 80}, {("drop", None)}),  # from behind a goto it is the policy
    ],
)
def test_one_packet_through_a_table(
    fields: dict[str, object], expected: set[tuple[str, int | None]]
) -> None:
    assert ends(TABLE, **fields) == expected


def test_a_translated_packet_is_tested_as_it_is_then() -> None:
    nat = """*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -p tcp -m tcp --dport 22 -j REDIRECT --to-ports 80
COMMIT
"""
    own = ("accept", None)  # the policy of INPUT in nat
    assert ends(nat + TABLE, saddr="192.0.2.1") == {own, ("accept", 12)}
    # A chain of type nat is shown the first packet of a connection.
    later = ends(nat + TABLE, saddr="192.0.2.1", ct_state="established")
    assert later == {("accept", 9), ("drop", None)}
