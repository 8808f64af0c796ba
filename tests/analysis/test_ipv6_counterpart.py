"""A host speaks IPv6 too: where its rules for that are, and whether they are any."""

from __future__ import annotations

from pathlib import Path

import pytest

import iptlint
from iptlint.analysis.ipv6_counterpart import counterpart, ip_side, only_ipv6_open
from iptlint.analysis.session import Context, Settings
from iptlint.model import Family
from tests.firewalls import context_of, hooked, saved

DENIES = saved("-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT", policy="DROP")
EVERYTHING = saved("-A INPUT -j LOG")
SIX = saved("-A INPUT -s 2001:db8::1 -j LOG")


def context(folder: Path, **files: str) -> Context:
    """``_`` stands for a dot or a slash in the names: ``etc__rules_v4``."""
    rulesets = []
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        rulesets.append(iptlint.read(path))
    return Context(tuple(rulesets), Settings())


@pytest.mark.parametrize(
    ("four", "six"),
    [
        ("rules_v4", "rules_v6"),
        ("iptables", "ip6tables"),
        ("iptables_rules", "ip6tables_rules"),
        ("firewall-ipv4_rules", "firewall-ipv6_rules"),
        ("rules", "rules6"),
    ],
)
def test_files_whose_names_differ_in_the_family(tmp_path: Path, four: str, six: str) -> None:
    both = context(tmp_path, **{four: DENIES, six: SIX})
    ip, ip6 = both.rulesets
    assert counterpart(both, ip) is ip6
    assert counterpart(both, ip6) is None
    hooks = both.hooks(ip6, Family.IP6)
    assert hooks is not None
    side = ip_side(both, hooks)
    assert side is not None
    assert side.ruleset is ip


def test_of_several_hosts_each_has_its_own(tmp_path: Path) -> None:
    both = context(
        tmp_path, a__rules_v4=DENIES, a__rules_v6=DENIES, b__rules_v4=DENIES, b__rules_v6=DENIES
    )
    one, six, other, another = both.rulesets
    assert (counterpart(both, one), counterpart(both, other)) == (six, another)


def test_alone_nothing_is_known_of_ipv6(tmp_path: Path) -> None:
    alone = context(tmp_path, rules_v4=DENIES)
    assert counterpart(alone, alone.rulesets[0]) is None
    assert [*only_ipv6_open(alone)] == []


@pytest.mark.parametrize(("six", "is_open"), [(EVERYTHING, True), (DENIES, False)])
def test_a_host_that_denies_over_ipv4_only(tmp_path: Path, six: str, is_open: bool) -> None:
    both = context(tmp_path, rules_v4=DENIES, rules_v6=six)
    found = [*only_ipv6_open(both)]
    assert bool(found) is is_open
    for left_open in found:
        assert left_open.beside is both.rulesets[1]
        assert left_open.ip6 is not None


def test_where_ipv4_is_open_too_ipv6_is_no_exception(tmp_path: Path) -> None:
    assert [*only_ipv6_open(context(tmp_path, rules_v4=EVERYTHING, rules_v6=EVERYTHING))] == []


IP_ONLY = "table ip t {\n\tchain c {\n\t\ttype filter hook input priority 0; policy drop;\n"
IP_ONLY += "\t\ttcp dport 22 accept\n\t}\n}\n"


def test_a_ruleset_of_nft_is_all_there_is_where_it_flushes_first() -> None:
    """``flush ruleset`` deletes the tables of all families."""
    assert [*only_ipv6_open(context_of(IP_ONLY))] == []
    (left_open,) = only_ipv6_open(context_of("flush ruleset\n" + IP_ONLY))
    assert left_open.ip6 is None
    unseen = 'flush ruleset\ninclude "/etc/nftables.d/*.nft"\n'
    assert [*only_ipv6_open(context_of(unseen + IP_ONLY))] == []


@pytest.mark.parametrize(
    ("rule", "is_open"),
    [
        ("meta nfproto ipv4 drop", True),
        ("ip protocol tcp drop", True),
        ("drop", False),
        ("ip6 saddr ::/0 accept", False),
    ],
)
def test_a_table_for_both_families_is_its_own_counterpart(rule: str, is_open: bool) -> None:
    found = context_of(hooked("ct state established,related accept", rule))
    (ruleset,) = found.rulesets
    assert counterpart(found, ruleset) is ruleset
    assert bool([*only_ipv6_open(found)]) is is_open
