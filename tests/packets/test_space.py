"""What the packets of a ruleset are, and which of them a test takes."""

import pytest

from iptlint.model import (
    AnyOf,
    Effect,
    EffectKind,
    Family,
    Field,
    Interface,
    Masked,
    Match,
    Opaque,
    Rule,
    Uncertain,
    Within,
)
from iptlint.model.matches import SetLookup
from iptlint.model.verdicts import CONTINUE
from iptlint.model.writes import writes_on_the_way
from iptlint.packets.match import Matcher
from iptlint.packets.space import MOST_OPAQUE, Space
from iptlint.source import SourceFile, Span


class Here:
    span = Span(SourceFile("-", ""), 0, 0)

    def part(self, index: int) -> Span:
        return self.span


def rule(*matches: Match, effects: tuple[Effect, ...] = ()) -> Rule:
    return Rule(Here(), matches, CONTINUE, effects)


def space(*rules: Rule, defragmented: bool = True) -> Space:
    tests = tuple(match for rule in rules for match in rule.matches)
    return Space(Family.IP.packets, tests, defragmented=defragmented)


def matcher(*rules: Rule) -> Matcher:
    return Matcher(space(*rules), writes_on_the_way(rules))


TCP = Within(Field.PROTO, ((6, 6),))
SSH = Within(Field.DPORT, ((22, 22),))
LIMIT = Uncertain("limit", "limit 3/minute")


def test_a_certain_rule_takes_the_same_packets_either_way() -> None:
    tests = matcher().rule(rule(TCP, SSH))
    assert tests.may == tests.sure


def test_a_limit_may_take_and_never_surely_takes() -> None:
    tests = matcher().rule(rule(TCP, LIMIT))
    assert tests.may.satisfiable()
    assert not tests.sure.satisfiable()


@pytest.mark.parametrize("first", [TCP, LIMIT, Within(Field.SADDR, ((1, 9),), negated=True)])
@pytest.mark.parametrize("other", [SSH, LIMIT, Interface(Field.IIF, "eth0", negated=True)])
def test_tests_in_any_order_are_the_same(first: Match, other: Match) -> None:
    """Those beside the addresses, which many rules share, are joined first."""
    address = Within(Field.DADDR, ((167772161, 167772161),))
    packets = matcher(rule(first, address, other))
    for tests in ((first, address, other), (address, first, other), (first, other), (address,)):
        for within in (packets.space.universe, packets.space.true, packets.space.state("new")):
            assert packets.each_of(tests, within) == packets.all_of(tests, within)


def test_not_any_of_is_none_of() -> None:
    packets = matcher()
    either = AnyOf(((TCP,), (Within(Field.PROTO, ((17, 17),)),)), negated=True)
    udp = packets.space.value(Field.PROTO, 17)
    assert not (packets.test(either).may & udp).satisfiable()


def test_the_negation_of_an_uncertain_alternative_stays_uncertain() -> None:
    tests = matcher().test(AnyOf(((TCP, LIMIT),), negated=True))
    assert tests.may != tests.sure
    assert (tests.may & ~tests.sure).satisfiable()


def test_no_alternative_never_holds_and_an_empty_one_always_does() -> None:
    packets = matcher()
    assert not packets.test(AnyOf(())).may.satisfiable()
    assert packets.test(AnyOf(((),))).sure == packets.space.true


def test_equal_opaque_tests_share_a_variable_and_a_negation_is_its_complement() -> None:
    packets = matcher()
    plain, negated = packets.test(Opaque("string x")), packets.test(Opaque("string x", True))
    assert plain.may == ~negated.may


def test_a_test_of_a_field_that_a_rule_changes_is_uncertain() -> None:
    mark = Masked(Field.MARK, 0xFF, 1)
    packets = matcher(rule(mark), rule(effects=(Effect(EffectKind.WRITE, Field.MARK),)))
    assert not packets.test(mark).sure.satisfiable()


def test_a_set_that_a_rule_fills_is_uncertain_and_others_are_not() -> None:
    packets = matcher(rule(effects=(Effect(EffectKind.SET, name="seen"),)))
    seen, other = (Opaque(f"set {n} src", asks=SetLookup(n)) for n in ("seen", "seenall"))
    assert not packets.test(seen).sure.satisfiable()
    assert packets.test(other).sure.satisfiable()


def test_tcp_flags_are_single_bits() -> None:
    packets = matcher()
    syn_of_syn_ack = packets.test(Masked(Field.TCP_FLAGS, 0b10010, 0b00010)).may
    rst_set = packets.test(Masked(Field.TCP_FLAGS, 0b00100, 0b00100)).may
    assert (syn_of_syn_ack & rst_set).satisfiable()


@pytest.mark.parametrize(
    ("state", "direction", "possible"),
    [("new", 1, False), ("established", 1, True), ("invalid", 1, False), ("related", 1, True)],
)
def test_only_connections_have_a_reply_direction(
    state: str, direction: int, possible: bool
) -> None:
    packets = space()
    found = packets.universe & packets.state(state) & packets.value(Field.CT_DIRECTION, direction)
    assert found.satisfiable() is possible


@pytest.mark.parametrize("translated", [Field.CT_SNAT, Field.CT_DNAT])
@pytest.mark.parametrize(("state", "possible"), [("untracked", False), ("new", True)])
def test_only_connections_are_translated(state: str, possible: bool, translated: Field) -> None:
    """xt_conntrack.c reads SNAT and DNAT of the status of a connection; there is none."""
    packets = space()
    found = packets.universe & packets.state(state)
    assert (found & packets.value(translated, 1)).satisfiable() is possible
    assert (found & packets.value(translated, 0)).satisfiable()


def test_fragments_exist_only_without_connection_tracking() -> None:
    for defragmented in (True, False):
        packets = space(defragmented=defragmented)
        fragments = packets.universe & packets.value(Field.FRAGMENT, 1)
        assert fragments.satisfiable() is not defragmented


def test_the_absent_interface_passes_only_negated_tests() -> None:
    test = Interface(Field.OIF, "eth", wildcard=True)
    packets = matcher(rule(test))
    nowhere = packets.space.no_interface(Field.OIF)
    assert not (packets.test(test).may & nowhere).satisfiable()
    negated = Interface(Field.OIF, "eth", wildcard=True, negated=True)
    assert (packets.test(negated).may & nowhere).satisfiable()


def test_a_projection_keeps_only_the_fields_named() -> None:
    packets = space()
    ssh = Matcher(packets, writes_on_the_way(())).all_of((TCP, SSH), packets.universe).may
    assert packets.project(ssh, Field.DPORT) == packets.value(Field.DPORT, 22)


def test_of_many_tests_not_interpreted_that_of_a_later_rule_adds_one_node() -> None:
    """What came past the rules before is as it was beneath it: 3,000 took a hundred times as
    long."""
    rules = [rule(Opaque(f"-m wrd{n}")) for n in range(1_500)]
    packets = space(*rules)
    passed, sizes = packets.true, list[int]()
    for one in rules:
        passed = passed & ~Matcher(packets, writes_on_the_way(())).rule(one).may
        sizes.append((passed & packets.state("new")).node_count())
    variables = [variable.node_var() or 0 for variable in packets.opaques.values()]
    assert variables == sorted(variables, reverse=True)
    assert sizes[-1] - sizes[0] < 2 * len(rules)


def test_more_tests_not_interpreted_than_a_diagram_has_room_for_are_refused_at_once() -> None:
    packets = space(*(rule(Opaque(f"-m wrd{n}")) for n in range(MOST_OPAQUE + 1)))
    with pytest.raises(MemoryError):
        packets.opaque(Opaque("-m wrd0"))


def test_tests_not_interpreted_are_told_from_the_last_variable_to_the_first() -> None:
    for count in (3, 1_500):
        tests = [Opaque(f"-m wrd{n}") for n in range(count)]
        packets = space(rule(*tests))
        for test in tests:
            packets.opaque(test)
        numbers = [variable.node_var() or 0 for _, variable in packets.opaques_upward()]
        assert numbers == sorted(numbers, reverse=True)
        assert {test for test, _ in packets.opaques_upward()} == {*tests}
