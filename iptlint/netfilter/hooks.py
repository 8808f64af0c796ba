"""The hooks as the packets of one family meet them: which packets, which base chains, in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from iptlint.memo import memo
from iptlint.model import Family, Hook, Table, VerdictKind
from iptlint.netfilter.base_chain import BaseChain
from iptlint.netfilter.firewall import Firewall
from iptlint.netfilter.routes import ROUTES, at_hook

if TYPE_CHECKING:
    from iptlint.packets.bdd import PacketSet


class Hooks:
    """``family``: ip or ip6. Sets are of packets as they come to the first chain of a hook.
    ``facing``: of interfaces by name, where it is known, whether the world is behind them."""

    def __init__(
        self, firewall: Firewall, family: Family, facing: Mapping[str, bool] | None = None
    ) -> None:
        self.firewall = firewall
        self.ruleset = firewall.ruleset
        self.space = firewall.space
        self.family = family
        self.facing = dict(facing or {})

    def hook_packets(self, hook: Hook) -> PacketSet:
        """The packets at the hook."""
        return at_hook(self.space, hook) & self.space.family(self.family.value)

    def base_chains(self, hook: Hook) -> tuple[BaseChain, ...]:
        return self.firewall.base_chains(self.family, hook)

    def deciding_chain(self, hook: Hook) -> BaseChain | None:
        """The chain where the host decides what passes the hook, if there is one: of several,
        the one at the filter priority, or with most rules."""
        filtering = [each for each in self.base_chains(hook) if each.chain.filters]
        return max(filtering, key=_weight, default=None)

    def tables(self) -> tuple[Table, ...]:
        """Those that see packets of the family."""
        return tuple(t for t in self.ruleset.tables if self.family.value in t.family.packets)

    @cached_property
    def translates(self) -> bool:
        """Whether a rule translates addresses or ports. Then later packets of a connection are
        translated too, and back, before and after the hooks, which is not followed here."""
        rules = (rule for table in self.tables() for _, rule in table.rules())
        return any(rule.verdict.kind is VerdictKind.NAT for rule in rules)

    @memo
    def decides_alone(self, hook: Hook) -> bool:
        """Whether what the hook does with packets is what becomes of them on the whole way: no
        chain before them on the way changes a packet, and none at another hook drops any. What
        prerouting does is not: where packets go from there, they are asked again."""
        return hook in ROUTES and not any(self._has_a_say(hook))

    def _has_a_say(self, hook: Hook) -> Iterator[bool]:
        route = ROUTES[hook]
        for at in route:
            for base_chain in self.base_chains(at):
                if not base_chain.is_open:
                    yield at is not hook and base_chain.may_drop.satisfiable()
                    yield route.index(at) <= route.index(hook) and base_chain.rewrites


def _weight(base_chain: BaseChain) -> tuple[int, int]:
    return -abs(base_chain.chain.priority or 0), len(base_chain.chain.rules)
