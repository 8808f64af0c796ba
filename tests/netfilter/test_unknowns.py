"""What nobody can tell of a packet's way, as one more thing about the packet."""

from __future__ import annotations

import pytest

import iptlint
from iptlint.model import Ruleset
from iptlint.model.writes import Writes
from iptlint.netfilter.firewall import space_of
from iptlint.netfilter.unknowns import ExactMatcher, LeftOpen, Unknowns, plain_tests
from iptlint.packets.match import Matcher
from iptlint.packets.rewrite import Rewrite
from tests.firewalls import saved

LIMITED = "-A INPUT -p tcp -m limit --limit 3/min -j ACCEPT"


def matchers(*texts: str) -> tuple[Unknowns, list[tuple[ExactMatcher, Ruleset]]]:
    """One for each ruleset, all over one space."""
    rulesets = [iptlint.read(text) for text in texts]
    unknowns = Unknowns(space_of(*rulesets))
    rules = [[rule for _, _, rule in ruleset.rules()] for ruleset in rulesets]
    each = [ExactMatcher(unknowns, LeftOpen(several, frozenset())) for several in rules]
    return unknowns, [*zip(each, rulesets, strict=True)]


def taken(matcher: ExactMatcher, ruleset: Ruleset, number: int = 0):  # type: ignore[no-untyped-def]
    """What the rule takes of all packets that pass its other tests."""
    rule = [rule for _, _, rule in ruleset.rules()][number]
    tests = plain_tests(rule, ())
    plain = Matcher(matcher.space, Writes()).all_of(tests, matcher.space.true).may
    return matcher.lucky(rule, Rewrite(matcher.space, {}), plain), plain


def test_a_limit_is_one_variable_so_what_it_takes_is_exact() -> None:
    unknowns, [(matcher, ruleset)] = matchers(saved(LIMITED))
    some, plain = taken(matcher, ruleset)
    assert some == plain & unknowns.cube
    assert len(unknowns.variables) == 1


def test_the_same_limit_twice_is_two_limits() -> None:
    """Each rule has a bucket of its own (xt_limit.c)."""
    unknowns, [(matcher, ruleset)] = matchers(saved(LIMITED, LIMITED))
    one, other = taken(matcher, ruleset, 0)[0], taken(matcher, ruleset, 1)[0]
    assert one != other
    assert len(unknowns.variables) == 2


def test_the_first_of_two_rulesets_is_the_first_of_the_other() -> None:
    """Whatever the limit says, it says of both: so they can be compared."""
    unknowns, [one, other] = matchers(saved(LIMITED), saved("-A INPUT -j LOG", LIMITED))
    assert taken(*one)[0] == taken(*other, number=1)[0]
    assert len(unknowns.variables) == 1


def test_a_packet_that_comes_a_second_time_has_its_luck_anew() -> None:
    unknowns, [(matcher, ruleset)] = matchers(saved(LIMITED))
    first, second = taken(matcher, ruleset)[0], taken(matcher, ruleset)[0]
    assert first != second
    assert [key.visit for key in unknowns.variables] == [0, 1]


@pytest.mark.parametrize(
    ("test", "open_"),
    [
        ("-m limit --limit 3/min", True),
        ("-m recent --rcheck --name bad", True),
        ("-m statistic --mode random --probability 0.5", True),
        ("-m string --algo bm --string x", False),
        ("-p tcp --dport 22", False),
    ],
)
def test_what_depends_on_more_than_the_packet_is_left_open(test: str, open_: bool) -> None:
    unknowns, [(matcher, ruleset)] = matchers(saved(f"-A INPUT {test} -j ACCEPT"))
    some, plain = taken(matcher, ruleset)
    assert (some != plain) is open_
    assert bool(unknowns.variables) is open_


def test_a_program_may_let_go_on_what_it_got() -> None:
    unknowns, [(matcher, ruleset)] = matchers(saved("-A INPUT -j NFQUEUE --queue-num 1"))
    ((_, _, rule),) = ruleset.rules()
    everything = unknowns.space.universe
    going_on = matcher.queued(rule, everything)
    assert going_on == everything & unknowns.cube


def test_a_number_that_nobody_knows_has_all_its_bits() -> None:
    text = saved("-A INPUT -j CONNMARK --restore-mark", table="mangle")
    unknowns, [(matcher, ruleset)] = matchers(text + saved("-A INPUT -j SYNPROXY"))
    rule = [rule for _, _, rule in ruleset.rules()][1]
    bits = matcher.number(rule, rule.verdict.meaning, 4)
    assert len({*map(hash, bits)}) == 4
    assert list(map(len, unknowns.together().values())) == [4]


def test_of_much_that_is_left_open_the_last_stands_above_the_first() -> None:
    """What comes past a thousand rules is a diagram as deep: a rule more does not look through it
    again, and all that is left open can be left out at once."""
    rules = [f"{LIMITED} -m comment --comment {number}" for number in range(1_500)]
    unknowns, [(matcher, ruleset)] = matchers(saved(*rules))
    false = matcher.space.false
    past = [
        taken(matcher, ruleset, number)[1] & ~taken(matcher, ruleset, number)[0]
        for number in (0, 1)
    ]
    numbers = [*unknowns.variables.values()]
    assert numbers == sorted(numbers, reverse=True)
    assert past[0] & ~past[1] != false
    plain = taken(matcher, ruleset)[1]
    assert (past[0] & past[1]).exists(unknowns.cube) == plain
    assert unknowns.luck == unknowns.cube


def test_more_than_a_stack_has_room_for_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """oxidd calls itself for each variable that a diagram has below another."""
    monkeypatch.setattr("iptlint.netfilter.unknowns._MOST", 2)
    _, [(matcher, ruleset)] = matchers(saved(LIMITED, LIMITED, LIMITED))
    for number in (0, 1):
        taken(matcher, ruleset, number)
    with pytest.raises(MemoryError):
        taken(matcher, ruleset, 2)
