"""What is said of a script that makes no rules, and of commands below its end."""

from __future__ import annotations

import pytest

from iptlint.dialects.script.lower import run_script
from iptlint.dialects.script.parser import parse
from iptlint.dialects.script.without_rules import behind_the_end, without_rules
from iptlint.source import SourceFile


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("echo hello\n", "saw no command in this script that changes this host's firewall"),
        ("ufw allow 22\n", "the rules that ufw makes"),
        ("systemctl restart nftables\n", "only those for the service nftables"),
        ("ip netns exec a iptables -P INPUT DROP\n", "network namespaces"),
        ("exit 0\niptables -P INPUT DROP\n", "this script ends at line 1"),
        ("./rules.sh\n", "did not find `./rules.sh`, which it calls"),
    ],
)
def test_who_makes_the_rules_instead(text: str, said: str) -> None:
    file = parse(SourceFile("fw.sh", text))
    *_, last = without_rules(file, run_script(file), ())
    assert last.code == "IPT008"
    assert said in last.message


def test_commands_below_the_end_are_named_by_their_lines() -> None:
    rule = "iptables -A INPUT -j DROP\n"
    (told,) = behind_the_end(parse(SourceFile("fw.sh", f"{rule}exit 0\n{rule}{rule}")))
    assert told.message == "lines 3 to 4 are never carried out: the script ends at line 2"
    assert not [*behind_the_end(parse(SourceFile("fw.sh", rule)))]
