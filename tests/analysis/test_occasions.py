"""In which round or call a command of a script made a rule."""

from __future__ import annotations

from iptlint.analysis.occasions import is_refused, occasion
from iptlint.analysis.session import Context, Settings
from iptlint.dialects import read
from iptlint.source import SourceFile
from tests.costs import steps


def occasions(text: str) -> list[str]:
    ruleset = read(SourceFile("firewall.sh", text)).ruleset
    (analysis,) = Context((ruleset,), Settings()).analyses()
    return [occasion(analysis, rule) for _, _, rule in ruleset.rules()]


RULE = "iptables -A INPUT -p tcp --dport $p -j ACCEPT"


def test_a_command_that_is_carried_out_once_needs_no_occasion() -> None:
    assert occasions(f"p=22\n{RULE}") == [""]
    assert occasions(f"for p in 22; do {RULE}; done") == [""]


def test_what_tells_the_rules_apart_is_said() -> None:
    text = f"for i in a b; do\nfor p in 22; do {RULE}; done\ndone"
    assert occasions(text) == ["in round 1 (i=a)", "in round 2 (i=b)"]


def test_calls_are_told_by_their_lines() -> None:
    text = f"f() {{ p=$1; {RULE}; }}\nf 22\nf 80"
    assert occasions(text) == ["in the call at line 2", "in the call at line 3"]


def test_rounds_in_calls() -> None:
    text = f"f() {{ for p in 1 2; do {RULE}; done; }}\nf\nf"
    assert occasions(text)[-1] == "in the call at line 3 and round 2 (p=2)"


def test_a_refused_command_was_to_call_the_chain() -> None:
    text = "iptables -N A\niptables -N B\niptables -A INPUT -p 999 -j A\niptables -A INPUT -j B\n"
    ruleset = read(SourceFile("firewall.sh", text)).ruleset
    assert is_refused(ruleset, "A")
    assert not is_refused(ruleset, "B")


def test_of_many_rounds_each_is_told_at_the_cost_of_one() -> None:
    """Each was compared with all others: 20,000 took 12 s."""

    def work(rounds: int) -> int:
        values = " ".join(map(str, range(1, rounds + 1)))
        ruleset = read(SourceFile("firewall.sh", f"for p in {values}; do {RULE}; done")).ruleset
        (analysis,) = Context((ruleset,), Settings()).analyses()
        return steps(lambda: [occasion(analysis, rule) for _, _, rule in ruleset.rules()])

    once, twice, four_times = work(50), work(100), work(200)
    assert four_times - twice < 2.2 * (twice - once)
