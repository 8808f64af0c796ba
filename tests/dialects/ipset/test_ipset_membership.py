"""What a rule's test of a set is in terms of the packet; the kernel is asked elsewhere."""

from __future__ import annotations

import pytest

from iptlint.dialects import Reader, read
from iptlint.dialects.ipset import membership
from iptlint.dialects.ipset.inline_sets import with_changes, with_sets
from iptlint.dialects.ipset.lower import lower
from iptlint.dialects.ipset.parser import parse
from iptlint.model import AnyOf, Family, Field, Masked, Match, Opaque, Ruleset, Uncertain, Within
from iptlint.source import SourceFile
from tests.costs import at_most

TEN = 10 << 24
NEVER, NOT_NEVER = AnyOf(()), AnyOf((), negated=True)


def ruleset(*rules: str, family: Family = Family.IP) -> Ruleset:
    text = "*filter\n" + "".join(f"-A INPUT {rule}\n" for rule in rules) + "COMMIT\n"
    return read(SourceFile("rules", text), Reader(family)).ruleset


def told(sets: str, *rules: str, family: Family = Family.IP) -> list[tuple[Match, ...]]:
    contents, _ = lower([parse(SourceFile("ipsets", sets))])
    before = ruleset(*rules, family=family)
    after = with_sets(before, with_changes(contents, [before]))
    return [rule.matches for _, _, rule in after.rules()]


def only(sets: str, test: str, family: Family = Family.IP) -> Match:
    ((match,),) = told(sets, f"-m set {test}", family=family)
    return match


OPAQUE = [
    ("create a hash:ip\nadd a host.example", "a src"),
    ("create a hash:ip family inet6", "a src"),
    ("create b hash:ip", "a src"),
    ("add a 10.0.0.1", "a src"),
    ("create a hash:net,iface\nadd a 10.0.0.0/8,physdev:eth0", "a src,src"),
    ("create a hash:net,iface timeout 9\nadd a 10.0.0.0/8,eth0", "a src,src"),
    (
        "create a hash:net,iface\nadd a 10.0.0.0/8,eth wildcard\nadd a 10.0.0.0/8,eth0 nomatch",
        "a src,src",
    ),
    ("create a hash:net,net netmask 24\nadd a 10.0.0.0/8,10.0.0.0/8", "a src,src"),
]


@pytest.mark.parametrize(("sets", "test"), OPAQUE)
def test_what_is_not_known_stays_one_test(sets: str, test: str) -> None:
    assert only(sets, f"--match-set {test}") == Opaque(f"set {test}")
    assert only(sets, f"! --match-set {test}") == Opaque(f"set {test}", negated=True)


def test_alike_addresses_are_one_test() -> None:
    sets = "create a hash:ip\nadd a 10.0.0.1\nadd a 10.0.0.4\nadd a 10.0.0.2-10.0.0.3\n"
    one = Within(Field.SADDR, ((TEN + 1, TEN + 4),))
    assert only(sets, "--match-set a src") == AnyOf(((one,),))
    assert only(sets, "! --match-set a src") == AnyOf(((one,),), negated=True)


def test_the_family_chooses_the_field() -> None:
    sets = "create a hash:net family inet6\nadd a 2001:db8::/32\n"
    match = only(sets, "--match-set a dst", Family.IP6)
    assert isinstance(match, AnyOf)
    (((within),),) = match.alternatives
    assert isinstance(within, Within)
    assert within.field is Field.DADDR6


def test_an_empty_set_takes_nothing() -> None:
    assert only("create a hash:ip", "--match-set a src") == NEVER
    assert only("create a hash:net", "! --match-set a src") == NOT_NEVER


def test_too_few_directions_take_nothing() -> None:
    sets = "create a hash:ip,port\nadd a 10.0.0.1,80\n"
    assert only(sets, "--match-set a src") == NEVER
    assert only(sets, "! --match-set a src") == NOT_NEVER


def test_counters_stay_uncertain() -> None:
    sets = "create a hash:ip counters\nadd a 10.0.0.1\n"
    assert isinstance(only(sets, "--match-set a src --packets-gt 3"), Uncertain)
    assert isinstance(only(sets, "--match-set a src ! --update-counters"), AnyOf)


def test_an_entry_with_a_timeout_may_be_gone() -> None:
    sets = "create a hash:ip timeout 9\nadd a 10.0.0.1 timeout 0\nadd a 10.0.0.3\n"
    sure = Within(Field.SADDR, ((TEN + 1, TEN + 1),))
    both = Within(Field.SADDR, ((TEN + 1, TEN + 1), (TEN + 3, TEN + 3)))
    perhaps = (Uncertain("set", "set a src"), AnyOf(((both,),)))
    assert only(sets, "--match-set a src") == AnyOf(((sure,), perhaps))


def test_an_exception_with_a_timeout_may_be_gone() -> None:
    sets = (
        "create a hash:net timeout 0\nadd a 10.0.0.0/30\nadd a 10.0.0.0/31 nomatch timeout 9\n"
        "add a 10.0.0.1\n"
    )
    match = only(sets, "--match-set a src")
    assert isinstance(match, AnyOf)
    (sure,), (_, possible) = match.alternatives
    assert sure == Within(Field.SADDR, ((TEN + 1, TEN + 3),))
    assert possible == AnyOf(((Within(Field.SADDR, ((TEN, TEN + 3),)),),))


def test_a_list_is_its_sets() -> None:
    sets = "create a hash:ip\nadd a 10.0.0.1\ncreate b hash:ip timeout 0\nadd b 10.0.0.2\n"
    sets += "create six hash:ip family inet6\nadd six ::1\ncreate two hash:ip,port\n"
    sets += (
        "create l list:set timeout 0\nadd l a\nadd l b timeout 5\nadd l six\nadd l two\nadd l c\n"
    )
    one, two = (Within(Field.SADDR, ((TEN + n, TEN + n),)) for n in (1, 2))
    perhaps = (Uncertain("set", "set l src"), AnyOf(((two,),)))
    expected = AnyOf(((one,), perhaps, (Opaque("set c src"),)))
    assert only(sets, "--match-set l src") == expected


@pytest.mark.parametrize(("filled", "test"), [("a", "l src"), ("l", "a src"), ("a", "a src")])
def test_a_set_that_a_rule_fills_is_uncertain(filled: str, test: str) -> None:
    sets = "create a hash:ip\nadd a 10.0.0.1\ncreate l list:set\nadd l a\n"
    rules = (f"-j SET --add-set {filled} src", f"-m set --match-set {test} -j DROP")
    _, (match,) = told(sets, *rules)
    uncertain = Uncertain("set", "set a src")
    assert match == (AnyOf(((uncertain,),)) if test == "l src" else uncertain)


def test_one_test_stays_one_test() -> None:
    sets = "create a hash:ip,port\nadd a 10.0.0.1,80\n"
    rule = "-p tcp -m set --match-set a src,dst -m comment --comment x -m mark --mark 1 -j DROP"
    before, after = ruleset(rule), told(sets, rule)
    ((_, _, plain),) = before.rules()
    assert len(after[0]) == len(plain.matches)
    assert plain.origin.part(1).text == "--match-set a src,dst"


def test_rules_without_sets_are_left_alone() -> None:
    contents, _ = lower([parse(SourceFile("ipsets", "create a hash:ip"))])
    before = ruleset("-s 10.0.0.1 -j DROP", "-m set --match-set b src -j DROP")
    assert with_sets(before, contents) is before


def test_a_hundred_thousand_addresses_are_one_test_quickly() -> None:
    addresses = (f"10.{n >> 15 & 255}.{n >> 7 & 255}.{n << 1 & 255}" for n in range(100_000))
    text = "create a hash:net\nadd a 10.0.0.0/16 nomatch\n"
    text += "".join(f"add a {address}\n" for address in addresses)
    contents, _ = lower([parse(SourceFile("ipsets", text))])
    before = ruleset("-m set --match-set a src")
    with at_most(5):
        ((_, _, rule),) = with_sets(before, contents).rules()
    (match,) = rule.matches
    assert isinstance(match, AnyOf)
    assert [len(tests) for tests in match.alternatives] == [1]


# -- types that not every kernel is built with --------------------------------

MAC = Within(Field.MAC_SOURCE, ((0x20000000001, 0x20000000001),))
ONE = Within(Field.SADDR, ((TEN + 1, TEN + 1),))


@pytest.mark.parametrize(
    ("sets", "test", "tests"),
    [
        ("create a hash:mac\nadd a 02:00:00:00:00:01", "a src", (MAC,)),
        (
            "create a hash:mac\nadd a 02:00:00:00:00:01",
            "a dst",
            (Opaque("ether daddr 02:00:00:00:00:01"),),
        ),
        ("create a hash:ip,mac\nadd a 10.0.0.1,02:00:00:00:00:01", "a src,src", (ONE, MAC)),
        (
            "create a hash:ip,mark\nadd a 10.0.0.1,5",
            "a src,src",
            (ONE, Within(Field.MARK, ((5, 5),))),
        ),
        (
            "create a hash:ip,mark markmask 0xff00\nadd a 10.0.0.1,0x1234",
            "a src,dst",
            (ONE, Masked(Field.MARK, 0xFF00, 0x1200)),
        ),
        (
            "create a hash:net,net\nadd a 10.0.0.1,10.0.0.0/24",
            "a src,dst",
            (ONE, Within(Field.DADDR, ((TEN, TEN + 255),))),
        ),
        (
            "create a hash:net,port,net\nadd a 10.0.0.1,gre:0,0.0.0.0/0",
            "a src,src,dst",
            (
                ONE,
                Within(Field.PROTO, ((47, 47),)),
                Within(Field.DADDR, ((0, 2**32 - 1),)),
            ),
        ),
    ],
)
def test_dimensions(sets: str, test: str, tests: tuple[Match, ...]) -> None:
    assert only(sets, f"--match-set {test}") == AnyOf((tests,))


def test_of_two_networks_the_first_goes_before_the_second() -> None:
    """An exception whose first network is wider is not asked before an entry that is narrower."""
    sets = "create a hash:net,net\nadd a 10.0.0.0/24,10.0.0.0/8\n"
    sets += "add a 10.0.0.0/8,10.0.0.0/24 nomatch\n"
    narrow = Within(Field.SADDR, ((TEN, TEN + 255),))
    wide = Within(Field.DADDR, ((TEN, TEN + (1 << 24) - 1),))
    assert only(sets, "--match-set a src,dst") == AnyOf(((narrow, wide),))


def test_too_many_exceptions_stay_one_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(membership, "MAX_BLOCKED", 3)
    sets = "create a hash:net\nadd a 10.0.0.0/8\ncreate l list:set\nadd l a\n"
    sets += "".join(f"add a 10.{n}.0.0/16 nomatch\n" for n in range(4))
    assert only(sets, "--match-set a src") == Opaque("set a src")
    assert only(sets, "--match-set l src") == AnyOf(((Opaque("set a src"),),))
