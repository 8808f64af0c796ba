"""Whether an edited text does what its fix promises, and nothing else.

``objection`` says why not, in a sentence; None is the proof. It reads the text again, has it
loaded on trial, follows all packets through the old and the new rules, and lints again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from iptlint.analysis.diff import Difference, difference
from iptlint.analysis.divergence import Divergence
from iptlint.dialects import Reader, Reading, read
from iptlint.dialects.sets import read_sets, together
from iptlint.findings import Finding, Severity
from iptlint.findings.fingerprint import subject
from iptlint.findings.fix import Change, Fix
from iptlint.linter.report import Report
from iptlint.loads.judges import load
from iptlint.model import Chain, Family, Ruleset, Table
from iptlint.model.call_graph import CallGraph
from iptlint.model.host_addresses import new_destinations, shown_by
from iptlint.model.writes import Writes
from iptlint.packets.bdd import union
from iptlint.packets.match import Matcher
from iptlint.source import SourceFile, Spans


@dataclass(frozen=True, slots=True)
class Attempt:
    """A fix, and the finding that proposes it."""

    finding: Finding
    fix: Fix


@dataclass(frozen=True)
class State:
    """The texts at one time. Without slots: what is worked out about them lies on it."""

    sources: tuple[SourceFile, ...]
    ipsets: tuple[SourceFile, ...]
    reader: Reader

    @cached_property
    def readings(self) -> list[Reading]:
        readings = [read(source, self.reader) for source in self.sources]
        readings += map(read_sets, self.ipsets)
        return together(readings)[0]

    @property
    def sets(self) -> list[Reading]:
        return [reading for reading in self.readings if reading.ipset is not None]


def meaning_objection(old: State, new: State, attempts: Sequence[Attempt]) -> str | None:
    """Why the new texts are not to be trusted, before they are linted."""
    # A new file of sets is the last of the new ones; it has no rules.
    for before, after in zip(old.readings, new.readings, strict=False):
        if before.ruleset.source is not after.ruleset.source:
            said = (
                _unreadable(before, after)
                or _not_loaded((before, old), (after, new))
                or _unhooked(before.ruleset, after.ruleset, attempts)
                or _otherwise(before.ruleset, after.ruleset, attempts)
            )
            if said is not None:
                return said
    return None


def finding_objection(old: Report, new: Report, attempts: Sequence[Attempt]) -> str | None:
    """Why the new findings do not show that the fixes were good ones."""
    before, after = (Counter(map(subject, report.each)) for report in (old, new))
    fewer = Counter(subject(attempt.finding) for attempt in attempts)
    # What only takes away comes to an end, however much else then has no effect.
    codes = Counter(each.finding.code for each in attempts if any(e.text for e in each.fix.edits))
    counts = [Counter(finding.code for finding in report.each) for report in (old, new)]
    if any(after[key] > before[key] - number for key, number in fewer.items()):
        return "the finding would still be there"
    if any(counts[1][code] > counts[0][code] - number for code, number in codes.items()):
        return "it would bring another finding of its kind"
    if new.crashed:
        return "it would bring a new error: IPT009"
    warned = {code for attempt in attempts for code in attempt.fix.leads_to}
    for severity, meant in ((Severity.ERROR, set[str]()), (Severity.WARNING, warned)):
        had = _as_grave((*old.each, *old.yielded), severity)
        if more := (_as_grave(new.each, severity) - had).keys() - meant:
            return f"it would bring a new {severity.value}: {', '.join(sorted(more))}"
    return None


def _as_grave(findings: Sequence[Finding], severity: Severity) -> Counter[str]:
    """How many there are of each code that are so grave, or graver. What another finding of the
    same cause is told for is not new when that one is gone."""
    return Counter(f.code for f in findings if f.severity.rank <= severity.rank)


# -- the text ---------------------------------------------------------------------------------


def _unreadable(before: Reading, after: Reading) -> str | None:
    said = [
        Counter((d.code, d.message) for d in reading.diagnostics if d.severity == "error")
        for reading in (before, after)
    ]
    more = said[1] - said[0]
    return f"the new text could not be read: {next(iter(more))[1]}" if more else None


def _not_loaded(*each: tuple[Reading, State]) -> str | None:
    """Before the rules are loaded, the host has the sets."""
    loads = [load(reading, state.sets) for reading, state in each]
    known = Counter(r.cause for r in loads[0].refusals) if loads[0] else Counter[str]()
    more = Counter(r.cause for r in loads[1].refusals) - known if loads[1] else Counter[str]()
    return f"the new text would not be loaded: {next(iter(more))}" if more else None


def _unhooked(old: Ruleset, new: Ruleset, attempts: Sequence[Attempt]) -> str | None:
    """That packets say nothing of a rule of a chain which no hook leads to, unless it goes as a
    whole."""
    edits = Spans(edit.span for attempt in attempts for edit in attempt.fix.edits)
    for table, chain in _chains_with(old, edits):
        still = new.table(table.name, table.family)
        hooked = CallGraph(table.chains).bases_of(chain.name)
        if still is not None and chain.name in still.chains and not hooked:
            return f"no hook leads to the chain {chain.name} in this file, so nothing can be proved"
    return None


def _chains_with(ruleset: Ruleset, edits: Spans) -> Iterator[tuple[Table, Chain]]:
    for table in ruleset.tables:
        for chain in table.chains.values():
            if any(edits.cross(rule.statement.span) for rule in chain.rules):
                yield table, chain


# -- the packets ------------------------------------------------------------------------------


def _otherwise(old: Ruleset, new: Ruleset, attempts: Sequence[Attempt]) -> str | None:
    """What becomes of packets otherwise than is meant, on a host that has none of the addresses
    which translation leads to, and on one that has all of them."""
    differences = difference(old, new)
    said = _against(differences, attempts)
    if said is not None or not differences.assumed:
        return said
    shown = shown_by(old, new)
    there = [each for family in (Family.IP, Family.IP6) for each in new_destinations(family, old)]
    own = replace(shown, own=(*shown.own, *there))
    return _against(difference(old, new, addresses=own), attempts)


def _against(told: Difference, attempts: Sequence[Attempt]) -> str | None:
    if not told.families:
        return "no packets of this file could be compared"
    changes = [change for attempt in attempts for change in attempt.fix.changes]
    for change in told.changes:
        if not _is_meant(told, change, changes):
            return f"packets would fare otherwise that it is not about: {_example(change)}"
    if not told.certain:
        return "what a limit, or a test that iptlint does not know, decides may come out otherwise"
    if changes and not told.changes:
        return "no packet would fare otherwise"
    return None


def _is_meant(told: Difference, one: Divergence, changes: Sequence[Change]) -> bool:
    matcher = Matcher(told.space, Writes())
    meant = [
        matcher.all_of(tests, told.space.true).sure
        for change in changes
        if one.new.kind is change.kind and one.hook in change.hooks
        for tests in change.packets
    ]
    return not (one.packets & ~union(meant, told.space.false)).satisfiable()


def _example(change: Divergence) -> str:
    packet = change.witness
    what = f"{packet.proto or 'any protocol'} from {packet.saddr or 'anywhere'}"
    port = f" to port {packet.dport}" if packet.dport else ""
    return (
        f"{what}{port} at {change.hook.value} ({change.old.kind.value}, then "
        f"{change.new.kind.value})"
    )
