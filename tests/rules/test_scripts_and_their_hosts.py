"""What is said of scripts that do not say what is on their host, and what a host tells of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from iptlint.analysis.answer_ways import come_by_the_card, on_some
from iptlint.analysis.session import Context, Settings
from iptlint.dialects import read
from iptlint.dialects.script.lower import run_script
from iptlint.dialects.script.parser import parse
from iptlint.findings import Finding
from iptlint.linter.run import lint
from iptlint.model import Family, Field
from iptlint.model.protocols import ICMP
from iptlint.source import SourceFile

SHUT = "iptables -A INPUT -p tcp -m state --state NEW -j DROP\n"
RUNNING = "iptables -A INPUT -m state --state ESTABLISHED -j ACCEPT\n"


def found(text: str, *codes: str, name: str = "firewall.sh") -> list[Finding]:
    report = lint((SourceFile(name, f"#!/bin/sh\n{text}"),), select=codes)
    return list(report.findings)


def test_rules_from_before_a_script_are_there_still() -> None:
    """``-A`` puts a rule behind those that are there: any of them may accept."""
    (told,) = found(SHUT, "IPT301")
    assert told.message.endswith("unless a rule from before the script decides otherwise")
    (told,) = found(f"iptables -F\n{SHUT}", "IPT301")
    assert "from before" not in told.message


def test_a_flush_of_sets_takes_no_rule_away() -> None:
    text = f"iptables -P INPUT DROP\n{RUNNING}iptables -A INPUT -p tcp --dport 22 -j ACCEPT\n"
    (told,) = found(f"ipset flush banned\n{text}", "IPT303")
    assert "unless a rule from before the script lets it through" in told.message
    (told,) = found(f"iptables -F INPUT\n{text}", "IPT303")
    assert "from before the script" not in told.message


def test_a_script_that_takes_all_rules_away_is_to_open_the_host() -> None:
    opens = "iptables -P INPUT ACCEPT\niptables -P FORWARD ACCEPT\niptables -F\niptables -X\n"
    for name in ("iptables-flush.sh", "reset.sh", "firewall.stop", "fw_off.sh"):
        assert not found(opens, "IPT601", name=name), name
        assert found(f"{opens}iptables -A INPUT -i lo -j ACCEPT\n", "IPT601", name=name), name
    assert found(opens, "IPT601", name="office.sh")


def test_errors_about_connections_come_by_the_only_card() -> None:
    text = f"iptables -F\n{RUNNING}iptables -P INPUT DROP\n"
    assert found(text, "IPT201")
    assert not found(f"{text}iptables -A INPUT -i eth0 -j ACCEPT\n", "IPT201")


def test_what_comes_from_a_wire_is_tracked_where_no_rule_says_otherwise() -> None:
    """tcp_valid_flags in nf_conntrack_proto_tcp.c: FIN with URG alone is invalid."""
    invalid = "iptables -A INPUT -m state --state INVALID -j DROP\n"
    log = "iptables -A INPUT -p tcp --tcp-flags ALL FIN,URG,PSH -j LOG\n"
    assert found(f"iptables -F\n{log}", "IPT901")
    assert not found(f"iptables -F\n{invalid}{log}", "IPT901")
    untracked = "iptables -t raw -A PREROUTING -j NOTRACK\n"
    assert found(f"iptables -F\n{untracked}{invalid}{log}", "IPT901")


@pytest.mark.parametrize("file", ["/etc/iptables.conf", "/etc/iptables/rules.v4"])
def test_a_file_of_rules_may_be_there_or_not(file: str) -> None:
    """What is called like a tool, up to its ending, is none."""
    loads = f"if [ -f {file} ]; then\n iptables-restore < {file}\n exit 0\nfi\n"
    script = run_script(parse(SourceFile("fw.sh", f"{loads}iptables -A INPUT -j DROP\n")))
    assert [bool(step.conditions) for step in script.steps] == [True, True]


def test_a_tool_is_there() -> None:
    text = "if [ -x /sbin/iptables ]; then\n iptables -A INPUT -j DROP\nfi\n"
    (step,) = run_script(parse(SourceFile("fw.sh", text))).steps
    assert not step.conditions


def test_a_command_goes_on_behind_a_carriage_return() -> None:
    """It is told that the file ends its lines so, and nothing else of it."""
    text = "iptables -A INPUT -p tcp \\\r\n --dport 22 -j ACCEPT\r\n"
    (told,) = found(text, "IPT001")
    assert "CR LF" in told.message


def test_how_another_rule_wins_is_said_once() -> None:
    text = "iptables -A INPUT -p icmp -j ACCEPT\niptables -I INPUT -p icmp -j DROP\n"
    (told,) = found(text, "IPT101")
    assert told.help.count("if it should win") == 1


def test_a_menu_that_calls_itself_is_read_once() -> None:
    choice = "case $n in\n 1) iptables -F;;\n 0) exit 0;;\n esac\n"
    text = f"menu() {{\n read -p 'which? ' n\n {choice} menu\n}}\nmenu\n"
    script = run_script(parse(SourceFile("fw.sh", text)))
    assert len(script.steps) == 1


def test_a_variable_that_the_readme_names_is_for_the_caller(tmp_path: Path) -> None:
    script = tmp_path / "nat.sh"
    script.write_text("iptables -t nat -A POSTROUTING -s 10.8.$tenant_id.0/24 -j MASQUERADE\n")
    source = SourceFile(str(script), script.read_text())
    (told,) = lint((source,), select=("IPT006",)).findings
    assert "$tenant_id" in told.message
    (tmp_path / "README.md").write_text("Wants `tenant_id` in its environment.\n")
    assert not lint((source,), select=("IPT006",)).findings


def test_a_test_for_fragments_is_one_for_what_is_rare() -> None:
    """RFC 791: an ordinary packet has no offset, and nothing follows it."""
    text = f"iptables -F\n{RUNNING}iptables -A INPUT -i eth1 -j ACCEPT\niptables -A INPUT -j DROP\n"
    drop = "iptables -t raw -A PREROUTING -p icmp -m u32 {} '4&0x3FFF=0' -j DROP\n"
    assert not found(f"{text}{drop.format('! --u32')}", "IPT607")


def test_what_is_not_tracked_is_not_to_be_accepted_by_its_state() -> None:
    text = "iptables -F\niptables -P INPUT DROP\niptables -A INPUT -p udp --sport 53 -j ACCEPT\n"
    (told,) = found(text, "IPT205")
    assert "ESTABLISHED" in told.help
    (told,) = found(f"{text}iptables -t raw -A PREROUTING -p udp -j NOTRACK\n", "IPT205")
    assert "ESTABLISHED" not in told.help


def test_answers_that_are_lost_on_one_card_are_said_to_be_so() -> None:
    lan = (
        "iptables -A INPUT -i eth1 -p tcp --sport 22 -j ACCEPT\niptables -A INPUT -i eth1 -j DROP\n"
    )
    world = "iptables -A INPUT -i eth0 -p tcp --dport 22 -j ACCEPT\n"
    (told,) = found(f"iptables -F\niptables -A INPUT -i lo -j ACCEPT\n{world}{lan}", "IPT201")
    assert "come back on eth1 only from port 22" in told.message


def test_ipv4_that_is_denied_on_one_card_is_said_to_be_so() -> None:
    (told,) = found("iptables -F\niptables -A INPUT -i wg0 -j DROP\n", "IPT705")
    assert "over IPv4 only, on wg0:" in told.message
    (told,) = found("iptables -F\niptables -A INPUT -j DROP\n", "IPT705")
    assert "over IPv4 only:" in told.message


def test_a_script_that_fills_sets_names_a_tool() -> None:
    (told,) = found('if [ $# -eq 2 ]; then\nban() { ipset -A banned "$1"; }\nfi\n', "IPT008")
    assert told.message.startswith("this script names iptables, nft or ipset")


def test_a_file_of_openwrt_says_when_it_is_carried_out() -> None:
    text = "# be executed with each firewall (re-)start.\niptables -F\niptables -A INPUT -j DROP\n"
    assert not found(text, "IPT403")


def test_who_gets_no_answer_tries_no_password() -> None:
    ssh = "iptables -F\niptables -P INPUT DROP\niptables -A INPUT -p tcp --dport 22 -j ACCEPT\n"
    assert found(ssh, "IPT604")
    assert not found(f"{ssh}iptables -P OUTPUT DROP\n", "IPT604")


def test_by_which_card_errors_come_and_answers_are_lost() -> None:
    text = f"iptables -F\n{RUNNING}iptables -P INPUT DROP\niptables -A INPUT -i eth0 -j ACCEPT\n"
    ruleset = read(SourceFile("firewall.sh", f"#!/bin/sh\n{text}")).ruleset
    hooks = Context((ruleset,), Settings()).hooks(ruleset, Family.IP)
    assert hooks is not None
    assert come_by_the_card(hooks, ICMP, (3, 3))
    assert on_some(hooks, hooks.space.interface(Field.IIF, "eth0")) == ""
