"""A word that is misspelled is answered with the one that was meant."""

from __future__ import annotations

import pytest

from iptlint.linter.run import lint
from iptlint.source import SourceFile


def helps(text: str) -> str:
    report = lint((SourceFile("f", text),), select=("IPT0",))
    return " ".join(finding.help for finding in report.findings)


@pytest.mark.parametrize(
    ("rule", "meant"),
    [
        ("-m contrack --ctstate NEW -j ACCEPT", "did you mean conntrack?"),
        ("-m multport --dports 1,2 -j ACCEPT", "did you mean multiport?"),
        ("-p tcp --dprot 22 -j ACCEPT", "Did you mean `--dport`?"),
        ("-j ACEPT", "did you mean ACCEPT?"),
        ("-j MASQERADE", "did you mean MASQUERADE?"),
    ],
)
def test_iptables(rule: str, meant: str) -> None:
    assert meant in helps(f"*filter\n:INPUT ACCEPT [0:0]\n-A INPUT {rule}\nCOMMIT\n")


@pytest.mark.parametrize(
    ("tool", "rule", "meant"),
    [
        ("ip6tables", "-p icmp --icmp-type 8", "`-p ipv6-icmp --icmpv6-type` is what IPv6 has."),
        ("ip6tables", "-p ipv6-icmp --icmp-type 8", "`-p ipv6-icmp --icmpv6-type` is what IPv6"),
        ("iptables", "-p icmp --icmpv6-type 8", "`-p icmp --icmp-type` is what IPv4 has."),
    ],
)
def test_an_option_of_the_other_family(tool: str, rule: str, meant: str) -> None:
    """The trap: `-p icmp`, of which the option is, stands before it already."""
    source = SourceFile("a.sh", f"{tool} -A INPUT {rule} -j ACCEPT\n")
    (finding,) = lint((source,), select=("IPT001",)).findings
    assert meant in finding.help


@pytest.mark.parametrize(
    ("rule", "meant"),
    [
        ("ct sate new accept", "Did you mean `ct state`?"),
        ("tcp dprot 22 accept", "Did you mean `tcp dport`?"),
        ("acept", "Did you mean `accept`?"),
        ("jmp c", "Did you mean `jump`?"),
        ("iifnam lo accept", "Did you mean `iifname`?"),
        ("ip saddr @freinds accept", "did you mean @friends?"),
    ],
)
def test_nft(rule: str, meant: str) -> None:
    chain = f"chain c {{\n type filter hook input priority 0\n {rule}\n}}"
    assert meant in helps(f"table inet t {{\nset friends {{ type ipv4_addr; }}\n{chain}\n}}\n")


def test_what_is_like_nothing_known_is_not_guessed() -> None:
    said = helps("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m qqqq -j ACCEPT\nCOMMIT\n")
    assert "did you mean" not in said
