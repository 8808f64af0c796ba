"""How iptables-save, and a command of iptables, write what rules ask about."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from iptlint.dialects.common_syntax import CommonSyntax
from iptlint.dialects.iptables import edits
from iptlint.dialects.masked import masked
from iptlint.dialects.written_lists import bare, statements
from iptlint.model import Chain, Rule, Ruleset, Table
from iptlint.model.matches import Ranges
from iptlint.model.syntax import PORT_BITS, Suggestion, Words, WrittenList
from iptlint.source import Span


class IptablesSyntax(CommonSyntax):
    """What iptables-save prints, or what stands in a script between two such lines."""

    # -- words ------------------------------------------------------------------------------

    def pick(self, *, iptables: Words, nft: Words) -> Words:
        return iptables

    def table_name(self, table: Table) -> str:
        return f"the {table.name} table"

    # -- what is written --------------------------------------------------------------------

    def lists(self, ruleset: Ruleset) -> Iterator[WrittenList]:
        for span in statements(ruleset):
            yield from _in_options(span)

    def masked(self, ruleset: Ruleset) -> Iterator[Span]:
        for span in statements(ruleset):
            yield from masked(span, _MASKED_OPTION)

    # -- a rule, written otherwise -----------------------------------------------------------

    @property
    def ports_in_a_list(self) -> int | None:
        return edits.PORTS_IN_A_LIST

    def with_ports(self, rule: Rule, part: int, ports: Ranges) -> str | None:
        return edits.with_ports(rule, part, ports)

    def with_negated(self, rule: Rule, part: int, values: Sequence[str]) -> str | None:
        return edits.with_negated(rule, part, values)

    def with_limit(self, rule: Rule) -> str | None:
        return edits.with_limit(rule)

    # -- what a ruleset lacks -----------------------------------------------------------------

    def render(
        self, suggestion: Suggestion, chain: str, ruleset: Ruleset, table: Table | None
    ) -> str:
        return f"-A {chain} {suggestion.iptables}"

    def policy(self, chain: Chain, ruleset: Ruleset, verdict: str) -> str:
        return f":{chain.name} {verdict.upper()} [0:0]"


_ADDRESS_OPTION = re.compile(r"(?<!\S)(?:-[sd]|--src|--dst|--source|--destination)[ =]+(\S+)")
_MASKED_OPTION = re.compile(
    r"(?<!\S)(?:-[sd]|--(?:src|dst|source|destination))[ =]+(?P<values>[\da-fA-F.:/,]+)(?!\S)"
)
_PORT_OPTION = re.compile(r"(?<!\S)--(?:[sd]|source-|destination-)?ports?[ =]+(\S+)")


def _in_options(span: Span) -> Iterator[WrittenList]:
    text = bare(span.text)
    for pattern, bits in ((_ADDRESS_OPTION, None), (_PORT_OPTION, PORT_BITS)):
        for option in pattern.finditer(text):
            if "," in option[1]:
                place = Span(span.source, span.start + option.start(1), span.start + option.end(1))
                yield WrittenList(place, bits, braced=False)


IPTABLES = IptablesSyntax()
