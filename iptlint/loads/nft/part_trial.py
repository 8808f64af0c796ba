"""What all trials of parts of one rule know: the rule's place, and what has been read of it."""

from __future__ import annotations

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.state import BlockContext
from iptlint.loads.nft.selectors import SelectorTrial
from iptlint.loads.nft.state import KnownChain, KnownTable
from iptlint.loads.nft.trial import Trial
from iptlint.loads.refusal import Check
from iptlint.model import Family


class PartTrial:
    """``selectors``: those of the rule, as far as they have been read."""

    def __init__(
        self,
        trial: Trial,
        table: KnownTable,
        chain: KnownChain,
        context: BlockContext,
        selectors: SelectorTrial,
    ) -> None:
        self._trial = trial
        self._table = table
        self._chain = chain
        self._context = context
        self._selectors = selectors

    @property
    def _family(self) -> Family:
        return self._table.family

    def _refuse(self, check: Check, node: t.Node, cause: str, mend: str) -> None:
        self._trial.refuse(check, self._context, node, cause, mend)
