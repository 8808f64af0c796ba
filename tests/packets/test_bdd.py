"""Ranges and masks of a field hold exactly the numbers they should."""

import random

import pytest
from oxidd.bcdd import BCDDManager

from iptlint.packets.bdd import BitField, union


@pytest.fixture
def field() -> BitField:
    manager = BCDDManager(100_000, 10_000, 1)
    return BitField(manager, manager.add_vars(10))


def members(field: BitField, packets) -> set[int]:
    return {n for n in range(field.maximum + 1) if (field.within(n, n) & packets).satisfiable()}


@pytest.mark.parametrize("seed", range(20))
def test_a_range_holds_what_lies_between_its_ends(field: BitField, seed: int) -> None:
    low, high = sorted(random.Random(seed).choices(range(1024), k=2))
    assert members(field, field.within(low, high)) == set(range(low, high + 1))


@pytest.mark.parametrize("seed", range(20))
def test_a_mask_compares_only_its_bits(field: BitField, seed: int) -> None:
    mask, value = random.Random(seed).choices(range(1024), k=2)
    expected = {n for n in range(1024) if n & mask == value & mask}
    assert members(field, field.masked(mask, value & mask)) == expected


def test_a_value_with_bits_outside_its_mask_matches_nothing(field: BitField) -> None:
    assert not field.masked(0b1100, 0b0010).satisfiable()


@pytest.mark.parametrize("seed", range(20))
def test_a_list_of_ranges_holds_what_any_of_them_does(field: BitField, seed: int) -> None:
    draw = random.Random(seed)
    ranges = [sorted(draw.choices(range(1100), k=2)) for _ in range(draw.randrange(6))]
    ranges += [(low, low + draw.choice((0, 0, 3, 63))) for low in draw.choices(range(1024), k=9)]
    ranges += [(9, 3), (512, 767), (512, 767), (600, 600)]
    draw.shuffle(ranges)
    expected = union([field.within(low, high) for low, high in ranges], field.manager.false())
    assert field.within_any([(low, high) for low, high in ranges]) == expected


@pytest.mark.parametrize("width", [1, 8, 16, 32, 48, 128])
def test_a_long_list_of_numbers_holds_each_of_them(width: int) -> None:
    manager = BCDDManager(1_000_000, 10_000, 1)
    field, draw = BitField(manager, manager.add_vars(width)), random.Random(width)
    numbers = [draw.getrandbits(width) for _ in range(300)]
    expected = union([field.within(n, n) for n in numbers], manager.false())
    assert field.within_any([(n, n) for n in numbers]) == expected
    assert field.within_any([(0, field.maximum), *((n, n) for n in numbers)]) == manager.true()


def test_a_list_without_ranges_is_empty(field: BitField) -> None:
    assert not field.within_any([]).satisfiable()


def test_an_inverted_range_is_empty(field: BitField) -> None:
    assert not field.within(9, 3).satisfiable()


def test_a_range_beyond_the_field_is_cut_at_its_maximum(field: BitField) -> None:
    assert members(field, field.within(1000, 5000)) == set(range(1000, 1024))


def test_union_of_nothing_is_empty(field: BitField) -> None:
    assert not union([], field.manager.false()).satisfiable()


def test_a_wide_field_is_built_octet_by_octet() -> None:
    manager = BCDDManager(100_000, 10_000, 1)
    address = BitField(manager, manager.add_vars(128))
    one = 0x20010DB8_00000000_00000000_00000001
    prefix = address.masked(((1 << 32) - 1) << 96, 0x20010DB8 << 96)
    assert (address.within(one, one) & prefix).satisfiable()
    assert not (address.within(1, 1) & prefix).satisfiable()
