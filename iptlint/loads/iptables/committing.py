"""What the kernel refuses of a table that the tool has read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from iptlint.dialects import Reading
from iptlint.dialects.iptables.parsing.tree import (
    CommandLine,
    CommitLine,
    SaveFile,
    Shape,
    Use,
)
from iptlint.loads.iptables import checks
from iptlint.loads.refusal import Refusal
from iptlint.model.call_graph import calls_in
from iptlint.source import Edit, Span


def kernel_refusals(reading: Reading) -> Iterator[Refusal]:
    yield from _loops(reading)
    assert isinstance(reading.tree, SaveFile)
    clamping: dict[Shape, bool] = {}
    for line in reading.tree.lines:
        match line:
            case CommandLine(shape):
                if shape not in clamping:
                    clamping[shape] = _clamps(shape)
                if clamping[shape]:
                    yield from _not_of_a_syn(reading, line)
            case CommitLine() if line.end == len(reading.ruleset.source.text):
                span = Span(reading.ruleset.source, line.start, line.end)
                cause = "the last line does not end: iptables-legacy-restore takes it for a rule"
                end = (Edit(Span(span.source, line.end, line.end), "\n"),)
                mend, check = "end the last line of the file with a newline", checks.NO_LINE_END
                yield Refusal(span, check, cause, mend, variant="legacy", edits=end)


def _loops(reading: Reading) -> Iterator[Refusal]:
    """Of chains that a built-in one leads to; the kernel looks at no other."""
    for table in reading.ruleset.tables:
        calls = calls_in(table)
        for jumps in calls.loops():
            *_, closing = jumps
            start = closing.verdict.chain or ""
            if calls.bases_of(start):
                way = " → ".join([start, *(jump.verdict.chain or "" for jump in jumps)])
                cause = f"this jump closes a circle, {way}"
                mend = "take out one of the jumps; RETURN goes back to the caller"
                yield Refusal(closing.origin.part(-1), checks.LOOP, cause, mend)


def _clamps(shape: Shape) -> bool:
    extension = shape.target.extension if shape.target is not None else None
    return extension is not None and extension.name == "TCPMSS"


def _not_of_a_syn(reading: Reading, line: CommandLine) -> Iterator[Refusal]:
    """TCPMSS changes what only the first packets of a connection carry."""
    target = line.shape.target
    assert target is not None
    if not any(_asks_for_syn(line, load.uses) for load in line.shape.matches):
        span = line.words_span(reading.ruleset.source, target.start, target.end)
        cause = "TCPMSS is for packets that open a connection: iptables-legacy-restore refuses it"
        mend = "test for them: -p tcp --tcp-flags SYN,RST SYN"
        yield Refusal(span, checks.SYN, cause, mend, variant="legacy")


def _asks_for_syn(line: CommandLine, uses: Iterable[Use]) -> bool:
    return any(
        use.option.name == "syn"
        or (use.option.name == "tcp-flags" and _with_syn(use.texts(line.words)[-1]))
        for use in uses
        if not use.negated
    )


def _with_syn(flags: str) -> bool:
    return bool({"SYN", "ALL"}.intersection(flags.upper().split(",")))
