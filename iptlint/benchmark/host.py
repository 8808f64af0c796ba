"""The host that a benchmark judges: which tools wrote its files, what becomes of its packets."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from enum import Enum
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from iptlint.analysis.includes import has_unseen_includes, is_entry_point, loaded_alone
from iptlint.analysis.session import Context
from iptlint.model import Chain, Family, Hook, Ruleset, Table, VerdictKind
from iptlint.model.owners import owner_of_name, owner_of_table
from iptlint.model.ownership import is_for_software
from iptlint.source import Span

if TYPE_CHECKING:
    from iptlint.netfilter.firewall import Hooks


class Tool(Enum):
    """What a host's firewall is configured with."""

    UFW = "ufw"
    NFTABLES = "nftables"
    IPTABLES = "iptables"
    IP6TABLES = "ip6tables"
    FIREWALLD = "firewalld"

    @property
    def families(self) -> tuple[Family, ...]:
        """Those of the packets that its items are about."""
        return _FAMILIES.get(self, (Family.IP, Family.IP6))


_FAMILIES = {Tool.IPTABLES: (Family.IP,), Tool.IP6TABLES: (Family.IP6,)}
_MANAGERS = (Tool.FIREWALLD, Tool.UFW)
_SIDE_BY_SIDE = {Tool.UFW, Tool.IPTABLES}
"""No two tools for certain: ufw that is not to care for IPv6 closes it with plain rules."""

_XTABLES = ("filter", "nat", "mangle", "raw", "security")


class Use(NamedTuple):
    """Tables of a ruleset that are a tool's. ``span``: where they begin."""

    tool: Tool
    ruleset: Ruleset
    tables: tuple[Table, ...]

    @property
    def span(self) -> Span:
        origins = (table.origin for table in self.tables if table.origin)
        first = next(origins, self.ruleset.flush)
        return first.span if first else self.ruleset.source.line_span(1)

    @property
    def filters(self) -> bool:
        """Whether it decides what comes in."""
        return self.tool in _MANAGERS or any(
            chain.hook is Hook.INPUT and chain.type == "filter" and _decides(chain)
            for table in self.tables
            for chain in table.base_chains()
        )


def _decides(chain: Chain) -> bool:
    denies = chain.policy is not None and chain.policy.kind is VerdictKind.DROP
    return denies or not all(map(is_for_software, chain.rules))


class BenchmarkHost:
    """``incomplete``: the rulesets of which something could not be read."""

    def __init__(self, context: Context, incomplete: Collection[Ruleset] = ()) -> None:
        self.context = context
        self._incomplete = incomplete
        alone = [*loaded_alone(context)]
        self._uses = tuple(
            use
            for ruleset in context.rulesets
            if not ruleset.syntax.adds_to_tables or ruleset in alone
            for use in _uses(ruleset)
        )

    @property
    def tools(self) -> tuple[Tool, ...]:
        tools = {use.tool for use in self._uses}
        if Tool.UFW in tools:
            tools.discard(Tool.IPTABLES)
        if Tool.IPTABLES in tools:
            tools.add(Tool.IP6TABLES)
        return tuple(tool for tool in Tool if tool in tools)

    def rulesets(self, tool: Tool) -> tuple[Ruleset, ...]:
        """Those of the tool; of several, those that are more than a part of one."""
        wanted = Tool.IPTABLES if tool is Tool.IP6TABLES else tool
        rulesets = [use.ruleset for use in self._uses if use.tool is wanted]
        whole = [ruleset for ruleset in rulesets if _filters_input(ruleset)]
        return tuple(whole or rulesets)

    def all_hooks(self, tool: Tool, family: Family) -> Iterator[Hooks]:
        for ruleset in self.rulesets(tool):
            if hooks := self.context.hooks(ruleset, family):
                yield hooks

    def doubt(self, ruleset: Ruleset) -> str:
        """Why nothing can be said of the ruleset, if that is so."""
        if ruleset in self._incomplete:
            return "a part of the file could not be read"
        if has_unseen_includes(ruleset):
            return "it includes files that are not here"
        if not _filters_input(ruleset) and not _is_whole(ruleset):
            return "no chain filters input: it may be a part of a ruleset"
        return ""

    def rivals(self) -> Iterator[tuple[Use, Use]]:
        """Two tools at a time that both filter what comes in."""
        uses = {use.tool: use for use in self._uses if use.filters}
        for one, other in combinations(uses.values(), 2):
            if {one.tool, other.tool} != _SIDE_BY_SIDE:
                yield one, other


def host_tables(ruleset: Ruleset) -> tuple[Table, ...]:
    """Those that see what comes to the host or leaves it; not those of bridges and devices."""
    return tuple(t for t in ruleset.tables if t.family in (Family.IP, Family.IP6, Family.INET))


def _filters_input(ruleset: Ruleset) -> bool:
    return any(
        chain.hook is Hook.INPUT and chain.type == "filter" and bool(chain.origin or chain.rules)
        for table in host_tables(ruleset)
        for chain in table.base_chains()
    )


def _is_whole(ruleset: Ruleset) -> bool:
    """Whether the text says that nothing else is loaded beside it."""
    return ruleset.syntax.adds_to_tables and (ruleset.flush is not None or is_entry_point(ruleset))


def _uses(ruleset: Ruleset) -> Iterator[Use]:
    tables = host_tables(ruleset)
    for tool in _MANAGERS:
        if any(_manages(tool.value, ruleset, table) for table in tables):
            yield Use(tool, ruleset, tables)
            return
    theirs = tuple(table for table in tables if _is_iptables(ruleset, table))
    own = tuple(table for table in tables if table not in theirs)
    if theirs:
        yield Use(Tool.IPTABLES, ruleset, theirs)
    if ruleset.is_nft and (own or not theirs):
        yield Use(Tool.NFTABLES, ruleset, own)


def _manages(name: str, ruleset: Ruleset, table: Table) -> bool:
    owners = (owner_of_table(table.name), *map(owner_of_name, table.chains))
    return any(owner is not None and owner.name == name for owner in owners)


def _is_iptables(ruleset: Ruleset, table: Table) -> bool:
    if not ruleset.is_nft:
        return True
    managed = ruleset.syntax.looks_after_iptables(ruleset.source)
    return managed and table.name in _XTABLES and table.family is not Family.INET
