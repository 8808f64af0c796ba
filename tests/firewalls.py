"""Firewalls in few words, and packets and rules of them in fewer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import iptlint
from iptlint.analysis.session import Context, Settings
from iptlint.model import Family, Rule
from iptlint.netfilter.firewall import Firewall, Hooks
from iptlint.netfilter.table_analysis import TableAnalysis
from iptlint.packets.packet import Packet
from iptlint.packets.query import packets_like
from iptlint.packets.space import Space

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_BUILT_IN = {
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "raw": ("PREROUTING", "OUTPUT"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
}


def saved(*rules: str, table: str = "filter", policy: str = "ACCEPT", chains: str = "") -> str:
    """A table as iptables-save prints it. ``policy``: that of INPUT; ``chains``: more of them."""
    declared = [
        f":{name} {policy if name == 'INPUT' else 'ACCEPT'} [0:0]" for name in _BUILT_IN[table]
    ]
    declared += [f":{name} - [0:0]" for name in chains.split()]
    return "\n".join((f"*{table}", *declared, *rules, "COMMIT\n"))


def hooked(*rules: str, head: str = "type filter hook input priority 0", more: str = "") -> str:
    """A table of nft for both families with one base chain; ``more``: what else is in it."""
    inside = "\n".join(f"\t\t{rule}" for rule in (f"{head}; policy accept;", *rules))
    return f"table inet t {{\n{more}\tchain c {{\n{inside}\n\t}}\n}}\n"


def firewall_of(text: str) -> Firewall:
    return Firewall(iptlint.read(text))


def hooks_of(text: str, family: Family = Family.IP) -> Hooks:
    return Hooks(Firewall(iptlint.read(text, family)), family)


def analysis_of(text: str, family: Family = Family.IP, table: int = 0) -> TableAnalysis:
    """That of one of the tables."""
    firewall = Firewall(iptlint.read(text, family))
    return firewall.analysis(firewall.ruleset.tables[table])


def context_of(*texts: str, family: Family | None = None) -> Context:
    return Context(tuple(iptlint.read(text, family) for text in texts), Settings())


def packets(space: Space, family: str = "ip", **fields: Any) -> PacketSet:
    """Those that have the fields, by their names in the JSON contract."""
    return packets_like(space, Packet(family, None, **fields))


def texts(rules: Iterable[Rule]) -> list[str]:
    """The rules as they are written."""
    return [rule.statement.span.text for rule in rules]
