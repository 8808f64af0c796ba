"""One cause is one finding: whatever is selected or ignored, one rule tells of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from iptlint.findings import Finding
from iptlint.linter import publish
from iptlint.linter.run import lint
from iptlint.linter.selection import Selection
from iptlint.rules.registry import Profile, rules
from iptlint.source import SourceFile
from tests.expectations import FIXTURES, files_of
from tests.expectations import lint as places

SSH = "-p tcp -m tcp --dport 22 -j ACCEPT\n"


def filter_table(*rules: str, name: str, policies: str = "DROP") -> SourceFile:
    head = "".join(f":{chain} {policies} [0:0]\n" for chain in ("INPUT", "FORWARD", "OUTPUT"))
    return SourceFile(
        name, f"*filter\n{head}{''.join(f'{rule}{chr(10)}' for rule in rules)}COMMIT\n"
    )


IPV4_CLOSED = filter_table(
    "-A INPUT -i lo -j ACCEPT", f"-A INPUT {SSH.strip()}", "-A OUTPUT -j ACCEPT", name="rules.v4"
)
IPV6_OPEN = filter_table(name="rules.v6", policies="ACCEPT")
IPV6_OPENED_BY_A_RULE = filter_table(
    "-A INPUT -j ACCEPT", "-A INPUT -p tcp -m tcp --dport 23 -j DROP", name="rules.v6"
)
LOGGED_AS_DENIED = filter_table(
    "-A INPUT -i lo -j ACCEPT",
    '-A INPUT -m limit --limit 5/min -j LOG --log-prefix "denied: "',
    "-A INPUT -j ACCEPT",
    "-A INPUT -p tcp -m tcp --dport 23 -j DROP",
    name="rules.v4",
)
FLUSHED = SourceFile(
    "fw.sh",
    f"#!/bin/sh\niptables -P INPUT DROP\niptables -A INPUT {SSH}iptables -F\n",
)
NEIGHBOURS_DROPPED = SourceFile(
    "rules.v6", (FIXTURES / "rules/IPT703/good_nd_blocked.v6").read_text("utf-8")
)
NEIGHBOURS_AND_DHCP_DROPPED = SourceFile(
    "rules.v6",
    (FIXTURES / "rules/IPT704/bad.v6").read_text("utf-8").replace("-A INPUT -p ipv6-icmp", "#"),
)

INVALID_BEFORE_CONNTRACK = SourceFile(
    "rules.v4",
    "*raw\n-A PREROUTING -m conntrack --ctstate INVALID -j DROP\nCOMMIT\n"
    "*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\n"
    f"-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n-A INPUT {SSH}COMMIT\n",
)

MISSPELT = SourceFile(
    "rules.v4",
    "*filter\n:INPUT DROP [0:0]\n:LOGDROP - [0:0]\n-A INPUT -i lo -j ACCEPT\n"
    "-A INPUT -p udp -j LOG_DROP\n-A LOGDROP -j DROP\nCOMMIT\n",
)

WRONG_HOOK = SourceFile(
    "a.nft",
    "table inet t {\nchain input {\ntype filter hook forward priority 0; policy drop;\n"
    "tcp dport 80 accept\n}\nchain forward {\ntype filter hook forward priority 0; policy drop;\n"
    "}\nchain output {\ntype filter hook input priority 0; policy accept;\noif lo accept\n}\n}\n",
)

LIMIT_BELOW_THE_ACCEPT = SourceFile(
    "rules.v4",
    "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dport 22 -j ACCEPT\n"
    "-A INPUT -p tcp --dport 22 --syn -m limit --limit 3/min -j ACCEPT\n"
    "-A INPUT -p tcp --dport 22 --syn -j DROP\nCOMMIT\n",
)


def fixture(path: str) -> tuple[SourceFile, ...]:
    case: Path = FIXTURES / "rules" / path
    return tuple(SourceFile(str(file), file.read_text("utf-8")) for file in files_of(case))


DECLARED = [
    ("IPT102", "IPT101", (LIMIT_BELOW_THE_ACCEPT,)),
    ("IPT102", "IPT114", fixture("IPT114/bad_closed.v4")),
    ("IPT104", "IPT003", (MISSPELT,)),
    ("IPT104", "IPT111", fixture("IPT111/bad.nft")),
    ("IPT103", "IPT111", (WRONG_HOOK,)),
    ("IPT110", "IPT111", (WRONG_HOOK,)),
    ("IPT110", "IPT854", fixture("IPT854/bad_netavark.nft")),
    ("IPT110", "IPT856", fixture("IPT856/bad_lxd.nft")),
    ("IPT404", "IPT003", fixture("IPT003/bad_of_docker.v4")),
    ("IPT602", "IPT701", (IPV4_CLOSED, IPV6_OPENED_BY_A_RULE)),
    ("IPT301", "IPT304", (FLUSHED,)),
    ("IPT201", "IPT209", (INVALID_BEFORE_CONNTRACK,)),
    ("IPT201", "IPT304", (FLUSHED,)),
    ("IPT603", "IPT952", fixture("IPT952/bad")),
    ("IPT604", "IPT101", fixture("IPT604/good_late_limit.v4")),
    ("IPT604", "IPT701", fixture("IPT701/bad-port")),
    ("IPT607", "IPT201", fixture("IPT607/good_related.v4")),
    ("IPT701", "IPT603", fixture("IPT701/good-port-of-a-service")),
    ("IPT703", "IPT201", fixture("IPT703/good_related.v6")),
    ("IPT703", "IPT702", (NEIGHBOURS_DROPPED,)),
    ("IPT704", "IPT702", (NEIGHBOURS_AND_DHCP_DROPPED,)),
    ("IPT802", "IPT101", fixture("IPT802/good_shadowed.v4")),
    ("IPT802", "IPT803", fixture("IPT803/bad.v4")),
    ("IPT908", "IPT602", (LOGGED_AS_DENIED,)),
]
"""The rule that yields, the one that it yields to, and a text that both would speak of."""

LEFT = [
    ("IPT101", "IPT106", "IPT106/bad.v4"),
    ("IPT101", "IPT853", "IPT853/bad.v4"),
    ("IPT101", "IPT902", "IPT902/bad.v4"),
    ("IPT102", "IPT106", "IPT106/bad.v4"),
    ("IPT102", "IPT853", "IPT853/bad.nft"),
    ("IPT103", "IPT209", "IPT209/bad.v4"),
    ("IPT106", "IPT855", "IPT855/bad.v4"),
    ("IPT106", "IPT904", "IPT106/good_masked_hosts.v4"),
    ("IPT107", "IPT106", "IPT106/bad.v4"),
    ("IPT201", "IPT607", "IPT607/bad_all_of_icmp.v4"),
    ("IPT201", "IPT703", "IPT703/bad_all_of_icmp.v6"),
    ("IPT204", "IPT201", "IPT204/good_no_answers.v4"),
    ("IPT302", "IPT301", "IPT302/good_nobody.v4"),
    ("IPT305", "IPT301", "IPT305/good_shut.v4"),
    ("IPT406", "IPT404", "IPT406/good_saved.nft"),
    ("IPT407", "IPT003", "IPT003/bad.v4"),
    ("IPT501", "IPT101", "IPT501/good_dead_members.v4"),
    ("IPT501", "IPT102", "IPT501/good_dead_members.v4"),
    ("IPT504", "IPT501", "IPT504/good.v4"),
    ("IPT505", "IPT501", "IPT501/bad.nft"),
    ("IPT601", "IPT602", "IPT602/bad.v4"),
    ("IPT601", "IPT605", "IPT605/bad_all.v4"),
    ("IPT603", "IPT602", "IPT602/bad.v4"),
    ("IPT604", "IPT602", "IPT602/bad.v4"),
    ("IPT801", "IPT101", "IPT801/good_shadowed.v4"),
    ("IPT804", "IPT101", "IPT804/good.v4"),
    ("IPT851", "IPT803", "IPT851/good_pre_nat_port.v4"),
    ("IPT853", "IPT106", "IPT853/good.v4"),
    ("IPT908", "IPT601", "IPT908/good_policy.v4"),
    ("IPT953", "IPT956", "IPT956/bad_held"),
    ("IPT956", "IPT953", "IPT956/good_unattached"),
    ("IPT958", "IPT952", "IPT958/good_database"),
]
"""The rule that leaves something out by itself, the one whose it is, and a text for both."""

LEFT_ELSEWHERE = {
    ("IPT402", "IPT401"),  # of hosts: tests/host/test_host_rules.py
    ("IPT601", "IPT701"),  # a part of a finding: below
    ("IPT851", "IPT853"),  # a part of a finding: tests/rules/test_nat_rules.py
}


def codes(sources: Sequence[SourceFile], **more: Sequence[str]) -> list[str]:
    return [finding.code for finding in lint(sources, **more).findings]


def name_of(value: object) -> str | None:
    return value if isinstance(value, str) else ""


def test_every_declaration_is_tested() -> None:
    declared = {(rule.meta.code, other) for rule in rules() for other in rule.meta.yields_to}
    assert declared == {(rule, other) for rule, other, _ in DECLARED}


@pytest.mark.parametrize(("code", "other", "sources"), DECLARED, ids=name_of)
def test_the_rule_that_yields_is_silent(
    code: str, other: str, sources: tuple[SourceFile, ...]
) -> None:
    found = codes(sources)
    assert other in found
    assert code not in found
    assert codes(sources, select=[code, other]) == [c for c in found if c == other]


@pytest.mark.parametrize(("code", "other", "sources"), DECLARED, ids=name_of)
def test_it_is_silent_whether_the_other_is_shown_or_not(
    code: str, other: str, sources: tuple[SourceFile, ...]
) -> None:
    hidden = [
        s  # JSON has no comments
        if s.path.endswith(".json")
        else SourceFile(s.path, f"# iptlint: ignore-file={other}\n{s.text}")
        for s in sources
    ]
    assert codes(sources, select=[code]) == []
    assert code not in codes(sources, ignore=[other])
    assert code not in codes(hidden)


@pytest.mark.parametrize(("code", "other", "sources"), DECLARED, ids=name_of)
def test_without_the_declaration_there_were_two(
    code: str, other: str, sources: tuple[SourceFile, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def keep_all(findings: Sequence[Finding]) -> tuple[list[Finding], list[Finding]]:
        return [*findings], []

    monkeypatch.setattr(publish, "_parted", keep_all)
    assert {*codes(sources, select=[code, other])} == {code, other}


def test_the_chain_that_ipv6_is_open_by_is_not_told_of_twice() -> None:
    """IPT601 tells of FORWARD alone, which is why it asks before it speaks."""
    found = lint([IPV4_CLOSED, IPV6_OPEN]).findings
    assert "IPT701" in [finding.code for finding in found]
    assert not any("INPUT" in finding.message for finding in found if finding.code == "IPT601")
    assert codes([IPV4_CLOSED, IPV6_OPEN], select=["IPT601"]) == [
        finding.code for finding in found if finding.code == "IPT601"
    ]


def test_all_that_is_left_to_others_is_tested() -> None:
    left = {(rule.meta.code, other) for rule in rules() for other in rule.meta.leaves_to}
    assert left == {(rule, other) for rule, other, _ in LEFT} | LEFT_ELSEWHERE


@pytest.mark.parametrize(("code", "other", "path"), LEFT, ids=name_of)
def test_what_a_rule_leaves_to_another_is_not_told_twice(code: str, other: str, path: str) -> None:
    case = FIXTURES / "rules" / path
    found = [place[2] for place in places(case)]
    assert other in found
    assert code not in found
    assert [place for place in places(case, "--select", code) if place[2] == code] == []


def test_what_a_rule_yields_to_runs_unheard() -> None:
    selection = Selection.of(["IPT602"], [], Profile.DEFAULT)
    assert selection.heard == {"IPT602"}
    assert selection.running == {"IPT602", "IPT701", "IPT603", "IPT952"}
    assert "IPT701" not in selection.shown


def test_a_comment_for_what_is_not_heard_is_not_unused() -> None:
    """Nobody is told to delete a comment for a rule that he has switched off."""
    commented = SourceFile("rules.v4", f"# iptlint: ignore-file=IPT701\n{IPV4_CLOSED.text}")
    assert "IPT005" not in codes([commented], ignore=["IPT701"])
    assert "IPT005" in codes([commented])
