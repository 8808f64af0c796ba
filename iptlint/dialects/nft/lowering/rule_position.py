"""Where the rules and chains of nft were written. Spans are worked out when asked for."""

from __future__ import annotations

from dataclasses import dataclass

from iptlint.dialects.nft.nodes import Node
from iptlint.source import SourceFile, Span, WholeOrigin


@dataclass(frozen=True, slots=True, eq=False)
class NftOrigin:
    """A rule, or a part of one.

    ``tests``: for each test of the rule the statement that makes it. ``verdict``: the statement
    that is the verdict, or the last one that does something.
    """

    source: SourceFile
    start: int
    end: int
    tests: tuple[Node, ...] = ()
    verdict: Node | None = None

    @property
    def span(self) -> Span:
        return Span(self.source, self.start, self.end)

    def part(self, index: int) -> Span:
        """The statement of the test ``index``; ``-1`` is the verdict."""
        node = self.verdict if index < 0 else None
        if 0 <= index < len(self.tests):
            node = self.tests[index]
        if node is None or node.end <= node.start:
            return self.span
        return Span(self.source, node.start, node.end)


def header(origin: WholeOrigin) -> WholeOrigin:
    """The declaration without its block."""
    text = origin.source.text[origin.start : origin.end]
    head = text.partition("{")[0].rstrip()
    return WholeOrigin(origin.source, origin.start, origin.start + len(head)) if head else origin
