"""Sources in, findings out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from oxidd.util import DDMemoryError

from iptlint.analysis.session import Context, Settings
from iptlint.analysis.witness_check import comes_to
from iptlint.benchmark.host import Host
from iptlint.benchmark.table import Judged, judged
from iptlint.dialects import Reader, Reading
from iptlint.dialects.merging import merged
from iptlint.findings import Finding
from iptlint.linter.budget import Budget, OverBudgetError, Watch
from iptlint.linter.collect import Collected, collect
from iptlint.linter.publish import fewer, publish
from iptlint.linter.report import LintedFile, Report
from iptlint.linter.selection import Selection
from iptlint.model import Ruleset
from iptlint.model import host as model
from iptlint.rules.reading import crashed, out_of_room
from iptlint.rules.registry import Profile, RuleModule, rule_of, rules
from iptlint.source import SourceFile


def lint(
    sources: Sequence[SourceFile],
    settings: Settings | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    reader: Reader | None = None,
    ipsets: Sequence[SourceFile] = (),
    profile: Profile = Profile.DEFAULT,
    host: model.Host | None = None,
    budget: Budget | None = None,
) -> Report:
    """Every selected rule over all the sources together.

    ``select`` and ``ignore`` hold codes, prefixes of codes and names; UnknownRuleError
    where no rule has one; ``profile`` says which run where none is selected. ``reader`` says
    how the sources are read.
    ``ipsets`` are sources that hold sets, whatever they look like; any other source that does
    is known by its text. ``host``: what else is known of the host that the sources are of.
    ``budget``: what the run may take; a finding says what it is not enough for.
    """
    budget = budget or Budget()
    with Watch(budget, len(sources)) as watch:
        work = _Work(sources, ipsets, settings or Settings(), profile, host, watch)
        return work.report(Selection.of(select, ignore, profile), reader, budget)


@dataclass(slots=True)
class _Work:
    """What reading, the benchmarks and the rules have found so far, and where they failed.
    ``unfinished``: by what was not enough, who did not look at everything."""

    sources: Sequence[SourceFile]
    ipsets: Sequence[SourceFile]
    settings: Settings
    profile: Profile
    host: model.Host | None
    watch: Watch
    findings: list[Finding] = field(default_factory=list)
    crashes: list[Finding] = field(default_factory=list)
    items: tuple[Judged, ...] = ()
    unfinished: dict[str, list[str]] = field(default_factory=dict)

    def report(self, selection: Selection, reader: Reader | None, budget: Budget) -> Report:
        collected = collect(self.sources, self.ipsets, reader, self.watch)
        self.findings += collected.findings()
        self.crashes += collected.crashes
        if collected.readings:
            self._ask(collected, selection)
            source = collected.readings[0].ruleset.source
            self.findings += (out_of_room(source, *each) for each in self.unfinished.items())
        before = [reader.start.source] if reader and reader.start else []
        texts = (*self.sources, *self.ipsets, *before)
        published = publish(self.findings, self.crashes, texts, selection, self.host)
        return Report(
            tuple(map(LintedFile.of, collected.readings)),
            fewer(published.findings, budget.findings),
            published.suppressed,
            bool(self.crashes),
            self.items if self.profile is Profile.CIS else None,
        )

    def _ask(self, collected: Collected, selection: Selection) -> None:
        rulesets = _rulesets(collected.readings, self.host)
        context = Context(rulesets, self.settings, collected.sets, self.host)
        if self.profile is Profile.CIS:
            source = rulesets[0].source
            self._guarded(source, "the benchmark", lambda: self._judge(context, collected))
        for rule in (rule for rule in rules() if rule.meta.code in selection.running):
            first = len(self.findings)
            self._guarded(rulesets[0].source, rule.meta.code, lambda: self._run(rule, context))  # noqa: B023
            if self.settings.check_witnesses:
                self.crashes += _stray(context, self.findings[first:])

    def _run(self, rule: RuleModule, context: Context) -> None:
        for finding in rule.check(context):
            self.findings.append(finding)

    def _judge(self, context: Context, collected: Collected) -> None:
        unfinished = [r.ruleset for r in collected.readings if _is_unfinished(r)]
        self.items = judged(Host(context, unfinished))

    def _guarded(self, source: SourceFile, what: str, work: Callable[[], None]) -> None:
        """A bug in one rule must not silence the others, and a panic of the Rust core is no
        Exception."""
        try:
            with self.watch.over():
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


def _rulesets(readings: Sequence[Reading], host: model.Host | None) -> tuple[Ruleset, ...]:
    """What runs beside each other in one kernel is looked at as one."""
    rulesets = tuple(reading.ruleset for reading in readings)
    return (merged(rulesets),) if host is not None and host.mixed else rulesets


def _is_unfinished(reading: Reading) -> bool:
    return any(rule_of(d.code).meta.unfinished for d in reading.diagnostics)


def _stray(context: Context, findings: Sequence[Finding]) -> Iterator[Finding]:
    """A crash for each finding whose packet does not come to what it names."""
    firewalls = [context.firewall(ruleset) for ruleset in context.rulesets]
    for finding in findings:
        places = (finding.span, *(label.span for label in finding.related))
        packet = finding.witness
        if packet and not any(comes_to(firewall, packet, places) for firewall in firewalls):
            astray = AssertionError(f"its packet does not come to line {finding.span.line}")
            yield crashed(finding.span.source, finding.code, astray)
