"""How a script calls a tool, what it hands to it, and what is written down of that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from iptlint.dialects.script.empty_values import Emptied
from iptlint.dialects.script.files import read_beside
from iptlint.dialects.script.generated_text import TextPart
from iptlint.dialects.script.not_understood import Reason
from iptlint.dialects.script.state import Run
from iptlint.dialects.script.steps import Step
from iptlint.model.script import Kind
from iptlint.source import Span


@dataclass(frozen=True, slots=True)
class Call:
    """A command with its words expanded. ``written``: standard output goes to this file.
    ``lacking``: where it names variables that are known to have no value."""

    words: tuple[str, ...]
    spans: tuple[Span, ...]
    span: Span
    written: str | None = None
    lacking: Emptied | None = None

    def without(self, count: int) -> Call:
        spans = self.spans[count:]
        lacking = self.lacking.since(spans[0].start) if self.lacking and spans else None
        return replace(self, words=self.words[count:], spans=spans, lacking=lacking)


def add(
    run: Run, call: Call, kind: Kind, reasons: Sequence[tuple[Reason, str]] = (), **more: object
) -> None:
    where = call.span, kind, call.words, run.conditions(), run.calls
    run.add(Step(*where, **more), reasons)  # type: ignore[arg-type]


def text_for(run: Run, call: Call, file: str | None) -> tuple[TextPart, ...] | None:
    """What a tool reads, from a file or from its standard input; None where it is not there."""
    if file is None:
        return None if run.stdin is None else run.stdin.parts
    return read_beside(run, file, call.span)
