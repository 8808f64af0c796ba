"""Chains that no packet comes to, because nothing calls them."""

from __future__ import annotations

from pathlib import Path

import pytest

import iptlint
from iptlint.analysis.session import Context, Settings
from iptlint.analysis.unused_chains import (
    named_like_a_hook,
    unhooked_by_this_file,
    unused_chains,
)
from tests.firewalls import context_of, hooked, saved


def unused(context: Context) -> list[str]:
    return [chain.name for _, chain in unused_chains(context)]


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ((), ["web", "ssh"]),
        (("-A INPUT -j web", "-A web -g ssh"), []),
        # Called by one that nothing calls: only that one is without a call.
        (("-A web -j ssh", "-A ssh -j DROP"), ["web"]),
        # A rule that could not be read may call it.
        (("-A INPUT --no-such-option 1 -j web",), ["ssh"]),
    ],
)
def test_chains_of_iptables(rules: tuple[str, ...], found: list[str]) -> None:
    assert unused(context_of(saved(*rules, chains="web ssh"))) == found


@pytest.mark.parametrize("name", ["DOCKER-USER", "f2b-sshd", "ufw-user-input", "KUBE-SERVICES"])
def test_chains_of_software_are_called_when_it_runs(name: str) -> None:
    assert unused(context_of(saved(chains=name))) == []


def test_a_built_in_chain_of_another_table_is_another_fault() -> None:
    text = "*nat\n:FORWARD ACCEPT [0:0]\nCOMMIT\n"
    assert unused(context_of(text)) == []


EXTRA = "\tchain extra {\n\t\ttcp dport 22 accept\n\t}\n"


def test_chains_of_nft() -> None:
    assert unused(context_of(hooked(more=EXTRA))) == ["extra"]
    assert unused(context_of(hooked("jump extra", more=EXTRA))) == []
    by_map = "tcp dport vmap { 22 : goto extra }"
    assert unused(context_of(hooked(by_map, more=EXTRA))) == []


def test_a_base_chain_needs_no_call() -> None:
    assert unused(context_of(hooked())) == []


def test_a_fragment_is_for_a_file_that_calls_its_chains() -> None:
    fragment = "table inet t {\n" + EXTRA + "}\n"
    assert unused(context_of(fragment)) == []
    assert unused(context_of("flush ruleset\n" + fragment)) == ["extra"]


def test_another_file_of_the_run_may_call_it(tmp_path: Path) -> None:
    texts = {"a.nft": hooked(more=EXTRA), "b.nft": "table inet t {\n\tchain d { jump extra; }\n}\n"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    alone, other = (iptlint.read(tmp_path / name) for name in texts)
    assert unused(Context((alone,), Settings())) == ["extra"]
    assert unused(Context((alone, other), Settings())) == []


@pytest.mark.parametrize(
    ("text", "name", "like"),
    [
        ("table ip t {\n\tchain INPUT {\n\t}\n}\n", "INPUT", True),
        ("table ip t {\n\tchain input {\n\t}\n}\n", "input", True),
        ("table ip t {\n\tchain inputs {\n\t}\n}\n", "inputs", False),
        ("*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n", "INPUT", False),
    ],
)
def test_a_name_alone_hooks_no_chain_of_nft(text: str, name: str, like: bool) -> None:
    """nft(8): only a chain with ``type … hook …`` sees packets by itself."""
    (analysis,) = context_of(text).analyses()
    assert named_like_a_hook(analysis, analysis.table.chains[name]) is like


def test_a_chain_for_a_hook_that_nobody_knows_is_meant_to_be_asked() -> None:
    odd = "\tchain odd {\n\t\ttype filter hook nowhere priority 0;\n\t\taccept\n\t}\n"
    assert unused(context_of(hooked(more=odd))) == []


WHOLE = "ct state established,related accept\ntcp dport 22 accept\ndrop"


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        (WHOLE, ["input"]),
        (WHOLE.replace("drop", "reject"), ["input"]),
        (WHOLE.replace("drop", "ip saddr 192.0.2.1 drop"), []),
        (WHOLE.replace("ct state established,related ", ""), []),
        ("tcp dport 8080 accept", []),
    ],
)
def test_what_reads_as_a_whole_firewall_and_is_hooked_by_nothing_here(
    rules: str, found: list[str]
) -> None:
    """nf_tables gives a chain packets by its hook alone (nf_tables_newchain), and a name is no
    hook. Another file may declare the chain, so it is only possible."""
    context = context_of(f"table inet filter {{\nchain input {{\n{rules}\n}}\n}}\n")
    assert [chain.name for _, chain in unhooked_by_this_file(context)] == found
    assert not any(unused_chains(context))
    text = f"#!/usr/sbin/nft -f\ntable inet filter {{\nchain input {{\n{rules}\n}}\n}}\n"
    assert not any(unhooked_by_this_file(context_of(text)))
