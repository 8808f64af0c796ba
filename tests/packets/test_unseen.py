"""What is said of a packet that has more to it than others."""

from __future__ import annotations

import pytest

from iptlint.model import Field
from iptlint.packets.unseen import unusual


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        (Field.CT_MARK, 0x10, "ct mark 0x10"),
        (Field.CT_DIRECTION, 1, "ct direction reply"),
        (Field.CT_SNAT, 1, "ct status snat"),
        (Field.CT_DNAT, 1, "ct status dnat"),
        (Field.FRAGMENT, 1, "a later fragment"),
        (Field.TOS, 0x10, "tos 0x10"),
        (Field.TTL, 1, "ttl 1"),
        (Field.LENGTH, 1500, "length 1500"),
        (Field.MAC_SOURCE, 0x020000000102, "mac source 02:00:00:00:01:02"),
    ],
)
def test_what_is_unusual_is_said(field: Field, value: int, said: str) -> None:
    assert [*unusual({field: value})] == [said]


def test_an_ordinary_packet_is_no_matter() -> None:
    assert not [*unusual({Field.TTL: 64, Field.LENGTH: 60, Field.TOS: 0})]
