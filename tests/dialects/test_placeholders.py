"""A template is told of its placeholders, not of what their signs are in the language."""

from __future__ import annotations

import pytest

from iptlint.dialects import read
from iptlint.dialects.placeholders import is_in_braces
from iptlint.linter.run import lint
from iptlint.source import SourceFile, Span

NFT = """table inet t {
    chain c {
        type filter hook input priority 0; policy drop;
        RULE
    }
}
"""
SAVE = "*filter\n:INPUT DROP [0:0]\n-A INPUT RULE -j ACCEPT\nCOMMIT\n"
SCRIPT = "#!/bin/sh\niptables -A INPUT RULE -j ACCEPT\n"


@pytest.mark.parametrize(
    ("name", "text", "rule", "placeholder"),
    [
        ("a.nft", NFT, "iifname @WAN_IF@ accept", "@WAN_IF@"),
        ("a.nft", NFT, "tcp dport <port> accept", "<port>"),
        ("a.nft", NFT, "tcp dport {{ port }} accept", "{{ port }}"),
        ("a.nft", NFT, "tcp dport {{ item.port | int }} accept", "{{ item.port | int }}"),
        ("a.nft", NFT, "tcp dport ${PORT} accept", "${PORT}"),
        ("a.nft", NFT, "{% if web %}", "{% if web %}"),
        ("a.v4", SAVE, "-s @LAN@", "@LAN@"),
        ("a.v4", SAVE, "-s {{ lan }}", "{{ lan }}"),
        ("a.v4", SAVE, "-s <your net>", "<your net>"),
        ("a.sh", SCRIPT, "-s {{ lan }}", "{{ lan }}"),
    ],
)
def test_a_placeholder_is_called_one(name: str, text: str, rule: str, placeholder: str) -> None:
    source = SourceFile(name, text.replace("RULE", rule))
    (told,) = (each for each in read(source).diagnostics if each.severity == "error")
    assert told.code == "IPT001"
    assert source.text[told.start : told.end] == placeholder
    assert told.message.startswith(f"`{placeholder}` is a placeholder of a template")


@pytest.mark.parametrize(
    ("name", "text", "rule"),
    [
        ("a.nft", NFT, "tcp dport {{ 22, 80 }} accept"),  # a set in a set, which nft takes
        ("a.nft", NFT, 'counter comment "{{ port }}"'),
        ("a.nft", NFT, "# {{ port }}"),
        ("a.v4", SAVE, '-m comment --comment "<none>"'),
    ],
)
def test_what_is_none(name: str, text: str, rule: str) -> None:
    assert read(SourceFile(name, text.replace("RULE", rule))).diagnostics == ()


def test_other_mistakes_stay_what_they_are() -> None:
    source = SourceFile("a.v4", SAVE.replace("RULE", "-p tcp --dprt {{ port }}"))
    assert "`--dprt` is unknown" in read(source).diagnostics[0].message


def test_a_template_is_one_finding() -> None:
    rules = "tcp dport {{ a }} accept\nip saddr {{ b }} accept\niifname @C@ accept"
    report = lint([SourceFile("a.nft", NFT.replace("RULE", rules))], select=("IPT001", "IPT306"))
    (finding,) = report.findings
    assert "likewise lines" in finding.message


def test_the_name_in_braces() -> None:
    source = SourceFile("a.nft", "ip saddr {{ lan }} accept")
    assert is_in_braces(Span(source, 12, 15))
    assert not is_in_braces(Span(source, 0, 2))
