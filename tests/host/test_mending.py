"""What is shown to be typed is typed, in a kernel where there is one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from iptlint.analysis.session import Settings
from iptlint.findings import Finding
from iptlint.host.examine import examine
from iptlint.host.gathered import Gathered
from iptlint.host.mending import with_commands
from iptlint.linter.run import lint
from tests.host.made_up import Root
from tests.host.test_real import Kernel, pytestmark

__all__ = ["pytestmark"]

IPTABLES = """*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:OLD - [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 -m comment --comment "the office" -j ACCEPT
-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT
-A INPUT -s 192.0.2.7/32 -p tcp -m tcp --dport 22 -j DROP
-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT
-A OLD -j DROP
COMMIT
"""
NFT = """table inet t {
    chain c {
        type filter hook input priority 10; policy drop;
        comment "what comes in"
        ct state established,related accept
        ip saddr { 192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4, 192.0.2.5, 192.0.2.6 } drop
        tcp dport 80 accept
        tcp dport 80 accept
        ip saddr 192.0.2.1 drop
    }
}
"""


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    made = Kernel(Root(tmp_path))
    yield made
    made.namespace.close()


def findings(gathered: Gathered) -> list[Finding]:
    examined = examine(gathered)
    host = examined.host
    report = lint(host.sources, Settings(), (), (), examined.reader, examined.ipsets, host=host)
    return [*with_commands(report.findings, host.sources, gathered)]


def commands(finding: Finding) -> tuple[str, list[str]]:
    """The one that shows, and those that mend."""
    shows, _, mends = finding.advice.partition(" shows it")
    return shows.rpartition("`sudo ")[2].strip("`"), re.findall(r"`sudo (.*?)`", mends)


@pytest.mark.parametrize(
    ("tool", "text", "codes"),
    [
        ("iptables-nft-restore", IPTABLES, {"IPT101", "IPT104", "IPT106"}),
        ("iptables-legacy-restore", IPTABLES, {"IPT101", "IPT104", "IPT106"}),
        ("nft", NFT, {"IPT102", "IPT106"}),
    ],
)
def test_what_mends_a_finding(kernel: Kernel, tool: str, text: str, codes: set[str]) -> None:
    kernel.load(tool, text)
    for code in sorted(codes):
        finding = next(f for f in findings(kernel.gather()) if f.code == code)
        shows, mends = commands(finding)
        shown = kernel.namespace.run(["sh", "-c", shows])
        if tool != "nft" and code != "IPT104":
            assert shown.strip() in finding.span.text.replace("[0:0] ", "")
        assert mends
        for command in mends:
            kernel.namespace.run(["sh", "-c", command])
        assert code not in {f.code for f in findings(kernel.gather())}


def test_a_table_of_iptables_beside_others_is_left_to_iptables(kernel: Kernel) -> None:
    kernel.load("iptables-nft-restore", IPTABLES)
    kernel.load("nft", NFT)
    (first, second) = (f for f in findings(kernel.gather()) if f.code == "IPT106")
    assert commands(first) == ("iptables -S INPUT 6", ["iptables -D INPUT 6"])
    assert commands(second)[0] == "nft -a list chain inet t c"


def test_nothing_that_a_shell_would_run_is_shown(kernel: Kernel) -> None:
    """Comments are written by whatever software makes rules."""
    rules = IPTABLES.replace("-s 192.0.2.7/32", '-s 192.0.2.7/32 -m comment --comment "$(reboot)"')
    kernel.load("iptables-nft-restore", rules)
    (shadowed,) = (f for f in findings(kernel.gather()) if f.code == "IPT101")
    assert commands(shadowed)[0] == "iptables -S INPUT 5"
    assert "reboot" not in shadowed.help
