"""Of which dead rules it is said that a later fragment may come to them all the same.

What the kernel does is in tests/kernel/test_fragments.py.
"""

from __future__ import annotations

import pytest

import iptlint
from iptlint.analysis.later_fragments import BUT_FOR_FRAGMENTS
from iptlint.analysis.reach import Status, reach

WHOLE = "meta l4proto tcp ip frag-off & 0x1fff == 0 accept"


@pytest.mark.parametrize(
    ("hook", "rules", "is_said"),
    [
        ("prerouting", ("ip frag-off & 0x1fff != 0 tcp dport 22",), True),
        ("forward", (WHOLE, "tcp dport 22 drop"), True),
        # The same bytes are read by both.
        ("forward", ("tcp dport 22 accept", "tcp dport 22 drop"), False),
        ("forward", (WHOLE, "tcp dport 22 ip frag-off & 0x1fff == 0 drop"), False),
        # Datagrams are whole there, or once connections are tracked.
        ("input", (WHOLE, "tcp dport 22 drop"), False),
        ("forward", ("ct state new", WHOLE, "tcp dport 22 drop"), False),
        ("forward", ("meta l4proto tcp accept", "tcp dport 22 drop"), False),
    ],
)
def test_of_which_rules_it_is_said(hook: str, rules: tuple[str, ...], is_said: bool) -> None:
    text = "\n".join(rules)
    ruleset = iptlint.read(
        f"table ip t {{\nchain c {{\ntype filter hook {hook} priority 0\n{text}\n}}\n}}\n"
    )
    *_, last = reach(ruleset)
    assert last.status is Status.DEAD
    assert last.unless == (BUT_FOR_FRAGMENTS if is_said else None)


def test_ports_of_iptables_are_those_of_first_fragments() -> None:
    rules = "-A FORWARD -p tcp ! -f -j ACCEPT\n-A FORWARD -p tcp -m tcp --dport 22 -j DROP\n"
    *_, last = reach(iptlint.read(f"*filter\n:FORWARD ACCEPT [0:0]\n{rules}COMMIT\n"))
    assert (last.status, last.unless) == (Status.DEAD, None)


def test_a_finding_says_so_too() -> None:
    text = f"table ip t {{\nchain c {{\ntype filter hook forward priority 0\n{WHOLE}\n"
    findings = iptlint.lint(f"{text}tcp dport 22 drop\n}}\n}}\n", select=["IPT101"])
    assert [BUT_FOR_FRAGMENTS in finding.message for finding in findings] == [True]
