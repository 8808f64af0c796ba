"""A packet that a report shows is followed to where it is said to come."""

from __future__ import annotations

import pytest

from iptlint.analysis.session import Settings
from iptlint.analysis.witness_check import comes_to
from iptlint.linter import run
from iptlint.packets.packet import Packet
from iptlint.rules.exposure import ipt604_ssh_world
from iptlint.rules.registry import RuleModule
from iptlint.source import SourceFile
from tests.firewalls import firewall_of, saved

TEXT = saved(
    "-A INPUT -s 192.0.2.0/24 -j ACCEPT", "-A INPUT -p tcp -m tcp --dport 22 -j DROP", policy="DROP"
)


@pytest.mark.parametrize(
    ("saddr", "lines"), [("192.0.2.1", {5}), ("198.51.100.7", {6}), ("198.51.100.8", {6})]
)
def test_it_comes_to_the_rule_that_takes_it(saddr: str, lines: set[int]) -> None:
    firewall = firewall_of(TEXT)
    packet = Packet("ip", "input", saddr=saddr, proto="tcp", dport=22, ct_state="new")
    rules = [rule for _, _, rule in firewall.ruleset.rules()]
    came = {
        rule.origin.span.line
        for rule in rules
        if comes_to(firewall, packet, (rule.statement.span,))
    }
    assert came == lines


def test_it_comes_to_the_policy_where_no_rule_takes_it() -> None:
    firewall = firewall_of(TEXT)
    packet = Packet("ip", "input", saddr="198.51.100.7", proto="udp", dport=22, ct_state="new")
    (table,) = firewall.ruleset.tables
    policy = firewall.ruleset.declaration_of(table, table.chains["INPUT"])
    assert comes_to(firewall, packet, (policy,))


def test_it_comes_where_its_new_destination_is() -> None:
    """Not to INPUT, where it set out to; whether 10.0.0.2 is the host's is not known here."""
    nat = "-A PREROUTING -p tcp -j DNAT --to-destination 10.0.0.2"
    rules = ("-A INPUT -d 192.0.2.1/32 -j DROP", "-A FORWARD -d 10.0.0.2/32 -j DROP")
    chains = ":INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n"
    text = "*filter\n" + chains + "\n".join((*rules, "COMMIT", ""))
    firewall = firewall_of(saved(nat, table="nat") + text)
    packet = Packet("ip", "input", "eth0", daddr="192.0.2.1", proto="tcp", dport=22, ct_state="new")
    came = [
        comes_to(firewall, packet, (rule.statement.span,))
        for table, _, rule in firewall.ruleset.rules()
        if table.name == "filter"
    ]
    assert came == [False, True]


def test_a_packet_that_does_not_come_is_a_bug_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    packet = Packet("ip", "input", saddr="192.0.2.1", proto="tcp", dport=22, ct_state="new")
    source = SourceFile("rules.v4", TEXT)

    finding = ipt604_ssh_world.META.finding(source.line_span(6), "", "", witness=packet)
    fake = RuleModule(ipt604_ssh_world.META, "", lambda _: iter((finding,)))
    monkeypatch.setattr(run, "rules", lambda: (fake,))
    for checking, codes in ((True, {"IPT009", "IPT604"}), (False, {"IPT604"})):
        report = run.lint([source], Settings(check_witnesses=checking), select=("IPT604",))
        assert {finding.code for finding in report.findings} == codes
