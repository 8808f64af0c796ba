"""Where a rule is put, or which one is replaced or deleted: by an index or by a handle."""

from __future__ import annotations

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.state import BlockContext
from iptlint.loads.nft import checks
from iptlint.loads.nft.state import KnownChain, KnownTable
from iptlint.loads.nft.trial import Trial
from iptlint.model.numbers import decimal

_PUTTING = (None, "add", "create", "insert")
"""A rule without a verb is added."""


def check_position(
    trial: Trial, command: t.Command, where: BlockContext, table: KnownTable, chain: KnownChain
) -> None:
    """A number of a rule that is not there. Handles are given by the kernel, so a rule of this
    file has none that another one could be put before or behind."""
    position = command.position
    number = decimal(position.number.text) if position is not None else None
    if position is None or number is None:
        return
    puts = command.verb in _PUTTING
    if not puts and position.kind != "handle":
        cause = f"{command.verb} names a rule by its handle only"
        trial.refuse(checks.SYNTAX, where, position, cause, "write handle and its number")
        return
    last = number + 1 if position.kind == "index" else 1
    behind = puts and position.kind != "index"
    rules = chain.remembered if puts else chain.rules
    if rules < last or (behind and not chain.listed):
        what = f"{position.kind} {position.number.text}"
        cause = f"chain {chain.name} has no rule with {what}: it has {rules or 'none'}"
        of_file = ", all of this file" if behind and rules else ""
        mend = "add the rule at the end, without a position"
        missing = not table.whole
        trial.refuse(checks.RULE_INDEX, where, position, cause + of_file, mend, missing=missing)
