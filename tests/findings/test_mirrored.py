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


def test_two_files_beside_each_other_are_told_as_one() -> None:
    (finding,) = told("IPT107", rules__v4=FOUR, rules__v6=SIX)
    assert finding.span.source.path == "rules.v4"
    assert finding.message.endswith("; the same over IPv6 at line 4 of rules.v6")
    assert finding.related[-1].span.source.path == "rules.v6"


def test_files_of_other_names_are_told_each() -> None:
    assert len(told("IPT107", old__v4=FOUR, rules__v6=SIX)) == 2


def test_another_rule_is_another_finding() -> None:
    policies = "TOOL -P INPUT DROP\nTOOL -A INPUT -i lo -j ACCEPT\n"
    opened = "TOOL -A INPUT -p tcp --dport {} -j ACCEPT\n"
    both = [
        (policies + opened.format(port)).replace("TOOL", tool)
        for tool, port in (("iptables", 3306), ("ip6tables", 5432))
    ]
    assert len(told("IPT603", a__sh="".join(both))) == 2
    assert len(told("IPT603", a__sh="".join(both).replace("5432", "3306"))) == 1


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


def test_the_placeholders_of_several_templates_are_one_finding() -> None:
    text = "flush ruleset\ntable inet t {\nchain c {\ntcp dport {{ port }} accept\n}\n}\n"
    sources = [SourceFile(f"templates/{name}.nft.j2", text) for name in "abc"]
    (finding,) = [each for each in lint(sources).findings if each.code == "IPT002"]
    assert finding.message.endswith("; so in 2 more files")
    assert [each.span.source.path[-8] for each in finding.related] == ["b", "c"]
