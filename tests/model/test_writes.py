"""What rules write that tests read."""

from __future__ import annotations

import pytest

import iptlint
from iptlint.model import AnyOf, Field, Opaque, Uncertain, Within
from iptlint.model.writes import (
    CONNTRACK_FIELDS,
    reads,
    reads_conntrack,
    unsettled_where,
    writes_of,
    writes_on_the_way,
)
from tests.firewalls import saved

PORT = Within(Field.DPORT, ((22, 22),))
STATE = Within(Field.CT_STATE, ((0, 0),))
STRING = Opaque("string --string x", kind="string")


def rules(*lines: str, table: str = "mangle") -> list[iptlint.model.Rule]:
    (one,) = iptlint.read(saved(*lines, table=table)).tables
    return [rule for _, rule in one.rules()]


@pytest.mark.parametrize(
    ("rule", "fields", "sets"),
    [
        ("-A INPUT -j MARK --set-mark 1", {Field.MARK}, set()),
        ("-A INPUT -j CONNMARK --save-mark", {Field.CT_MARK}, set()),
        ("-A PREROUTING -j TTL --ttl-set 3", {Field.TTL}, set()),
        ("-A INPUT -j SET --add-set s src", set(), {"s"}),
        ("-A INPUT -j LOG", set(), set()),
    ],
)
def test_what_a_target_writes(rule: str, fields: set[Field], sets: set[str]) -> None:
    assert writes_of(rules(rule)) == (fields, sets)


def test_who_untracks_writes_all_that_there_is_of_a_connection() -> None:
    assert writes_of(rules("-A PREROUTING -j NOTRACK", table="raw")).fields == CONNTRACK_FIELDS


def test_what_ends_the_way_changes_nothing_on_it() -> None:
    """Behind a DNAT there is no rule of the same table that could see what it made."""
    written = rules("-A PREROUTING -j DNAT --to-destination 192.0.2.1", table="nat")
    assert Field.DADDR in writes_of(written).fields
    assert not writes_on_the_way(written).fields


def test_a_test_reads_what_its_alternatives_read() -> None:
    either = AnyOf(((PORT,), (STATE,)))
    assert reads(either, frozenset({Field.DPORT}))
    assert reads_conntrack((either,))
    assert not reads_conntrack((PORT, STRING))


def test_where_it_is_written_a_test_that_is_not_interpreted_may_hold_or_not() -> None:
    either = AnyOf(((PORT,), (STRING,)))
    match unsettled_where(either, lambda test: test.kind == "string"):
        case AnyOf(((port,), (Uncertain(kind),))):
            assert port == PORT
            assert kind == "string"
        case other:
            pytest.fail(f"{other}")
    assert unsettled_where(either, lambda _: False) is either


def test_a_header_that_is_rewritten_is_no_longer_sure_to_hold_a_string() -> None:
    lines = ("-A FORWARD -j TTL --ttl-dec 1", "-A FORWARD -m string --string x --algo bm -j DROP")
    _, dropping = rules(*lines)
    assert [type(match) for match in dropping.matches] == [Uncertain]
