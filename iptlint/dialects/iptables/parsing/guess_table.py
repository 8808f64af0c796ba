"""Which table ``iptables -S`` printed: it does not say, but its chains do."""

from __future__ import annotations

from iptlint.dialects.iptables.parsing.tree import Command, CommandLine, SaveFile


def guess_table(tree: SaveFile) -> str:
    """By the policies, which it prints for every chain of the table; else by the chains used."""
    used: dict[bool, set[str]] = {True: set(), False: set()}
    for line in tree.lines:
        if isinstance(line, CommandLine) and line.shape.chain and not line.shape.table:
            is_policy = line.shape.command is Command.POLICY
            used[is_policy].add(line.shape.chain.text(line.words))
    return table_of(used[True] or used[False])


def table_of(chains: set[str]) -> str:
    if "FORWARD" in chains:
        return "mangle" if chains & {"PREROUTING", "POSTROUTING"} else "filter"
    if "POSTROUTING" in chains:
        return "nat"
    if "PREROUTING" in chains:
        return "nat" if "INPUT" in chains else "raw"
    return "filter"
