"""Applies what findings propose, as much of it as can be proved.

What must change nothing goes together, and one by one where that cannot be proved; what means to
change something goes by itself. After each edit the texts are linted again, so the next one is
proved on the result.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from iptlint.findings import Finding
from iptlint.findings.fingerprint import subject
from iptlint.fixes.proof import Attempt, State, finding_objection, meaning_objection
from iptlint.fixes.set_file import NoPlaceError, with_sets
from iptlint.linter.budget import Budget, OverBudgetError, Watch
from iptlint.linter.report import Report
from iptlint.packets.diagrams import DDMemoryError
from iptlint.source import Edit, SourceFile, Spans, edited

Lint = Callable[[State], Report]


@dataclass(frozen=True, slots=True)
class Refused:
    """A fix that could not be proved; ``why`` is the end of a sentence. ``tried``: or there was no
    time left to."""

    attempt: Attempt
    why: str
    tried: bool = True


@dataclass(frozen=True, slots=True)
class Fixed:
    """``state``: the texts that are left, in the order of those that were given; a new file of sets
    is the last of ``ipsets``."""

    state: State
    applied: tuple[Attempt, ...]
    refused: tuple[Refused, ...]


@dataclass(frozen=True, slots=True)
class Allowed:
    """Which fixes are asked for: of these codes; ``unsafe``: those too that are not safe."""

    codes: Collection[str]
    unsafe: bool = False

    def takes(self, finding: Finding) -> bool:
        fix = finding.fix
        return fix is not None and finding.code in self.codes and (fix.safe or self.unsafe)


def fix_all(state: State, lint: Lint, allowed: Allowed, budget: Budget) -> Fixed:
    """``lint`` runs all rules over the texts; ``budget``: what it may take in all."""
    return _Work(state, lint, allowed, budget, lint(state)).done()


def prove(state: State, lint: Lint, report: Report, finding: Finding, budget: Budget) -> Fixed:
    """The fix of one finding of the report, applied or refused."""
    assert finding.fix is not None
    work = _Work(state, lint, Allowed(()), budget, report)
    work._step([Attempt(finding, finding.fix)])
    return Fixed(work.state, tuple(work.applied), tuple(work.refused.values()))


@dataclass(slots=True)
class _Work:
    state: State
    lint: Lint
    allowed: Allowed
    budget: Budget
    report: Report
    applied: list[Attempt] = field(default_factory=list)
    refused: dict[object, Refused] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    def done(self) -> Fixed:
        while waiting := [*self._waiting()]:
            if self._is_late():
                why = f"the time of {self.budget.seconds:g} s a file (--timeout) was not enough"
                self._refuse(waiting, why, tried=False)
            else:
                self._step(waiting)
        return Fixed(self.state, tuple(self.applied), tuple(self.refused.values()))

    def _waiting(self) -> Iterator[Attempt]:
        for finding in self.report.each:
            if finding.fix is not None and self.allowed.takes(finding):
                # What would tell more of it holds all that was worked out of the old texts.
                attempt = Attempt(replace(finding, later=None), finding.fix)
                if _name(attempt) not in self.refused:
                    yield attempt

    def _is_late(self) -> bool:
        seconds = self.budget.seconds
        spent = time.monotonic() - self.began
        return seconds is not None and spent > seconds * len(self.state.sources)

    def _step(self, waiting: list[Attempt]) -> None:
        """Applies as many of those that come first as can be proved together, or refuses one."""
        together = _apart(waiting)
        while True:
            why = self._applied(together)
            gc.collect()  # the old state or the refused one; nobody else does: see cli.main
            if why is None:
                return
            if len(together) == 1:
                self._refuse(together, why)
                return
            together = together[: len(together) // 2]

    def _refuse(self, attempts: Sequence[Attempt], why: str, *, tried: bool = True) -> None:
        for attempt in attempts:
            self.refused[_name(attempt)] = Refused(attempt, why, tried)

    def _applied(self, attempts: list[Attempt]) -> str | None:
        """Goes on with the edited texts; or says why it does not."""
        edits = [edit for attempt in attempts for edit in attempt.fix.edits]
        why = self._out_of_reach(edits)
        if why is not None:
            return why
        sources = tuple(_with(source, edits) for source in self.state.sources)
        new = replace(self.state, sources=sources)
        try:
            new = with_sets(new, "".join(attempt.fix.sets for attempt in attempts))
        except NoPlaceError as error:
            return str(error)
        why = self._guarded(lambda: meaning_objection(self.state, new, attempts))
        if why is not None:
            return why
        report = self.lint(new)
        why = finding_objection(self.report, report, attempts)
        if why is None:
            self.state, self.report = new, report
            self.applied += attempts
        return why

    def _out_of_reach(self, edits: Sequence[Edit]) -> str | None:
        """That a text is not one of those to be fixed, or that another one draws it in."""
        real = self.state.reader.files.real_path
        named = {real(source.path) for source in self.state.sources}
        drawn_in = {
            real(rule.statement.span.source.path)
            for reading in self.state.readings
            for _, _, rule in reading.ruleset.rules()
            if rule.statement.span.source is not reading.ruleset.source
        }
        for path in (edit.span.source.path for edit in edits):
            if real(path) not in named:
                return f"{path} is not one of the files that are to be fixed"
            if real(path) in drawn_in:
                return f"another file has {path} read, and would change with it"
        return None

    def _guarded(self, proof: Callable[[], str | None]) -> str | None:
        watch = Watch(self.budget, len(self.state.sources))
        try:
            with watch, watch.over():
                return proof()
        except OverBudgetError as error:
            return f"{error} was not enough for the proof"
        except (DDMemoryError, MemoryError):
            return "the room that the analysis has was not enough for the proof"


_TOGETHER = 200
"""More are not tried at once."""


def _apart(waiting: list[Attempt]) -> list[Attempt]:
    """Those that go together: the first, and where it must change nothing, others that must not
    and that share no character with those before."""
    first = waiting[0]
    if first.fix.changes:
        return [first]
    together, taken = [first], [edit.span for edit in first.fix.edits]
    for attempt in waiting[1:_TOGETHER]:
        spans = [edit.span for edit in attempt.fix.edits]
        known = Spans(taken)
        if not attempt.fix.changes and not any(map(known.cross, spans)):
            together.append(attempt)
            taken += spans
    return together


def _name(attempt: Attempt) -> object:
    """What stays the same of an attempt when lines move."""
    return subject(attempt.finding), attempt.fix.says


def _with(source: SourceFile, edits: Sequence[Edit]) -> SourceFile:
    own = [edit for edit in edits if edit.span.source is source]
    return edited(source, own) if own else source
