"""Reads the sources, and gives each reading what the sets of the others hold."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from iptlint.analysis.includes import has_unseen_includes
from iptlint.dialects import Diagnostic, Reader, Reading, read, unread
from iptlint.dialects.detect import NFT, SCRIPT
from iptlint.dialects.placeholders import holds_placeholder, is_filled_in
from iptlint.dialects.sets import only_sets, read_sets, together
from iptlint.findings import Confidence, Finding, Severity
from iptlint.findings.blocks import as_blocks
from iptlint.findings.fix import Fix
from iptlint.linter.budget import OverBudgetError, Watch
from iptlint.loads.judges import load
from iptlint.loads.refusal import Refusal
from iptlint.model import Family, Ruleset
from iptlint.rules.reading import crashed, cut_short, refused
from iptlint.rules.registry import rule_of
from iptlint.source import SourceFile, Span, Spans

if TYPE_CHECKING:
    from iptlint.model.sets import SavedSets

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Collected:
    """What was read, and what the tools refuse of it. ``crashes``: where a reader failed;
    ``cut``: where the budget was not enough. The others are read all the same."""

    readings: tuple[Reading, ...]
    refusals: tuple[Refusal, ...]
    sets: SavedSets | None
    crashes: tuple[Finding, ...]
    cut: tuple[Finding, ...]

    def findings(self) -> Iterator[Finding]:
        """What the readers say of the texts, and what else is refused of them."""
        yield from self.cut
        spans = []
        for reading in self.readings:
            findings = [_finding(reading, each) for each in reading.diagnostics]
            spans += [finding.span for finding in findings]
            yield from as_blocks(findings)
        spans_told = Spans(spans)
        for refusal in self.refusals:
            if not spans_told.overlap(refusal.span):
                yield _refused(refusal)


def collect(
    sources: Sequence[SourceFile],
    ipsets: Sequence[SourceFile],
    reader: Reader | None,
    watch: Watch,
    families: Mapping[SourceFile, Family] = MappingProxyType({}),
    known: Mapping[SourceFile, Reading] = MappingProxyType({}),
) -> Collected:
    """``ipsets`` are read as sets, whatever they look like; ``reader`` says how the others are, and
    ``families`` of which family those are that do not tell. ``known``: what ``reader`` made of some
    before."""
    work = _Work(watch)

    def read_one(source: SourceFile) -> Reading:
        if source in known:
            return known[source]
        family = families.get(source)
        return read(source, replace(reader or Reader(), family=family) if family else reader)

    readings = [work.read(read_one, source) for source in sources]
    readings += (work.read(read_sets, source) for source in ipsets)
    refusals = [refusal for reading in readings for refusal in work.refusals(reading)]
    readings, refusals = _as_included([*_as_sourced(readings)], refusals)
    readings, sets = _together(readings, work.crashes)
    return Collected(tuple(readings), tuple(refusals), sets, tuple(work.crashes), tuple(work.cut))


def _as_sourced(readings: Sequence[Reading]) -> Iterator[Reading]:
    """Of a script that another one of the run sources nobody expects a command for a firewall."""
    scripts = [r.ruleset.source for r in readings if r.ruleset.dialect == SCRIPT]
    for reading in readings:
        own = reading.ruleset.source
        others = [script for script in scripts if script is not own]
        yield _within(reading) if any(_sources(other, own) for other in others) else reading


def _sources(script: SourceFile, other: SourceFile) -> bool:
    name = re.escape(PurePath(other.path).name)
    pattern = rf"^[ \t]*(?:source|\.)[ \t]+[^\s#]*(?<![\w.-]){name}(?![\w.-])"
    return re.search(pattern, script.text, re.MULTILINE) is not None


def _as_included(
    readings: Sequence[Reading], refusals: Sequence[Refusal]
) -> tuple[list[Reading], list[Refusal]]:
    """Without what is wrong only with files that are loaded by themselves, of those that another
    one includes: they need no table, no variable, and no end of their last line that the other one
    gives."""
    including = [
        r for r in readings if r.ruleset.dialect == NFT and "include" in r.ruleset.source.text
    ]
    if len(readings) < 2 or not including:
        return list(readings), list(refusals)
    included = {os.path.realpath(s.path) for r in including for s in r.included()}
    paths = {r.ruleset.source: os.path.realpath(r.ruleset.source.path) for r in readings}
    own = {
        source
        for source, path in paths.items()
        if path in included or any(_names(r.ruleset, source) for r in including)
    }
    whole = [each for each in refusals if each.check.alone or each.made_later]
    kept = [each for each in refusals if not (each in whole and each.span.source in own)]
    return [_within(r) if r.ruleset.source in own else r for r in readings], kept


def _names(ruleset: Ruleset, other: SourceFile) -> bool:
    """Whether an include names what is called like the other file, which lies beside the including
    one or below it: as where the files of a host are kept in a repository. One that lies elsewhere
    it has to name in full; a template may name any other."""
    folder = PurePath(os.path.realpath(ruleset.source.path)).parent
    path = PurePath(os.path.realpath(other.path))
    if other is ruleset.source:
        return False
    names = [*ruleset.syntax.included(ruleset.source)]
    if is_filled_in(other) and any(map(holds_placeholder, names)):
        return True
    if folder not in path.parents:
        return path.name in (PurePath(name).name for name in names)
    depth = len(path.parts) - len(folder.parts)
    patterns = (PurePath(pattern).parts for pattern in names)
    return any(path.match(str(PurePath(*parts[-depth:]))) for parts in patterns)


def _within(reading: Reading) -> Reading:
    told = tuple(each for each in reading.diagnostics if not each.alone)
    return replace(reading, diagnostics=told)


@dataclass(slots=True)
class _Work:
    """Whatever is wrong in the reader of one file, or too much of it, the others are still read."""

    watch: Watch
    crashes: list[Finding] = field(default_factory=list)
    cut: list[Finding] = field(default_factory=list)

    def read(self, reader: Callable[[SourceFile], Reading], source: SourceFile) -> Reading:
        read = self._guarded(source, "reading the file", lambda: reader(source))
        return read or unread(source, "unknown")

    def refusals(self, reading: Reading) -> list[Refusal]:
        """Without those of what another host may have, and those that lint rules tell of. No tool
        loads a template as it stands."""
        if is_filled_in(reading.ruleset.source):
            return []
        judged = self._guarded(reading.ruleset.source, "loading the file", lambda: load(reading))
        if judged is None:
            return []
        told = (each for each in judged.refusals if not each.check.linted)
        return [each for each in told if not each.missing or _is_told(each, reading)]

    def _guarded(self, source: SourceFile, what: str, work: Callable[[], _T]) -> _T | None:
        try:
            with self.watch.over(f"{what}: {source.path}", whole=True):
                return work()
        except OverBudgetError as error:
            self.cut.append(cut_short(source, str(error), what))
        except MemoryError:
            self.cut.append(cut_short(source, "the memory of this machine", what))
        except Exception as crash:
            self.crashes.append(crashed(source, what, crash))
        return None


def _is_told(missing: Refusal, reading: Reading) -> bool:
    """Whether who loads the file at boot gets none of its rules."""
    by_nft = reading.ruleset.dialect == NFT
    return missing.made_later and by_nft and not has_unseen_includes(reading.ruleset)


def _refused(refusal: Refusal) -> Finding:
    fix = Fix(refusal.mend, refusal.edits) if refusal.edits else None
    if not refusal.made_later:
        return refused(refusal.span, refusal.cause, refusal.mend, _severity(refusal), fix)
    cause = (
        f"{refusal.cause}, as the file makes it only below: unless something else has made it, as "
        "after a boot, nft refuses the whole file"
    )
    told = refused(refusal.span, cause, refusal.mend, Severity.WARNING)
    return replace(told, confidence=Confidence.POSSIBLE)


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
        likeness=_fault(diagnostic.message),
        fix=Fix(diagnostic.help, diagnostic.edits) if diagnostic.edits else None,
    )


_MISSING = re.compile(r"(?<=[tT]here is no )(variable|file) \S+")
_BECOMES = re.compile(r"^`.*` becomes `[^`]*`")
_WAY = re.compile(r"^`-[io] (?=[^`]+` is refused)")
_SPLIT = re.compile(r"^`[^`]*` is \d+ words here \(`[^`]*`\)")
_STRAY = re.compile(r"^`[^`]*`(?= is (?:not an option's argument|a placeholder))")

_WITHOUT_VALUE = re.compile(
    r"^\$.+? (?:has|have) (?=no value here)|(?<=^nothing in this script gives )\$\w+"
)


def _fault(message: str) -> str:
    """What is wrong, whatever had been expected there, whichever variable or file is missing,
    whichever word is too many (a text whose long lines were broken has one in each of them) or a
    placeholder, whichever variable is several words, whichever way an interface is asked for."""
    fault = _WITHOUT_VALUE.sub("", _STRAY.sub("", message.partition("; expected")[0]))
    fault = _WAY.sub("", fault)
    fault = _SPLIT.sub("is several", _BECOMES.sub("becomes another", fault))
    return _MISSING.sub(r"\1", fault)
