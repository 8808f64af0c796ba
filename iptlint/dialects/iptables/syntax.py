"""How iptables-save, and a command of iptables, write what rules ask about."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from iptlint.dialects import statement_edits
from iptlint.dialects.common_syntax import CommonSyntax
from iptlint.dialects.iptables import edits
from iptlint.dialects.masked import masked, masked_in_variables
from iptlint.dialects.written_lists import bare, statements
from iptlint.memo import memo
from iptlint.model import Chain, Rule, Ruleset, Table
from iptlint.model.matches import Ranges
from iptlint.model.syntax import (
    PORT_BITS,
    Comparison,
    Suggestion,
    Words,
    WrittenList,
    WrittenNetwork,
)
from iptlint.source import Edit, Origin, SourceFile, Span


class IptablesSyntax(CommonSyntax):
    """What iptables-save prints, or what stands in a script between two such lines."""

    # -- words ------------------------------------------------------------------------------

    def pick(self, *, iptables: Words, nft: Words) -> Words:
        return iptables

    def table_name(self, table: Table) -> str:
        return f"the {table.name} table"

    # -- what is written --------------------------------------------------------------------

    def lists(self, ruleset: Ruleset) -> Iterator[WrittenList]:
        return iter(_lists(ruleset))

    def masked(self, ruleset: Ruleset) -> Iterator[WrittenNetwork]:
        for span in statements(ruleset):
            yield from masked(span, _MASKED_OPTION)
        if ruleset.script is not None:
            yield from masked_in_variables(statements(ruleset))

    def comparison(self, rule: Rule) -> Comparison | None:
        return None

    # -- a whole text -----------------------------------------------------------------------

    def is_of_nf_tables(self, source: SourceFile) -> bool | None:
        generated = _GENERATED.search(source.text)
        return None if generated is None else generated[1] is not None

    def warns_of_legacy(self, source: SourceFile) -> Span | None:
        found = _OTHER_TABLES.search(source.text)
        return Span(source, *found.span()) if found else None

    # -- a rule, written otherwise -----------------------------------------------------------

    def with_addresses(self, rule: Rule, part: int, test: str) -> str:
        return edits.with_addresses(rule, part, test)

    @property
    def ports_in_a_list(self) -> int | None:
        return edits.PORTS_IN_A_LIST

    def with_ports(self, rule: Rule, part: int, ports: Ranges) -> str | None:
        return edits.with_ports(rule, part, ports)

    def with_negated(self, rule: Rule, part: int, values: Sequence[str]) -> str | None:
        return edits.with_negated(rule, part, values)

    def with_original_port(self, rule: Rule, part: int, port: int) -> str | None:
        return edits.with_original_port(rule, part, port)

    def by_interface(self, rule: Rule, name: str) -> str:
        return edits.by_interface(rule, name)

    def with_present_state_test(self, rule: Rule, part: int) -> str | None:
        return edits.with_conntrack(rule, part)

    def in_table(self, rule: Rule, table: str) -> str | None:
        return edits.out_of_raw(rule, table)

    def for_other_table(self, rule: Rule) -> str | None:
        return None

    def with_limit(self, rule: Rule) -> tuple[str, ...]:
        return (edits.with_limit(rule),)

    # -- edits --------------------------------------------------------------------------------

    def take_out(self, rule: Rule) -> Edit | None:
        return statement_edits.without_lines(
            rule.statement.span, statement_edits.BLANK, statement_edits.NOTHING_BEHIND
        )

    def take_out_declared(
        self, declaration: Origin, rules: Sequence[Rule] = ()
    ) -> tuple[Edit, ...] | None:
        line = statement_edits.without_lines(
            declaration.span, statement_edits.BLANK, statement_edits.NOTHING_BEHIND
        )
        edits = {line, *map(self.take_out, rules)}
        return tuple(edit for edit in edits if edit is not None) if None not in edits else None

    def put_before(self, rule: Rule, suggestion: Suggestion) -> Edit | None:
        appended = _APPENDED.match(rule.statement.span.text)
        if appended is None:
            return None
        return self.put_above(rule, f"{appended['command']} {suggestion.iptables}")

    def put_above(self, rule: Rule, text: str) -> Edit | None:
        return statement_edits.line_above(rule.statement.span, text, statement_edits.BLANK)

    def put(self, rule: Rule, text: str) -> Edit | None:
        return Edit(rule.statement.span, text)

    # -- what a ruleset lacks -----------------------------------------------------------------

    def render(
        self, suggestion: Suggestion, chain: str, ruleset: Ruleset, table: Table | None
    ) -> str:
        return f"-A {chain} {suggestion.iptables}"

    def insertion(self, rule: Rule, table: Table, chain: str) -> str:
        return edits.insertion(rule, table, chain)

    def deletion(self, rule: Rule, table: Table, chain: str) -> str | None:
        return edits.deletion(rule, table, chain)

    def policy(self, chain: Chain, ruleset: Ruleset, verdict: str) -> str:
        return f":{chain.name} {verdict.upper()} [0:0]"

    def new_chain(self, name: str, ruleset: Ruleset, table: Table) -> str:
        return f":{name} - [0:0]"


_APPENDED = re.compile(
    r"(?:\[\d+:\d+\] +)?(?P<command>(?:[^\s;&|#]+ +)??(?:-t +\S+ +)?(?:-A|--append) +\S+)(?=\s)"
)
"""How a rule begins that goes to the end of its chain: of a script, with the tool."""

_OTHER_TABLES = re.compile(r"^# Warning: ip6?tables-legacy tables present\b.*", re.M)
"""What iptables-nft says on its standard error (check_legacy_tables), which ends up in a dump."""

_GENERATED = re.compile(r"^# Generated by \S+ v\S+( \(nf_tables\))?", re.M)
_ADDRESS_OPTION = re.compile(r"(?<!\S)(?:-[sd]|--src|--dst|--source|--destination)[ =]+(\S+)")
_MASKED_OPTION = re.compile(
    r"(?<!\S)(?:-[sd]|--(?:src|dst|source|destination))[ =]+(?P<values>[\da-fA-F.:/,]+)(?!\S)"
)
_PORT_OPTION = re.compile(r"(?<!\S)--(?:[sd]|source-|destination-)?ports?[ =]+(\S+)")


@memo
def _lists(ruleset: Ruleset) -> tuple[WrittenList, ...]:
    several = (span for span in statements(ruleset) if "," in span.text)
    return tuple(each for span in several for each in _in_options(span))


def _in_options(span: Span) -> Iterator[WrittenList]:
    text = bare(span.text)
    for pattern, bits in ((_ADDRESS_OPTION, None), (_PORT_OPTION, PORT_BITS)):
        for option in pattern.finditer(text):
            if "," in option[1]:
                place = Span(span.source, span.start + option.start(1), span.start + option.end(1))
                yield WrittenList(place, bits, braced=False)


IPTABLES = IptablesSyntax()
