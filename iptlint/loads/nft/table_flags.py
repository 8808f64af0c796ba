"""Flags of a table: every command that adds it says all of them, so one without flags takes them.

net/netfilter/nf_tables_api.c, nf_tables_updtable: a table is put to sleep or woken once in a
transaction, and gets no base chain after that; one that is there gets no owner.
"""

from __future__ import annotations

from collections.abc import Sequence

from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.execution.state import BlockContext
from iptlint.loads.nft import checks
from iptlint.loads.nft.features import CHAIN_AFTER_FLAGS, FLAGS_TWICE
from iptlint.loads.nft.state import KnownChain, KnownTable
from iptlint.loads.nft.trial import Trial

_SLEEP, _OWNER = "dormant", "owner"


def check_flags(
    trial: Trial, table: KnownTable, flags: Sequence[t.Value], where: BlockContext, name: t.Value
) -> None:
    """The table was there before this command."""
    given = {flag.text for flag in flags}
    if _OWNER in given and _OWNER not in table.flags:
        cause = f"table {table.name} is there already, and only a new one gets an owner"
        trial.refuse(checks.NO_OWNER, where, name, cause, "write the flag where it is added first")
    if (_SLEEP in given) is (_SLEEP in table.flags):
        return
    if table.flags_changed:
        trial.forbids(FLAGS_TWICE, where, name, "write the flags of the table once")
    table.flags_changed = True
    table.flags ^= {_SLEEP}


def check_new_chain(
    trial: Trial, table: KnownTable, chain: KnownChain, where: BlockContext, name: t.Value
) -> None:
    if table.flags_changed and chain.hook is None:
        mend = "write the flags where the table is added first"
        trial.forbids(CHAIN_AFTER_FLAGS, where, name, mend)
