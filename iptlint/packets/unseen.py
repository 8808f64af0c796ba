"""What packets have that ``Packet`` has no field for: told as a condition where it is not usual."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from iptlint.model import Field
from iptlint.model.matches import PKTTYPES
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


class _Unseen(NamedTuple):
    """``usual``: the value of an ordinary packet, of which nothing is said."""

    field: Field
    usual: int
    words: Callable[[int], str]


def _mac(value: int) -> str:
    return "mac source " + value.to_bytes(6, "big").hex(":")


UNSEEN = (
    _Unseen(Field.CT_MARK, 0, lambda value: f"ct mark {value:#x}"),
    _Unseen(Field.CT_DIRECTION, 0, lambda value: f"ct direction {('original', 'reply')[value]}"),
    _Unseen(Field.CT_SNAT, 0, lambda value: f"ct status {'snat' if value else 'not snat'}"),
    _Unseen(Field.CT_DNAT, 0, lambda value: f"ct status {'dnat' if value else 'not dnat'}"),
    _Unseen(Field.FRAGMENT, 0, lambda value: "a later fragment" if value else "no fragment"),
    _Unseen(Field.PKTTYPE, 0, lambda value: f"pkttype {PKTTYPES[value]}"),
    _Unseen(Field.TOS, 0, lambda value: f"tos {value:#x}"),
    _Unseen(Field.TTL, 64, lambda value: f"ttl {value}"),
    _Unseen(Field.LENGTH, 60, lambda value: f"length {value}"),
    _Unseen(Field.MAC_SOURCE, 0, _mac),
)


def unusual(values: Mapping[Field, int]) -> Iterator[str]:
    """What has to be said of a packet with the values."""
    for field, usual, words in UNSEEN:
        value = values.get(field, usual)
        if value != usual:
            yield words(value)


def without_unusual(space: Space) -> Iterator[PacketSet]:
    """For each field the packets of which nothing has to be said."""
    return (space.value(field, value) for field, value, _ in UNSEEN)
