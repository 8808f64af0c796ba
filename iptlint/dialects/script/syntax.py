"""How a script writes what rules ask about: in commands of iptables or of nft, or in a text that
it hands to iptables-restore."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import ClassVar

from iptlint.dialects import statement_edits
from iptlint.dialects.iptables.edits import tool_of
from iptlint.dialects.iptables.syntax import IPTABLES, IptablesSyntax
from iptlint.dialects.nft.syntax import NFT
from iptlint.dialects.nft.written_lists import with_names
from iptlint.model import Chain, Rule, Ruleset, Table
from iptlint.model.matches import Ranges
from iptlint.model.syntax import Comparison, Suggestion, Syntax, Words, WrittenList
from iptlint.source import Edit, Origin, SourceFile, Span


class ScriptSyntax(IptablesSyntax):
    """``language``: that of its commands."""

    language: ClassVar[Syntax] = IPTABLES

    def of(self, table: Table) -> Syntax:
        return SCRIPT if table.origin is None else NFT_SCRIPT

    def lists(self, ruleset: Ruleset) -> Iterator[WrittenList]:
        yield from super().lists(ruleset)
        yield from with_names(ruleset)

    def included(self, source: SourceFile) -> Iterator[str]:
        return NFT.included(source)

    # What a script prints, to hand it to a tool, has no text that could be edited.

    def with_limit(self, rule: Rule) -> tuple[str, ...]:
        if _is_printed(rule) or "$" in rule.origin.part(-1).text:
            return ()  # its target is another one in another round
        return self.language.with_limit(rule)

    def with_ports(self, rule: Rule, part: int, ports: Ranges) -> str | None:
        return None if _is_printed(rule) else self.language.with_ports(rule, part, ports)

    def with_negated(self, rule: Rule, part: int, values: Sequence[str]) -> str | None:
        return None if _is_printed(rule) else self.language.with_negated(rule, part, values)

    def with_original_port(self, rule: Rule, part: int, port: int) -> str | None:
        return None if _is_printed(rule) else self.language.with_original_port(rule, part, port)

    def with_port(self, rule: Rule, part: int, port: int, instead: str) -> str | None:
        return None if _is_printed(rule) else self.language.with_port(rule, part, port, instead)

    def with_translated_port(self, rule: Rule, part: int, port: int, instead: str) -> str | None:
        if not _stands_literally(rule):
            return None
        return self.language.with_translated_port(rule, part, port, instead)

    def take_out(self, rule: Rule) -> Edit | None:
        span = rule.statement.span
        if not _stands_literally(rule) or statement_edits.is_alone_in_its_body(span):
            return None
        if statement_edits.is_asked_about(span):
            return None
        return statement_edits.without_lines(span, _COMMAND, statement_edits.REMARK_BEHIND)

    def take_out_declared(
        self, declaration: Origin, rules: Sequence[Rule] = ()
    ) -> tuple[Edit, ...] | None:
        """Of a chain that a command of iptables makes."""
        span = declaration.span
        if _NEW_CHAIN.search(span.text) is None or statement_edits.is_alone_in_its_body(span):
            return None
        if statement_edits.is_asked_about(span):
            return None
        line = statement_edits.without_lines(
            span, statement_edits.BLANK, statement_edits.REMARK_BEHIND
        )
        edits = {line, *map(self.take_out, rules)}
        return tuple(edit for edit in edits if edit is not None) if None not in edits else None

    def put_before(self, rule: Rule, suggestion: Suggestion) -> Edit | None:
        if not _stands_literally(rule):
            return None
        if _nft_command(rule):
            return self.put_above(rule, suggestion.nft)
        return super().put_before(rule, suggestion)

    def put_above(self, rule: Rule, text: str) -> Edit | None:
        if not _stands_literally(rule):
            return None
        written = f"{_nft_command(rule)}{text}"
        return statement_edits.line_above(rule.statement.span, written, _COMMAND)

    def put_policy(self, command: Span, verdict: str) -> Edit | None:
        denies = _DENIES.search(command.text)
        if denies is None:
            return None
        start = command.start + denies.start()
        return Edit(Span(command.source, start, start + len(denies[0])), verdict.upper())

    def put(self, rule: Rule, text: str) -> Edit | None:
        return Edit(rule.statement.span, text) if _stands_literally(rule) else None

    def render(
        self, suggestion: Suggestion, chain: str, ruleset: Ruleset, table: Table | None
    ) -> str:
        table = table or _table(chain, ruleset)
        if table is None or not _by_command(table, chain, ruleset):
            return _language(table).render(suggestion, chain, ruleset, table)
        if table.origin is not None:
            return f"nft add rule {table.family.value} {table.name} {chain} {suggestion.nft}"
        return f"{_tool(table)} -A {chain} {suggestion.iptables}"

    def policy(self, chain: Chain, ruleset: Ruleset, verdict: str) -> str:
        table = next((t for t in ruleset.tables if t.chains.get(chain.name) is chain), None)
        if table is None or not _by_command(table, chain.name, ruleset):
            return _language(table).policy(chain, ruleset, verdict)
        return self.policy_command(chain, table, verdict)

    def policy_command(self, chain: Chain, table: Table, verdict: str) -> str:
        if table.origin is not None:
            family, name = table.family.value, table.name
            return f"nft 'add chain {family} {name} {chain.name} {{ policy {verdict}; }}'"
        return f"{_tool(table)} -P {chain.name} {verdict.upper()}"

    def new_chain(self, name: str, ruleset: Ruleset, table: Table) -> str:
        if not any(_by_command(table, chain, ruleset) for chain in table.chains):
            return _language(table).new_chain(name, ruleset, table)
        if table.origin is not None:
            return f"nft add chain {table.family.value} {table.name} {name}"
        return f"{_tool(table)} -N {name}"


_NEW_CHAIN = re.compile(r"\s(?:-N|--new-chain)\s")
_COMMAND = re.compile(
    r"[ \t]*(?P<nft>\S*nft +add +rule +(?:(?:ip6?|inet|arp|bridge|netdev) +)?"
    r"[^\s'\"]+ +[^\s'\"]+ +)?"
)
"""What may stand before a rule on its line: of iptables the whole command is the rule."""
_DENIES = re.compile(r"\bDROP(?=\s*$)")


class NftScriptSyntax(ScriptSyntax):
    """That of the commands of nft, and of what is handed to it."""

    language = NFT

    def comparison(self, rule: Rule) -> Comparison | None:
        return NFT.comparison(rule)

    def named_sets(self, rule: Rule) -> frozenset[str]:
        return NFT.named_sets(rule)

    def with_addresses(self, rule: Rule, part: int, test: str) -> str:
        return NFT.with_addresses(rule, part, test)

    @property
    def ports_in_a_list(self) -> int | None:
        return NFT.ports_in_a_list

    def by_interface(self, rule: Rule, name: str) -> str:
        return NFT.by_interface(rule, name)

    def with_present_state_test(self, rule: Rule, part: int) -> str | None:
        return NFT.with_present_state_test(rule, part)

    def in_table(self, rule: Rule, table: str) -> str | None:
        return NFT.in_table(rule, table)

    def for_other_table(self, rule: Rule) -> str | None:
        return NFT.for_other_table(rule)

    def pick(self, *, iptables: Words, nft: Words) -> Words:
        return nft

    def table_name(self, table: Table) -> str:
        return NFT.table_name(table)


def _language(table: Table | None) -> Syntax:
    """That of a text in which the table stands. Only one of nft is declared."""
    return IPTABLES if table is None or table.origin is None else NFT


def _is_printed(rule: Rule) -> bool:
    """Whether the parts of the rule cannot be told apart in the text: `echo` wrote it."""
    return rule.origin.part(-1) == rule.origin.span


def _stands_literally(rule: Rule) -> bool:
    return not _is_printed(rule) and statement_edits.is_carried_out_once(rule)


def _nft_command(rule: Rule) -> str:
    """What adds the rule; empty where that is no command of nft."""
    span = rule.statement.span
    start = span.source.line_starts[span.line - 1]
    written = _COMMAND.fullmatch(span.source.text, start, span.start)
    return (written["nft"] or "") if written else ""


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
    return not any(_IN_ONE_TEXT.match(span.text) for span in spans)


_IN_ONE_TEXT = re.compile(r"[:*-]|(?:echo|printf)\s+(?:-[en]+\s+)?[\"']?[:*-]")
"""A line of that text, or what prints it."""


def _tool(table: Table) -> str:
    """With the table's name where it is not the filter table."""
    tool = tool_of(table)
    return tool if table.name == "filter" else f"{tool} -t {table.name}"


SCRIPT = ScriptSyntax()
NFT_SCRIPT = NftScriptSyntax()
