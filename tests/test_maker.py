"""What a maker makes is what the class makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, field, replace
from typing import cast

import pytest

from iptlint.maker import maker


@dataclass(frozen=True, slots=True)
class Pair:
    one: int
    other: str = "x"


@dataclass(frozen=True, slots=True)
class Collection:
    each: list[int] = field(default_factory=list)


def test_it_is_the_same_thing() -> None:
    made = maker(Pair)(1)
    assert type(made) is Pair
    assert made == Pair(1, "x")
    assert hash(made) == hash(Pair(1, "x"))
    assert repr(made) == repr(Pair(1, "x"))
    assert replace(made, other="y") == maker(Pair)(1, other="y")


def test_it_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        maker(Pair)(1).__setattr__("one", 2)


def test_every_field_has_to_be_given() -> None:
    with pytest.raises(TypeError):
        cast("Callable[..., Pair]", maker(Pair))()


def test_what_a_class_works_out_a_maker_does_not() -> None:
    with pytest.raises(TypeError):
        maker(Collection)
