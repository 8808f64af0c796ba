"""Which packets the tests of a rule take for certain, and which perhaps."""

from __future__ import annotations

import pytest

from iptlint.model.writes import CONNTRACK_FIELDS, Writes
from iptlint.packets.match import Matcher
from tests.firewalls import firewall_of, packets, saved

MARKED = "-A INPUT -m connmark --mark 0x0 -j ACCEPT"


@pytest.mark.parametrize(
    ("written", "surely"), [(Writes(), True), (Writes(CONNTRACK_FIELDS), False)]
)
def test_a_mark_of_a_connection_is_open_where_rules_untrack(written: Writes, surely: bool) -> None:
    """Without a connection no test of its mark holds (connmark_mt in xt_connmark.c)."""
    firewall = firewall_of(saved(MARKED))
    ((_, _, rule),) = firewall.ruleset.rules()
    found = Matcher(firewall.space, written).rule(rule)
    tracked = packets(firewall.space, proto="tcp", ct_state="new")
    untracked = packets(firewall.space, proto="tcp", ct_state="untracked")
    assert (found.may & tracked).satisfiable()
    assert (found.sure & tracked).satisfiable() is surely
    assert not (found.sure & untracked).satisfiable()
