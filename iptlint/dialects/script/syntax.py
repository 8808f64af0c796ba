"""How a script writes what rules ask about: in commands of iptables or of nft, or in a text that
it hands to iptables-restore."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iptlint.dialects.iptables.edits import tool_of
from iptlint.dialects.iptables.syntax import IptablesSyntax
from iptlint.dialects.nft.syntax import NFT
from iptlint.dialects.nft.written_lists import with_names
from iptlint.model import Chain, Rule, Ruleset, Table
from iptlint.model.matches import Ranges
from iptlint.model.syntax import Suggestion, Words, WrittenList
from iptlint.source import SourceFile


class ScriptSyntax(IptablesSyntax):
    def lists(self, ruleset: Ruleset) -> Iterator[WrittenList]:
        yield from super().lists(ruleset)
        yield from with_names(ruleset)

    def included(self, source: SourceFile) -> Iterator[str]:
        return NFT.included(source)

    # What a script prints, to hand it to a tool, has no text that could be edited.

    def with_limit(self, rule: Rule) -> str | None:
        return None if _is_printed(rule) else super().with_limit(rule)

    def with_ports(self, rule: Rule, part: int, ports: Ranges) -> str | None:
        return None if _is_printed(rule) else super().with_ports(rule, part, ports)

    def with_negated(self, rule: Rule, part: int, values: Sequence[str]) -> str | None:
        return None if _is_printed(rule) else super().with_negated(rule, part, values)

    def with_original_port(self, rule: Rule, part: int, port: int) -> str | None:
        return None if _is_printed(rule) else super().with_original_port(rule, part, port)

    def with_port(self, rule: Rule, part: int, port: int, instead: str) -> str | None:
        return None if _is_printed(rule) else super().with_port(rule, part, port, instead)

    def render(
        self, suggestion: Suggestion, chain: str, ruleset: Ruleset, table: Table | None
    ) -> str:
        table = table or _table(chain, ruleset)
        if table is None or not _by_command(table, chain, ruleset):
            return super().render(suggestion, chain, ruleset, table)
        if table.origin is not None:
            return f"nft add rule {table.family.value} {table.name} {chain} {suggestion.nft}"
        return f"{_tool(table)} -A {chain} {suggestion.iptables}"

    def policy(self, chain: Chain, ruleset: Ruleset, verdict: str) -> str:
        table = next((t for t in ruleset.tables if t.chains.get(chain.name) is chain), None)
        if table is None or not _by_command(table, chain.name, ruleset):
            return super().policy(chain, ruleset, verdict)
        if table.origin is not None:
            family, name = table.family.value, table.name
            return f"nft 'add chain {family} {name} {chain.name} {{ policy {verdict}; }}'"
        return f"{_tool(table)} -P {chain.name} {verdict.upper()}"

    def new_chain(self, name: str, ruleset: Ruleset, table: Table) -> str:
        if not any(_by_command(table, chain, ruleset) for chain in table.chains):
            return super().new_chain(name, ruleset, table)
        if table.origin is not None:
            return f"nft add chain {table.family.value} {table.name} {name}"
        return f"{_tool(table)} -N {name}"


class NftScriptSyntax(ScriptSyntax):
    """That of a script that has no commands but those of nft."""

    def pick(self, *, iptables: Words, nft: Words) -> Words:
        return nft

    def table_name(self, table: Table) -> str:
        return NFT.table_name(table)


def _is_printed(rule: Rule) -> bool:
    """Whether the parts of the rule cannot be told apart in the text: `echo` wrote it."""
    return rule.origin.part(-1) == rule.origin.span


def _table(chain: str, ruleset: Ruleset) -> Table | None:
    """The first that has the chain, the filter table before others."""
    tables = [table for table in ruleset.tables if chain in table.chains]
    return min(tables, key=lambda table: table.name != "filter", default=None)


def _by_command(table: Table, chain: str, ruleset: Ruleset) -> bool:
    """Whether the chain is one that the script makes command by command: what it hands to
    iptables-restore in one text is in the language of that."""
    made = table.chains.get(chain)
    if made is None or ruleset.script is None:
        return False
    if table.origin is not None:
        return table.origin.span.text.startswith(("nft", "add", "create"))
    origins = (made.origin, *(rule.statement for rule in made.rules[:1]))
    spans = (o.span for o in origins if o is not None and o.span.source is ruleset.source)
    return not any(span.text.startswith((":", "-", "*")) for span in spans)


def _tool(table: Table) -> str:
    """With the table's name where it is not the filter table."""
    tool = tool_of(table)
    return tool if table.name == "filter" else f"{tool} -t {table.name}"


SCRIPT = ScriptSyntax()
NFT_SCRIPT = NftScriptSyntax()
