"""What may be asked of a text that is to be changed: edits of its own parts.

Each answer is None where the text does not let it be done by that: a command of a script that
makes several rules, a rule that shares its line with something else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from iptlint.source import Edit, Origin, Span

if TYPE_CHECKING:
    from iptlint.model.ruleset import Rule
    from iptlint.model.syntax import Suggestion


class Editing(Protocol):
    """One language. A remark above a rule stays, one behind it on its line goes with it."""

    def take_out(self, rule: Rule) -> Edit | None:
        """The text without the rule."""

    def take_out_declared(
        self, declaration: Origin, rules: Sequence[Rule] = ()
    ) -> tuple[Edit, ...] | None:
        """The text without what is declared there, a set or a define, or a chain with all its
        rules."""

    def move_before(self, rule: Rule, other: Rule) -> tuple[Edit, ...] | None:
        """The text with the rule where the other one of its chain is, before it."""

    def put_before(self, rule: Rule, suggestion: Suggestion) -> Edit | None:
        """The text with a new rule, in the same chain, before the rule."""

    def put_above(self, rule: Rule, text: str) -> Edit | None:
        """The text with another rule, as it is written, on a line of its own before the rule."""

    def put_policy(self, command: Span, verdict: str) -> Edit | None:
        """The text with another policy in the command of a script that sets one."""

    def put(self, rule: Rule, text: str) -> Edit | None:
        """The text with another one for that of the rule, its place and counters aside."""
