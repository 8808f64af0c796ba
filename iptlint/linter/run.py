"""Sources in, findings out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from oxidd.util import DDMemoryError

from iptlint.analysis.session import Context, Settings
from iptlint.analysis.witness_check import comes_to
from iptlint.benchmark.host import Host
from iptlint.benchmark.table import Judged, judged
from iptlint.dialects import Reader, Reading
from iptlint.dialects.merging import merged
from iptlint.findings import Finding
from iptlint.linter.collect import collect
from iptlint.linter.publish import publish
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
) -> Report:
    """Every selected rule over all the sources together.

    ``select`` and ``ignore`` hold codes, prefixes of codes and names; UnknownRuleError
    where no rule has one; ``profile`` says which run where none is selected. ``reader`` says
    how the sources are read.
    ``ipsets`` are sources that hold sets, whatever they look like; any other source that does
    is known by its text. ``host``: what else is known of the host that the sources are of.
    """
    selection = Selection.of(select, ignore, profile)
    collected = collect(sources, ipsets, reader)
    outcome = _Outcome([*collected.findings()], [*collected.crashes])
    if collected.readings:
        rulesets = _rulesets(collected.readings, host)
        context = Context(rulesets, settings or Settings(), collected.sets, host)
        if profile is Profile.CIS:
            outcome.items = _judge(context, collected.readings, outcome)
        for rule in (rule for rule in rules() if rule.meta.code in selection.running):
            findings = [*_run(rule, context, outcome)]
            outcome.findings += findings
            if context.settings.check_witnesses:
                outcome.crashes += _stray(context, findings)
    before = [reader.start.source] if reader and reader.start else []
    texts = (*sources, *ipsets, *before)
    published = publish(outcome.findings, outcome.crashes, texts, selection, host)
    return Report(
        tuple(map(LintedFile.of, collected.readings)),
        published.findings,
        published.suppressed,
        bool(outcome.crashes),
        tuple(outcome.items) if profile is Profile.CIS else None,
    )


@dataclass(slots=True)
class _Outcome:
    """What reading, the benchmarks and the rules have found so far, and where they failed."""

    findings: list[Finding]
    crashes: list[Finding]
    items: Sequence[Judged] = field(default_factory=tuple)


def _rulesets(readings: Sequence[Reading], host: model.Host | None) -> tuple[Ruleset, ...]:
    """What runs beside each other in one kernel is looked at as one."""
    rulesets = tuple(reading.ruleset for reading in readings)
    return (merged(rulesets),) if host is not None and host.mixed else rulesets


def _judge(context: Context, readings: Sequence[Reading], outcome: _Outcome) -> tuple[Judged, ...]:
    """The items of the benchmarks; none where they cannot be worked out."""
    source = context.rulesets[0].source
    try:
        return judged(Host(context, [r.ruleset for r in readings if _is_unfinished(r)]))
    except DDMemoryError:
        outcome.findings.append(out_of_room(source, "the benchmark"))
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as crash:
        outcome.crashes.append(crashed(source, "the benchmark", crash))
    return ()


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


def _run(rule: RuleModule, context: Context, outcome: _Outcome) -> Iterator[Finding]:
    source = context.rulesets[0].source
    try:
        yield from rule.check(context)
    except DDMemoryError:
        yield out_of_room(source, rule.meta.code)
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as crash:
        # A bug in one rule must not silence the others, and a panic of the Rust
        # core is no Exception.
        outcome.crashes.append(crashed(source, rule.meta.code, crash))
