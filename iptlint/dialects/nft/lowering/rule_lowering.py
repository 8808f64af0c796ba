"""A rule while its statements are lowered."""

from __future__ import annotations

from dataclasses import dataclass, field

from iptlint.dialects.diagnostics import Diagnostic
from iptlint.dialects.nft import tree as t
from iptlint.dialects.nft.lowering.dependencies import Context
from iptlint.dialects.nft.tables import OpenTable
from iptlint.source import SourceFile

_LOOK_BACK = 100
"""Diagnostics among which one is looked for before it is said again."""


@dataclass(slots=True)
class RuleLowering:
    """The table and the source of a rule, and what the tests read so far say of its packets.

    One for each rule, whose tests are read in their order. ``missing``: text that may declare
    anything could not be read.
    """

    table: OpenTable
    source: SourceFile
    diagnostics: list[Diagnostic]
    missing: bool = False
    context: Context = field(init=False)

    def __post_init__(self) -> None:
        self.context = Context.of(self.table.family)

    def refuse(
        self,
        code: str,
        node: t.Node,
        message: str,
        help: str,
        source: SourceFile | None = None,
        severity: str = "error",
    ) -> None:
        """nft would not load this. What several rules refer to is said once."""
        place = (node.start, node.end)
        diagnostic = Diagnostic(code, severity, *place, message, help, source or self.source)
        if diagnostic not in self.diagnostics[-_LOOK_BACK:]:
            self.diagnostics.append(diagnostic)

    def text(self, node: t.Node) -> str:
        return self.source.text[node.start : node.end]
