"""Whether a rule names the protocol that its parts need."""

from __future__ import annotations

from iptlint.dialects.iptables.lowering.diagnostics import IptablesDiagnostics
from iptlint.dialects.iptables.lowering.parts import Cell
from iptlint.dialects.iptables.lowering.plan import Plan, allows
from iptlint.dialects.iptables.parsing.tree import CommandLine

_NATIVE = ("tcp", "udp")
"""The matches that iptables-nft makes expressions of nf_tables of, and that need a protocol."""

_TRANSLATING = ("SNAT", "DNAT", "REDIRECT", "MASQUERADE")


def names_protocol(
    diagnostics: IptablesDiagnostics,
    line: CommandLine,
    plan: Plan,
    cell: Cell,
    needs: tuple[str, ...],
    protocol: int | None,
    excluded: int | None,
) -> bool:
    """Whether -p names a protocol that a part ``needs``; a diagnostic where it does not.
    ``protocol`` is what -p says, ``excluded`` what ! -p says."""
    if allows(needs, protocol):
        before = plan.protocol_before(cell)
    elif allows(needs, excluded) and _looks_at_number(cell):
        before = plan.protocol_before(cell)
        if before and cell.extension.name in _NATIVE:
            diagnostics.no_protocol(line, cell, needs, variant="legacy")
    else:
        diagnostics.no_protocol(line, cell, needs)
        return False
    if not before:
        diagnostics.no_protocol(line, cell, needs, before=True)
    return before


def _looks_at_number(cell: Cell) -> bool:
    """Whether a protocol need not be the packets' own, as long as -p has its number: xtables looks
    no further for the ports of a translation, and iptables-nft where it has an expression of its
    own for a match (nft.c)."""
    name = cell.extension.name
    return name in _TRANSLATING or (name in _NATIVE and bool(cell.uses))
