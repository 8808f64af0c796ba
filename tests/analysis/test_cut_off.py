"""The rules behind one that nothing gets past are one fault."""

from __future__ import annotations

import pytest

from iptlint.analysis.cut_off import cut_off_runs, leading_to, shadowed_alone
from iptlint.model import Family
from tests.firewalls import analysis_of, hooked, saved, texts

ALL = "-A INPUT -j DROP"


def ports(*numbers: int) -> list[str]:
    return [f"-A INPUT -p tcp -m tcp --dport {number} -j ACCEPT" for number in numbers]


def test_what_stands_behind_a_rule_for_everything() -> None:
    analysis = analysis_of(saved(*ports(22), ALL, *ports(80, 443)))
    (cut,) = cut_off_runs(analysis)
    assert texts([cut.by]) == [ALL]
    assert texts(each.rule for each in cut.shadowed) == ports(80, 443)
    assert texts([cut.last]) == ports(443)
    assert shadowed_alone(analysis) == ()


@pytest.mark.parametrize("family", [Family.IP, Family.IP6])
def test_several_rules_may_take_everything_together(family: Family) -> None:
    text = hooked("meta l4proto tcp drop", "meta l4proto != tcp drop", "ct state new accept", "log")
    analysis = analysis_of(text + "", family)
    assert cut_off_runs(analysis) == ()  # a log is of no account, and one rule is no run
    text = hooked("meta l4proto tcp drop", "meta l4proto != tcp drop", "udp dport 53 accept",
                  "udp dport 123 accept")  # fmt: skip
    (cut,) = cut_off_runs(analysis_of(text, family))
    assert texts([cut.by]) == ["meta l4proto != tcp drop"]


def test_one_rule_behind_is_told_alone() -> None:
    analysis = analysis_of(saved(ALL, *ports(22)))
    assert cut_off_runs(analysis) == ()
    assert texts(each.rule for each in shadowed_alone(analysis)) == ports(22)


def test_copies_are_counted_and_not_told_again() -> None:
    (cut,) = cut_off_runs(analysis_of(saved(ALL, *ports(80, 80, 81))))
    assert texts(each.rule for each in cut.shadowed) == ports(80, 81)
    assert cut.copies == 1


def test_a_ban_that_was_lost_before_has_a_cause_of_its_own() -> None:
    """Its packets are let in above, which no new order behind mends."""
    ban = "-A INPUT -s 192.0.2.1 -p tcp -m tcp --dport 22 -j DROP"
    analysis = analysis_of(saved(*ports(22), "-A INPUT -j REJECT", ban, *ports(80, 443)))
    (cut,) = cut_off_runs(analysis)
    assert texts(each.rule for each in cut.shadowed) == ports(80, 443)
    assert texts(each.rule for each in shadowed_alone(analysis)) == [ban]


@pytest.mark.parametrize(
    ("rules", "chains"),
    [
        # What only logs, a closing RETURN, and what software writes are left to others.
        ((ALL, "-A INPUT -j LOG"), ""),
        (("-A INPUT -j one", "-A one -j DROP", "-A one -p tcp -j RETURN"), "one"),
        (("-A FORWARD -j DOCKER", "-A DOCKER -j DROP", "-A DOCKER -p tcp -j ACCEPT"), "DOCKER"),
    ],
)
def test_what_is_no_fault_of_a_person(rules: tuple[str, ...], chains: str) -> None:
    analysis = analysis_of(saved(*rules, chains=chains))
    assert cut_off_runs(analysis) == shadowed_alone(analysis) == ()


def test_the_call_that_leads_to_who_takes() -> None:
    call, inside = "-A INPUT -j one", "-A one -p tcp -j DROP"
    analysis = analysis_of(saved(inside, call, *ports(22), chains="one"))
    (shadowed,) = shadowed_alone(analysis)
    (blocker,) = shadowed.blockers
    assert texts([blocker]) == [inside]
    leading = leading_to(analysis, shadowed, blocker)
    assert leading is not None
    assert texts([leading]) == [call]
