"""What IPv4 and IPv6 have in common is told once."""

from __future__ import annotations

from iptlint.findings import Finding
from iptlint.findings.mirrored import mirrored
from iptlint.linter.run import lint
from iptlint.source import SourceFile

SAVED = ":INPUT DROP [{}:0]\n:NONE - [0:0]\n-A INPUT -p {} -j NONE\nCOMMIT\n"
FOUR, SIX = ("*filter\n" + SAVED.format(*words) for words in ((1, "icmp"), (2, "ipv6-icmp")))


def told(code: str, **texts: str) -> list[Finding]:
    sources = [SourceFile(name.replace("__", "."), text) for name, text in texts.items()]
    return list(lint(sources, select=(code,)).findings)


def test_two_files_of_one_name() -> None:
    (finding,) = told("IPT107", rules__v4=FOUR, rules__v6=SIX)
    assert finding.message.endswith("the chain NONE is empty; the same over IPv6 at rules.v6:4")
    assert (finding.related[-1].span.line, finding.related[-1].message) == (
        4,
        "likewise over IPv6",
    )


def test_files_that_have_nothing_to_do_with_each_other() -> None:
    assert len(told("IPT107", rules__v4=FOUR, others__v6=SIX)) == 2


def test_another_rule_is_another_finding() -> None:
    other = SIX.replace("-p ipv6-icmp", "-p tcp")
    assert len(told("IPT107", rules__v4=FOUR, rules__v6=other)) == 2


def test_the_commands_of_a_script() -> None:
    policies = "iptables -P INPUT DROP\nip6tables -P INPUT DROP\n"
    (finding,) = told("IPT201", a__sh=policies)
    assert finding.message.endswith("; the same over IPv6 at line 2")


def test_two_tables_of_nft() -> None:
    chain = "chain c {\n type filter hook forward priority 0;\n accept\n }\n chain n {\n type nat "
    table = f"table ip t {{\n {chain}hook postrouting priority 0; oif eth0 masquerade\n }}\n}}\n"
    both = table + table.replace("table ip ", "table ip6 ")
    (finding,) = told("IPT601", a__nft=both)
    assert finding.message.startswith("c is open")
    assert finding.message.endswith("; the same over IPv6 at line 13")


def test_findings_of_one_family_stay_several() -> None:
    findings = told("IPT107", rules__v4=FOUR.replace("COMMIT", "-A INPUT -p tcp -j NONE\nCOMMIT"))
    assert mirrored([findings[0], findings[0]]) == [findings[0], findings[0]]
