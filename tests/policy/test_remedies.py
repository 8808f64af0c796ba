"""Each change that is proposed is carried out, and the test holds after it."""

from __future__ import annotations

import pytest

from iptlint.policy.file import read_tests
from iptlint.policy.judge import judge
from iptlint.policy.results import Status
from iptlint.source import edited
from tests.policy.hosts import closed, host, judged

ANY = "-A INPUT -j ACCEPT"
SSH = "-A INPUT -s 203.0.113.0/24 -p tcp -m tcp --dport 22 -j ACCEPT"
NFT = """\
table inet filter {
    chain input {
        type filter hook input priority 0; policy drop;
        ct state established,related accept
        tcp dport { 22, 80 } accept
    }
}
"""
ZONES = 'families = ["ip"]\n[zones]\noffice = "203.0.113.0/24"\nlab = ["198.51.100.0/26"]\n'


@pytest.mark.parametrize(
    ("sentence", "text", "added"),
    [
        ("deny from office to 80", closed(ANY), "-A INPUT -s 203.0.113.0/24 -p tcp"),
        ("deny from office to ping", closed(ANY), "--icmp-type echo-request -j DROP"),
        ("allow from lab to ssh", closed(SSH), "-A INPUT -s 198.51.100.0/26 -p tcp"),
        ("only from office to ssh", closed(ANY), "! -s 203.0.113.0/24"),
        ("deny from lab to ssh", NFT, "ip saddr 198.51.100.0/26 tcp dport 22 drop"),
        ("allow from lab to 443", NFT, "ip saddr 198.51.100.0/26 tcp dport 443 accept"),
        ("only from office to ssh", NFT, "ip saddr != 203.0.113.0/24 tcp dport 22 drop"),
    ],
)
def test_it_holds_the_test(sentence: str, text: str, added: str) -> None:
    result = judged(sentence, text, more=ZONES)
    assert result.status is Status.FAILS
    assert result.change is not None
    assert added in result.change.says
    assert result.change.breaks == ()
    assert result.decision is not None
    changed = edited(result.decision.ruleset.source, result.change.edits)
    assert judged(sentence, changed.text, more=ZONES).status is Status.HOLDS


def test_what_another_test_needs_is_not_taken_away() -> None:
    """A rule for everyone would cut off the office; taking the open rule out does not."""
    text = f'tests = ["deny from internet to ssh", "allow from office to ssh"]\n{ZONES}'
    open_ = "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT"
    denied, allowed = judge(read_tests(text), [host(closed(SSH, open_))])
    assert (denied.status, allowed.status) == (Status.FAILS, Status.HOLDS)
    assert denied.change is not None
    assert denied.change.breaks == ("allow from office to ssh",)


def test_nothing_is_proposed_where_nothing_is_known_to_help() -> None:
    unhooked = closed().replace("-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "")
    assert judged("allow from office to ssh", unhooked, more=ZONES).change is None
