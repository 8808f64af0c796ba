"""Loops of which nobody knows how often they go round."""

from __future__ import annotations

import pytest

from iptlint.dialects.script.lower import run_script
from iptlint.dialects.script.parser import parse
from iptlint.dialects.script.steps import Script
from iptlint.dialects.script.truths import is_doubt
from iptlint.model import Chain, Family
from iptlint.source import SourceFile

ASKS = """\
while true; do
  read -p "Let SSH in? [y/n] " answer
  case $answer in
    y) break ;;
    n) exit 1 ;;
    *) echo "Answer y or n." ;;
  esac
done
iptables -A INPUT -p tcp --dport 22 -j ACCEPT
"""

WATCHES = """\
iptables -A INPUT -i lo -j ACCEPT
while :; do
  iptables -C INPUT -s 192.0.2.1 -j DROP || iptables -A INPUT -s 192.0.2.1 -j DROP
  sleep 60
done
iptables -P INPUT DROP
"""

RECONNECTS = """\
connect() {
  device=$(ip -o link show | grep -o 'tun[0-9]*' | head -n 1)
  if [ -z "$device" ]; then return; fi
  iptables -A FORWARD -o tun+ -j ACCEPT
}
connect
while true; do
  sleep 60
  if [ "$(date +%H)" = 03 ]; then connect; continue; fi
  ping -c 1 192.0.2.1 || connect
  [ -e /run/again ] && connect
done
"""


def run(text: str) -> Script:
    return run_script(parse(SourceFile("firewall.sh", text)))


def chain(script: Script, name: str) -> Chain:
    (table,) = (t for t in script.final()[0].tables if t.family is Family.IP)
    return table.chains[name]


def codes(script: Script) -> set[str]:
    return {diagnostic.code for diagnostic in script.diagnostics}


def test_a_loop_that_asks_until_it_has_an_answer_ends_some_time() -> None:
    script = run(ASKS)
    (rule,) = chain(script, "INPUT").rules
    assert [match for match in rule.matches if "answer" in str(match)] == []
    assert "IPT010" not in codes(script)


def test_nothing_is_carried_out_after_a_loop_that_nothing_ends() -> None:
    script = run(WATCHES)
    policy = chain(script, "INPUT").policy
    assert policy is not None
    assert policy.name == "ACCEPT"
    assert [rule.verdict.name for rule in chain(script, "INPUT").rules] == ["ACCEPT", "DROP"]
    assert "IPT010" not in codes(script)


def test_a_rule_that_may_be_made_any_number_of_times_is_there_a_few_times() -> None:
    rules = chain(run(RECONNECTS * 5), "FORWARD").rules
    assert 1 < len(rules) < 50


MENU = """\
menu() {
while LOOP; do
  read -p "Number: " number
  case $number in
EACH
  0) exit 1 ;;
  *) echo "Another number."; menu ;;
  esac
done
}
menu
"""


@pytest.mark.parametrize("loop", ["[ 1 ]", "true", "((1))", "[[ 1 ]]"])
def test_a_menu_that_goes_round_and_calls_itself_is_followed_for_a_while(loop: str) -> None:
    """It took minutes: each round called the menu, and each of its rounds did."""
    each = "".join(
        f"  {n}) iptables -A INPUT -p tcp --dport {n} -j ACCEPT ;;\n" for n in range(1, 7)
    )
    text = MENU.replace("LOOP", loop).replace("EACH", f"{each}  9) iptables -F ;;")
    script = run(text)
    assert "IPT010" not in codes(script)
    rules = chain(script, "INPUT").rules
    assert 6 <= len(rules) < 100
    assert all(any(map(is_doubt, rule.matches)) for rule in rules)


def test_a_function_that_counts_by_calling_itself_is_followed_to_its_end() -> None:
    text = (
        "open() {\n  iptables -A INPUT -p tcp --dport $1 -j ACCEPT\n"
        "  if [ $1 -gt 80 ]; then open $(($1 - 1)); fi\n}\nopen 83\n"
    )
    assert len(chain(run(text), "INPUT").rules) == 4
