"""What statements may ask of the shell that works through them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from iptlint.dialects.script import tree as t
from iptlint.dialects.script.generated_text import Condition
from iptlint.dialects.script.state import Result, Run
from iptlint.dialects.script.word_expansion import Expander
from iptlint.source import Span


class Interpreter(Protocol):
    """The shell: what a statement does may depend on what other statements do."""

    run: Run

    def execute_all(self, statements: Sequence[t.Statement]) -> Result:
        """Until one of them leaves the place they are in."""

    def execute(self, statement: t.Statement) -> Result:
        """One statement, with all that is in it."""

    def span(self, node: t.Node) -> Span:
        """Where the node is in the script."""

    def line(self, node: t.Node, prefix: str = "") -> str:
        """The node's text on one line, as people read it."""

    def condition(self, node: t.Node, result: Result, word: str = "if ") -> Condition:
        """That the node succeeds, which is known only when the script runs; ``result``: what it
        gave when it was asked."""

    def expander(self) -> Expander:
        """Expands words with the variables as they are now."""
