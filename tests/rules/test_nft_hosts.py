"""What the lint rules say of nft rulesets: of both families, of includes, of others' tables."""

from __future__ import annotations

from iptlint.findings import Confidence, Finding, Severity
from iptlint.linter import run
from iptlint.source import SourceFile

STATES = "ct state established,related accept; iifname lo accept;"


def findings(text: str, *codes: str) -> list[Finding]:
    return list(run.lint([SourceFile("host.nft", text)], select=codes).findings)


def one(text: str, code: str) -> Finding:
    (found,) = findings(text, code)
    return found


def table(rules: str, *, family: str = "inet", name: str = "filter", hook: str = "input") -> str:
    head = f"type filter hook {hook} priority filter; policy drop;"
    return f"table {family} {name} {{\n chain {hook} {{\n  {head}\n  {rules}\n }}\n}}\n"


# -- two families -------------------------------------------------------------


def test_a_fault_of_both_families_is_told_once() -> None:
    found = one(table("iifname lo accept; tcp dport 22 accept"), "IPT201")
    assert found.message.startswith("answers to connections this host opens never come back")


def test_a_fault_of_one_family_says_which() -> None:
    only = "meta nfproto ipv4 ct state established,related accept"
    found = one(table(f"iifname lo accept; {only}; tcp dport 22 accept"), "IPT201")
    assert found.message.startswith("over IPv6, answers")
    found = one(table(f"{STATES} meta nfproto ipv6 tcp dport 22 accept"), "IPT301")
    assert found.message.startswith("over IPv4, no new SSH connection")


def test_in_a_table_of_one_family_nothing_is_said_of_it() -> None:
    assert "over" not in one(table(STATES, family="ip"), "IPT301").message.split(":")[0]


def test_errors_about_running_connections_are_one_finding_of_both() -> None:
    found = one(
        table("ct state established accept; iifname lo accept; tcp dport 22 accept"), "IPT201"
    )
    assert "state related" in found.message
    assert found.related[0].message == "accepts established without related"


# -- includes -----------------------------------------------------------------


def test_what_an_include_may_change_is_only_possible() -> None:
    rules = f"{STATES} tcp dport 443 accept"
    certain = one(table(rules), "IPT301")
    assert (certain.severity, certain.confidence) == (Severity.ERROR, Confidence.CERTAIN)
    possible = one(f'{table(rules)}include "/nowhere/*.nft"\n', "IPT301")
    assert (possible.severity, possible.confidence) == (Severity.WARNING, Confidence.POSSIBLE)
    assert "included files" in possible.message


# -- words of nft -------------------------------------------------------------


def test_no_word_of_iptables_is_used() -> None:
    text = table("jump a") + (
        "table inet filter {\n chain a { jump b; }\n chain b { jump a; }\n}\n"
        "table ip6 later {\n chain input { type filter hook input priority 10;\n  drop\n }\n}\n"
    )
    for found in findings(text):
        words = found.message + found.help + "".join(label.message for label in found.related)
        assert not any(word in words for word in ("-A ", "-j ", "INPUT", "RETURN", "iptables"))


def test_a_table_is_called_by_its_family_and_name() -> None:
    other = "table inet shut { chain i { type filter hook input priority 9; tcp dport 22 drop; }; }"
    assert (
        "of the table inet shut"
        in one(table(f"{STATES} tcp dport 22 accept") + other, "IPT301").message
    )


def test_a_chain_may_be_in_the_running_table() -> None:
    text = "add table inet t\nadd chain inet t input\nadd rule inet t input jump web\n"
    assert one(text, "IPT003").confidence is Confidence.POSSIBLE
    assert one(f"flush ruleset\n{text}", "IPT003").confidence is Confidence.CERTAIN


# -- verdicts that are the same -----------------------------------------------


def test_returns_of_one_chain_are_the_same() -> None:
    text = table("jump a") + (
        "table inet filter {\n chain a {\n  tcp dport 1-100 return\n  tcp dport 22 return\n"
        "  tcp dport 1-200 accept\n }\n}\n"
    )
    assert [f.code for f in findings(text, "IPT101", "IPT102")] == ["IPT102"]


def test_each_queue_is_another() -> None:
    text = table("tcp dport 1-100 queue to 1; tcp dport 22 queue to 2")
    assert [f.code for f in findings(text, "IPT101", "IPT102")] == ["IPT101"]
    text = table("tcp dport 1-100 queue to 1; tcp dport 22 queue to 1")
    assert [f.code for f in findings(text, "IPT101", "IPT102")] == ["IPT102"]


# -- tables of software -------------------------------------------------------


def test_the_tables_of_software_are_its_affair() -> None:
    rules = "jump empty; tcp dport 22 accept; tcp dport 22 ip saddr 192.0.2.1 accept"
    text = (
        table(rules, name="libvirt_network") + "table inet libvirt_network { chain empty { }; }\n"
    )
    assert findings(text, "IPT102", "IPT104", "IPT107") == []
    assert findings(text.replace("libvirt_network", "mine"), "IPT102", "IPT104", "IPT107") != []
