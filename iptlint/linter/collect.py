"""Reads the sources, and gives each reading what the sets of the others hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from iptlint.dialects import Diagnostic, Reader, Reading, read, unread
from iptlint.dialects.sets import only_sets, read_sets, together
from iptlint.findings import Finding, Severity
from iptlint.linter.budget import OverBudgetError, Watch
from iptlint.loads.judges import load
from iptlint.loads.refusal import Refusal
from iptlint.model.sets import SavedSets
from iptlint.rules.reading import crashed, refused
from iptlint.rules.registry import rule_of
from iptlint.source import SourceFile, Span, Spans


@dataclass(frozen=True, slots=True)
class Collected:
    """What was read, and what the tools refuse of it. ``crashes``: where a reader failed; the
    others are read all the same."""

    readings: tuple[Reading, ...]
    refusals: tuple[Refusal, ...]
    sets: SavedSets | None
    crashes: tuple[Finding, ...]

    def findings(self) -> Iterator[Finding]:
        """What the readers say of the texts, and what else is refused of them."""
        spans = []
        for reading in self.readings:
            for diagnostic in reading.diagnostics:
                finding = _finding(reading, diagnostic)
                spans.append(finding.span)
                yield finding
        told = Spans(spans)
        for refusal in self.refusals:
            if not told.overlap(refusal.span):
                yield refused(refusal.span, refusal.cause, refusal.mend, _severity(refusal))


def collect(
    sources: Sequence[SourceFile],
    ipsets: Sequence[SourceFile],
    reader: Reader | None,
    watch: Watch,
) -> Collected:
    """``ipsets`` are read as sets, whatever they look like; ``reader`` says how the others are."""
    crashes: list[Finding] = []
    readings = [
        _read(lambda text: read(text, reader), source, crashes, watch) for source in sources
    ]
    readings += (_read(read_sets, source, crashes, watch) for source in ipsets)
    refusals = [refusal for reading in readings for refusal in _refusals(reading, crashes)]
    readings, sets = _together(readings, crashes)
    return Collected(tuple(readings), tuple(refusals), sets, tuple(crashes))


def _read(
    reader: Callable[[SourceFile], Reading],
    source: SourceFile,
    crashes: list[Finding],
    watch: Watch,
) -> Reading:
    try:
        with watch.over(whole=True):
            return reader(source)
    except (OverBudgetError, MemoryError) as error:
        limit = str(error) or "the memory of this machine"
        message = f"{limit} was not enough to read the file; none of it was checked"
        end = source.line_span(1).end
        advice = "lint its tables one by one"
        return unread(source, "unknown", Diagnostic("IPT010", "warning", 0, end, message, advice))
    except Exception as crash:
        # Whatever is wrong in the reader of one file, the other files are still linted.
        crashes.append(crashed(source, "reading the file", crash))
        return unread(source, "unknown")


def _refusals(reading: Reading, crashes: list[Finding]) -> list[Refusal]:
    """Without those of what another host may have, and those that lint rules tell of."""
    try:
        judged = load(reading)
    except Exception as crash:
        crashes.append(crashed(reading.ruleset.source, "loading the file", crash))
        return []
    if judged is None:
        return []
    return [each for each in judged.refusals if not (each.missing or each.check.linted)]


def _severity(refusal: Refusal) -> Severity | None:
    """What only one variant of a tool refuses may never be given to that one."""
    return Severity.WARNING if refusal.variant else None


def _together(
    readings: list[Reading], crashes: list[Finding]
) -> tuple[list[Reading], SavedSets | None]:
    try:
        readings, sets = together(readings)
    except Exception as crash:
        crashes.append(crashed(readings[0].ruleset.source, "reading the sets", crash))
        return readings, None
    bare = only_sets(readings)
    if bare is not None:
        readings[0] = replace(readings[0], diagnostics=(*readings[0].diagnostics, bare))
    return readings, sets


def _finding(reading: Reading, diagnostic: Diagnostic) -> Finding:
    return rule_of(diagnostic.code).meta.finding(
        Span(diagnostic.source or reading.ruleset.source, diagnostic.start, diagnostic.end),
        diagnostic.message,
        diagnostic.help,
        severity=Severity(diagnostic.severity),
        likeness=diagnostic.message,
    )
