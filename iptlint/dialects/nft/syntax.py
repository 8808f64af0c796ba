"""How nft writes what rules ask about."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from iptlint.dialects.common_syntax import CommonSyntax
from iptlint.dialects.masked import masked
from iptlint.dialects.nft import edits
from iptlint.dialects.nft.written_lists import in_braces, with_names
from iptlint.dialects.written_lists import statements
from iptlint.model import Chain, Rule, Ruleset, Table
from iptlint.model.matches import Ranges
from iptlint.model.syntax import Suggestion, Words, WrittenList
from iptlint.source import SourceFile, Span

_SHEBANG = re.compile(r"\A#!.*\bnft\b")
_INCLUDE = re.compile(
    r"""(?:^|[;{])[ \t]*include[ \t]+(?:"([^"\n]*)"|'([^'\n]*)'|([^\s;"']+))""", re.M
)
_MASKED_TEST = re.compile(
    r"\b[sd]addr\b(?:[\w\s.!=]*\{|\s*(?:[!=]=\s*)?)(?P<values>[\da-fA-F.:/, \n\t-]+)"
)
_MASKED_DEFINE = re.compile(r"=\s*(?P<values>[\da-fA-F.:]+/\d+)\s*$")
_ANYWHERE = re.compile(r"(?P<values>.+)", re.DOTALL)
_ENTRY_POINT = "nftables.conf"


class NftSyntax(CommonSyntax):
    """A file of nft, or what `nft list ruleset` prints."""

    # -- words ------------------------------------------------------------------------------

    def pick(self, *, iptables: Words, nft: Words) -> Words:
        return nft

    def table_name(self, table: Table) -> str:
        return f"the table {table.family.value} {table.name}"

    # -- what is written --------------------------------------------------------------------

    def lists(self, ruleset: Ruleset) -> Iterator[WrittenList]:
        for span in statements(ruleset):
            yield from in_braces(span)
        yield from with_names(ruleset)

    def masked(self, ruleset: Ruleset) -> Iterator[Span]:
        for span in statements(ruleset):
            yield from masked(span, _MASKED_TEST)
        for place in self.lists(ruleset):
            yield from masked(place.span, _ANYWHERE)
        for define in ruleset.defines:
            yield from masked(define.origin.span, _MASKED_DEFINE)

    def is_entry_point(self, source: SourceFile) -> bool:
        named = PurePath(source.path).name == _ENTRY_POINT
        return named or _SHEBANG.search(source.text) is not None

    def included(self, source: SourceFile) -> Iterator[str]:
        for include in _INCLUDE.finditer(source.text):
            yield os.path.normpath(include[1] or include[2] or include[3] or "?")

    # -- a rule, written otherwise -----------------------------------------------------------

    @property
    def ports_in_a_list(self) -> int | None:
        return None

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
        return suggestion.nft

    def policy(self, chain: Chain, ruleset: Ruleset, verdict: str) -> str:
        return f"policy {verdict};"


class NftJsonSyntax(NftSyntax):
    """What `nft -j list ruleset` prints: it has no text that could be read again."""

    def lists(self, ruleset: Ruleset) -> Iterator[WrittenList]:
        return iter(())

    def masked(self, ruleset: Ruleset) -> Iterator[Span]:
        return iter(())

    def with_ports(self, rule: Rule, part: int, ports: Ranges) -> str | None:
        return None

    def with_limit(self, rule: Rule) -> str | None:
        return None


NFT = NftSyntax()
NFT_JSON = NftJsonSyntax()
