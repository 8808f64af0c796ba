"""Where matches and targets may stand: in some tables, and in what some built-in chains call."""

from __future__ import annotations

from collections.abc import Iterable

from iptlint.dialects.iptables.lowering.diagnostics import IptablesDiagnostics
from iptlint.dialects.iptables.lowering.plan import Plan
from iptlint.dialects.iptables.lowering.tables import (
    HOOK_NAMES,
    OpenChain,
    OpenTable,
    RestrictedExtension,
)
from iptlint.dialects.iptables.parsing.tree import CommandLine
from iptlint.model import Table
from iptlint.model.call_graph import calls_in


def check_rule(
    diagnostics: IptablesDiagnostics,
    table: OpenTable,
    chain: OpenChain,
    line: CommandLine,
    plan: Plan,
) -> None:
    """What is wrong already; what depends on the calls is kept for ``check_table``."""
    use = plan.no_place.get(chain.name)
    # Where no packet passes it, IPT103 says so.
    if use is not None and (use.negated or chain.name == "POSTROUTING"):
        diagnostics.interface_in_chain(line, use, chain.name)
    is_lost = chain.name in HOOK_NAMES and chain.name not in table.built_in
    if is_lost and not diagnostics.tree.bare:
        return  # the line belongs to another table, which is told
    for cell in plan.placed:
        extension = cell.extension
        if extension.tables and table.name not in extension.tables:
            diagnostics.wrong_table(line, cell, table.name)
        elif extension.legacy_tables and table.name not in extension.legacy_tables:
            diagnostics.wrong_legacy_table(line, cell, table.name)
        elif extension.chains:
            placed = RestrictedExtension(chain.name, line, cell, extension.chains)
            table.placed.append(placed)


def check_table(
    diagnostics: IptablesDiagnostics, placements: Iterable[RestrictedExtension], table: Table
) -> None:
    """Once all calls are known: the built-in chains that a rule is called from."""
    calls = calls_in(table)
    known: dict[object, set[str]] = {}
    for placed in placements:
        bases = calls.bases_of(placed.chain)  # one object for most chains
        wrong = known.get((bases, placed.chains))
        if wrong is None:
            wrong = {base.name for base in bases}.difference(placed.chains)
            known[bases, placed.chains] = wrong
        if wrong:
            diagnostics.wrong_chain(placed, sorted(wrong))
