"""What a base chain leads to."""

from __future__ import annotations

from collections.abc import Iterator

from iptlint.model import Rule
from iptlint.netfilter.base_chain import BaseChain


def rules_from(station: BaseChain) -> Iterator[Rule]:
    """The rules of the base chain and of all chains that calls lead to from it."""
    walk = station.walk
    for name, chain in walk.table.chains.items():
        if station.chain in walk.bases_of(name):
            yield from chain.rules
