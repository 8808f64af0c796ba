"""What many ask is worked out once, and goes with what it is about."""

from __future__ import annotations

import gc
import time
import weakref
from collections import Counter
from pathlib import Path

import iptlint
from iptlint.memo import memo, recent
from iptlint.model import Rule
from iptlint.netfilter.firewall import Firewall, Hooks
from iptlint.netfilter.table_analysis import TableAnalysis
from iptlint.packets.space import Space
from tests.firewalls import analysis_of, saved


def test_once_for_each_table() -> None:
    asked = []

    @memo
    def name(analysis: TableAnalysis) -> str:
        asked.append(analysis)
        return analysis.table.name

    one, other = analysis_of(saved()), analysis_of(saved(table="nat"))
    assert [name(one), name(other), name(one), name(other)] == ["filter", "nat", "filter", "nat"]
    assert asked == [one, other]


def test_once_for_each_value_of_the_rest() -> None:
    asked = []

    @memo
    def number(analysis: TableAnalysis, text: str, *, base: int = 10) -> int | None:
        asked.append((text, base))
        return int(text, base) or None

    analysis = analysis_of(saved())
    for _ in range(2):
        assert number(analysis, "10") == 10
        assert number(analysis, "1" + "0", base=2) == 2
        assert number(analysis, "0") is None
    assert asked == [("10", 10), ("10", 2), ("0", 10)]


def test_two_functions_are_two_answers() -> None:
    class Thing:
        @memo
        def one(self, text: str) -> str:
            return f"one {text}"

        @memo
        def other(self, text: str) -> str:
            return f"other {text}"

    thing = Thing()
    assert [thing.one("a"), thing.other("a"), thing.one("a")] == ["one a", "other a", "one a"]


def test_an_answer_that_holds_its_subject_keeps_it_no_longer_than_others_do() -> None:
    @memo
    def rules(analysis: TableAnalysis) -> list[tuple[TableAnalysis, Rule]]:
        return [(analysis, rule) for _, rule in analysis.table.rules()]

    analysis = analysis_of(saved("-A INPUT -j DROP"))
    assert len(rules(analysis)) == 1
    gone = weakref.ref(analysis)
    del analysis
    gc.collect()
    assert gone() is None


RULESET = """*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -i eth0 -p tcp --dport 8080 -j DNAT --to-destination 10.0.0.2:80
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m state --state ESTABLISHED,RELATED -j ACCEPT
-A INPUT -s 192.0.2.{number} -p tcp --dport 22 -j ACCEPT
-A INPUT -p tcp -j ACCEPT
-A INPUT -p tcp --dport 22 -j DROP
COMMIT
"""
KINDS = (TableAnalysis, Firewall, Hooks, Space)


def _alive() -> Counter[str]:
    gc.collect()
    return Counter(type(each).__name__ for each in gc.get_objects() if isinstance(each, KINDS))


def _threads() -> int:
    (line,) = (
        line
        for line in Path("/proc/self/status").read_text("ascii").splitlines()
        if line.startswith("Threads:")
    )
    return int(line.split()[1])


def test_what_was_linted_is_let_go() -> None:
    """Each space has a manager of its own, with memory and threads."""
    before, threads = _alive(), _threads()
    for number in range(30):
        assert iptlint.lint(RULESET.format(number=number))
    assert _alive() - before == Counter()
    # A manager's threads end by themselves, shortly after it is gone.
    deadline = time.monotonic() + 30
    while _threads() > threads and time.monotonic() < deadline:
        time.sleep(0.1)
    assert _threads() <= threads


def test_the_answers_given_last_are_kept() -> None:
    asked: list[int] = []

    class Subject:
        @recent
        def square(self, number: int) -> int:
            asked.append(number)
            return number * number

    subject = Subject()
    first, *others = range(9)
    assert [subject.square(first) for _ in range(3)] == [0, 0, 0]
    assert [subject.square(number) for number in others[:-1]] == [1, 4, 9, 16, 25, 36, 49]
    assert subject.square(first) == 0
    assert asked == [*range(8)]
    assert [subject.square(number) for number in (8, first, 1)] == [64, 0, 1]
    assert asked == [*range(9), 1]
