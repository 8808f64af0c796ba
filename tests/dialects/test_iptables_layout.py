"""iptables-save with its options in the order in which the tool prints them."""

from __future__ import annotations

import pytest

from iptlint.convert.formatting import formatted
from iptlint.dialects import Reader
from iptlint.source import SourceFile


def laid_out(rule: str) -> str:
    text = f"*filter\n:INPUT ACCEPT [0:0]\n:x - [0:0]\n{rule}\nCOMMIT\n"
    done = formatted(SourceFile("rules.v4", text), Reader())
    assert not done.refused
    assert formatted(done.new, Reader()).new.text == done.new.text
    return done.new.text.split("\n")[3]


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("-A INPUT -j ACCEPT -i lo", "-A INPUT -i lo -j ACCEPT"),
        (
            "-A INPUT -p tcp -i lo -d 10.0.0.1 -s 10.0.0.2 -j ACCEPT",
            "-A INPUT -s 10.0.0.2 -d 10.0.0.1 -i lo -p tcp -j ACCEPT",
        ),
        ("-A INPUT -p tcp --destination-port 22 -j x", "-A INPUT -p tcp -m tcp --dport 22 -j x"),
        ("-A INPUT -p tcp --dport=22 -jDROP", "-A INPUT -p tcp -m tcp --dport 22 -j DROP"),
        (
            "-A INPUT -p tcp -m tcp --dport 22 ! --sport 1 -g x",
            "-A INPUT -p tcp -m tcp ! --sport 1 --dport 22 -g x",
        ),
        (
            "-A INPUT -m limit --limit-burst 5 --limit 5/min -p udp -j ACCEPT",
            "-A INPUT -p udp -m limit --limit 5/min --limit-burst 5 -j ACCEPT",
        ),
        (
            "-A INPUT --source 10.0.0.1 --jump LOG --log-level 4 --log-prefix 'x'",
            "-A INPUT -s 10.0.0.1 -j LOG --log-prefix 'x' --log-level 4",
        ),
        (
            '[5:60]   -A INPUT -m comment --comment "a  \\" b"   -j ACCEPT',
            '[5:60] -A INPUT -m comment --comment "a  \\" b" -j ACCEPT',
        ),
        (
            "-A INPUT -m recent --name x --rsource --seconds 5 --update -j DROP",
            "-A INPUT -m recent --update --seconds 5 --name x --rsource -j DROP",
        ),
        (
            "-A INPUT -m conntrack --ctdir REPLY --ctstate NEW",
            "-A INPUT -m conntrack --ctstate NEW --ctdir REPLY",
        ),
        ("-I INPUT -j ACCEPT -i lo", "-I INPUT -j ACCEPT -i lo"),
        ("# a   remark ", "# a   remark "),
        ("-A INPUT -j ACCEPT   ", "-A INPUT -j ACCEPT"),
    ],
)
def test_a_line(written: str, printed: str) -> None:
    assert laid_out(written) == printed


def test_matches_keep_their_order() -> None:
    """A limit counts only what the matches before it let through."""
    rule = "-A INPUT -m limit --limit 5/min -m mark --mark 1 -j ACCEPT"
    assert laid_out(rule) == rule


def test_what_cannot_be_read_is_left() -> None:
    done = formatted(SourceFile("rules.v4", "*filter\n-A INPUT --dprot 1\nCOMMIT\n"), Reader())
    assert "line 2 cannot be read" in done.refused
