"""What every language answers alike: it is looked for in the words of each.

A script, and a host, may have rules of both languages at the same time.
"""

from __future__ import annotations

from collections.abc import Iterator

from iptlint.dialects import remarks, rule_text, written_lists
from iptlint.model import Rule
from iptlint.model.syntax import ListElement, Syntax, WrittenList
from iptlint.source import SourceFile


class CommonSyntax(Syntax):
    # -- what is written --------------------------------------------------------------------

    def elements(self, place: WrittenList) -> list[ListElement]:
        return written_lists.elements(place)

    def value(self, rule: Rule, part: int) -> str:
        return rule_text.value(rule.origin.part(part).text)

    def has_remark(self, rule: Rule) -> bool:
        return remarks.of_rule(rule)

    def is_in_remarked_block(self, rule: Rule) -> bool:
        return remarks.of_block(rule)

    def is_entry_point(self, source: SourceFile) -> bool:
        return False

    def included(self, source: SourceFile) -> Iterator[str]:
        return iter(())

    # -- a rule, written otherwise -----------------------------------------------------------

    def edited(self, rule: Rule, part: int, text: str) -> str:
        return rule_text.edited(rule.origin.span, rule.origin.part(part), text)

    def with_state(self, rule: Rule, state: str) -> str | None:
        return rule_text.with_states(rule, lambda states: [*states, state])

    def without_state(self, rule: Rule, state: str) -> str | None:
        return rule_text.with_states(rule, lambda states: [s for s in states if s.lower() != state])

    def answers_only(self, rule: Rule) -> str | None:
        return rule_text.answers_only(rule)

    def reply_of(self, rule: Rule, *, forwarded: bool) -> str:
        return rule_text.mirrored(rule, forwarded=forwarded)
