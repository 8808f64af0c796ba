"""Sources in, findings out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from iptlint.analysis.session import Context, Settings
from iptlint.dialects import Reader, Reading
from iptlint.findings import Finding, Telling
from iptlint.linter.budget import Budget, OverBudgetError, Tell, Watch, silent
from iptlint.linter.collect import Collected, collect
from iptlint.linter.publish import Published, fewer, publish
from iptlint.linter.report import LintedFile, Report
from iptlint.linter.selection import Selection
from iptlint.model import Family, Ruleset
from iptlint.packets.diagrams import DDMemoryError
from iptlint.rules.reading import crashed, out_of_room
from iptlint.rules.registry import Profile, RuleModule, rule_of, rules
from iptlint.source import SourceFile

if TYPE_CHECKING:
    from iptlint.analysis.overview import Overview
    from iptlint.benchmark.table import Judged
    from iptlint.model.cloud import Cloud
    from iptlint.model.host import Host


def lint(
    sources: Sequence[SourceFile],
    settings: Settings | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    reader: Reader | None = None,
    ipsets: Sequence[SourceFile] = (),
    profile: Profile = Profile.DEFAULT,
    host: Host | None = None,
    budget: Budget | None = None,
    *,
    suppress: bool = True,
    families: Mapping[SourceFile, Family] = MappingProxyType({}),
    tell: Tell = silent,
    overview: bool = False,
    known: Mapping[SourceFile, Reading] = MappingProxyType({}),
) -> Report:
    """Every selected rule over all the sources together.

    ``select`` and ``ignore`` hold codes, prefixes of codes and names; UnknownRuleError
    where no rule has one; ``profile`` says which run where none is selected. ``reader`` says
    how the sources are read.
    ``ipsets`` are sources that hold sets, whatever they look like; any other source that does
    is known by its text. ``host``: what else is known of the host that the sources are of.
    ``budget``: what the run may take; a finding says what it is not enough for. ``suppress``:
    whether comments in the texts are obeyed. ``families``: of texts that do not tell it.
    ``tell`` is told what is being done. ``overview``: whether the report has one of each ruleset.
    ``known``: what ``reader`` made of some sources before.
    """
    budget = budget or Budget()
    with Watch(budget, len(sources), tell) as watch:
        work = _Work(
            sources, ipsets, settings or Settings(), profile, host, watch, families, overview, known
        )
        return work.report(Selection.of(select, ignore, profile), reader, budget, suppress)


@dataclass(slots=True)
class _Work:
    """What reading, the benchmarks and the rules have found so far, and where they failed.
    ``unfinished``: by what was not enough, who did not look at everything. ``untold``: what was
    given up of what findings say."""

    sources: Sequence[SourceFile]
    ipsets: Sequence[SourceFile]
    settings: Settings
    profile: Profile
    host: Host | None
    watch: Watch
    families: Mapping[SourceFile, Family]
    overview: bool
    known: Mapping[SourceFile, Reading]
    findings: list[Finding] = field(default_factory=list)
    crashes: list[Finding] = field(default_factory=list)
    items: tuple[Judged, ...] = ()
    overviews: list[Overview] = field(default_factory=list)
    unfinished: dict[str, list[str]] = field(default_factory=dict)
    untold: set[Callable[[], Telling]] = field(default_factory=set)

    def report(
        self, selection: Selection, reader: Reader | None, budget: Budget, suppress: bool
    ) -> Report:
        collected = collect(
            self.sources, self.ipsets, reader, self.watch, self.families, self.known
        )
        self.findings += collected.findings()
        self.crashes += collected.crashes
        if collected.readings:
            self._ask(collected, selection)
        before = [reader.start.source] if reader and reader.start else []
        texts = (*self.sources, *self.ipsets, *before) if suppress else ()
        most = budget.told if _is_of_one_family(collected) else None
        published = self._published(collected, texts, selection, most)
        return Report(
            tuple(map(LintedFile.of, collected.readings)),
            fewer(published.findings, budget.findings),
            published.suppressed,
            bool(self.crashes),
            self.items if self.profile is Profile.CIS else None,
            published.each,
            bool(self.unfinished or collected.cut),
            (tuple(self.overviews),) if self.overviews else (),
            published.hidden,
            published.yielded,
        )

    def _published(
        self,
        collected: Collected,
        texts: Sequence[SourceFile],
        selection: Selection,
        most: int | None,
    ) -> Published:
        """Once more where something was not told, with the findings that say so."""
        while True:
            findings = [*self.findings]
            if self.unfinished:
                source = collected.readings[0].ruleset.source
                findings += (out_of_room(source, *each) for each in self.unfinished.items())
            untold = len(self.untold)
            published = publish(
                findings, self.crashes, texts, selection, self.host, self._tell, most
            )
            if len(self.untold) == untold:
                return published

    def _tell(self, finding: Finding) -> Finding:
        """With all that it says; as it is where that is too dear."""
        told = finding

        def work() -> None:
            nonlocal told
            told = finding.told()

        if finding.later is not None and finding.later not in self.untold:
            self._guarded(finding.span.source, finding.code, work)
            if told is finding:
                self.untold.add(finding.later)
        return told

    def _ask(self, collected: Collected, selection: Selection) -> None:
        context = _context(collected, self.settings, self.host)
        source = collected.readings[0].ruleset.source
        if self.profile is Profile.CIS:
            self._guarded(source, "the benchmark", lambda: self._judge(context, collected))
        for ruleset in context.rulesets if self.overview else ():
            self._look_over(context, ruleset)
        for rule in (rule for rule in rules() if rule.meta.code in selection.running):
            if not context.rulesets and not rule.meta.about_clouds:
                continue
            first = len(self.findings)
            self._guarded(source, rule.meta.code, lambda: self._run(rule, context))  # noqa: B023
            if self.settings.check_witnesses:
                self.crashes += _stray(context, [*map(self._tell, self.findings[first:])])

    def _run(self, rule: RuleModule, context: Context) -> None:
        for finding in rule.check(context):
            self.findings.append(finding)

    def _look_over(self, context: Context, ruleset: Ruleset) -> None:
        from iptlint.analysis.overview import Overview

        overview = Overview(ruleset)
        self.overviews.append(overview)
        for what, work in overview.parts(context):
            self._guarded(ruleset.source, what, work)

    def _judge(self, context: Context, collected: Collected) -> None:
        from iptlint.benchmark.host import BenchmarkHost
        from iptlint.benchmark.table import judged

        unfinished = [r.ruleset for r in collected.readings if _is_unfinished(r)]
        self.items = judged(BenchmarkHost(context, unfinished))

    def _guarded(self, source: SourceFile, what: str, work: Callable[[], None]) -> None:
        """A bug in one rule must not silence the others, and a panic of the Rust core is no
        Exception."""
        try:
            with self.watch.over(f"{what}: {source.path}"):
                work()
        except (DDMemoryError, MemoryError):
            self._give_up("the room that the analysis has", what)
        except OverBudgetError as error:
            self._give_up(str(error), what)
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except BaseException as crash:
            self.crashes.append(crashed(source, what, crash))

    def _give_up(self, limit: str, what: str) -> None:
        self.unfinished.setdefault(limit, []).append(what)


def _is_of_one_family(collected: Collected) -> bool:
    """Whether no finding can be told of both versions of IP."""
    rulesets = [reading.ruleset for reading in collected.readings]
    families = {table.family for ruleset in rulesets for table in ruleset.tables}
    return families < {Family.IP, Family.IP6} and not any(ruleset.script for ruleset in rulesets)


def _context(collected: Collected, settings: Settings, host: Host | None) -> Context:
    """Documents of a cloud are about one network: their filters are no rules of a host."""
    clouds = [reading.ruleset.cloud for reading in collected.readings]
    cloud = _joined([cloud for cloud in clouds if cloud is not None])
    return Context(_rulesets(collected.readings, host), settings, collected.sets, host, cloud)


def _joined(parts: Sequence[Cloud]) -> Cloud | None:
    if not parts:
        return None
    from iptlint.model.cloud import joined

    return joined(parts)


def _rulesets(readings: Sequence[Reading], host: Host | None) -> tuple[Ruleset, ...]:
    """What runs beside each other in one kernel is looked at as one."""
    rulesets = tuple(r.ruleset for r in readings if r.ruleset.cloud is None)
    if host is None or not host.mixed:
        return rulesets
    from iptlint.dialects.merging import merged

    return (merged(rulesets),)


def _is_unfinished(reading: Reading) -> bool:
    return any(rule_of(d.code).meta.unfinished for d in reading.diagnostics)


def _stray(context: Context, findings: Sequence[Finding]) -> Iterator[Finding]:
    """A crash for each finding whose packet does not come to what it names."""
    from iptlint.analysis.witness_check import comes_to

    firewalls = [context.firewall(ruleset) for ruleset in context.rulesets]
    for finding in findings:
        places = (finding.span, *(label.span for label in finding.related))
        packet = finding.witness
        if packet and not any(comes_to(firewall, packet, places) for firewall in firewalls):
            astray = AssertionError(f"its packet does not come to line {finding.span.line}")
            yield crashed(finding.span.source, finding.code, astray)
