"""Rules that a script writes into a file, and that something else loads."""

from __future__ import annotations

import pytest

import iptlint
from iptlint.linter.run import lint
from iptlint.model import Family
from iptlint.source import SourceFile

RULES = "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp --dport 3306 -j ACCEPT\nCOMMIT\n"
NFT = (
    "table inet filter {\n chain input {\n"
    "  type filter hook input priority 0; policy drop;\n }\n}\n"
)


def printed(text: str, file: str) -> str:
    lines = [f'echo "{line}" >> {file}\n' for line in text.splitlines()]
    return lines[0].replace(">>", ">") + "".join(lines[1:])


def families(script: str) -> list[Family]:
    ruleset = iptlint.read(f"#!/bin/sh\n{script}")
    return [table.family for table in ruleset.tables for _ in table.chains.values()]


@pytest.mark.parametrize(
    ("file", "text", "family"),
    [
        ("/etc/iptables/rules.v4", RULES, Family.IP),
        ("/etc/sysconfig/ip6tables", RULES, Family.IP6),
        ("/etc/nftables.conf", NFT, Family.INET),
    ],
)
def test_the_file_is_read_as_what_loads_it_reads_it(file: str, text: str, family: Family) -> None:
    here = f"cat > {file} <<'EOF'\n{text}EOF\nsystemctl enable nftables\n"
    assert family in families(here)
    assert family in families(printed(text, file))
    assert family in families(f"{{\ncat <<'EOF'\n{text}EOF\n}} > {file}\n")


def test_it_is_kept_and_its_faults_are_told() -> None:
    script = printed(RULES, "/srv/rules.v4")
    findings = lint([SourceFile("setup.sh", f"#!/bin/sh\n{script}")]).findings
    codes = {finding.code for finding in findings}
    assert "IPT603" in codes
    assert not codes & {"IPT008", "IPT403"}
    (exposed,) = (finding for finding in findings if finding.code == "IPT603")
    assert exposed.help.endswith(
        "in the place of this rule: -A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 3306 -j ACCEPT"
    )


def test_a_script_with_commands_of_its_own_is_what_they_do() -> None:
    script = f"iptables -A INPUT -j DROP\n{printed(RULES, '/etc/iptables/rules.v4')}"
    (rule,) = (rule for _, _, rule in iptlint.read(f"#!/bin/sh\n{script}").rules())
    assert rule.origin.span.text == "iptables -A INPUT -j DROP"


def test_of_two_files_for_one_family_nobody_knows_which_is_loaded() -> None:
    both = printed(RULES, "/srv/closed.v4") + printed(RULES, "/srv/open.v4")
    assert not families(both)
    assert families(printed(RULES, "/srv/rules.v4") + printed(RULES, "/srv/rules.v6"))


def test_a_file_that_is_no_ruleset_is_left_alone() -> None:
    assert not families(printed("iptables -A INPUT -j DROP", "/etc/rc.fw"))
