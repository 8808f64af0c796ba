"""What is said of scripts: what one run of them leaves, and what fails in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from iptlint.dialects.decode import load
from iptlint.findings import Confidence, Finding
from iptlint.linter.run import lint
from iptlint.source import SourceFile

CASES = Path(__file__).parents[2] / "fixtures" / "scripts"


def findings(name: str) -> list[Finding]:
    """Those of a script of the fixtures, but for what is said of saving."""
    report = lint((load(str(CASES / name)),), ignore=("IPT403",))
    return list(report.findings)


def of_text(text: str) -> list[Finding]:
    report = lint((SourceFile("firewall.sh", text),), ignore=("IPT403",))
    return list(report.findings)


def places(found: list[Finding]) -> set[tuple[str, int]]:
    return {(finding.code, finding.span.line) for finding in found}


# -- what fails is one command -----------------------------------------------------------------


def test_a_chain_that_was_just_made_can_be_flushed() -> None:
    assert "IPT006" not in {finding.code for finding in findings("flush_of_new_chain.sh")}


def test_a_refused_rule_is_not_there() -> None:
    """tcp-reset needs -p tcp: LOGREJECT stays empty, and nothing answers new connections."""
    codes = {finding.code for finding in findings("refused_rule.sh")}
    assert {"IPT301", "IPT006"} <= codes
    assert "IPT303" not in codes


def test_what_was_meant_is_told_and_the_help_is_a_command() -> None:
    by_line = {
        f.span.line: f for f in findings("typing_errors.sh") if f.code in ("IPT006", "IPT003")
    }
    assert {9, 10, 11} == set(by_line)
    assert "did you mean anti_brute?" in by_line[9].help
    assert "iptables -N icmp_packets" in by_line[10].help
    assert "-t nat" in by_line[11].help
    assert all("this command fails" in finding.message for finding in by_line.values())
    assert not any("[0:0]" in finding.help for finding in findings("typing_errors.sh"))


def test_several_variables_in_one_word() -> None:
    assert not {"IPT001", "IPT006"} & {f.code for f in findings("several_variables.sh")}
    assert ("IPT106", 7) in places(findings("several_variables.sh"))


def test_the_policy_is_that_of_the_table() -> None:
    """`-t nat -P OUTPUT ACCEPT` at line 5 is not the policy that drops."""
    (flush,) = (f for f in findings("policy_of_other_table.sh") if f.code == "IPT304")
    assert [label.span.line for label in flush.related] == [3]


# -- sets --------------------------------------------------------------------------------------


def test_a_set_that_the_script_makes_is_there() -> None:
    assert "IPT407" not in {finding.code for finding in findings("makes_its_set.sh")}


def test_a_set_that_nobody_makes_fails_its_command() -> None:
    text = "iptables -A INPUT -m set --match-set bad src -j DROP\n"
    (missing,) = (f for f in of_text(text) if f.code == "IPT407")
    assert "this command needs the set bad" in missing.message
    assert "ipset create" in missing.help


@pytest.mark.parametrize(
    ("sides", "tool", "command"),
    [
        ("src", "iptables", "ipset create -exist bad hash:net"),
        ("dst,dst", "iptables", "ipset create -exist bad hash:ip,port"),
        ("src,dst,dst", "iptables", "ipset create -exist bad hash:ip,port,ip"),
        ("src", "ip6tables", "ipset create -exist bad hash:net family inet6"),
    ],
)
def test_a_set_has_as_many_parts_as_are_asked_for(sides: str, tool: str, command: str) -> None:
    """ip_set_test in ip_set_core.c: a set with fewer parts looks at the first of the sides alone,
    and one for IPv4 matches no packet of IPv6."""
    text = f"{tool} -A INPUT -m set --match-set bad {sides} -j DROP\n"
    (missing,) = (f for f in of_text(text) if f.code == "IPT407")
    assert missing.help.endswith(command)


# -- one condition, one truth ------------------------------------------------------------------


def test_commands_of_one_if_are_there_together() -> None:
    (shadowed,) = (f for f in findings("one_condition.sh") if f.code == "IPT101")
    assert shadowed.span.line == 5
    assert [label.span.line for label in shadowed.related] == [4]


def test_no_claim_that_needs_both_truths() -> None:
    """Where the rules are there, so is the policy."""
    assert {finding.code for finding in findings("condition_with_policy.sh")} == {"IPT002"}


# -- what a loop makes -------------------------------------------------------------------------


def test_a_loop_says_which_round() -> None:
    found = {finding.code: finding for finding in findings("loop.sh")}
    shadowed, again = found["IPT101"], found["IPT106"]
    assert shadowed.message.startswith("in round 2 (i=198.51.100.54), this ACCEPT never happens")
    assert "line 5, in round 1 (i=198.51.100.53), drops" in shadowed.message
    assert again.span.line == 5
    assert "line 5" not in again.message
    assert "in round 2" in again.message
    assert not again.related


def test_a_value_that_adds_nothing_is_told_by_its_round() -> None:
    text = "for p in 80 443 80; do\n iptables -A INPUT -p tcp --dport $p -j ACCEPT\ndone\n"
    (redundant,) = (f for f in of_text(text) if f.code == "IPT102")
    assert "in round 3 (p=80)" in redundant.message
    assert "in round 1 (p=80)" in redundant.message


def test_a_function_says_which_call() -> None:
    text = "f() {\n iptables -A INPUT -p tcp --dport $1 -j ACCEPT\n}\nf 80\nf 443\nf 80\n"
    (again,) = (f for f in of_text(text) if f.code in ("IPT102", "IPT106"))
    assert "in the call at line 6" in again.message
    assert "in the call at line 4" in again.message


# -- one cause is one finding ------------------------------------------------------------------


def test_what_a_refused_command_leaves_behind_is_not_told_again() -> None:
    """The chain is not called because the call was refused: IPT006 tells of that."""
    text = (
        "iptables -N LIMITED\niptables -A LIMITED -j DROP\n"
        "iptables -A INPUT -p tcp --dport 99999 -j LIMITED\n"
    )
    assert {finding.code for finding in of_text(text)} == {"IPT001"}


# -- families, and what a script is called with ------------------------------------------------

IPV4_ONLY = "iptables -P INPUT DROP\niptables -A INPUT -p tcp --dport 22 -j ACCEPT\n"


def test_a_script_that_says_nothing_of_ipv6() -> None:
    (finding,) = (f for f in findings("only_ipv4.sh") if f.code == "IPT705")
    assert finding.confidence is Confidence.POSSIBLE
    assert finding.span.line == 3
    assert "ip6tables" in finding.help


def test_who_speaks_of_ipv6_has_thought_of_it() -> None:
    text = f"{IPV4_ONLY}sysctl -w net.ipv6.conf.all.disable_ipv6=1\n"
    assert "IPT705" not in {finding.code for finding in of_text(text)}


def test_what_is_not_start_is_noted_and_no_finding() -> None:
    text = (
        f'case "$1" in\nstart|restart)\n{IPV4_ONLY};;\nstop) iptables -P INPUT ACCEPT;;\n'
        "panic) iptables -F;;\nstatus) iptables -L;;\nesac\n"
    )
    report = lint([SourceFile("firewall.sh", text)])
    assert "IPT002" not in {finding.code for finding in report.findings}
    (note,) = report.files[0].notes
    assert "as if called with `start`" in note
    assert "with stop, panic is left out" in note


def test_where_there_is_no_start_what_a_word_does_is_a_finding() -> None:
    text = f'case "$1" in\npanic) iptables -F;;\nesac\n{IPV4_ONLY}'
    (told,) = (f for f in of_text(text) if f.code == "IPT002")
    assert "as if called without arguments: what it does with panic is left out" in told.message
    assert "--script-args panic" in told.help


def test_emptying_what_is_empty_is_understood() -> None:
    """As the scripts begin that fwbuilder makes; nothing of it changes a rule."""
    text = (
        f"{IPV4_ONLY}cat /proc/net/ip_tables_names | while read table; do\n"
        "iptables -t $table -L -n | while read c chain rest; do\n"
        'if test "X$c" = "XChain"; then iptables -t $table -F $chain; fi\ndone\n'
        "iptables -t $table -X\ndone\niptables -A INPUT -i lo -j ACCEPT\n"
    )
    beginning = text.removeprefix(IPV4_ONLY)
    assert "IPT002" not in {finding.code for finding in of_text(f"#!/bin/sh\n{beginning}")}
    assert "IPT002" in {finding.code for finding in of_text(text)}


def test_functions_that_nothing_calls_are_said_not_to_be_checked() -> None:
    (told,) = of_text(f"#!/bin/sh\nrules() {{\n{IPV4_ONLY}}}\n")
    assert told.code == "IPT008"
    assert "for another script to call" in told.help


def test_a_script_that_ends_before_its_rules_is_said_not_to_be_checked() -> None:
    """What a file that is not here may set does not hide that nothing was looked at."""
    text = f'source ./common.sh\nif [ "$#" -gt 1 ]; then :; else exit 1; fi\n{IPV4_ONLY}'
    assert {finding.code for finding in of_text(text)} == {"IPT002", "IPT008"}


def test_a_help_in_a_script_is_a_command() -> None:
    text = f"{IPV4_ONLY}ip6tables -P INPUT ACCEPT\n"
    (finding,) = (f for f in of_text(text) if f.code == "IPT701")
    assert "ip6tables -P INPUT DROP" in finding.help


IPV6_OPEN = "ip6tables -P INPUT ACCEPT\n"
IPV6_CHAIN = "add chain ip6 own input { type filter hook input priority 0; policy accept; }"


@pytest.mark.parametrize(
    ("of_ipv6", "confidence"),
    [
        (f"if ping -c1 gate; then\n{IPV6_OPEN}fi\n", Confidence.POSSIBLE),
        ("ping -c1 gate && ip6tables -F\n", Confidence.POSSIBLE),
        (f"ip6tables -t nat -F\nping -c1 gate && {IPV6_OPEN}", Confidence.POSSIBLE),
        ("ping -c1 gate && nft add table ip6 own\n", Confidence.POSSIBLE),
        (f"nft add table ip6 own\nping -c1 gate && nft '{IPV6_CHAIN}'\n", Confidence.POSSIBLE),
        ("nft add table ip6 own\n", Confidence.POSSIBLE),
        (f"nft add table ip6 own\nnft '{IPV6_CHAIN}'\n", Confidence.CERTAIN),
        (f"if ping -c1 gate; then\n{IPV6_OPEN}else\n{IPV6_OPEN}fi\n", Confidence.CERTAIN),
        (f"ip6tables -F\nping -c1 gate && {IPV6_OPEN}", Confidence.CERTAIN),
        (f"ping -c1 gate || exit 1\n{IPV6_OPEN}", Confidence.CERTAIN),
        (f"nft flush ruleset\n{IPV4_ONLY}ping -c1 gate && {IPV6_OPEN}", Confidence.CERTAIN),
    ],
)
def test_ipv6_rules_under_a_condition_may_leave_ipv6_as_it_was(
    of_ipv6: str, confidence: Confidence
) -> None:
    (finding,) = (f for f in of_text(f"{IPV4_ONLY}{of_ipv6}") if f.code == "IPT701")
    assert finding.confidence is confidence
    assert ("may leave its filters" in finding.message) is (confidence is Confidence.POSSIBLE)


# -- variables ---------------------------------------------------------------------------------


def test_a_command_with_a_variable_that_is_never_set_is_no_rule() -> None:
    """The shell leaves the word out, and the tool takes -p for an address."""
    text = f"{IPV4_ONLY.splitlines()[0]}\niptables -A INPUT -s $ADMIN -p tcp --dport 22 -j ACCEPT\n"
    found = {finding.code: finding for finding in of_text(text)}
    assert "nothing in this script gives $ADMIN a value" in found["IPT006"].message
    assert "IPT301" in found


def test_what_works_without_the_variable_stays_in_doubt() -> None:
    """`iptables -A INPUT $MORE -j ACCEPT` is a rule for all packets, or for some."""
    text = "iptables -P INPUT DROP\niptables -A INPUT $MORE -j ACCEPT\n"
    codes = {finding.code for finding in of_text(text)}
    assert not {"IPT006", "IPT301", "IPT601", "IPT602"} & codes


def test_a_variable_may_come_from_a_file_that_is_not_there() -> None:
    text = ". ./settings\niptables -A INPUT -s $ADMIN -p tcp --dport 22 -j ACCEPT\n"
    assert "IPT006" not in {finding.code for finding in of_text(text)}


def test_variables_tell_which_interface_faces_the_world() -> None:
    """By its name, wg0 is no uplink, and eth0 is one; the script knows better."""
    rules = (
        "iptables -P INPUT DROP\niptables -A INPUT -i lo -j ACCEPT\n"
        "iptables -A INPUT -i $LAN_NIC -p tcp --dport 3306 -j ACCEPT\n"
        "iptables -A INPUT -i $WAN_NIC -p tcp --dport 6379 -j ACCEPT\n"
    )
    found = of_text(f"WAN_NIC=eth1\nLAN_NIC=eth0\n{rules}")
    assert [f.span.line for f in found if f.code == "IPT603"] == [6]
    found = of_text(f"WAN_NIC=eth0\nLAN_NIC=eth1\n{rules}")
    assert [f.span.line for f in found if f.code == "IPT603"] == [6]


def test_what_echo_writes_is_not_edited() -> None:
    text = (
        "(echo '*filter'; echo ':INPUT DROP [0:0]'; echo '-A INPUT -j LOG'; echo COMMIT)"
        " | iptables-restore\n"
    )
    (logs,) = (f for f in of_text(text) if f.code == "IPT901")
    assert "echo" not in logs.help


def test_what_the_shell_cannot_read_is_not_claimed_to_run() -> None:
    """`done` is missing: the shell carries out nothing of the case, and stop is not start."""
    text = (
        "case $1 in\nstart)\niptables -P INPUT DROP\nfor i in a b; do\n"
        "iptables -A INPUT -i $i -p tcp --dport 22 -j ACCEPT\n;;\n"
        "stop)\niptables -P INPUT ACCEPT\n;;\nesac\n"
    )
    sure = {f.code for f in of_text(text) if f.confidence is Confidence.CERTAIN}
    assert sure == {"IPT001", "IPT002"}


def test_a_policy_that_the_script_leaves_alone_is_not_known() -> None:
    text = (
        "iptables -N WEB\niptables -A INPUT -p tcp --dport 9001 -j WEB\niptables -A WEB -j DROP\n"
    )
    open_ = [f for f in of_text(f"{text}iptables -A INPUT -i lo -j ACCEPT\n") if f.code == "IPT601"]
    assert all(finding.confidence is Confidence.POSSIBLE for finding in open_)


def test_what_was_saved_is_restored() -> None:
    """The rules in the end are those that were there when they were saved."""
    text = (
        "iptables -P INPUT DROP\niptables-save > /etc/fw\niptables -P INPUT ACCEPT\n"
        "iptables -A INPUT -j ACCEPT\niptables-restore < /etc/fw\n"
    )
    codes = {finding.code for finding in of_text(text)}
    assert "IPT301" in codes
    assert not {"IPT601", "IPT602"} & codes


def test_an_array_of_what_a_command_prints_has_unknown_items() -> None:
    text = "A=($(ifconfig eth0))\niptables -A INPUT -d ${A[6]} -p tcp --dport 22 -j ACCEPT\n"
    assert not {"IPT001", "IPT006"} & {finding.code for finding in of_text(text)}


def test_a_file_that_is_not_there_may_make_the_rule_that_is_missing() -> None:
    """One that is carried out before the first rule is mostly settings."""
    rules = "iptables -A INPUT -j DROP\n"
    for before, after, confidence in (
        ("", "", Confidence.CERTAIN),
        (". /opt/fw/settings\n", "", Confidence.CERTAIN),
        ("iptables -P INPUT DROP\n. /opt/fw/services\n", "", Confidence.POSSIBLE),
        ("", ". /opt/fw/services\n", Confidence.POSSIBLE),
    ):
        found = of_text(f"#!/bin/sh\niptables -F\n{before}{rules}{after}")
        (lockout,) = (each for each in found if each.code == "IPT301")
        assert lockout.confidence is confidence, (before, after)


def test_a_help_names_the_tool_of_the_family() -> None:
    commands = "TOOL -P INPUT DROP\nTOOL -A INPUT -p tcp -m multiport --dports 42,445 -j ACCEPT\n"
    four, six = (
        next(each for each in of_text(commands.replace("TOOL", tool)) if each.code == "IPT603")
        for tool in ("iptables", "ip6tables")
    )
    assert " iptables -A INPUT -s 10.0.0.0/8" in four.help
    assert " ip6tables -A INPUT -s fd00::/8" in six.help
