"""Rules for the ICMP of the other version of IP."""

from __future__ import annotations

import pytest

from iptlint.analysis.foreign_icmp import foreign_icmp
from iptlint.linter.run import lint
from iptlint.source import SourceFile
from tests.firewalls import analysis_of, saved


@pytest.mark.parametrize(("protocol", "count"), [("icmp", 0), ("ipv6-icmp", 1), ("tcp", 0)])
def test_over_ipv4_icmpv6_is_foreign(protocol: str, count: int) -> None:
    analysis = analysis_of(saved(f"-A INPUT -p {protocol} -j ACCEPT"))
    assert len(list(foreign_icmp(analysis))) == count


def advice(rule: str) -> str:
    text = f"*filter\n:INPUT ACCEPT [0:0]\n{rule}\nCOMMIT\n"
    (finding,) = lint([SourceFile("rules.v6", text)], select=["IPT103"]).findings
    return finding.help.removeprefix("advice: ")


def test_who_denies_it_is_not_told_to_deny_neighbour_discovery() -> None:
    assert advice("-A INPUT -p icmp -j ACCEPT") == "write `-p ipv6-icmp`"
    assert advice("-A INPUT -p icmp -j DROP") == "delete the rule"
