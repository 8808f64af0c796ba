"""Names that a user's chain may not have."""

from __future__ import annotations

from iptlint.dialects.iptables.lowering.chain_diagnostics import ChainDiagnostics
from iptlint.dialects.iptables.lowering.tables import OpenTable
from iptlint.dialects.iptables.parsing.tree import ChainLine

MAX_CHAIN_NAME = 28
_VERDICTS = ("ACCEPT", "DROP", "QUEUE", "RETURN")


def check_declared(diagnostics: ChainDiagnostics, table: OpenTable, line: ChainLine) -> None:
    """Of a chain that a line of its own makes (`:name - [0:0]`)."""
    if len(line.name) > MAX_CHAIN_NAME:
        diagnostics.long_chain_name(line.name, line.start, line.end)
    elif line.name.startswith(("-", "!")):
        diagnostics.bad_first_letter(line)
    elif line.name in _VERDICTS:
        diagnostics.verdict_as_chain(line)
    elif diagnostics.is_target(line.name, table.family):
        diagnostics.chain_hides_target(line)
    elif line.name in table.chains and table.chains[line.name].declared:
        diagnostics.chain_made_twice(line)


def check_new(
    diagnostics: ChainDiagnostics, table: OpenTable, name: str, start: int, end: int
) -> None:
    """Of a chain that a command makes or renames."""
    if len(name) > MAX_CHAIN_NAME:
        diagnostics.long_chain_name(name, start, end)
    elif diagnostics.is_target(name, table.family):
        diagnostics.chain_named_as_target(name, start, end)
