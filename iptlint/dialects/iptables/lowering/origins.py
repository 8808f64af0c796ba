"""Where rules, chains and tables were written. Spans are worked out when asked for."""

from __future__ import annotations

from dataclasses import dataclass

from iptlint.dialects.iptables.lowering.parts import Cell
from iptlint.dialects.iptables.lowering.plan import Plan
from iptlint.dialects.iptables.parsing.tree import CommandLine
from iptlint.maker import maker
from iptlint.source import SourceFile, Span

_span = maker(Span)


@dataclass(frozen=True, slots=True, eq=False)
class RuleOrigin:
    line: CommandLine
    plan: Plan

    @property
    def source(self) -> SourceFile:
        return self.line.source

    @property
    def span(self) -> Span:
        line = self.line
        return _span(line.source, line.start, line.end)

    def part(self, index: int) -> Span:
        """The option that makes the test ``index``, or all of its extension's where several do."""
        if index < 0:
            return self._verdict()
        for cell in self.plan.cells:
            part = cell.known.get(cell.key(self.line.words))
            count = len(part.matches) if part else 0
            if index < count:
                return self._test(cell, index)
            index -= count
        return self.span

    def _verdict(self) -> Span:
        shape = self.plan.shape
        if shape.jump is None:
            return self.span
        end = self.plan.target.load.end if self.plan.target and self.plan.target.load else 0
        return self.line.words_span(self.source, shape.jump_start, max(shape.jump.word + 1, end))

    def _test(self, cell: Cell, index: int) -> Span:
        use = None if cell.load is None else _use_of(cell, self.line, index)
        if use is None:
            return cell_span(self.source, self.line, cell)
        return use_span(self.source, self.line, cell, use)


def _use_of(cell: Cell, line: CommandLine, index: int) -> int | None:
    counts = cell.counts(line.words)
    if counts is None:
        return 0 if len(cell.uses) == 1 else None
    if index < counts[0]:
        return None
    index -= counts[0]
    for use, count in enumerate(counts[1]):
        if index < count:
            return use
        index -= count
    return None


def use_span(source: SourceFile, line: CommandLine, cell: Cell, use: int) -> Span:
    used = cell.uses[use]
    return line.words_span(source, used.start, used.end)


def cell_span(source: SourceFile, line: CommandLine, cell: Cell) -> Span:
    """All of an extension; what ``-p`` loaded by itself is only its options."""
    if cell.load is not None and not (cell.load.implicit and cell.uses):
        return line.words_span(source, cell.load.start, cell.load.end)
    starts = [use.start for use in cell.uses]
    return line.words_span(source, min(starts), max(use.end for use in cell.uses))
