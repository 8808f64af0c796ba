"""What rules write into packets, held against the arithmetic of the kernel."""

from __future__ import annotations

import pytest

from iptlint.model import Field
from iptlint.packets.rewrite import Rewrite
from iptlint.packets.space import Space

MARKS = (0, 1, 0x5, 0xF0, 0xFF, 0x12345678, 0xFFFFFFFF)
XMARKS = ((0xFFFFFFFF, 0x7), (0xFF, 0x5), (0, 0x10), (0xF0, 0xFF), (0, 0))
"""Masks and values of ``--set-xmark value/mask``; ``--or-mark 0x10`` is 0x10/0x10 …"""


@pytest.fixture(scope="module")
def space() -> Space:
    return Space(("ip", "ip6"), (), defragmented=True)


def became(change: Rewrite, before: int, after: int, field: Field = Field.MARK) -> bool:
    """Whether packets with the mark before have it after, all of them."""
    space = change.space
    came = space.value(Field.MARK, before)
    return not (came & ~change.now(space.value(field, after))).satisfiable()


@pytest.mark.parametrize(("mask", "value"), XMARKS)
@pytest.mark.parametrize("mark", MARKS)
def test_a_mark_is_what_the_kernel_makes_of_it(
    space: Space, mark: int, mask: int, value: int
) -> None:
    """mark_tg in xt_mark.c: ``(skb->mark & ~mask) ^ value``."""
    change = Rewrite(space, {}).written(Field.MARK, mask, value)
    assert became(change, mark, (mark & ~mask) ^ value)


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize(("mask", "value"), XMARKS)
def test_a_mark_is_copied_under_its_mask(space: Space, mark: int, mask: int, value: int) -> None:
    """XT_CONNMARK_SAVE in xt_connmark.c: ``(ct->mark & ~ctmask) ^ (skb->mark & nfmask)``."""
    change = Rewrite(space, {}).written(Field.CT_MARK, mask, value, Field.MARK)
    unmarked = space.value(Field.MARK, mark) & space.value(Field.CT_MARK, 0)
    copied = change.now(space.value(Field.CT_MARK, mark & value))
    assert not (unmarked & ~copied).satisfiable()
    assert became(change, mark, mark)


@pytest.mark.parametrize("mark", MARKS)
def test_a_value_for_all_packets(space: Space, mark: int) -> None:
    change = Rewrite(space, {}).written(Field.MARK, 0xFFFFFFFF, mark)
    assert change.bits == space.fields[Field.MARK].constant(mark)
    assert change.number(Field.MARK) == mark
    some = change.where(space.state("new"), Rewrite(space, {}).constant(Field.MARK, ~mark & 0xFF))
    assert some.number(Field.MARK) is None
    assert change.number(Field.CT_MARK) is None


@pytest.mark.parametrize("mark", MARKS)
def test_packets_told_by_one_field(space: Space, mark: int) -> None:
    whole = Rewrite(space, {}).constant(Field.MARK, mark)
    low = Rewrite(space, {}).written(Field.MARK, 0xFF, mark & 0xFF)
    for high in MARKS:
        packets = space.ranges(Field.MARK, ((1, high),)) if high else space.value(Field.MARK, 0)
        for change in (whole, low, whole.where(space.state("new"), low), Rewrite(space, {})):
            assert change.now_by(Field.MARK, packets) == change.now(packets)


def test_one_write_after_another(space: Space) -> None:
    change = Rewrite(space, {}).constant(Field.MARK, 0xF).written(Field.MARK, 0x3, 0)
    assert became(change, 0x1234, 0xC)


def test_the_first_value_again_is_no_change(space: Space) -> None:
    """A flip, and the same flip back."""
    flipped = Rewrite(space, {}).written(Field.MARK, 0, 0xFF)
    assert flipped.bits
    assert not flipped.written(Field.MARK, 0, 0xFF).bits


def test_some_packets_are_changed_and_others_are_not(space: Space) -> None:
    port = space.value(Field.DPORT, 22)
    nothing = Rewrite(space, {})
    change = nothing.where(port, nothing.constant(Field.MARK, 7))
    marked = change.now(space.value(Field.MARK, 7))
    unmarked = space.value(Field.MARK, 0)
    assert not (port & ~marked).satisfiable()
    assert not (unmarked & ~port & marked).satisfiable()
    assert not change.unset(Field.MARK).bits


def test_what_the_packets_are_now(space: Space) -> None:
    """An address that all get is known; one that depends on the packet is free."""
    nothing = Rewrite(space, {})
    change = nothing.constant(Field.DADDR, 0x0A000005).constant(Field.DPORT, 80)
    came = space.value(Field.DADDR, 0xC000020A) & space.value(Field.DPORT, 8080)
    now = change.image(came)
    assert now == space.value(Field.DADDR, 0x0A000005) & space.value(Field.DPORT, 80)
    some = nothing.where(space.value(Field.SPORT, 1), nothing.constant(Field.DPORT, 80))
    assert (some.image(came) & space.value(Field.DPORT, 80)).satisfiable()
    assert (some.image(came) & space.value(Field.DPORT, 9)).satisfiable()


def test_where_two_changes_come_to_the_same(space: Space) -> None:
    nothing = Rewrite(space, {})
    seven, five = (nothing.constant(Field.MARK, number) for number in (7, 5))
    cube = space.true
    assert not seven.differs(nothing.constant(Field.MARK, 7), cube, Field.MARK).satisfiable()
    assert seven.differs(five, cube, Field.MARK) == space.true
    assert not seven.differs(five, cube, Field.DPORT).satisfiable()
    unmarked = seven.differs(nothing, cube, Field.MARK)
    assert unmarked == ~space.value(Field.MARK, 7)
    last_two_bits = nothing.written(Field.MARK, 3, 1).differs(nothing, cube, Field.MARK)
    assert last_two_bits == ~space.masked(Field.MARK, 3, 1)


@pytest.mark.parametrize("amount", [1, 3, 200, -1, -3, -200])
@pytest.mark.parametrize("ttl", [0, 1, 2, 64, 254, 255])
def test_a_time_to_live_stays_between_its_ends(space: Space, ttl: int, amount: int) -> None:
    """ttl_tg in xt_HL.c: no more than 255, and no less than 0."""
    came = space.value(Field.TTL, ttl)
    after = Rewrite(space, {}).added(Field.TTL, amount)
    expected = space.value(Field.TTL, min(max(ttl + amount, 0), 255))
    assert not (came & ~after.now(expected)).satisfiable()


def test_two_that_change_the_same_are_equal(space: Space) -> None:
    nothing = Rewrite(space, {})
    whole = nothing.constant(Field.MARK, 0x12)
    one, other = whole.constant(Field.CT_MARK, 5), nothing.constant(Field.CT_MARK, 5)
    other = other.constant(Field.MARK, 0x12)
    assert one == other
    assert {one: "both"}[other] == "both"
    assert whole not in (nothing, one)
    assert whole.with_bits({n: space.variable(n) for n in whole.bits}) == nothing
