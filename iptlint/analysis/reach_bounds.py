"""How far packets are to be followed where one chain alone is asked about: no further than its
hooks, and of the packets only those that come there, where no rule writes on the way what they are
known by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf
from typing import TYPE_CHECKING

from iptlint.model import Chain, Field, Hook, Rule, Table, VerdictKind
from iptlint.model.call_graph import calls_in
from iptlint.model.writes import writes_of
from iptlint.netfilter.firewall import Firewall
from iptlint.netfilter.tracking import TRANSLATION
from iptlint.packets.bdd import union

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet

_KNOWN_BY = (Field.SADDR, Field.DADDR, Field.PROTO, Field.SPORT, Field.DPORT)
_FIRST = (Hook.PREROUTING, Hook.OUTPUT)


class Bounds:
    """``parts``: the rules that are asked about; all are of one chain."""

    def __init__(self, firewall: Firewall, table: Table, chain: Chain, parts: Sequence[Rule]):
        self._firewall = firewall
        self._table = table
        self._parts = parts
        self._bases = calls_in(table).bases_of(chain.name)
        self.hooks = frozenset(base.hook for base in self._bases if base.hook is not None)

    def last(self, route: Sequence[Hook]) -> Hook | None:
        """The last hook on the route from which packets come to the chain, if there is one."""
        return next((hook for hook in reversed(route) if hook in self.hooks), None)

    def packets(self) -> PacketSet:
        """All that may come to the rules and match, as they set out; and maybe more."""
        space = self._firewall.space
        written = writes_of(self._met_before()).fields & {*_KNOWN_BY}
        if written or not all(map(_is_met_as_it_set_out, self._bases)):
            return space.true
        analysis = self._firewall.by_decision().analysis(self._table)
        meant = union([analysis.intended(rule) for rule in self._parts if rule.read], space.false)
        return space.project(meant, *_KNOWN_BY)

    def _met_before(self) -> Iterator[Rule]:
        """The rules that packets may have met when they come there. A translation of the table
        itself ends their way in it."""
        for base in self._bases:
            for table in self._firewall.ruleset.tables:
                for other in table.base_chains():
                    if other.hook is base.hook and (other.priority or 0) <= (base.priority or 0):
                        yield from self._writing(table, other)

    def _writing(self, table: Table, base: Chain) -> Iterator[Rule]:
        for _, rule in calls_in(table).rules_from(base.name):
            if table is not self._table or rule.verdict.kind is not VerdictKind.NAT:
                yield rule


def _is_met_as_it_set_out(base: Chain) -> bool:
    """Before the kernel translates running connections, and before any hook but the first."""
    last = TRANSLATION.get(base.hook, inf) if base.hook is not None else inf
    return base.hook in _FIRST and (base.priority or 0) <= last
