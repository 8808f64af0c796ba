"""Tables of nft that iptables made, and looks after, with its names for everything."""

from __future__ import annotations

from iptlint.model import Family, Table

_TABLES = {"filter", "nat", "mangle", "raw", "security"}
_CHAINS = {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"}


def made_by_iptables(table: Table) -> bool:
    """Whether iptables-nft knows the table as its own (iptables/nft.c, xtables_ipv4)."""
    names = {chain.name for chain in table.base_chains()}
    of_iptables = table.family in (Family.IP, Family.IP6) and table.name in _TABLES
    return of_iptables and bool(names) and names <= _CHAINS
