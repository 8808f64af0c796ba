"""Before connection tracking (priority -200) no packet has a connection that a rule could test."""

from __future__ import annotations

import pytest

from iptlint.analysis.before_conntrack import early_chains, untestable_state, untracked_packets
from iptlint.model import Family
from tests.firewalls import analysis_of, hooked, packets, saved

RAW = "type filter hook prerouting priority {}"


@pytest.mark.parametrize(
    ("hook", "priority", "early"),
    [
        ("prerouting", -300, True),
        ("prerouting", -200, True),  # of equal priorities, conntrack was registered first or not
        ("prerouting", -199, False),
        ("output", -300, True),
        ("input", -300, False),
        ("forward", -400, False),
    ],
)
def test_which_chains_come_before(hook: str, priority: int, early: bool) -> None:
    """NF_IP_PRI_CONNTRACK; other hooks come later than the one where a packet is tracked."""
    text = hooked("counter", head=f"type filter hook {hook} priority {priority}")
    assert early_chains(analysis_of(text)) == (frozenset({"c"}) if early else frozenset())


def test_a_chain_that_others_call_too_is_not_early() -> None:
    more = "\tchain called {\n\t}\n\tchain both {\n\t}\n"
    more += "\tchain late {\n\t\ttype filter hook input priority 0;\n\t\tjump both\n\t}\n"
    text = hooked("jump called", "jump both", head=RAW.format("raw"), more=more)
    assert early_chains(analysis_of(text)) == {"c", "called"}


@pytest.mark.parametrize(
    ("test", "number"),
    [
        ("ct state established", 0),
        ("ct state new", 0),
        ("iifname eth0 ct state related", 1),
        ("ct mark 0x1", 0),
        # Without a connection a packet is invalid, whatever else is said of it.
        ("ct state invalid", None),
        ("ct state != established", None),
        ("tcp dport 22", None),
        ("meta mark 0x1", None),
    ],
)
@pytest.mark.parametrize("family", [Family.IP, Family.IP6])
def test_what_no_packet_passes_yet(test: str, number: int | None, family: Family) -> None:
    analysis = analysis_of(hooked(f"{test} accept", head=RAW.format("raw")), family)
    rule = analysis.table.chains["c"].rules[-1]
    found = untestable_state(analysis, rule)
    assert (found is None) == (number is None)
    if number is not None and found is not None:
        assert test.split(" ct ")[-1].removeprefix("ct ") in rule.origin.part(found).text
    late = analysis_of(hooked(f"{test} accept"), family)
    assert untestable_state(late, late.table.chains["c"].rules[-1]) is None


@pytest.mark.parametrize(("target", "untracked"), [("NOTRACK", True), ("ACCEPT", False)])
def test_untracked_packets_are_such_where_a_rule_makes_them(target: str, untracked: bool) -> None:
    analysis = analysis_of(saved(f"-A PREROUTING -j {target}", table="raw"))
    found = untracked_packets(analysis)
    assert (found & packets(analysis.space, ct_state="untracked")).satisfiable() is untracked
    assert (found & packets(analysis.space, ct_state="invalid")).satisfiable()
    assert not (found & packets(analysis.space, ct_state="new")).satisfiable()
