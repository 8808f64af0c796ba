"""Which chains are answered by columns of numbers: long ones, most of whose rules are few boxes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from iptlint.memo import memo
from iptlint.model import Chain, Field, VerdictKind
from iptlint.netfilter.chain_flow import ChainFlow
from iptlint.netfilter.long_chain import LongChain
from iptlint.packets.columns import BOX_FIELDS, Columns
from iptlint.packets.long_rules import Concerning
from iptlint.packets.match import Matcher
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_MOST_ODD, _MOST_RESTS, _MOST_ROWS = 64, 256, 4
_MOST_NESTED = 16
"""As deep as nf_tables lets chains call each other (NFT_JUMP_STACK_SIZE)."""
_CALLS = (VerdictKind.JUMP, VerdictKind.GOTO)


def flow_by_columns(
    matcher: Matcher, chain: Chain, callees: Mapping[str, ChainFlow]
) -> LongChain | None:
    """None where the shape of the chain asks for sets."""
    calls = sum(rule.verdict.kind in _CALLS for rule in chain.rules)
    if calls > _MOST_ODD:
        return None
    columns = columns_of(matcher.space, chain, matcher.changes.fields)
    if len(columns.odd) + calls > _MOST_ODD or not _are_boxes(columns, chain):
        return None
    long_chain = LongChain(matcher, chain, callees, columns)
    return long_chain if long_chain.long_depth <= _MOST_NESTED else None


@memo
def columns_of(space: Space, chain: Chain, free: frozenset[Field]) -> Columns:
    """Those of the rules of a chain; tests of the fields ``free`` are no boxes."""
    unknown = BOX_FIELDS - space.fields.keys()
    return Columns(chain.rules, free | unknown)


def _are_boxes(columns: Columns, chain: Chain) -> bool:
    """Whether most rules are few boxes, and tell few things beside."""
    few = len(columns.odd) <= _MOST_ODD and len(columns.rests) <= _MOST_RESTS
    return few and len(columns.number) <= _MOST_ROWS * len(chain.rules)


def concerning_by_columns(matcher: Matcher, chain: Chain) -> Concerning | None:
    """Which rules of the chain packets may match, as they are when they come to it; None where its
    shape asks for sets. ``matcher``: one that nothing changes for."""
    columns = columns_of(matcher.space, chain, frozenset())
    if not _are_boxes(columns, chain):
        return None
    true = matcher.space.true
    rests = [matcher.all_of(rest, true).may for rest in columns.rests]

    def odd(number: int) -> PacketSet:
        return matcher.all_of(chain.rules[number].matches, true).may

    return Concerning(matcher.space, columns, rests, odd)
