"""What files of rules that were read last were told wrongly, or not told."""

from __future__ import annotations

import json

import pytest

from iptlint.findings import Finding, Severity
from iptlint.linter.run import lint
from iptlint.source import SourceFile


def told(*texts: str, codes: tuple[str, ...] = (), paths: tuple[str, ...]) -> list[Finding]:
    sources = [SourceFile(path, text) for path, text in zip(paths, texts, strict=True)]
    findings = lint(sources, select=codes).findings
    return [each for each in findings if not codes or each.code in codes]


def in_nft(*rules: str, path: str = "nftables.conf", codes: tuple[str, ...] = ()) -> list[Finding]:
    head = "flush ruleset\ntable inet filter {\nchain input {\n"
    hook = "type filter hook input priority filter; policy drop;\n"
    text = head + hook + "".join(f"{rule}\n" for rule in rules) + "}\n}\n"
    return told(text, paths=(path,), codes=codes)


def saved(*lines: str, policy: str = "DROP") -> str:
    head = f"*filter\n:INPUT {policy} [0:0]\n:FORWARD {policy} [0:0]\n:OUTPUT ACCEPT [0:0]\n"
    return head + "".join(f"{line}\n" for line in lines) + "COMMIT\n"


LO, ANSWERS = "iif lo accept", "ct state established,related accept"


@pytest.mark.parametrize("name", ["{{ lan }}", "{{ host.data.the_wan_device }}"])
def test_an_interface_in_quotes_is_a_placeholder_too(name: str) -> None:
    """nft takes one that is short enough for a name; none of it is what the author wrote."""
    (finding,) = in_nft(LO, f'iifname "{name}" accept', codes=("IPT001", "IPT006", "IPT103"))
    assert finding.code == "IPT001"
    assert finding.message.startswith(f"`{name}` is a placeholder of a template")
    assert not in_nft(LO, f'oifname "lo" log prefix "{name}"', codes=("IPT001",))


def test_the_placeholders_of_a_file_that_is_called_a_template_are_no_mistakes() -> None:
    rules = (LO, "tcp dport {{ port }} accept")
    (finding,) = in_nft(*rules, path="nftables.conf.j2", codes=("IPT001", "IPT002"))
    assert (finding.code, finding.severity) == ("IPT002", Severity.INFO)
    assert "what it becomes is not known here" in finding.message
    (plain,) = in_nft(*rules, codes=("IPT001", "IPT002"))
    assert plain.severity is Severity.ERROR


def test_a_comment_of_a_template_opens_no_block() -> None:
    rules = (LO, "{# the web,\nfor all -#}", "tcp dport {{ port }} accept", "counter drop")
    findings = in_nft(*rules, path="nftables.conf.j2", codes=("IPT001", "IPT601"))
    assert not findings
    unclosed = in_nft(LO, "{# the web #}", codes=("IPT001",))
    assert any("never closed" in each.message for each in unclosed)


@pytest.mark.parametrize("wan", ['"wan"', "{{ wan }}"])
def test_an_accept_for_all_but_one_interface_lets_in_nobody_there(wan: str) -> None:
    """What lets someone in there could not be read: that none is denied there for certain says
    nothing."""
    rules = (LO, f"iifname != {wan} accept", ANSWERS, "{% if ssh %}", "tcp dport 22 accept")
    assert not in_nft(*rules, codes=("IPT601", "IPT602"))
    everyone = (LO, "ct state new accept", "{% if ssh %}", "tcp dport 22 accept")
    assert [each.code for each in in_nft(*everyone, codes=("IPT602",))] == ["IPT602"]


def test_ping_over_ipv6_needs_neighbours() -> None:
    """Who accepts ping over IPv6 and nothing else wants the host to be found by it."""
    ping = "-A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 128 -j ACCEPT"
    answers = "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
    (finding,) = told(saved(answers, ping), codes=("IPT702",), paths=("rules.v6",))
    assert "neighbour discovery does not work" in finding.message
    assert not told(saved(answers), codes=("IPT702",), paths=("rules.v6",))


def test_ipv4_that_denies_on_one_interface_only_is_said_to() -> None:
    """The packet that is shown comes by that one: by another IPv4 accepts it as well."""
    four = saved("-A INPUT -i tunnel9 -m conntrack --ctstate NEW -j DROP", policy="ACCEPT")
    six = saved("-A INPUT -m rt --rt-type 0 -j DROP", policy="ACCEPT")
    paths = ("rules.v4", "rules.v6")
    (finding,) = told(four, six, codes=("IPT701",), paths=paths)
    assert "while IPv4 denies what comes in by tunnel9" in finding.message
    assert finding.witness is not None
    assert finding.witness.iif == "tunnel9"
    (default,) = told(saved(), six, codes=("IPT701",), paths=paths)
    assert "while IPv4 denies by default" in default.message


def test_a_test_without_a_text_is_told_by_its_number() -> None:
    """`==` compares all bits of the state, and no packet has two; the kernel does so too."""
    state = {"op": "==", "left": {"ct": {"key": "state"}}, "right": ["related", "established"]}
    where = {"family": "ip", "table": "t"}
    chain = {**where, "name": "c", "type": "filter", "hook": "input", "prio": 0, "policy": "drop"}
    rule = {**where, "chain": "c", "expr": [{"match": state}, {"accept": None}]}
    made = [{"table": {"family": "ip", "name": "t"}}, {"chain": chain}, {"rule": rule}]
    text = json.dumps({"nftables": [{"add": each} for each in made]})
    (finding,) = told(text, codes=("IPT103",), paths=("rules.json",))
    assert finding.message == "no packet passes test 1 of rule 1 of c"
