"""Commands that the tool refuses, though each is well written: dialects/script/failures.py."""

from __future__ import annotations

import pytest

from iptlint.dialects.script.lower import run_script
from iptlint.dialects.script.parser import parse
from iptlint.source import SourceFile


def told(text: str) -> list[tuple[int, str]]:
    """The lines of what is told, and how it begins."""
    source = SourceFile("firewall.sh", text)
    diagnostics = run_script(parse(source)).final()[1]
    return [
        (source.line_of(each.start), each.message.partition(":")[0])
        for each in diagnostics
        if each.severity != "info"
    ]


def test_a_chain_that_is_there_is_not_made_again() -> None:
    """``-N`` says ``Chain already exists.``"""
    assert told("iptables -N a\niptables -N a\n") == [(2, "there is a chain a already")]


@pytest.mark.parametrize(
    "again",
    ["iptables -N a 2>/dev/null", "iptables -N a || true", "if iptables -N a; then :; fi"],
)
def test_a_failure_that_the_script_counts_on_is_not_told(again: str) -> None:
    assert told(f"iptables -N a\n{again}\n") == []


def test_a_chain_with_rules_or_callers_is_not_deleted() -> None:
    text = "iptables -N a\niptables -N b\niptables -A a -j b\niptables -X a\niptables -X b\n"
    assert told(text) == [
        (4, "chain a has rules, so it stays"),
        (5, "chain b is called by a rule, so it stays"),
    ]


def test_a_chain_of_another_run_may_be_there_to_delete() -> None:
    assert told("iptables -X a\niptables -N a\n") == []


def test_what_fails_ends_a_script_that_has_said_so() -> None:
    (only,) = told("set -e\niptables -N a\niptables -N a\niptables -N b\niptables -N b\n")
    assert only == (3, "`iptables -N a` fails here, and by `set -e` that ends the script")


def test_a_rule_that_may_be_there_from_before_ends_nothing() -> None:
    assert told("set -e\niptables -D INPUT -p tcp -j ACCEPT\niptables -P INPUT DROP\n") == []


def test_a_set_that_was_destroyed_gets_no_element() -> None:
    made = "ipset create a hash:ip\n"
    assert told(f"{made}ipset destroy a\nipset add a 192.0.2.1\n") == [
        (3, "there is no set a any more")
    ]
    assert told(f"{made}ipset destroy a\n{made}ipset add a 192.0.2.1\n") == []


def test_a_set_is_made_before_it_is_filled() -> None:
    made = "ipset create a hash:ip\n"
    (only,) = told(f"ipset add a 192.0.2.1\n{made}")
    assert only == (1, "set a is made only further down")
    assert told("ipset add a 192.0.2.1\n") == []


def test_a_set_of_another_name_is_that_set() -> None:
    text = "ipset create a hash:ip\nipset rename a b\nipset add b 192.0.2.1\n"
    assert told(text) == []


def test_what_the_tool_refuses_ends_a_script_too_and_is_one_mistake() -> None:
    """iptables: ``Need TCP, UDP, SCTP or DCCP with port specification``."""
    text = "set -e\niptables -t nat -N a || true\niptables -t nat -A a -j DNAT --to 192.0.2.1:80\n"
    source = SourceFile("firewall.sh", f"{text}iptables -P INPUT DROP\n")
    (only,) = (d for d in run_script(parse(source)).final()[1] if d.severity == "error")
    assert "-p tcp" in only.message
    assert only.message.endswith(
        "by `set -e` that ends the script: what follows is not carried out"
    )
    assert "|| true" not in only.help
