"""The extension table against the real tools: 1676 rules of iptables' own test suite."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.iptables.extensions.table import (
    CORE,
    MATCHES,
    TARGETS,
    find_match,
    find_target,
    protocol_match,
)
from iptlint.dialects.iptables.lowering.lower import lower
from iptlint.dialects.iptables.parsing.parser import parse
from iptlint.model import Family, Rule
from iptlint.source import SourceFile

CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus" / "iptables-rules.tsv"

pytestmark = pytest.mark.skipif(not CORPUS.exists(), reason=f"{CORPUS} is not there")

FAMILIES = {"iptables": Family.IP, "ip6tables": Family.IP6}

TAKEN_AND_CHANGED = {
    # What it means is not what is printed: the negation of every value is printed as no test.
    "! --sport :",
    "! --dport :",
    "! --ahspi :",
    "! --espspi :",
    "! --fragid :",
    "! --ipcompspi :",
    "! --mh-type :",
    "! --rt-segsleft :",
    # iptables-legacy cuts it at 63 characters.
    "--nflog-prefix " + 65 * "x",
}
"""The tools take these, and IPT006 is right."""

REFUSED_FOR_WHAT_IS_ABSENT = {
    "-m ipvs ": "no kernel module",
    "-j LED --led-trigger-id": "no kernel module",
    "-j SECMARK --selctx": "no SELinux policy",
    "-m rateest ": "no such estimator",
    "set foo src,dst": "no such set",
    "--nfacct-name wrong": "no such account",
    '--label "foobar_not_there"': "no connlabel.conf",
    "--icmpv6-type mld-listener": "a name newer than 1.8.9",
    "--protocol=tcp --source=1.2.3.4": "the harness passed it as one word",
    "-ptcp -s1.2.3.4": "the harness passed it as one word",
}
"""Refused here for what this host lacks; the text is right."""

PRINTED_OTHERWISE = {
    "! -i +": "iptables-legacy prints it as no test; the kernel never matches it",
    "-j NFLOG --nflog-range 1": "iptables-nft drops --nflog-range, which never worked",
    "-j NFLOG --nflog-range 4294967295": "as above",
}


@cache
def rows() -> tuple[dict[str, str], ...]:
    with CORPUS.open(encoding="utf-8", newline="") as file:
        found = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return tuple(row for row in found if row["tool"] in FAMILIES)


def taken(row: dict[str, str]) -> bool:
    return bool(row["nft_accepts_in"]) or row["legacy_result"] == "accept"


def read(row: dict[str, str], chain: str, rule: str) -> tuple[tuple[Rule, ...], list[Diagnostic]]:
    source = SourceFile("rule", f"*{row['table']}\n-A {chain} {rule}\nCOMMIT\n")
    ruleset, diagnostics = lower(parse(source, FAMILIES[row["tool"]]), source)
    table = ruleset.table(row["table"], FAMILIES[row["tool"]])
    chains = table.chains if table else {}
    return chains[chain].rules if chain in chains else (), list(diagnostics)


def cases() -> Iterator[tuple[dict[str, str], str]]:
    for row in rows():
        for chain in (row["nft_accepts_in"] or row["chains"]).split(","):
            yield row, chain


def test_what_a_tool_takes_is_read() -> None:
    wrong = [
        (row["tool"], row["rule"], diagnostics)
        for row, chain in cases()
        if taken(row) and not any(row["rule"].endswith(known) for known in TAKEN_AND_CHANGED)
        for rules, diagnostics in [read(row, chain, row["rule"])]
        if diagnostics or len(rules) != 1
    ]
    assert not wrong


def test_what_is_changed_is_refused() -> None:
    for row in rows():
        if any(row["rule"].endswith(known) for known in TAKEN_AND_CHANGED):
            _, diagnostics = read(row, row["chains"].split(",")[0], row["rule"])
            assert [diagnostic.code for diagnostic in diagnostics] == ["IPT006"]


def test_what_both_refuse_is_a_problem() -> None:
    silent = [
        (row["tool"], row["rule"], row["nft_error"])
        for row in rows()
        if not taken(row) and not any(known in row["rule"] for known in REFUSED_FOR_WHAT_IS_ABSENT)
        if not any(read(row, chain, row["rule"])[1] for chain in row["chains"].split(","))
    ]
    assert not silent


def meaning(rules: tuple[Rule, ...]) -> list[object]:
    return [(rule.matches, rule.verdict, rule.effects, rule.comment) for rule in rules]


@pytest.mark.parametrize("saved", ["nft_saved", "legacy_saved"])
def test_as_written_and_as_printed_mean_the_same(saved: str) -> None:
    different = []
    for row in rows():
        if not row[saved] or row["rule"] in PRINTED_OTHERWISE:
            continue
        _append, chain, *printed = row[saved].split(" ", 2)
        written, diagnostics = read(row, chain, row["rule"])
        if not diagnostics and meaning(written) != meaning(read(row, chain, " ".join(printed))[0]):
            different.append((row["rule"], printed))
    assert not different


def test_every_row_is_found_under_its_names() -> None:
    for table, find in ((MATCHES, find_match), (TARGETS, find_target)):
        for name, row in table.items():
            assert row.families
            for family in row.families:
                found = find(name, family)
                assert found is not None
                assert found.name == name
                assert all(find(alias, family) is found for alias in row.aliases)


def test_names_and_families() -> None:
    icmp6 = find_match("icmpv6", Family.IP6)
    assert icmp6 is not None
    assert icmp6.name == "icmp6"
    assert find_match("icmp", Family.IP6) is None
    assert find_target("HL", Family.IP) is None
    assert find_target("REJECT", Family.IP) is not find_target("REJECT", Family.IP6)
    assert find_target("no-such", Family.IP) is None


def test_no_extension_has_an_option_twice() -> None:
    for row in (CORE, *MATCHES.values(), *TARGETS.values()):
        names = [option.name for option in row.options]
        assert len(names) == len(set(names)), row.name


@pytest.mark.parametrize(
    ("word", "family", "name"),
    [
        ("tcp", Family.IP, "tcp"),
        ("6", Family.IP6, "tcp"),
        ("TCP", Family.IP, "tcp"),
        ("icmp", Family.IP, "icmp"),
        ("icmp", Family.IP6, None),
        ("58", Family.IP6, "icmp6"),
        ("ipv6-icmp", Family.IP, None),
        ("all", Family.IP, None),
        ("udplite", Family.IP, None),
        ("nonsense", Family.IP, None),
    ],
)
def test_protocol_match(word: str, family: Family, name: str | None) -> None:
    found = protocol_match(word, family)
    assert (found.name if found else None) == name
