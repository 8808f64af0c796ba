"""IPT301 and IPT305: what their messages and helps say of a host that nobody gets into."""

from __future__ import annotations

import re

import pytest

from iptlint.findings import Confidence, Finding, Severity
from iptlint.linter.run import lint
from iptlint.source import SourceFile

LO = "-A INPUT -i lo -j ACCEPT"
RUNNING = "-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"
SHUT = "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT DROP [0:0]\nCOMMIT\n"


def found(text: str, code: str, path: str = "rules.v4") -> list[Finding]:
    return list(lint([SourceFile(path, text)], select=[code]).findings)


def one(text: str, code: str, path: str = "rules.v4") -> Finding:
    (finding,) = found(text, code, path)
    return finding


def table(*rules: str, policy: str = "DROP", output: str = "ACCEPT") -> str:
    head = f"*filter\n:INPUT {policy} [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT {output} [0:0]\n"
    return head + "".join(f"{rule}\n" for rule in rules) + "COMMIT\n"


# -- IPT301 -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        (SHUT, 3),
        (table(LO), 2),
        (table(LO, RUNNING), 1),
        (table(LO, RUNNING, output="DROP"), 2),
        (table("-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT", output="DROP"), 1),
        (
            table("-A INPUT -p tcp --syn -m tcp --dport 22 -j ACCEPT", output="DROP"),
            2,
        ),
    ],
)
def test_all_the_rules_that_the_handshake_needs_are_in_the_help(text: str, rules: int) -> None:
    helped = re.findall(r"-A [^;(]*ACCEPT", one(text, "IPT301").help)
    assert len(helped) == rules
    assert not found(text.replace("COMMIT", "\n".join((*helped, "COMMIT"))), "IPT301")


def test_a_rule_for_addresses_that_no_machine_has_is_named() -> None:
    rule = "-A INPUT -s 0.0.0.0 -p tcp -m tcp --dport 22 -j ACCEPT"
    (label,) = one(table(LO, RUNNING, rule), "IPT301").related
    assert label.span.text == rule


def test_a_port_is_named_once() -> None:
    rule = '-A INPUT -p tcp -m tcp --dport 22 -m comment --comment "ssh" -j ACCEPT'
    message = one(table(LO, rule, output="DROP"), "IPT301").message
    assert "the SYN to port 22 comes in" in message


def test_who_drops_the_others_is_said() -> None:
    two = one(table("-A INPUT -i eth1 -p tcp -j DROP", LO, RUNNING), "IPT301")
    assert two.message.endswith("drops most of the SYNs to port 22 (line 5 the others)")
    rules = (f"-A INPUT -i eth{n} -p tcp -j REJECT" for n in range(1, 4))
    assert "(3 other rules the others)" in one(table(*rules, LO, RUNNING), "IPT301").message


def test_a_policy_of_another_table_is_told_from_that_of_a_chain_of_the_same_name() -> None:
    inputs = "".join(
        f"table {table} {{\n\tchain input {{\n\t\ttype filter hook input priority {priority};"
        f" policy drop;\n\t\tct state established,related accept\n\t\t{rule} accept\n\t}}\n}}\n"
        for table, priority, rule in (
            ("inet filter", 0, "ip saddr 192.0.2.0/24 tcp dport 22"),
            ("ip hardening", 10, "tcp dport { 80, 443 }"),
        )
    )
    finding = one(inputs, "IPT301", "nftables.conf")
    assert "(the policy of input of the table ip hardening the others)" in finding.message
    assert "; and in input of the table ip hardening, too" in finding.help


def test_what_is_not_tracked_is_to_be_accepted_untracked() -> None:
    """That the port is to be accepted in state new stands there already, and helps nobody."""
    raw = "*raw\n-A PREROUTING -p tcp -m tcp --dport 22 -j CT --notrack\nCOMMIT\n"
    new = "-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT"
    text = raw + table(LO, RUNNING, new)
    helped = one(text, "IPT301").help
    mended = new.replace("NEW", "NEW,UNTRACKED")
    assert helped == f"advice: write: {mended}, as line 2 has them untracked"
    assert not found(text.replace(new, mended), "IPT301")


def test_a_port_that_is_closed_by_its_number_may_be_meant() -> None:
    closed = "-A INPUT -p tcp -m multiport --dports 22,23 -j DROP"
    opened = "-A INPUT -s 192.0.2.1/32 -p tcp -m tcp --dport 22 -j ACCEPT"
    meant = one(table(LO, RUNNING, closed, policy="ACCEPT"), "IPT301")
    assert meant.severity is Severity.INFO
    assert meant.message.endswith("line 7 names that port, so it may be meant")
    for rules in ((closed, opened), (closed.replace("22,23", "1:1023"),)):
        finding = one(table(LO, RUNNING, *rules, policy="ACCEPT"), "IPT301")
        assert finding.severity is Severity.ERROR
        assert "meant" not in finding.message


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("reject", ""),
        ("meta nfproto ipv6 tcp dport 25 accept; meta nfproto ipv6 reject", ""),
        ("meta nfproto ipv6 tcp dport 22 accept", "over IPv4, "),
    ],
)
def test_a_lockout_over_both_families_is_one(rule: str, says: str) -> None:
    rules = f'iifname "lo" accept; ct state established,related accept; {rule}'
    base = "type filter hook input priority 0; policy drop;"
    text = f"table inet t {{\n chain i {{ {base} {rules}; }}\n}}\n"
    assert one(text, "IPT301", "a.nft").message.startswith(f"{says}no new SSH connection")


def test_ipv6_rules_alone_do_not_say_what_becomes_of_ipv4() -> None:
    text = table(LO, RUNNING, "-A INPUT -p tcp -m tcp --dport 25 -j ACCEPT")
    alone = one(text, "IPT301", "rules.v6")
    assert (alone.severity, alone.confidence) == (Severity.INFO, Confidence.POSSIBLE)
    assert alone.message.startswith("over IPv6, no new SSH connection")
    assert not found(table(LO, RUNNING), "IPT301", "rules.v6")
    pair = [SourceFile(path, text) for path in ("rules.v4", "rules.v6")]
    assert {f.severity for f in lint(pair, select=["IPT301"]).findings} == {Severity.ERROR}


def test_ipv4_is_open_after_a_flush() -> None:
    inside = "type filter hook input priority 0; policy drop; tcp dport 25 accept;"
    text = f"table ip6 t {{\n chain i {{ {inside} }}\n}}\n"
    assert one(text, "IPT301", "a.nft").confidence is Confidence.POSSIBLE
    assert not found(f"flush ruleset\n{text}", "IPT301", "a.nft")


# -- IPT305 -------------------------------------------------------------------


def test_both_ways_are_one_finding_with_two_lines_to_add() -> None:
    text = table(RUNNING, "-A OUTPUT -p udp -j ACCEPT", output="DROP")
    finding = one(text, "IPT305")
    assert finding.message.endswith(
        "the policy of INPUT drops their packets, and the policy of OUTPUT drops them too"
    )
    added = re.findall(r"-A [^;]*ACCEPT", finding.help)
    assert added == [LO, "-A OUTPUT -o lo -j ACCEPT"]
    assert not found(text.replace("COMMIT", "\n".join((*added, "COMMIT"))), "IPT305")


def test_a_way_that_is_shut_to_all_has_its_part_where_the_other_is_not() -> None:
    finding = one(table("-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT", output="DROP"), "IPT305")
    assert finding.message.endswith("and the policy of OUTPUT drops them too")
    assert finding.help.count("-o lo -j ACCEPT") == 1


def test_what_is_shut_to_all_is_told_once() -> None:
    assert [f.code for f in lint([SourceFile("rules.v4", SHUT)]).findings] == ["IPT301"]
    assert [f.code for f in found(SHUT, "IPT3", "rules.v6")] == ["IPT305"]


def test_the_rule_goes_into_the_chain_that_drops() -> None:
    """An accept in the first chain is not the last word."""
    rules = 'iifname "lo" accept; ct state established,related accept; tcp dport 22 accept'
    base = "type filter hook input priority"
    text = (
        f"table inet t {{\n chain early {{\n  {base} 0; policy drop; {rules};\n }}\n"
        f" chain late {{\n  {base} 10; policy accept;\n  tcp dport 80 accept\n  drop\n }}\n}}\n"
    )
    lo, ssh = one(text, "IPT305", "a.nft"), one(text, "IPT301", "a.nft")
    assert "in late, before any rule accepts them, line 8 drops" in lo.message
    assert lo.help == 'add at the top of late: iifname "lo" accept'
    assert ssh.advice.startswith("add before it: tcp dport 22 ct state new accept")


@pytest.mark.parametrize("tool", ["sudo iptables ", "/sbin/iptables ", "iptables "])
def test_a_command_among_rules_for_iptables_restore_was_meant_to_be_a_rule(tool: str) -> None:
    text = table(f"{tool}-A INPUT -i lo -j ACCEPT", "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT")
    (told,) = found(text, "IPT305")
    assert told.code == "IPT001"
    assert "begin it with the option, as `-A INPUT`" in told.help


def test_such_a_command_is_no_other_rule_than_the_one_it_says() -> None:
    text = table("-A INPUT -i lo -j ACCEPT", "sudo iptables -A INPUT -p tcp --dport 22 -j ACCEPT")
    assert [finding.code for finding in found(text, "IPT201")] == ["IPT201", "IPT001"]


def test_a_program_may_let_in_who_has_knocked() -> None:
    rules = ("-A INPUT -p tcp -m tcp --dport 22 -j knocked", "-A knocked -p tcp -j DROP")
    text = table("-N knocked", *rules)
    (told,) = [finding for finding in found(text, "IPT301") if finding.code == "IPT301"]
    assert told.severity.value == "info"
    assert "unless a program puts a rule into knocked" in told.message
