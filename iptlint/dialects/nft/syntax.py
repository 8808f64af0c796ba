"""How nft writes what rules ask about."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from iptlint.dialects import statement_edits
from iptlint.dialects.common_syntax import CommonSyntax
from iptlint.dialects.masked import masked
from iptlint.dialects.nft import edits, whole_text
from iptlint.dialects.nft.written_lists import in_braces, with_block, with_names
from iptlint.dialects.rule_text import edited, one_line
from iptlint.dialects.written_lists import bare, statements
from iptlint.model import Chain, Rule, Ruleset, Table
from iptlint.model.matches import Ranges
from iptlint.model.syntax import (
    Comparison,
    LostRule,
    Suggestion,
    Words,
    WrittenList,
    WrittenNetwork,
)
from iptlint.source import Edit, Origin, SourceFile, Span

_MASKED_TEST = re.compile(
    r"\b[sd]addr\b(?:[\w\s.!=]*\{|\s*(?:[!=]=\s*)?)(?P<values>[\da-fA-F.:/, \n\t-]+)"
)
_MASKED_DEFINE = re.compile(r"=\s*(?P<values>[\da-fA-F.:]+/\d+)\s*$")
_ANYWHERE = re.compile(r"(?P<values>.+)", re.DOTALL)
_RULE_COMMAND = re.compile(
    r"[ \t]*(?:(?:add|insert)\s+rule\s+(?:(?:ip6?|inet|arp|bridge|netdev)\s+)?\S+\s+\S+\s+)?"
)
"""What may stand before a rule on its line: nothing, or a command without a place."""

_NAMED_SET = re.compile(r"@(?!(?:ll|nh|th|ih),)([A-Za-z_][\w./\\-]*)")
"""The others are raw bytes of a packet: ``@th,16,16``."""

_ENTRY_POINT = "nftables.conf"


class NftSyntax(CommonSyntax):
    """A file of nft, or what `nft list ruleset` prints."""

    # -- words ------------------------------------------------------------------------------

    def pick(self, *, iptables: Words, nft: Words) -> Words:
        return nft

    def table_name(self, table: Table) -> str:
        return f"the table {table.family.value} {table.name}"

    # -- what its tool does with a text ------------------------------------------------------

    @property
    def adds_to_tables(self) -> bool:
        return True

    @property
    def makes_base_chains(self) -> bool:
        return True

    @property
    def is_of_all_families(self) -> bool:
        return True

    # -- what is written --------------------------------------------------------------------

    def lists(self, ruleset: Ruleset) -> Iterator[WrittenList]:
        for span in statements(ruleset):
            yield from in_braces(span)
        yield from with_names(ruleset)

    def masked(self, ruleset: Ruleset) -> Iterator[WrittenNetwork]:
        for span in statements(ruleset):
            yield from masked(span, _MASKED_TEST)
        for place in self.lists(ruleset):
            yield from masked(place.span, _ANYWHERE)
        for define in ruleset.defines:
            yield from masked(define.origin.span, _MASKED_DEFINE)

    def named_sets(self, rule: Rule) -> frozenset[str]:
        text = rule.statement.span.text
        return frozenset(_NAMED_SET.findall(bare(text))) if "@" in text else frozenset()

    def comparison(self, rule: Rule) -> Comparison | None:
        return edits.comparison(rule)

    # -- a whole text -----------------------------------------------------------------------

    def is_entry_point(self, source: SourceFile) -> bool:
        named = PurePath(source.path).name == _ENTRY_POINT
        return named or whole_text.SHEBANG.search(source.text) is not None

    def included(self, source: SourceFile) -> Iterator[str]:
        return whole_text.included(source)

    def adds_once(self, source: SourceFile) -> bool:
        return whole_text.ADDS_ONCE.search(source.text) is not None

    def declares(self, origin: Origin) -> bool:
        return whole_text.DECLARATION.match(origin.span.text) is not None

    def emptied_chains(self, source: SourceFile) -> frozenset[tuple[str, str, str]]:
        return whole_text.emptied_chains(source)

    def flushed_family(self, flush: Origin) -> str | None:
        family = whole_text.FLUSHED.search(flush.span.text)
        return family[1] if family else None

    def is_of_nf_tables(self, source: SourceFile) -> bool | None:
        return True

    def looks_after_iptables(self, source: SourceFile) -> bool:
        return whole_text.OF_IPTABLES in source.text

    def lost_rules(self, source: SourceFile) -> Iterator[LostRule]:
        return whole_text.lost_rules(source)

    # -- a rule, written otherwise -----------------------------------------------------------

    def with_addresses(self, rule: Rule, part: int, test: str) -> str:
        return edited(rule.origin.span, rule.origin.part(part), test)

    @property
    def ports_in_a_list(self) -> int | None:
        return None

    def with_ports(self, rule: Rule, part: int, ports: Ranges) -> str | None:
        return edits.with_ports(rule, part, ports)

    def by_name(self, test: Span) -> str | None:
        return edits.by_name(test)

    def with_negated(self, rule: Rule, part: int, values: Sequence[str]) -> str | None:
        return edits.with_negated(rule, part, values)

    def with_original_port(self, rule: Rule, part: int, port: int) -> str | None:
        return edits.with_original_port(rule, part, port)

    def by_interface(self, rule: Rule, name: str) -> str:
        return f'oifname "{name}" {one_line(rule)}'

    def with_present_state_test(self, rule: Rule, part: int) -> str | None:
        return None

    def in_table(self, rule: Rule, table: str) -> str | None:
        return None

    def for_other_table(self, rule: Rule) -> str | None:
        return edits.for_other_table(rule)

    def with_limit(self, rule: Rule) -> tuple[str, ...]:
        return edits.with_limit(rule)

    # -- edits --------------------------------------------------------------------------------

    def take_out(self, rule: Rule) -> Edit | None:
        span, behind = rule.statement.span, statement_edits.REMARK_BEHIND
        lines = statement_edits.without_lines(span, _RULE_COMMAND, behind)
        return lines or statement_edits.without_part_of_line(span)

    def take_out_declared(
        self, declaration: Origin, rules: Sequence[Rule] = ()
    ) -> tuple[Edit, ...] | None:
        whole = with_block(declaration.span)
        inside = range(whole.start, whole.end)
        if not all(rule.statement.span.start in inside for rule in rules):
            return None
        edit = statement_edits.without_block(
            whole, statement_edits.BLANK, statement_edits.REMARK_BEHIND
        )
        return (edit,) if edit is not None else None

    def put_before(self, rule: Rule, suggestion: Suggestion) -> Edit | None:
        return self.put_above(rule, suggestion.nft)

    def put_above(self, rule: Rule, text: str) -> Edit | None:
        return statement_edits.line_above(rule.statement.span, text, statement_edits.BLANK)

    def put(self, rule: Rule, text: str) -> Edit | None:
        return Edit(rule.statement.span, text)

    # -- what a ruleset lacks -----------------------------------------------------------------

    def render(
        self, suggestion: Suggestion, chain: str, ruleset: Ruleset, table: Table | None
    ) -> str:
        return suggestion.nft

    def insertion(self, rule: Rule, table: Table, chain: str) -> str:
        return f"nft insert rule {table.family.value} {table.name} {chain} {one_line(rule)}"

    def deletion(self, rule: Rule, table: Table, chain: str) -> str | None:
        return None

    def policy(self, chain: Chain, ruleset: Ruleset, verdict: str) -> str:
        return f"policy {verdict};"

    def new_chain(self, name: str, ruleset: Ruleset, table: Table) -> str:
        return f"chain {name} {{ … }}"


class NftJsonSyntax(NftSyntax):
    """What `nft -j list ruleset` prints: it has no text that could be read again."""

    @property
    def is_listing(self) -> bool:
        return True

    def is_entry_point(self, source: SourceFile) -> bool:
        return False

    def lost_rules(self, source: SourceFile) -> Iterator[LostRule]:
        return iter(())

    def lists(self, ruleset: Ruleset) -> Iterator[WrittenList]:
        return iter(())

    def masked(self, ruleset: Ruleset) -> Iterator[WrittenNetwork]:
        return iter(())

    def with_ports(self, rule: Rule, part: int, ports: Ranges) -> str | None:
        return None

    def with_limit(self, rule: Rule) -> tuple[str, ...]:
        return ()

    def take_out(self, rule: Rule) -> Edit | None:
        return None

    def take_out_declared(
        self, declaration: Origin, rules: Sequence[Rule] = ()
    ) -> tuple[Edit, ...] | None:
        return None

    def put_before(self, rule: Rule, suggestion: Suggestion) -> Edit | None:
        return None

    def put_above(self, rule: Rule, text: str) -> Edit | None:
        return None

    def put(self, rule: Rule, text: str) -> Edit | None:
        return None


NFT = NftSyntax()
NFT_JSON = NftJsonSyntax()
