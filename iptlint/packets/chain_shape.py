"""Which long chains are told by columns of numbers: those most of whose rules are few boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptlint.memo import memo
from iptlint.model import Chain, Field
from iptlint.packets.columns import BOX_FIELDS, Columns
from iptlint.packets.concerning import Concerning
from iptlint.packets.match import Matcher
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

MOST_ODD = 64
_MOST_RESTS, _MOST_ROWS = 256, 4


@memo
def columns_of(space: Space, chain: Chain, free: frozenset[Field]) -> Columns:
    """Those of the rules of a chain; tests of the fields ``free`` are no boxes."""
    unknown = BOX_FIELDS - space.fields.keys()
    return Columns(chain, free | unknown)


def are_boxes(columns: Columns, chain: Chain, more_odd: int = 0) -> bool:
    """Whether most rules are few boxes, and tell few things beside. ``more_odd``: how many are to
    be walked one by one, though they may be boxes."""
    few = len(columns.odd) + more_odd <= MOST_ODD and len(columns.rests) <= _MOST_RESTS
    return few and len(columns.number) <= _MOST_ROWS * len(chain.rules)


def concerning_by_columns(matcher: Matcher, chain: Chain) -> Concerning | None:
    """Which rules of the chain packets may match, as they are when they come to it; None where its
    shape asks for sets. ``matcher``: one that nothing changes for."""
    columns = columns_of(matcher.space, chain, frozenset())
    if not are_boxes(columns, chain):
        return None
    true = matcher.space.true
    rests = [matcher.all_of(rest, true).may for rest in columns.rests]

    def odd(number: int) -> PacketSet:
        return matcher.all_of(chain.rules[number].matches, true).may

    return Concerning(matcher.space, columns, rests, odd)
