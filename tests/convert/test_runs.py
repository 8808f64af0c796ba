"""Runs of rules as one rule with a set, a verdict map or a map."""

from __future__ import annotations

import pytest

from iptlint.convert.keys import Apart
from iptlint.convert.rendering import State
from iptlint.convert.tables import tables
from iptlint.dialects import read
from iptlint.source import SourceFile
from tests.convert.test_conversion import files, rules

HOSTS = [f"192.0.2.{number}" for number in range(1, 10)]


def written(text: str, *more: str) -> str:
    made = files(rules(text), *more)
    assert made.holds
    assert made.whole == "every packet fares alike in both"
    return made.source.text


def test_sources_with_one_verdict_are_a_set() -> None:
    text = written("".join(f"-A INPUT -s {host} -j DROP\n" for host in HOSTS[:3]))
    assert "ip saddr { 192.0.2.1, 192.0.2.2, 192.0.2.3 } drop" in text


def test_a_long_set_has_a_name() -> None:
    text = written("".join(f"-A INPUT -s {host} -j DROP\n" for host in (*HOSTS, "10.0.0.0/8")))
    assert "ip saddr @input_ip_saddr drop" in text
    assert "\t\ttype ipv4_addr\n\t\tflags interval\n\t\telements = { 192.0.2.1, " in text


def test_lists_join_lists() -> None:
    text = written(
        "-A INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT\n"
        "-A INPUT -p tcp -m tcp --dport 8000:8010 -j ACCEPT\n"
    )
    assert "tcp dport { 80, 443, 8000-8010 } accept" in text


def test_verdicts_that_differ_are_a_verdict_map() -> None:
    text = written(
        "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT\n"
        "-A INPUT -p tcp -m tcp --dport 23 -j DROP\n-A INPUT -p tcp -m tcp --dport 25 -j RETURN\n"
    )
    assert "tcp dport vmap { 22 : accept, 80 : accept, 23 : drop, 25 : return }" in text


def test_two_verdicts_stay_two_rules() -> None:
    text = written(
        "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 23 -j DROP\n"
    )
    assert "vmap" not in text


def test_interfaces_lead_to_their_chains_by_a_verdict_map() -> None:
    chains = "".join(f":{name} - [0:0]\n" for name in "abc")
    made = files(
        rules("".join(f"-A INPUT -i eth{n} -j {name}\n" for n, name in enumerate("abc"))).replace(
            ":OUTPUT", f"{chains}:OUTPUT"
        )
    )
    assert made.holds
    wanted = 'iifname vmap { "eth0" : jump a, "eth1" : jump b, "eth2" : jump c }'
    assert wanted in made.source.text


def test_translations_are_a_map() -> None:
    text = (
        "*nat\n:PREROUTING ACCEPT [0:0]\n"
        "-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.1:8080\n"
        "-A PREROUTING -p tcp -m tcp --dport 443 -j DNAT --to-destination 10.0.0.2:8443\n"
        "COMMIT\n"
    )
    made = files(text)
    assert made.holds
    wanted = "dnat to tcp dport map { 80 : 10.0.0.1 . 8080, 443 : 10.0.0.2 . 8443 }"
    assert wanted in made.source.text


def test_what_both_families_say_is_one_set_of_both() -> None:
    both = "".join(f"-A INPUT -p tcp -m tcp --dport {port} -j ACCEPT\n" for port in (22, 80))
    text = written(both, rules(both))
    assert "table inet filter {" in text
    assert text.count("tcp dport { 22, 80 } accept") == 1


STAY = [
    ("one of them has the other", "-s 10.0.0.0/8 -j LOG", "-s 10.0.0.1 -j LOG"),
    (
        "each counts for itself",
        "-s 10.0.0.1 -m limit --limit 1/s",
        "-s 10.0.0.2 -m limit --limit 1/s",
    ),
    ("they have other comments", "-s 10.0.0.1 -m comment --comment a", "-s 10.0.0.2"),
    ("two tests differ", "-s 10.0.0.1 -d 10.0.0.3 -j DROP", "-s 10.0.0.2 -d 10.0.0.4 -j DROP"),
    ("one is negated", "-s 10.0.0.1 -j DROP", "! -s 10.0.0.2 -j DROP"),
    ("a chain may write it", "-m mark --mark 1 -j ACCEPT", "-m mark --mark 2 -j ACCEPT"),
    ("no set has wildcards", "-i eth+ -j DROP", "-i ppp0 -j DROP"),
]


@pytest.mark.parametrize(("one", "other"), [each[1:] for each in STAY], ids=[e[0] for e in STAY])
def test_they_stay_two_rules(one: str, other: str) -> None:
    made = files(rules(f"-A INPUT {one}\n-A INPUT {other}\n"))
    assert made.holds
    assert len(made.of_state(State.PROVED)) == 2


def test_rules_that_count_stay_apart() -> None:
    counted = "[1:60] -A INPUT -s 10.0.0.1 -j DROP\n[2:90] -A INPUT -s 10.0.0.2 -j DROP\n"
    assert "10.0.0.2 counter packets 2 bytes 90 drop" in files(rules(counted)).source.text
    plain = rules("-A INPUT -s 10.0.0.1 -j DROP\n-A INPUT -s 10.0.0.2 -j DROP\n")
    assert "ip saddr 10.0.0.2 counter drop" in files(plain, counters=True).source.text


def test_of_rules_that_went_together_each_is_told() -> None:
    made = files(rules("-A INPUT -s 10.0.0.1 -j DROP\n-A INPUT -s 10.0.0.2 -j DROP\n"))
    (entry,) = made.of_state(State.PROVED)
    assert [rule.statement.span.line for rule in entry.rules] == [5, 6]


def test_thousands_of_addresses_are_one_set() -> None:
    """In time that grows with their number."""
    hosts = (f"10.{n >> 8}.{n & 255}.1" for n in range(4_000))
    text = rules("".join(f"-A INPUT -s {host} -j DROP\n" for host in hosts))
    (table,) = tables([read(SourceFile("rules.v4", text)).ruleset], None)
    (entry,) = table.chains[0].entries
    assert len(entry.rules) == 4_000


def test_what_shares_a_value_is_not_apart() -> None:
    apart = Apart("tcp dport")
    assert apart.add(("22", "80-90"))
    assert apart.add(("91", "23-79"))
    for element in ("22", "70-75", "0-22", "90-100", "0-65535"):
        assert not Apart("tcp dport").add(("22", "80-90", "23-79", element))
    names = Apart("iifname")
    assert names.add(('"eth0"', '"eth1"'))
    assert not names.add(('"eth0"',))
