"""What nft takes away only if a condition holds is there if it does not."""

from __future__ import annotations

import pytest

from iptlint.analysis.trace import trace
from iptlint.dialects import read
from iptlint.packets.packet import Packet
from iptlint.source import SourceFile

IPTABLES = "iptables -P INPUT DROP\niptables -A INPUT -p tcp --dport 22 -j ACCEPT\n"
NFT = (
    "nft add table inet host\n"
    "nft 'add chain inet host input { type filter hook input priority 0; policy drop; }'\n"
    "nft add rule inet host input tcp dport 22 accept\n"
)
IF = 'if [ "$RESET" = yes ]; then {}; fi\n'


def verdicts(text: str, port: int) -> set[str]:
    ruleset = read(SourceFile("firewall.sh", text)).ruleset
    packet = Packet("ip", hook="input", iif="eth0", proto="tcp", dport=port, ct_state="new")
    return {outcome.kind.value for outcome in trace(ruleset, packet).outcomes}


@pytest.mark.parametrize("before", [IPTABLES, NFT], ids=["iptables", "nft"])
def test_the_whole_ruleset(before: str) -> None:
    text = before + IF.format("nft flush ruleset")
    assert verdicts(text, 80) == {"accept", "drop"}
    assert verdicts(text, 22) == {"accept"}


def test_without_a_condition() -> None:
    assert verdicts(IPTABLES + "nft flush ruleset\n", 80) == {"accept"}


def test_a_chain_keeps_its_policy_when_it_is_flushed() -> None:
    text = NFT + IF.format("nft flush chain inet host input")
    assert verdicts(text, 22) == {"accept", "drop"}
    assert verdicts(text, 80) == {"drop"}


def test_a_table_that_may_be_deleted() -> None:
    text = NFT + IF.format("nft delete table inet host")
    assert verdicts(text, 80) == {"accept", "drop"}


def test_what_the_same_text_adds_is_there_with_the_condition() -> None:
    adds = "nft 'flush chain inet host input; add rule inet host input tcp dport 80 accept'"
    assert verdicts(NFT + IF.format(adds), 80) == {"accept", "drop"}
