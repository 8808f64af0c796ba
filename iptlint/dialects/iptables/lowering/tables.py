"""A table while its lines are carried out, and what it is in the end."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from iptlint.dialects.iptables.lowering.parts import Cell
from iptlint.dialects.iptables.parsing.tree import CommandLine
from iptlint.model import Chain, Family, Hook, Rule, Table, Verdict, VerdictKind
from iptlint.source import Origin

BUILT_IN: dict[str, dict[str, int]] = {
    "raw": dict.fromkeys(("PREROUTING", "OUTPUT"), -300),
    "mangle": dict.fromkeys(("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"), -150),
    "nat": {"PREROUTING": -100, "INPUT": 100, "OUTPUT": -100, "POSTROUTING": 100},
    "filter": dict.fromkeys(("INPUT", "FORWARD", "OUTPUT"), 0),
    "security": dict.fromkeys(("INPUT", "FORWARD", "OUTPUT"), 50),
}
"""The chains of each table that the kernel has, with their priorities (netfilter_ipv4.h)."""

HOOK_NAMES = frozenset(name for chains in BUILT_IN.values() for name in chains)
ACCEPT = Verdict(VerdictKind.ACCEPT, "ACCEPT")
DROP = Verdict(VerdictKind.DROP, "DROP")


@dataclass(slots=True)
class OpenChain:
    """``declared``: by a line of its own, not only by a rule that is put into it."""

    name: str
    origin: Origin | None = None
    declared: bool = False
    policy: Verdict | None = None
    counters: tuple[int, int] | None = None
    rules: list[Rule] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RestrictedExtension:
    """An extension that may only stand in some ``chains``, and in which ``chain`` it stands.
    ``by_options``: for what it tests there, not for what it is."""

    chain: str
    line: CommandLine
    cell: Cell
    chains: tuple[str, ...]
    by_options: bool = False


@dataclass(slots=True, eq=False)
class OpenTable:
    family: Family
    name: str
    origin: Origin | None
    start: int = 0
    end: int = 0
    chains: dict[str, OpenChain] = field(default_factory=dict)
    placed: list[RestrictedExtension] = field(default_factory=list)

    @property
    def built_in(self) -> dict[str, int]:
        return BUILT_IN.get(self.name, {})

    def has(self, chain: str) -> bool:
        return chain in self.chains or chain in self.built_in

    def chain(self, name: str) -> OpenChain:
        chain = self.chains.get(name)
        if chain is None:
            chain = self.chains[name] = OpenChain(name)
        return chain

    def calls(self, name: str) -> bool:
        """Whether a rule calls the chain."""
        chains = self.chains.values()
        return any(rule.verdict.chain == name for chain in chains for rule in chain.rules)

    def rename(self, old: str, new: str) -> None:
        """Jumps follow: the kernel keeps them by chain, not by name."""
        self.chains = {new if name == old else name: c for name, c in self.chains.items()}
        self.chains[new].name = new
        for chain in self.chains.values():
            chain.rules = [_renamed(rule, old, new) for rule in chain.rules]

    def finished(self) -> Table:
        for name in self.built_in:
            self.chain(name)
        chains = {name: self._chain(chain) for name, chain in self.chains.items()}
        return Table(self.family, self.name, chains, self.origin)

    def _chain(self, chain: OpenChain) -> Chain:
        priority = self.built_in.get(chain.name)
        hooked = priority is not None
        return Chain(
            chain.name,
            tuple(chain.rules),
            Hook[chain.name] if hooked else None,
            priority,
            (chain.policy or ACCEPT) if hooked else None,
            chain.origin,
            chain.counters,
            self._type(chain.name) if hooked else None,
        )

    def _type(self, chain: str) -> str:
        """As nft calls it: nat translates, mangle routes anew what OUTPUT changed."""
        if self.name == "nat":
            return "nat"
        return "route" if (self.name, chain) == ("mangle", "OUTPUT") else "filter"


def _renamed(rule: Rule, old: str, new: str) -> Rule:
    if rule.verdict.chain != old:
        return rule
    return replace(rule, verdict=replace(rule.verdict, name=new, chain=new))


def alike(one: Rule, other: Rule) -> bool:
    """Whether -D and -C take the one for the other."""
    return (one.matches, one.verdict, one.effects, one.comment) == (
        other.matches,
        other.verdict,
        other.effects,
        other.comment,
    )
