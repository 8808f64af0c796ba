"""The hosts that tests are about, and which of their rulesets speak of a family."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from iptlint.analysis.bridge_ports import not_followed
from iptlint.analysis.includes import has_unseen_includes, loaded_alone
from iptlint.analysis.session import Context
from iptlint.memo import memo
from iptlint.model import Family, Ruleset
from iptlint.model.host_addresses import HostAddresses
from iptlint.netfilter.firewall import Firewall, Hooks
from iptlint.source import SourceFile

Reread = Callable[[SourceFile], Ruleset | None]
"""A changed text, read as the host's own was; None where it would not be loaded as that was."""


@dataclass(frozen=True, eq=False)
class PolicyHost:
    """One host. ``context``: its rulesets, and what else is known of it. ``addresses``: all of the
    host's, where the user says them. ``reread``: None where no change is to be proposed. Without
    slots: what is worked out about a host lies on it."""

    name: str
    context: Context
    addresses: HostAddresses | None = None
    reread: Reread | None = None

    def firewalls(self, family: Family) -> tuple[Hooks, ...]:
        """What packets of the family meet: one firewall, or several where the texts cannot be on
        the host together. Empty where no table sees any."""
        return _firewalls(self, family)

    def is_open(self, family: Family) -> bool:
        """Whether the host is known to have no rule for packets of the family: they all pass."""
        said = (ruleset for ruleset in self.rulesets if ruleset.syntax.is_of_all_families)
        return not self.firewalls(family) and any(ruleset.tables for ruleset in said)

    def lacks_includes(self, family: Family) -> bool:
        """Whether a text that speaks of the family includes files that are not there."""
        return any(r.sees(family) and has_unseen_includes(r) for r in self.rulesets)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is not followed, with the file whose rules would say it."""
        return tuple(
            dict.fromkeys(f"{r.source.path}: {n}" for r in self.rulesets for n in not_followed(r))
        )

    @property
    def rulesets(self) -> tuple[Ruleset, ...]:
        return self.context.rulesets


@memo
def _firewalls(host: PolicyHost, family: Family) -> tuple[Hooks, ...]:
    return tuple(_hooks(host, ruleset, family) for ruleset in _speaking(host, family))


def _hooks(host: PolicyHost, ruleset: Ruleset, family: Family) -> Hooks:
    known = host.context.hooks(ruleset, family) if ruleset in host.rulesets else None
    if known is not None and host.addresses is None:
        return known
    facing = known.facing if known else {}
    return Hooks(_firewall(host, ruleset), family, facing, host.addresses)


@memo
def _firewall(host: PolicyHost, ruleset: Ruleset) -> Firewall:
    return host.context.firewall(ruleset) if ruleset in host.rulesets else Firewall(ruleset)


def _speaking(host: PolicyHost, family: Family) -> list[Ruleset]:
    """The rulesets with tables for the family."""
    included = {*host.rulesets} - {*_on_their_own(host)}
    seeing = [r for r in host.rulesets if r not in included and r.sees(family)]
    return _as_one(seeing) if len(seeing) > 1 else seeing


def _on_their_own(host: PolicyHost) -> Iterator[Ruleset]:
    """Without what another file includes."""
    yield from (r for r in host.rulesets if not r.syntax.adds_to_tables)
    yield from loaded_alone(host.context)


def _as_one(rulesets: list[Ruleset]) -> list[Ruleset]:
    """Those of one kernel, unless two of them have a table of the same name."""
    names = [(table.family, table.name) for ruleset in rulesets for table in ruleset.tables]
    if len({*names}) < len(names):
        return rulesets
    tables = tuple(table for ruleset in rulesets for table in ruleset.tables)
    return [replace(rulesets[0], tables=tables)]
