"""IPT404, IPT407, IPT501 and whose chains are whose."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from ipaddress import collapse_addresses, ip_network
from pathlib import Path

import pytest

from iptlint.analysis import address_lists
from iptlint.analysis.reordering import match_of
from iptlint.analysis.session import Context, Settings
from iptlint.dialects import Reader, read
from iptlint.findings import Finding, Severity
from iptlint.model import Chain, Family, Rule, Ruleset, Table, Within
from iptlint.model.prefixes import fewest
from iptlint.netfilter.firewall import Firewall
from iptlint.netfilter.table_analysis import TableAnalysis
from iptlint.rules.persistence import ipt404_transient_rules_saved as ipt404
from iptlint.rules.persistence import ipt407_set_not_persisted as ipt407
from iptlint.rules.scale import ipt501_list_should_be_set as ipt501
from iptlint.source import SourceFile

MODULES = {module.META.code: module for module in (ipt404, ipt407, ipt501)}
FIXTURES = Path(__file__).parents[2] / "fixtures" / "rules"


def ruleset_of(*lines: str, chains: str = "", path: str = "rules.v4") -> Ruleset:
    declared = "".join(f":{name} - [0:0]\n" for name in chains.split())
    text = "*filter\n:INPUT ACCEPT [0:0]\n" + declared + "\n".join(lines) + "\nCOMMIT\n"
    family = Family.IP6 if path.endswith("v6") else Family.IP
    return read(SourceFile(path, text), Reader(family)).ruleset


def check(code: str, *rulesets: Ruleset) -> list[Finding]:
    return list(MODULES[code].check(Context(rulesets, Settings())))


def lists(*lines: str, chains: str = "", path: str = "rules.v4") -> list[Finding]:
    return check("IPT501", ruleset_of(*lines, chains=chains, path=path))


def drops(first: int, last: int, end: str = "-j DROP", chain: str = "INPUT") -> list[str]:
    return [f"-A {chain} -s 192.0.2.{2 * n}/32 {end}" for n in range(first, last)]


@pytest.mark.parametrize(
    ("code", "path"),
    [(code, path) for code in MODULES for path in sorted((FIXTURES / code).iterdir())],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_fixtures(code: str, path: Path) -> None:
    text = path.read_text()
    mark = f"# expect: {code}"
    expected = [n + 1 for n, line in enumerate(text.splitlines(), start=1) if line.strip() == mark]
    found = check(code, read(SourceFile(str(path), text)).ruleset)
    assert sorted(finding.span.line for finding in found) == expected
    assert bool(expected) == path.name.startswith("bad")


# -- owners -------------------------------------------------------------------


# -- IPT404 -------------------------------------------------------------------


def test_a_live_dump_is_not_a_saved_file() -> None:
    lines = ("-A INPUT -j f2b-sshd", "-A f2b-sshd -j RETURN")
    assert not check("IPT404", ruleset_of(*lines, chains="f2b-sshd", path="-"))
    (finding,) = check("IPT404", ruleset_of(*lines, chains="f2b-sshd"))
    assert "the 2 rules in it or leading to it" in finding.message
    assert finding.span.text == ":f2b-sshd - [0:0]"


def test_an_empty_chain_that_nothing_calls_holds_no_rules() -> None:
    assert not check("IPT404", ruleset_of("-A INPUT -i lo -j ACCEPT", chains="DOCKER"))


# -- IPT407 -------------------------------------------------------------------


def test_the_test_is_underlined_and_every_set_is_named_once() -> None:
    found = ruleset_of(
        "-A INPUT -p tcp -m set --match-set a src -j DROP",
        "-A INPUT -m set ! --match-set a dst -m set --match-set b src -j DROP",
        "-A INPUT -j SET --map-set c src --map-mark",
    )
    (finding,) = check("IPT407", found)
    assert finding.span.text.endswith("--match-set a src")
    assert "3 sets (a, b, c)" in finding.message
    assert [label.message for label in finding.related] == ["needs the set b", "needs the set c"]


def test_sets_of_software_are_there_once_it_has_started() -> None:
    """iptables-restore is done before crowdsec or fail2ban start, and stops at the first set that
    does not exist (libxt_set.c)."""
    rules = [f"-A INPUT -m set --match-set {name} src -j DROP" for name in CROWDSEC]
    (finding,) = check("IPT407", ruleset_of(*rules, "-A INPUT -p tcp --dport 22 -j ACCEPT"))
    assert "2 sets (crowdsec-blacklists, crowdsec-blacklists-0), and crowdsec" in finding.message
    assert "it" not in finding.advice.split()
    (of_rule, mine) = check(
        "IPT407", ruleset_of(rules[0], "-A INPUT -m set --match-set friends src -j ACCEPT")
    )
    assert {"the set friends, which nothing" in f.message for f in (of_rule, mine)} == {True, False}
    assert check("IPT407", ruleset_of(rules[0], path="-")) == []


CROWDSEC = ("crowdsec-blacklists", "crowdsec-blacklists-0")


def test_one_finding_for_each_file() -> None:
    rules = ("-A INPUT -m set --match-set a src -j DROP",)
    found = check("IPT407", ruleset_of(*rules), ruleset_of(*rules, path="rules.v6"))
    assert [finding.span.source.path for finding in found] == ["rules.v4", "rules.v6"]


# -- IPT501 -------------------------------------------------------------------


def test_severity_and_words() -> None:
    (few,), (many,) = lists(*drops(1, 16)), lists(*drops(1, 17))
    assert (few.severity, many.severity) == (Severity.INFO, Severity.WARNING)
    assert not lists(*drops(1, 6))
    assert few.message == (
        "15 rules differ only in their source address: one set of 15 prefixes replaces them;"
        " a packet that matches none is compared with 1 instead of 15 rules"
    )
    assert "`-A INPUT -m set --match-set INPUT-DROP-src src -j DROP`" in few.help


def test_neighbours_are_joined() -> None:
    (finding,) = lists(*(f"-A INPUT -s 192.0.2.{n} -j DROP" for n in (1, 2, 3, 4, 5, 9)))
    assert "one set of 4 prefixes (after joining neighbours)" in finding.message
    for prefix in ("192.0.2.1", "192.0.2.2/31", "192.0.2.4/31", "192.0.2.9"):
        assert re.search(rf"ipset add INPUT-DROP-src {prefix}[;`]", finding.help)


def test_a_list_that_is_one_prefix_needs_no_set() -> None:
    (finding,) = lists(*(f"-A INPUT -s 192.0.2.{n} -p tcp -j DROP" for n in range(8, 16)))
    assert "together they are 192.0.2.8/29, so one rule replaces them" in finding.message
    assert "`-A INPUT -s 192.0.2.8/29 -p tcp -j DROP`" in finding.help


def test_no_set_holds_a_prefix_of_length_0() -> None:
    all_of_them = ("0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/3", "224.0.0.0/4", "240.0.0.0/5")
    (finding,) = lists(*(f"-A INPUT -s {net} -j DROP" for net in (*all_of_them, "248.0.0.0/5")))
    assert "add INPUT-DROP-src 0.0.0.0/1" in finding.help
    assert "add INPUT-DROP-src 128.0.0.0/1" in finding.help


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("bits", [32, 128])
def test_joined_prefixes_are_the_fewest(seed: int, bits: int) -> None:
    rng = random.Random(seed)
    make = ip_network("0.0.0.0/0" if bits == 32 else "::/0")
    nets = [
        type(make)((rng.randrange(64) << (bits - length) & (1 << bits) - 1, length))
        for length in (rng.randrange(bits - 6, bits + 1) for _ in range(30))
    ]
    ranges = [(int(net.network_address), int(net.broadcast_address)) for net in nets]
    family = Family.IP if bits == 32 else Family.IP6
    assert [*fewest(ranges, family)] == list(collapse_addresses(nets))


def test_an_exception_between_keeps_the_wider_range_out() -> None:
    lines = drops(1, 8)
    lines[3:3] = ["-A INPUT -s 192.0.2.100/32 -j ACCEPT", "-A INPUT -s 192.0.2.96/28 -j DROP"]
    (finding,) = lists(*lines)
    assert finding.message.startswith("7 rules")


def test_a_rule_that_sees_all_parts_the_list() -> None:
    assert not lists(*drops(1, 6), "-A INPUT -p tcp -j ACCEPT", *drops(6, 11))
    first, second = lists(*drops(1, 8), "-A INPUT -p tcp -j ACCEPT", *drops(8, 14))
    assert (first.span.line, second.span.line) == (3, 11)
    assert "INPUT-DROP-src-2" in second.help


@pytest.mark.parametrize(
    "between",
    [
        "-A INPUT -p tcp -j LOG",
        "-A INPUT -p tcp -j MARK --set-mark 1",
        "-A INPUT -p tcp",
        "-A INPUT -p tcp -j other",
        "-A INPUT -p tcp -j RETURN",
        "-A INPUT -p tcp -j REJECT",
        "-A INPUT -p tcp -j NFQUEUE --queue-num 1",
        # A limit counts the packets it sees: with fewer of them, others pass.
        "-A INPUT -p tcp -m limit --limit 1/s -j DROP",
        # It comes before the port is looked at, so it counts every tcp packet.
        "-A INPUT -p tcp -m limit --limit 1/s -m tcp --dport 9 -j ACCEPT",
    ],
)
def test_what_a_rule_cannot_be_moved_past(between: str) -> None:
    seven = "-p tcp -m tcp --dport 7 -j DROP"
    assert not lists(*drops(1, 5, seven), between, *drops(5, 9, seven), chains="other")


@pytest.mark.parametrize(
    "between",
    [
        "-A INPUT -p tcp -m tcp --sport 9 -j DROP",
        "-A INPUT -p udp -j ACCEPT",
        "-A INPUT -p tcp -m tcp --dport 9 -j LOG",
        "-A INPUT -s 198.51.100.1/32 -j other",
        "-A INPUT -p udp -m limit --limit 1/s -j ACCEPT",
        "-A INPUT -p tcp -m tcp --dport 9 -m limit --limit 1/s -j ACCEPT",
    ],
)
def test_what_a_rule_can_be_moved_past(between: str) -> None:
    seven = "-p tcp -m tcp --dport 7 -j DROP"
    (finding,) = lists(*drops(1, 5, seven), between, *drops(5, 9, seven), chains="other")
    assert finding.message.startswith("8 rules")


def test_two_calls_of_a_chain_are_not_one() -> None:
    nested = [f"-A INPUT -s 10.0.0.0/{n} -j other" for n in range(8, 16)]
    assert not lists(*nested, chains="other")
    apart = [f"-A INPUT -s 10.{n}.0.0/16 -j other" for n in range(8, 16)]
    assert lists(*apart, chains="other")


def test_what_is_dead_or_covered_is_not_counted() -> None:
    """Other rules tell of it."""
    covered = [f"-A INPUT -s 10.1.{n}.0/24 -j DROP" for n in range(9)]
    assert not lists(*covered, "-A INPUT -s 10.1.0.0/16 -j DROP", *drops(1, 5))
    assert not lists("-A INPUT -s 10.1.0.0/16 -j DROP", *covered, *drops(1, 5))
    assert not lists("-A INPUT -s 10.1.0.0/16 -j ACCEPT", *covered)
    assert not lists(*drops(1, 5), *drops(1, 5))
    assert not lists(*drops(1, 9, chain="forgotten"), chains="forgotten")
    (finding,) = lists(*covered, *drops(1, 7), "-A INPUT -s 10.1.0.0/16 -j DROP")
    assert finding.message.startswith("7 rules")


def test_a_chain_of_other_software_is_left_alone_and_the_users_is_not() -> None:
    assert not lists(*drops(1, 9, chain="f2b-sshd"), chains="f2b-sshd")
    assert lists(*drops(1, 9, chain="DOCKER-USER"), chains="DOCKER-USER")


def test_addresses_in_one_rule_are_rules_of_the_kernel() -> None:
    two = "-d 10.9.0.0/16,10.8.0.0/16 -j DROP"
    rest = [f"-A INPUT -s 10.1.0.{n} {two}" for n in (1, 3, 5)]
    (finding,) = lists(f"-A INPUT -s 10.0.0.1,10.0.0.3,10.0.0.5 {two}", *rest)
    assert "4 rules, of which the kernel makes 12, differ" in finding.message
    assert "compared with 2 instead of 12 rules" in finding.message


def test_destinations_and_ip6() -> None:
    lines = [f"-A INPUT -s 2001:db8::/32 -d 2001:db8:{n}::1 -j DROP" for n in range(1, 8)]
    (finding,) = lists(*lines, path="rules.v6")
    assert "destination address: one set of 7 prefixes" in finding.message
    assert "create INPUT-DROP-dst6 hash:net family inet6" in finding.help
    assert (
        "`-A INPUT -s 2001:db8::/32 -m set --match-set INPUT-DROP-dst6 dst -j DROP`" in finding.help
    )


def test_a_rule_is_in_one_list_only() -> None:
    sources = [f"-A INPUT -s 10.0.0.{n} -d 10.9.0.1 -j DROP" for n in range(1, 20, 2)]
    destinations = [f"-A INPUT -s 10.0.0.1 -d 10.9.0.{n} -j DROP" for n in range(3, 14, 2)]
    found = lists(*sources, *destinations)
    assert [finding.message.split()[0] for finding in found] == ["10", "6"]


def test_an_iprange_that_is_a_prefix() -> None:
    lines = [
        f"-A INPUT -m iprange --src-range 10.{n}.0.0-10.{n}.0.255 -j DROP" for n in range(1, 8)
    ]
    (finding,) = lists(*lines)
    assert "`-A INPUT -m set --match-set INPUT-DROP-src src -j DROP`" in finding.help


RULES = """
-s 10.0.0.{a}/{n} -j DROP
-s 10.0.0.{a}/{n} -j DROP
-s 10.0.0.{a}/{n} -j ACCEPT
-s 10.0.0.{a}/{n} -j RETURN
-s 10.0.0.{a}/{n} -j other
-s 10.0.0.{a}/{n} -g other
-s 10.0.0.{a}/{n},10.0.1.{b}/32 -p udp -j DROP
-d 10.0.0.{b}/32 -s 10.0.0.{a}/{n} -j DROP
-d 10.0.0.{b}/32 -j DROP
-s 10.0.0.{a}/32 -m limit --limit 1/s -j DROP
-s 10.0.0.{b}/32 -p tcp -j ACCEPT
-m mark --mark 1 -s 10.0.0.{a}/{n} -j DROP
-p udp -s 10.0.0.{b}/32 -j MARK --set-mark 1
""".strip().splitlines()


def random_chain(rng: random.Random) -> list[str]:
    kinds = rng.sample(RULES, 4)
    return [
        "-A INPUT "
        + rng.choice(kinds).format(a=rng.randrange(32), b=rng.randrange(32), n=rng.choice((30, 32)))
        for _ in range(60)
    ]


def merged(chain: Chain, groups: list[address_lists.AddressList]) -> tuple[Rule, ...]:
    """The chain's rules with every list in the place of its first rule."""
    lists = {id(group.rules[0]): group for group in groups}
    gone = {id(rule) for group in groups for rule in group.rules}
    kept = [rule for rule in chain.rules if id(rule) in lists or id(rule) not in gone]
    return tuple(as_one(r, lists[id(r)]) if id(r) in lists else r for r in kept)


def as_one(rule: Rule, group: address_lists.AddressList) -> Rule:
    index, _ = match_of(rule, group.field)
    test = Within(group.field, tuple(group.ranges()))
    return replace(rule, matches=(*rule.matches[:index], test, *rule.matches[index + 1 :]))


def test_lists_put_together_change_no_decision() -> None:
    """Every list of a random chain at once: each verdict is still of the same packets."""
    found = 0
    for seed in range(150):
        lines = random_chain(random.Random(seed))
        ruleset = ruleset_of(*lines, "-A other -p tcp -j ACCEPT", chains="other")
        (table,) = ruleset.tables
        chain, analysis = table.chains["INPUT"], Firewall(ruleset).analysis(table)
        long_enough = address_lists._long_enough(chain, frozenset())
        groups = list(address_lists._of_chain(analysis, chain, long_enough))
        found += len(groups)
        copy = Chain("copy", merged(chain, groups))
        both = Table(table.family, "filter", {**table.chains, "copy": copy})
        matcher = analysis.matcher_of("INPUT")
        flows = TableAnalysis(
            ruleset, both, analysis.space, lambda _, same=matcher: same, lambda _: (), {}
        ).flows
        assert flows["copy"].outcomes == flows["INPUT"].outcomes, lines
    assert found > 100


def test_many_lists_that_interleave() -> None:
    """Linear work: what would take a look at every pair of rules is left."""
    rng = random.Random(1)
    lines = [
        f"-A INPUT -s 10.{rng.randrange(256)}.{rng.randrange(256)}.1/32"
        f" -p tcp -m tcp --dport {rng.randrange(1, 300)} -j {rng.choice(('ACCEPT', 'DROP'))}"
        for _ in range(6000)
    ]
    found = lists(*lines)
    assert found
    assert all(re.match(r"\d+ rules differ", finding.message) for finding in found)
