"""What one run is about: its rulesets, what the user said, and the analyses, each made once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from iptlint.model import Family, Ruleset
from iptlint.model.host import Host
from iptlint.model.sets import SavedSets
from iptlint.netfilter.firewall import Firewall
from iptlint.netfilter.hooks import Hooks
from iptlint.netfilter.table_analysis import TableAnalysis


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user may say that changes what is a finding."""

    ssh_ports: tuple[int, ...] = (22,)
    management_networks: tuple[IPv4Network | IPv6Network, ...] = ()


class Context:
    """All rulesets of this run (one a source) and the settings; analyses are made once.

    ``sets``: the ipsets that the sources make; None where no source is a list of sets.
    ``host``: what else is known of the host that the rulesets are of.
    """

    def __init__(
        self,
        rulesets: tuple[Ruleset, ...],
        settings: Settings,
        sets: SavedSets | None = None,
        host: Host | None = None,
    ) -> None:
        self.rulesets = rulesets
        self.settings = settings
        self.sets = sets
        self.host = host
        self._stacks: dict[Ruleset, Firewall] = {}
        self._paths: dict[tuple[Ruleset, Family], Hooks] = {}

    def firewall(self, ruleset: Ruleset) -> Firewall:
        if ruleset not in self._stacks:
            self._stacks[ruleset] = Firewall(ruleset)
        return self._stacks[ruleset]

    def analyses(self) -> Iterator[TableAnalysis]:
        """The analysis of every table of every ruleset."""
        for ruleset in self.rulesets:
            yield from self.firewall(ruleset).analyses()

    def hooks(self, ruleset: Ruleset, family: Family) -> Hooks | None:
        """What becomes of packets of the family (ip or ip6); None where no table sees any."""
        if not ruleset.sees(family):
            return None
        key = ruleset, family
        if key not in self._paths:
            facing = self.host.facts.facing() if self.host else {}
            self._paths[key] = Hooks(self.firewall(ruleset), family, facing)
        return self._paths[key]

    def all_hooks(self) -> Iterator[Hooks]:
        """Those of every ruleset, for ip and for ip6."""
        for ruleset in self.rulesets:
            for family in (Family.IP, Family.IP6):
                if hooks := self.hooks(ruleset, family):
                    yield hooks
