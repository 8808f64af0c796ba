"""The rules on what packets can reach, beyond their fixtures: exactness, evidence, wording."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import replace

import pytest

from iptlint.analysis.session import Context, Settings
from iptlint.analysis.shadowing import copies
from iptlint.dialects import read
from iptlint.findings import Finding, Severity
from iptlint.linter.run import lint
from iptlint.model import Chain, Rule, Table, VerdictKind
from iptlint.netfilter.base_chain import BaseChain
from iptlint.netfilter.table_analysis import TableAnalysis
from iptlint.rules.hygiene import ipt902_log_after_verdict
from iptlint.rules.reachability import (
    ipt101_shadowed_rule,
    ipt102_redundant_rule,
    ipt103_contradictory_match,
    ipt104_unused_chain,
    ipt106_duplicate_rule,
    ipt107_no_effect_jump,
)
from iptlint.rules.reading import ipt003_undefined_target, ipt004_jump_loop
from iptlint.source import SourceFile
from tests.oracle.generate import random_ruleset

RULES = (
    ipt003_undefined_target,
    ipt004_jump_loop,
    ipt101_shadowed_rule,
    ipt102_redundant_rule,
    ipt103_contradictory_match,
    ipt104_unused_chain,
    ipt106_duplicate_rule,
    ipt107_no_effect_jump,
    ipt902_log_after_verdict,
)


def context_of(text: str) -> Context:
    return Context((read(SourceFile("rules.v4", text)).ruleset,), Settings())


def findings(*rules: str, chains: str = "", policy: str = "DROP") -> list[Finding]:
    """Those of a filter table whose first rule is on line 1."""
    declared = "".join(f":{name} - [0:0]\n" for name in chains.split())
    head = f"*filter\n:INPUT {policy} [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n"
    body = "".join(f"-A {rule}\n" for rule in rules)
    context = context_of(f"{head}{declared}{body}COMMIT\n")
    skipped = (head + declared).count("\n")
    found = [finding.told() for rule in RULES for finding in rule.check(context)]
    return [f for f in sorted(found, key=lambda f: f.span.start) if f.span.line > skipped]


def codes(*rules: str, chains: str = "", policy: str = "DROP") -> list[tuple[int, str]]:
    """Number of the rule, and code, of each finding."""
    first = 5 + len(chains.split())
    found = findings(*rules, chains=chains, policy=policy)
    return [(f.span.line - first + 1, f.code) for f in found]


# -- exact --------------------------------------------------------------------


@pytest.mark.parametrize(
    "rules",
    [
        ("INPUT -p tcp -m limit --limit 5/s -j ACCEPT", "INPUT -p tcp --dport 22 -j DROP"),
        ("INPUT -p tcp -j LOG", "INPUT -p tcp --dport 22 -j DROP"),
        ("INPUT -p tcp -j MARK --set-mark 1", "INPUT -p tcp --dport 22 -j DROP"),
        ("INPUT ! -s 10.0.0.0/8 -j ACCEPT", "INPUT -s 10.0.0.0/7 -j DROP"),
        ("INPUT -p tcp -m acme --x -j ACCEPT", "INPUT -p tcp --dport 22 -j DROP"),
        ("INPUT -p tcp --syn -j ACCEPT", "INPUT -p tcp --dport 22 -j DROP"),
        ("INPUT -p tcp -j ACME --x", "INPUT -p tcp --dport 22 -j DROP"),
        ("INPUT -p tcp -m recent --rcheck --name a -j DROP", "INPUT -p tcp --dport 2 -j ACCEPT"),
    ],
)
def test_what_takes_no_packet(rules: tuple[str, ...]) -> None:
    assert codes(*rules) == []


def test_a_log_between_is_a_reason_for_a_rule() -> None:
    """A quiet drop above the log is what people write it for."""
    rules = ("INPUT -s 1.2.3.0/24 -j DROP", "INPUT -j LOG", "INPUT -s 1.0.0.0/8 -j DROP")
    assert codes(*rules) == []
    assert codes(rules[0], rules[2]) == [(1, "IPT102")]


def test_a_limit_or_another_verdict_between_is_a_reason_too() -> None:
    narrow, wide = "INPUT -p tcp --dport 22 -j ACCEPT", "INPUT -p tcp -j ACCEPT"
    assert codes(narrow, wide) == [(1, "IPT102")]
    assert codes(narrow, "INPUT -p tcp -m limit --limit 1/s -j ACCEPT", wide) == []
    assert codes(narrow, "INPUT -p tcp --dport 1:100 -j DROP", wide) == []
    assert codes(narrow, "INPUT -s 1.2.3.4 -j DROP", wide) == []


def test_only_the_policy_or_a_closing_rule_decides_the_same() -> None:
    assert codes("INPUT -s 1.2.3.4 -j DROP") == []
    assert codes("INPUT -s 1.2.3.4 -j DROP", "INPUT -p tcp -j ACCEPT", "INPUT -j DROP") == []


def test_a_rejects_answer_is_part_of_its_decision() -> None:
    rules = "INPUT -p tcp --dport 113 -j REJECT --reject-with tcp-reset", "INPUT -p tcp -j REJECT"
    assert codes(*rules) == []


def test_only_rules_of_the_same_chain_stand_in_for_another() -> None:
    rules = (
        "INPUT -p tcp --dport 443 -j ACCEPT",
        "INPUT -p tcp -j web",
        "web -p tcp --dport 400:500 -j ACCEPT",
    )
    assert codes(*rules, chains="web") == []
    assert codes(rules[0], rules[2].replace("web", "INPUT")) == [(1, "IPT102")]


def test_a_packet_that_comes_twice_meets_the_same_rule() -> None:
    """Without it, nobody accepts them the second time either."""
    rules = ("INPUT -j web", "INPUT -p tcp -j web", "web -p tcp --dport 443 -j ACCEPT")
    assert "IPT102" not in {code for _, code in codes(*rules, chains="web")}


def test_dead_only_if_dead_from_all_calls() -> None:
    rules = (
        "INPUT -p tcp --dport 22 -j ACCEPT",
        "INPUT -p tcp -j web",
        "web -p tcp --dport 22 -j DROP",
    )
    assert codes(*rules, chains="web") == [(3, "IPT101")]
    assert codes(*rules, "FORWARD -p tcp -j web", chains="web") == [(2, "IPT107")]


def test_a_dead_rule_takes_nothing() -> None:
    """Line 2 covers line 3 but never sees a packet: it is line 1 that takes them."""
    found = findings(
        "INPUT -p tcp --dport 1:100 -j DROP",
        "INPUT -p tcp --dport 22:23 -j ACCEPT",
        "INPUT -s 1.2.3.4 -p tcp --dport 22 -j ACCEPT",
    )
    assert [f.code for f in found] == ["IPT101", "IPT101"]
    assert [label.span.line for label in found[1].related] == [5]


def test_a_ban_below_the_accept_it_should_guard() -> None:
    """Another DROP covers the ban, but what was to be stopped is accepted before both."""
    found = findings(
        "INPUT -p tcp --dport 22 -j ACCEPT",
        "INPUT -p tcp -m multiport --dports 22,23 -j DROP",
        "INPUT -s 203.0.113.5 -p tcp --dport 22 -j DROP",
    )
    assert [(f.code, f.severity) for f in found] == [("IPT101", Severity.ERROR)]
    assert "line 5 accepts all" in found[0].message


def test_a_second_closing_rule_is_not_a_lost_ban() -> None:
    rules = ("INPUT -p tcp --dport 22 -j ACCEPT", "INPUT -j DROP", "INPUT -i eth0 -j DROP")
    assert codes(*rules) == [(3, "IPT102")]


def test_an_exception_above_is_not_what_loses_a_ban() -> None:
    rules = (
        "INPUT -s 10.1.1.1 -p tcp --dport 22 -j ACCEPT",
        "INPUT -p tcp --dport 22 -j DROP",
        "INPUT -s 10.0.0.0/8 -p tcp --dport 22 -j DROP",
    )
    assert codes(*rules) == [(3, "IPT102")]


def test_jumps_and_logs_take_nothing_from_their_like() -> None:
    found = findings(
        "INPUT -p tcp -j one",
        "INPUT -p tcp -j LOG",
        "INPUT -j DROP",
        "INPUT -p tcp -j two",
        "INPUT -p tcp -j LOG --log-prefix again",
        "one -s 1.2.3.4 -j DROP",
        "two -s 1.2.3.4 -j DROP",
        chains="one two",
    )
    assert [f.code for f in found] == ["IPT101", "IPT902"]
    assert all([label.span.line for label in f.related] == [9] for f in found)


# -- one cause, one finding ---------------------------------------------------


def test_the_rules_behind_a_dead_jump_are_not_reported() -> None:
    rules = ("INPUT -p tcp -j ACCEPT", "INPUT -p tcp --dport 22 -j web", "web -j DROP")
    assert codes(*rules, chains="web") == [(2, "IPT101")]


def test_a_copy_is_only_a_copy() -> None:
    rule = "INPUT -p tcp --dport 22 -j ACCEPT"
    assert codes(rule, rule, rule) == [(2, "IPT106")]
    assert codes("INPUT -p tcp -j DROP", rule, rule) == [(2, "IPT101"), (3, "IPT106")]


def test_a_chain_that_nothing_of_a_call_matches() -> None:
    assert codes("INPUT -p tcp -j dns", "dns -p udp --dport 53 -j ACCEPT", chains="dns") == [
        (1, "IPT107")
    ]


def test_undefined_targets_are_one_finding_each() -> None:
    rules = ("INPUT -p tcp -j ACEPT", "INPUT -p udp -j ACEPT", "INPUT -j nothing")
    found = findings(*rules)
    assert [f.code for f in found] == ["IPT003", "IPT003"]
    assert "did you mean ACCEPT" in found[0].help
    assert [label.span.line for label in found[0].related] == [6]


def test_what_stands_behind_a_rule_that_nothing_gets_past() -> None:
    """The copy behind it too; the ban that was lost before has a cause of its own."""
    found = findings(
        "INPUT -p tcp --dport 22 -j ACCEPT",
        "INPUT -j DROP",
        "INPUT -p tcp --dport 443 -j ACCEPT",
        "INPUT -s 203.0.113.0/24 -p tcp --dport 22 -j DROP",
        "INPUT -p udp --dport 53 -j ACCEPT",
        "INPUT -p tcp --dport 443 -j ACCEPT",
    )
    cut, ban = found
    assert (cut.span.line, cut.severity) == (7, Severity.WARNING)
    assert cut.message == (
        "nothing gets past line 6, the DROP: this ACCEPT and 2 other rules below, to line 10, "
        "never see a packet"
    )
    assert (ban.span.line, ban.severity) == (8, Severity.ERROR)
    assert "line 5 accepts" in ban.message


def test_bans_behind_an_accept_of_everything() -> None:
    bans = (f"INPUT -s 203.0.113.{n} -j DROP" for n in range(9))
    (found,) = findings("INPUT -p icmp -j ACCEPT", "INPUT -j ACCEPT", *bans)
    assert found.severity is Severity.ERROR
    assert found.witness is not None
    assert found.witness.saddr == "203.0.113.0"


def test_two_rules_behind_it_that_do_the_same_are_redundant() -> None:
    rules = ("INPUT -j DROP", "INPUT -i eth0 -j DROP", "INPUT -i eth1 -j DROP")
    assert codes(*rules) == [(2, "IPT102")]


def test_rules_lost_to_the_same_rule_are_alike() -> None:
    accepts = [f"INPUT -p tcp --dport {n} -j ACCEPT" for n in range(80, 90)]
    found = findings("INPUT -p tcp -j DROP", *accepts, "INPUT -p udp -j ACCEPT")
    assert len(found) == 10
    assert len({f.likeness for f in found}) == 1
    assert found[0].likeness


def test_the_chain_of_the_taker_is_named() -> None:
    """And the call that leads to it is what to move above."""
    (found,) = findings(
        "INPUT -p tcp -j web",
        "INPUT -p tcp --dport 80 -j ACCEPT",
        "INPUT -p udp -j ACCEPT",
        "web -p tcp --dport 1:1023 -j DROP",
        chains="web",
    )
    assert "line 9 of web drops all of these packets first" in found.message
    assert "above line 6" in found.help


def test_an_exception_from_both_bans_is_not_hidden() -> None:
    rules = (
        "INPUT -d 192.0.2.7 -p tcp --dport 443 -j ACCEPT",
        "INPUT -s 203.0.113.0/24 -j DROP",
        "INPUT -s 203.0.113.0/26 -j DROP",
    )
    (found,) = findings(*rules)
    assert (found.code, found.severity) == ("IPT102", Severity.INFO)
    assert "line 6 drops all of these packets that reach it" in found.message


def test_a_closing_drop_that_is_lost_is_no_lost_ban() -> None:
    (found,) = findings("INPUT -j ACCEPT", "INPUT -j DROP")
    assert (found.code, found.severity) == ("IPT101", Severity.WARNING)


# -- copies -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("-s 1.2.3.4 -p tcp --dport 22 -j DROP", "-p tcp -m tcp --dport 22 -s 1.2.3.4/32 -j DROP"),
        ("-p tcp --dport 22 -j DROP", "-p tcp -m multiport --dports 22 -j DROP"),
        ("-p tcp -j DROP -m comment --comment a", "-p tcp -j DROP"),
        ("-s 10.0.0.0/8,10.1.0.0/16 -j DROP", "-s 10.0.0.0/8 -j DROP"),
    ],
)
def test_the_same_rule_in_other_words(first: str, second: str) -> None:
    assert (2, "IPT106") in codes(f"INPUT {first}", f"INPUT {second}")


@pytest.mark.parametrize(
    "rules",
    [
        ["-m limit --limit 1/s -j ACCEPT"] * 2,
        ["-p tcp --dport 22 -m recent --set", "-p tcp --dport 22 -m recent --rcheck -j DROP"],
        ["-p tcp"] * 2,
        ["-j ACME --x"] * 2,
        ["-p tcp --dport 22 -j LOG", "-p tcp --dport 22 -j LOG --log-prefix a"],
        ["-p tcp --syn -j DROP", "-p tcp ! --syn -j DROP"],
    ],
)
def test_not_the_same_rule(rules: list[str]) -> None:
    assert "IPT106" not in {code for _, code in codes(*(f"INPUT {rule}" for rule in rules))}


def test_a_change_of_the_mark_parts_two_rules() -> None:
    rule = "INPUT -m mark --mark 1 -j DROP"
    assert (2, "IPT106") in codes(rule, rule)
    assert (3, "IPT106") not in codes(rule, "INPUT -j MARK --set-mark 1", rule)
    assert (3, "IPT106") not in codes(
        rule, "INPUT -j a", rule, "a -j MARK --set-mark 1", chains="a"
    )


# -- loops --------------------------------------------------------------------


def test_the_way_round() -> None:
    rules = ("INPUT -j a", "a -j b", "b -p tcp -j c", "c -g a", "c -j b")
    (found,) = [f for f in findings(*rules, chains="a b c") if f.code == "IPT004"]
    assert found.severity is Severity.ERROR
    assert found.span.line == 11
    assert "a → b → c → a" in found.message


def test_a_circle_nothing_calls_is_accepted_by_the_kernel() -> None:
    (found,) = [f for f in findings("a -j b", "b -j a", chains="a b") if f.code == "IPT004"]
    assert found.severity is Severity.WARNING


def test_a_chain_that_calls_itself() -> None:
    found = findings("INPUT -j a", "a -p tcp -j a", "a -j DROP", chains="a")
    assert [(f.code, f.span.text) for f in found] == [("IPT004", "-j a")]


# -- proof against the engine -------------------------------------------------


def outcomes(analysis: TableAnalysis) -> Iterator[object]:
    for chain in analysis.table.base_chains():
        for kind in VerdictKind:
            yield BaseChain.of(analysis, chain).end(kind)


def without(analysis: TableAnalysis, dropped: Container[int]) -> TableAnalysis:
    """The walk of the table without the rules with these ids, in the same space."""
    chains = {
        name: Chain(
            name,
            tuple(rule for rule in chain.rules if id(rule) not in dropped),
            chain.hook,
            chain.priority,
            chain.policy,
        )
        for name, chain in analysis.table.chains.items()
    }
    table = Table(analysis.table.family, analysis.table.name, chains)
    ruleset = replace(analysis.ruleset, tables=(table,))
    return TableAnalysis(ruleset, table, analysis.space, analysis.matcher_of, lambda _: (), {})


def rule_at(analysis: TableAnalysis, finding: Finding) -> Rule:
    at = (rule for _, rule in analysis.table.rules() if rule.origin.span.line == finding.span.line)
    return next(at)


@pytest.mark.parametrize("seed", range(150))
def test_what_is_called_needless_is(seed: int) -> None:
    """Each redundant rule may go alone, and all may go together with the dead and the copies."""
    family = "ip6" if seed % 5 == 0 else "ip"
    context = context_of(random_ruleset(seed, rules=30, family=family).text)
    (analysis,) = context.analyses()
    before = list(outcomes(analysis))
    redundant = [rule_at(analysis, f) for f in ipt102_redundant_rule.check(context)]
    lost = [rule_at(analysis, f) for f in ipt101_shadowed_rule.check(context)]
    again = [
        rule for rules in copies(analysis) for rule in rules[1:] if rule.verdict.kind.terminates
    ]
    each = [{id(rule)} for rule in (*redundant, *lost, *again)]
    everything = {id(rule) for rule in (*redundant, *lost, *again)}
    for dropped in (*each, everything):
        assert list(outcomes(without(analysis, dropped))) == before


@pytest.mark.parametrize("seed", range(150))
def test_a_shadowed_rule_has_a_witness_and_a_taker_that_differs(seed: int) -> None:
    context = context_of(random_ruleset(seed, rules=30).text)
    (analysis,) = context.analyses()
    for finding in ipt101_shadowed_rule.check(context):
        rule = rule_at(analysis, finding)
        assert not analysis.matched(rule).satisfiable()
        assert finding.told().witness is not None
        assert finding.related


@pytest.mark.parametrize(
    ("source", "severity"),
    [
        ("23.77.180.0/24", Severity.ERROR),
        ("198.51.100.0/24", Severity.ERROR),
        ("10.1.0.0/16", Severity.WARNING),
        ("100.64.3.0/24", Severity.WARNING),
        ("169.254.0.0/16", Severity.WARNING),
        ("172.0.0.0/8", Severity.ERROR),
        ("172.16.0.0/12", Severity.WARNING),
        ("198.18.0.0/15", Severity.WARNING),
        ("240.0.0.0/4", Severity.WARNING),
    ],
)
def test_a_ban_of_public_addresses_that_never_happens_is_an_error(
    source: str, severity: Severity
) -> None:
    accept = "INPUT -p tcp -m tcp --dport 22 -j ACCEPT"
    ban = f"INPUT -s {source} -p tcp -m tcp --dport 22 -j DROP"
    (finding,) = (f for f in findings(accept, ban) if f.code == "IPT101")
    assert finding.severity is severity


def test_of_the_tests_that_no_packet_passes_the_two_are_named_that_exclude_each_other() -> None:
    text = """*filter
:INPUT DROP [0:0]
-A INPUT -s 192.0.2.1 -p tcp -m tcp --dport 80 -m multiport --dports 443,8443 -j ACCEPT
COMMIT
"""
    (finding,) = lint([SourceFile("rules.v4", text)], select=("IPT103",)).findings
    assert finding.message == "no packet passes both `--dport 80` and `--dports 443,8443`"
    assert [label.span.text for label in finding.related] == ["--dports 443,8443"]
