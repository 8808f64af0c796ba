"""Rules that a finding proposes, in the language of the file it is about."""

from __future__ import annotations

from dataclasses import dataclass

from iptlint.model import Chain, Family, Ruleset, Table
from iptlint.netfilter.decision import Share


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One rule in both languages; ``iptables`` is what follows ``-A CHAIN``."""

    iptables: str
    nft: str

    def into(self, chain: str, ruleset: Ruleset, table: Table | None = None) -> str:
        """``table``: the one with the chain, where several families have a chain of that name."""
        if ruleset.is_nft:
            return self.nft
        table = table or _table(chain, ruleset)
        if table is None or not _by_command(table, chain, ruleset):
            return f"-A {chain} {self.iptables}"
        if table.origin is not None:
            return f"nft add rule {table.family.value} {table.name} {chain} {self.nft}"
        return f"{_tool(table)} -A {chain} {self.iptables}"


def _table(chain: str, ruleset: Ruleset) -> Table | None:
    """The first that has the chain, the filter table before others."""
    found = [table for table in ruleset.tables if chain in table.chains]
    return min(found, key=lambda table: table.name != "filter", default=None)


def _by_command(table: Table, chain: str, ruleset: Ruleset) -> bool:
    """Whether the chain is one that a script makes command by command: what it hands to
    iptables-restore in one text is in the language of that."""
    if ruleset.script is None or chain not in table.chains:
        return False
    found = table.chains[chain]
    origins = (found.origin, *(rule.statement for rule in found.rules[:1]))
    if table.origin is not None:
        return table.origin.span.text.startswith(("nft", "add", "create"))
    here = (o.span for o in origins if o is not None and o.span.source is ruleset.source)
    return not any(span.text.startswith((":", "-", "*")) for span in here)


def _tool(table: Table) -> str:
    """With the table's name where it is not the filter table."""
    tool = "ip6tables" if table.family is Family.IP6 else "iptables"
    return tool if table.name == "filter" else f"{tool} -t {table.name}"


ESTABLISHED = Suggestion(
    "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT", "ct state established,related accept"
)
UNTRACKED = Suggestion("-m conntrack --ctstate UNTRACKED -j ACCEPT", "ct state untracked accept")
RELATED = Suggestion("-m conntrack --ctstate RELATED -j ACCEPT", "ct state related accept")
LOOPBACK_IN = Suggestion("-i lo -j ACCEPT", 'iifname "lo" accept')
LOOPBACK_OUT = Suggestion("-o lo -j ACCEPT", 'oifname "lo" accept')
INSIDE = {Family.IP: "10.0.0.0/8", Family.IP6: "fd00::/8"}
"""In the place of the networks that a suggestion cannot know."""


def accept_ssh(port: int, source: str | None = None, *, six: bool = False) -> Suggestion:
    """``source``: an address or network that the rule is for; everybody where it is None."""
    here = f"-s {source} " if source else ""
    nft = f"ip{'6' * six} saddr {source} " if source else ""
    return Suggestion(
        f"{here}-p tcp -m tcp --dport {port} -m conntrack --ctstate NEW -j ACCEPT",
        f"{nft}tcp dport {port} ct state new accept",
    )


def first(share: Share, base: str, remedy: Suggestion) -> str:
    """Where to add the rule, so that it comes before what decides now."""
    ruleset = share.analysis.ruleset
    rule = remedy.into(base, ruleset, share.analysis.table)
    if share.chain.name != base:
        where = f"before the first rule of {base}" if ruleset.script else f"at the top of {base}"
        return f"add {where}: {rule}"
    if share.rule is not None:
        return f"add before it: {rule}"
    return f"add to {base}: {rule}" if ruleset.is_nft else f"add: {rule}"


def drop_policy(chain: Chain, ruleset: Ruleset) -> str:
    """The line that makes the chain deny what no rule accepts."""
    return _policy(chain, ruleset, "drop")


def accept_policy(chain: Chain, ruleset: Ruleset) -> str:
    return _policy(chain, ruleset, "accept")


def _policy(chain: Chain, ruleset: Ruleset, verdict: str) -> str:
    if ruleset.is_nft:
        return f"policy {verdict};"
    table = next((t for t in ruleset.tables if t.chains.get(chain.name) is chain), None)
    if table is None or not _by_command(table, chain.name, ruleset):
        return f":{chain.name} {verdict.upper()} [0:0]"
    if table.origin is not None:
        family, name = table.family.value, table.name
        return f"nft 'add chain {family} {name} {chain.name} {{ policy {verdict}; }}'"
    return f"{_tool(table)} -P {chain.name} {verdict.upper()}"
