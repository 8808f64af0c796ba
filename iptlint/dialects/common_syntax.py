"""What every language answers alike: it is looked for in the words of each.

A script, and a host, may have rules of both languages at the same time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from iptlint.dialects import remarks, rule_text, statement_edits, written_lists
from iptlint.dialects.placeholders import is_in_braces
from iptlint.model import Chain, Rule, Table
from iptlint.model.syntax import ListElement, LostRule, Syntax, WrittenList
from iptlint.source import Edit, Origin, SourceFile, Span

_COMMAND = re.compile(r"\s*(?:-N\b|--new-chain\b|(?:add|create)\s)")
_VARIABLE = re.compile(r"\$\w+")
_COUNTERS = re.compile(r"\[\d+:\d+\]|packets \d+ bytes \d+")


class CommonSyntax(Syntax):
    def of(self, table: Table) -> Syntax:
        return self

    # -- what its tool does with a text ------------------------------------------------------

    @property
    def adds_to_tables(self) -> bool:
        return False

    @property
    def makes_base_chains(self) -> bool:
        return False

    @property
    def is_of_all_families(self) -> bool:
        return False

    # -- what is written --------------------------------------------------------------------

    def elements(self, place: WrittenList) -> list[ListElement]:
        return written_lists.elements(place)

    def hosts(self, place: WrittenList) -> Sequence[int] | None:
        return written_lists.hosts(place)

    def value(self, rule: Rule, part: int) -> str:
        return rule_text.value(rule.origin.part(part).text)

    def paragraph(self, rule: Rule) -> int:
        return remarks.paragraph(rule)

    def said_of(self, rule: Rule) -> str:
        variables = _VARIABLE.findall(rule.statement.span.text)
        return " ".join(filter(None, (remarks.beside(rule).strip(), *variables)))

    def is_in_remarked_block(self, rule: Rule) -> bool:
        return remarks.of_block(rule)

    def has_rules_left_out(self, chain: Chain) -> bool:
        return remarks.has_rules_left_out(chain)

    def find_name(self, span: Span, name: str) -> Span | None:
        written = re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", span.text, re.IGNORECASE)
        if written is None:
            return None
        return Span(span.source, span.start + written.start(), span.start + written.end())

    def is_placeholder(self, name: Span) -> bool:
        return is_in_braces(name)

    def may_call(self, rule: Rule, chain: str) -> bool:
        text = rule.origin.span.text
        # JSON has no text to tell.
        return not text or re.search(rf"(?<![\w-]){re.escape(chain)}(?![\w-])", text) is not None

    def mentions_set(self, source: SourceFile, name: str) -> bool:
        return re.search(rf"@{re.escape(name)}\b", source.text) is not None

    def named_sets(self, rule: Rule) -> frozenset[str]:
        return frozenset()

    def gives_policy(self, declaration: Origin) -> bool:
        name, policy, *_ = (*declaration.span.text.split(), "", "")
        return policy != "-" and name.startswith(":")

    def is_command(self, declaration: Origin) -> bool:
        span = declaration.span
        return _COMMAND.match(span.source.line_text(span.line)) is not None

    def counted_alike(self, rule: Rule) -> str:
        return _COUNTERS.sub("", rule.statement.span.text)

    # -- a whole text -----------------------------------------------------------------------

    @property
    def is_listing(self) -> bool:
        return False

    def adds_once(self, source: SourceFile) -> bool:
        return False

    def declares(self, origin: Origin) -> bool:
        return True

    def emptied_chains(self, source: SourceFile) -> frozenset[tuple[str, str, str]]:
        return frozenset()

    def flushed_family(self, flush: Origin) -> str | None:
        return None

    def looks_after_iptables(self, source: SourceFile) -> bool:
        return False

    def warns_of_legacy(self, source: SourceFile) -> Span | None:
        return None

    def lost_rules(self, source: SourceFile) -> Iterator[LostRule]:
        return iter(())

    def is_entry_point(self, source: SourceFile) -> bool:
        return False

    def included(self, source: SourceFile) -> Iterator[str]:
        return iter(())

    # -- edits --------------------------------------------------------------------------------

    def move_before(self, rule: Rule, other: Rule) -> tuple[Edit, ...] | None:
        return statement_edits.moved_lines(self.take_out(rule), other.statement.span)

    def put_policy(self, command: Span, verdict: str) -> Edit | None:
        return None

    # -- what a ruleset lacks -----------------------------------------------------------------

    def policy_command(self, chain: Chain, table: Table, verdict: str) -> str | None:
        return None

    # -- a rule, written otherwise -----------------------------------------------------------

    def with_state(self, rule: Rule, state: str) -> str | None:
        return rule_text.with_states(rule, lambda states: [*states, state])

    def without_state(self, rule: Rule, state: str) -> str | None:
        return rule_text.with_states(rule, lambda states: [s for s in states if s.lower() != state])

    def answers_only(self, rule: Rule) -> str | None:
        return rule_text.answers_only(rule)

    def reply_of(self, rule: Rule, *, forwarded: bool) -> str:
        return rule_text.mirrored(rule, forwarded=forwarded)

    def by_name(self, test: Span) -> str | None:
        return ""

    def with_port(self, rule: Rule, part: int, port: int, instead: str) -> str | None:
        test = rule.origin.part(part).text
        return rule_text.with_test(rule, test, re.sub(rf"\b{port}\b", instead, test))

    def with_translated_port(self, rule: Rule, part: int, port: int, instead: str) -> str | None:
        test = rule.origin.part(part).text
        moved = re.sub(rf"\b{port}\b", instead, test)
        if moved == test:
            return None
        status = self.pick(iptables="-m conntrack --ctstate DNAT", nft="ct status dnat")
        return rule_text.with_test(rule, test, f"{moved} {status}")
