"""What a base chain leads to."""

from __future__ import annotations

from collections.abc import Iterator

from iptlint.model import Rule
from iptlint.netfilter.base_chain import BaseChain


def rules_from(base_chain: BaseChain) -> Iterator[Rule]:
    """The rules of the base chain and of all chains that calls lead to from it."""
    analysis = base_chain.analysis
    for name, chain in analysis.table.chains.items():
        if base_chain.chain in analysis.bases_of(name):
            yield from chain.rules
