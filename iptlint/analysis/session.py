"""What one run is about: its rulesets, what the user said, and the analyses, each made once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING

from iptlint.memo import memo
from iptlint.model import Family, Ruleset
from iptlint.model.host_addresses import HostAddresses, known_of, with_own
from iptlint.model.roles import facing
from iptlint.netfilter.firewall import Firewall, Hooks
from iptlint.netfilter.table_analysis import TableAnalysis

if TYPE_CHECKING:
    from iptlint.model.cloud import Cloud
    from iptlint.model.host import Host
    from iptlint.model.sets import SavedSets


def _is_checking() -> bool:
    return bool(os.environ.get("IPTLINT_CHECK_WITNESSES"))


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user may say that changes what is a finding."""

    ssh_ports: tuple[int, ...] = (22,)
    management_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    host_addresses: tuple[IPv4Network | IPv6Network, ...] = ()
    """All that the host has; empty where they are not known but from the rules."""
    check_witnesses: bool = field(default_factory=_is_checking)
    """Whether every packet that a finding shows is followed to where it is said to come. For the
    tests of iptlint, which set the variable: it takes time, and mends nothing."""

    def __post_init__(self) -> None:
        _hold("ssh_ports", self.ssh_ports, int, "ports, as (22, 2222)")
        networks = (IPv4Network, IPv6Network)
        for name in ("management_networks", "host_addresses"):
            _hold(name, getattr(self, name), networks, "networks of ipaddress")
        if wrong := [port for port in self.ssh_ports if not 1 <= port <= 65535]:
            raise ValueError(f"ssh_ports: {wrong[0]} is not a port from 1 to 65535")


def _hold(name: str, value: object, kind: type | tuple[type, ...], what: str) -> None:
    """TypeError where a value is not a tuple or a list of such."""
    if not isinstance(value, tuple | list) or not all(isinstance(each, kind) for each in value):
        raise TypeError(f"{name} is a tuple of {what}, not {value!r}")


class Context:
    """All rulesets of this run (one a source) and the settings; analyses are made once.

    ``sets``: the ipsets that the sources make; None where no source is a list of sets.
    ``host``: what else is known of the host that the rulesets are of. ``cloud``: the network that
    the sources tell of, if some do.
    """

    def __init__(
        self,
        rulesets: tuple[Ruleset, ...],
        settings: Settings,
        sets: SavedSets | None = None,
        host: Host | None = None,
        cloud: Cloud | None = None,
    ) -> None:
        self.rulesets = rulesets
        self.settings = settings
        self.sets = sets
        self.host = host
        self.cloud = cloud

    @memo
    def firewall(self, ruleset: Ruleset) -> Firewall:
        return Firewall(ruleset)

    def analyses(self) -> Iterator[TableAnalysis]:
        """The analysis of every table of every ruleset, for questions about its rules."""
        for ruleset in self.rulesets:
            yield from self.firewall(ruleset).by_decision().analyses()

    @memo
    def hooks(self, ruleset: Ruleset, family: Family) -> Hooks | None:
        """What becomes of packets of the family (ip or ip6); None where no table sees any."""
        if not ruleset.sees(family):
            return None
        return Hooks(self.firewall(ruleset), family, self._facing(ruleset), self._addresses)

    @cached_property
    def _addresses(self) -> HostAddresses | None:
        if self.settings.host_addresses:
            return with_own(self.settings.host_addresses, *self.rulesets)
        return known_of(self.host.facts) if self.host is not None else None

    def _facing(self, ruleset: Ruleset) -> Mapping[str, bool]:
        """What the host says of its interfaces, or a text of those that it has in variables."""
        if self.host is not None:
            return self.host.facts.facing()
        if ruleset.script is not None:
            return ruleset.script.facing
        return facing({define.name: define.devices for define in ruleset.defines})

    def all_hooks(self) -> Iterator[Hooks]:
        """Those of every ruleset, for ip and for ip6."""
        for ruleset in self.rulesets:
            for family in (Family.IP, Family.IP6):
                if hooks := self.hooks(ruleset, family):
                    yield hooks
