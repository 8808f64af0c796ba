"""The same rules in iptables and in nft mean the same, rule by rule and packet by packet.

What iptables-restore-translate makes of a file, and what nft lists of a host that
iptables-nft-restore has loaded the file on, is read and compared with the iptables it is from.
Both print some rules wrong: those are taken out of both sides first, and every reason to do so
is a row of ``faults``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from iptlint.dialects.iptables.lowering.lower import lower
from iptlint.dialects.iptables.parsing.parser import parse
from iptlint.dialects.nft.execute import execute
from iptlint.dialects.nft.lower import lower as lower_nft
from iptlint.dialects.nft.parser import parse as parse_nft
from iptlint.model import Chain, Effect, Family, Rule, Ruleset, Table, VerdictKind
from iptlint.model.verdicts import CONTINUE
from iptlint.netfilter.firewall import Firewall, space_of
from iptlint.netfilter.table_analysis import TableAnalysis
from iptlint.source import SourceFile
from tests.corpus import faults
from tests.corpus.meaning import differences
from tests.corpus.rows import CORPUS, WHY_SKIPPED
from tests.parts import Part

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

FAMILIES = {"iptables": Family.IP, "ip6tables": Family.IP6}
TOOLS = ("nft", "unshare", *(f"{f}-{what}" for f in FAMILIES for what in ("nft-restore",)))
LOST = re.compile(r"(?m)^# -t \S+ -[AI] ")
"""What the translator writes in place of a rule that it has no words for."""
FOREIGN = re.compile(r"(?:^|\s)xt (match|target) ")
"""A listing does not say what such an extension was given: what it may do includes the truth."""


def works() -> bool:
    if not all(map(shutil.which, (*TOOLS, "iptables-restore-translate"))):
        return False
    command = ["unshare", "-rn", "sh", "-c", "iptables-nft-save && nft list ruleset"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


pytestmark = [
    pytest.mark.skipif(not CORPUS.is_dir(), reason=WHY_SKIPPED),
    pytest.mark.skipif(not works(), reason="iptables-nft cannot be run in a network namespace"),
]

OF_A_TOOL = 200
"""Files that are compared where not all are."""

# -- what is compared ------------------------------------------------------------------------


class Given(NamedTuple):
    tool: str
    path: Path

    @property
    def family(self) -> Family:
        return FAMILIES[self.tool]


@cache
def files() -> tuple[Given, ...]:
    """Every file of the corpus but those that say the same as one before."""
    found: dict[tuple[str, str], Given] = {}
    for tool in FAMILIES:
        for path in sorted((CORPUS / tool / "valid").iterdir()):
            text = path.read_text("utf-8", "replace")
            plain = re.sub(r"(?m)^#.*\n|\[\d+:\d+\] ?|[ \t]+$", "", text)
            found.setdefault((tool, plain), Given(tool, path))
    return tuple(found.values())


TRANSLATE = 'for f; do echo "$MARK$f"; {}-restore-translate -f "$f" || echo "$MARK-"; done'
LIST = """
for f; do
  if timeout 20 {0}-nft-restore "$f"; then
    echo "$MARK$f"; {0}-nft-save; echo "$MARK"; nft list ruleset; echo; fi
  nft flush ruleset
done
"""
MARK = "=== of "


def batch(script: str, tool: str, part: Part) -> Iterator[tuple[Given, list[str]]]:
    """Run over files of a tool in one namespace: each with what it printed, in parts.
    A listing may break off within a line."""
    chosen = part.of([each for each in files() if each.tool == tool], OF_A_TOOL)
    given = {os.fspath(each.path): each for each in chosen}
    command = ["unshare", "-rn", "sh", "-c", script.format(tool), "sh", *given]
    environment = {**os.environ, "MARK": MARK}
    run = subprocess.run(command, capture_output=True, check=False, env=environment)
    printed = run.stdout.decode("utf-8", "surrogateescape")
    path = ""
    parts: list[str] = []
    for piece in ("\n" + printed).split("\n" + MARK)[1:]:
        name, _, text = piece.partition("\n")
        if name in given:
            if parts:
                yield given[path], parts
            path, parts = name, [text]
        else:
            parts.append(text)
    if parts:
        yield given[path], parts


# -- what is left out ------------------------------------------------------------------------


def text_of(rule: Rule) -> str:
    return rule.statement.span.text


def _without_faults(
    one: Ruleset, other: Ruleset, excused: Counter[str]
) -> tuple[Ruleset, Ruleset, list[str]]:
    """Both without the rules that are known to be printed wrong, and what else is amiss."""
    amiss: list[str] = []
    firsts, seconds = [], []
    for table in one.tables:
        twin = other.table(table.name, table.family)
        if twin is None:
            if any(table.rules()):
                amiss.append(f"no table {table.name}")
            continue
        first, second = _of_table(table, twin, excused, amiss)
        firsts.append(first)
        seconds.append(second)
    return replace(one, tables=tuple(firsts)), replace(other, tables=tuple(seconds)), amiss


def _of_table(
    table: Table, twin: Table, excused: Counter[str], amiss: list[str]
) -> tuple[Table, Table]:
    mine: dict[str, Chain] = {}
    theirs: dict[str, Chain] = {}
    for name, chain in table.chains.items():
        other = twin.chains.get(name)
        if other is None:
            if chain.rules:
                amiss.append(f"no chain {name}")
            elif chain.hook is None:
                mine[name] = chain
            continue
        if chain.priority != other.priority and table.name == "security":
            other = replace(other, priority=chain.priority)
            excused["the table security"] += 1
        kept = list(_kept(chain, other, excused, amiss))
        mine[name] = replace(chain, rules=tuple(rule for each, _ in kept for rule in each))
        theirs[name] = replace(other, rules=tuple(rule for _, each in kept for rule in each))
    return replace(table, chains=mine), replace(twin, chains={**twin.chains, **theirs})


def _kept(
    chain: Chain, other: Chain, excused: Counter[str], amiss: list[str]
) -> Iterator[tuple[tuple[Rule, ...], tuple[Rule, ...]]]:
    these, those = list(chain.statements()), list(other.statements())
    if len(these) != len(those):
        amiss.append(f"{chain.name}: {len(these)} rules and {len(those)}")
        return
    for pair in zip(these, those, strict=True):
        rule, made = (text_of(parts[0]) for parts in pair)
        fault = faults.fault_of(rule, made)
        if fault is not None:
            excused[fault] += 1
            continue
        if not (pair[0][0].read and pair[1][0].read):
            amiss.append(f"unread: {rule} / {made}")
        yield pair


# -- rule by rule ----------------------------------------------------------------------------

Outcome = tuple[VerdictKind, str | None]


def rules_that_differ(one: Ruleset, other: Ruleset) -> Iterator[str]:
    space = space_of(one, other)
    firewalls = Firewall(one, space), Firewall(other, space)
    for table in one.tables:
        twin = other.table(table.name, table.family)
        assert twin is not None
        analyses = firewalls[0].analysis(table), firewalls[1].analysis(twin)
        for name, chain in table.chains.items():
            if name not in twin.chains:
                continue
            pairs = zip(chain.statements(), twin.chains[name].statements(), strict=True)
            for these, those in pairs:
                if not _same(these, those, analyses):
                    yield f"{text_of(these[0])} / {text_of(those[0])}"


def _same(
    these: tuple[Rule, ...], those: tuple[Rule, ...], analyses: tuple[TableAnalysis, TableAnalysis]
) -> bool:
    listed = FOREIGN.search(text_of(those[0]))
    mine, theirs = _outcomes(these, analyses[0]), _outcomes(those, analyses[1])
    if these[0].verdict == CONTINUE and (len(those) > 1 or those[0].effects):
        return True  # The rule only counts; what is done on the way is done to sets.
    if listed:
        return all(not (may & ~theirs[end][0]).satisfiable() for end, (may, _) in mine.items())
    return mine == theirs and _alike(_effects(these), _effects(those))


def _outcomes(
    parts: tuple[Rule, ...], analysis: TableAnalysis
) -> Mapping[Outcome, tuple[PacketSet, PacketSet]]:
    """Of every end of the statement, the packets that may and that surely have it."""
    found: dict[Outcome, tuple[PacketSet, PacketSet]] = {}
    for rule in parts:
        goes_on = rule.verdict.kind is VerdictKind.CONTINUE
        if goes_on and (len(parts) > 1 or rule.verdict.name or not rule.matches):
            continue
        tests = analysis.tests(rule)
        may, sure = found.get(_end(rule), (analysis.space.false, analysis.space.false))
        here = _acts_on(rule, analysis)
        found[_end(rule)] = may | tests.may & here, sure | tests.sure & here
    return found


def _acts_on(rule: Rule, analysis: TableAnalysis) -> PacketSet:
    """A mark is copied to or from a connection only where there is one (xt_connmark.c)."""
    if any(effect.source for effect in rule.effects):
        return ~analysis.space.state("invalid", "untracked")
    return analysis.space.true


def _end(rule: Rule) -> Outcome:
    return rule.verdict.kind, rule.verdict.chain


def _effects(parts: tuple[Rule, ...]) -> frozenset[Effect]:
    return frozenset(replace(e, name=None) for rule in parts for e in rule.effects if e.field)


def _alike(these: frozenset[Effect], those: frozenset[Effect]) -> bool:
    return these == those


# -- the two proofs --------------------------------------------------------------------------


def compared(
    one: SourceFile, other: SourceFile, family: Family, excused: Counter[str]
) -> list[str]:
    """What is not the same; empty where everything is."""
    excuse = faults.fault_of_file(one.text, other.text)
    if excuse is not None:
        excused[excuse] += 1
        return []
    first, second, amiss = _without_faults(
        lower(parse(one, family), one)[0],
        lower_nft(execute(parse_nft(other, ())), other, "nft")[0],
        excused,
    )
    if amiss:
        return amiss
    wrong = list(rules_that_differ(first, second))
    only_more = FOREIGN.search(other.text)
    for found in differences(first, second, family):
        if not (only_more and found.only == "second"):
            wrong.append(str(found))
    return wrong


def test_a_file_and_its_translation_mean_the_same(part: Part) -> None:
    differing: dict[str, list[str]] = {}
    excused: Counter[str] = Counter()
    count = 0
    for tool, family in FAMILIES.items():
        for given, (text, *failed) in batch(TRANSLATE, tool, part):
            if failed or LOST.search(text):
                continue
            count += 1
            one = SourceFile(given.path.name, given.path.read_text("utf-8", "surrogateescape"))
            wrong = compared(one, SourceFile("translation", text), family, excused)
            if wrong:
                differing[given.path.name] = wrong[:3]
    assert differing == {}
    assert count > (750 if part.whole else 200)


def test_a_host_lists_the_same_in_both_languages(part: Part) -> None:
    differing: dict[str, list[str]] = {}
    excused: Counter[str] = Counter()
    count = 0
    for tool, family in FAMILIES.items():
        for given, (saved, listed) in batch(LIST, tool, part):
            count += 1
            sources = SourceFile(given.path.name, saved), SourceFile("listing", listed)
            wrong = compared(*sources, family, excused)
            if wrong:
                differing[given.path.name] = wrong[:3]
    assert differing == {}
    assert count > (880 if part.whole else 200)


def test_every_fault_is_told_of() -> None:
    text = Path(__file__).with_name("KNOWN_TRANSLATOR_FAULTS.md").read_text("utf-8")
    rows = (*faults.OF_RULES, *faults.OF_FILES)
    names = {*(fault.name for fault in rows), *faults.OF_TABLES}
    assert names == set(re.findall(r"(?m)^## (.*)$", text))


def test_no_rule_is_lost_without_a_word(part: Part) -> None:
    """In the comments of a translation are the rules that are not in it."""
    rule = re.compile(r"(?m)^(?:\[\d+:\d+\] )?-[AI] ")
    made = re.compile(r"(?m)^(?:add|insert) rule ")
    lost = []
    for tool in FAMILIES:
        for given, (text, *failed) in batch(TRANSLATE, tool, part):
            whole = given.path.read_text("utf-8", "surrogateescape")
            there = len(made.findall(text)) + len(LOST.findall(text))
            if not failed and len(rule.findall(whole)) != there:
                lost.append(given.path.name)
    assert lost == []
